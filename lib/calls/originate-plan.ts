// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// From an allowed wish to the row that is stored and the plan that the switch gets.

import type { Settings } from '../policy/settings.ts'
import type { AllowedCall } from './call-rules.ts'
import type { Call } from './call.ts'
import type { Device } from './device.ts'
import type { OriginatePlan } from './ports.ts'

import { legOfUser, legsOfDestination } from './call.ts'

type DialSettings = Pick<Settings, 'answerTimeoutSec' | 'gateways' | 'maxCallSec' | 'ringTimeoutSec'>

/** For the row in which calls wait, and for what the network takes. */
const MARGIN_SEC = 60

/** What stands in a new call beside what was allowed. */
export interface CallIntent {
	userId: string
	rawTo: string
	note: string | undefined
	at: Date
}

/**
 * A new call. Every uuid that FreeSWITCH will use is chosen here, so that it is stored before anything is dialled.
 *
 * @param settings with the gateways in the order in which they are tried
 * @param node that will dial
 * @param awaitsCost whether the company behind the trunk will say what it has cost
 */
export function newCall(intent: CallIntent, { number, callerId, charge, device }: AllowedCall, settings: DialSettings, node: string, newUuid: () => string, awaitsCost: boolean): Call {
	const { gateways } = settings
	return {
		uuid: newUuid(),
		version: 1,
		userId: intent.userId,
		to: number.e164,
		...(number.extension === undefined ? {} : { extension: number.extension }),
		rawTo: intent.rawTo,
		...(number.country === undefined ? {} : { country: number.country }),
		...chargeOf(charge),
		...(awaitsCost ? { carrierCost: { state: 'pending' as const, looks: 0 } } : {}),
		device: { id: device.id, label: device.label },
		...(callerId === undefined ? {} : { callerId }),
		...(intent.note === undefined ? {} : { note: intent.note }),
		tags: [],
		direction: 'outbound',
		status: 'queued',
		createdAt: intent.at,
		onHold: false,
		legs: [
			{ uuid: newUuid(), role: 'user', ...(device.kind === 'phone' && gateways[0] !== undefined ? { gateway: gateways[0] } : {}) },
			...gateways.map((gateway) => ({ uuid: newUuid(), role: 'destination' as const, gateway })),
		],
		jobUuid: newUuid(),
		node,
		longestSec: longestSec(settings),
	}
}

/** As the dial string has it: the phone rings, each gateway is tried for its time, and the switch ends what was answered. */
function longestSec({ ringTimeoutSec, answerTimeoutSec, maxCallSec, gateways }: DialSettings): number {
	return ringTimeoutSec + answerTimeoutSec * gateways.length + maxCallSec + MARGIN_SEC
}

function chargeOf(charge: AllowedCall['charge']): Pick<Call, 'rate' | 'ownRate' | 'reservedMicros'> {
	return charge === undefined
		? {}
		: {
				...(charge.rate === undefined ? {} : { rate: charge.rate }),
				...(charge.ownRate === undefined ? {} : { ownRate: charge.ownRate }),
				reservedMicros: String(charge.reservedMicros),
			}
}

/** What the switch is asked to do for a call. */
export function planOf(call: Call, device: Device, settings: Settings): OriginatePlan {
	const callerId = call.callerId
	return {
		callUuid: call.uuid,
		jobUuid: call.jobUuid,
		user: {
			legUuid: legOfUser(call).uuid,
			target: targetOf(device, settings),
			// A desk phone shows who is being called; a phone behind the trunk may only be shown a number that is ours.
			callerId: device.kind === 'sip' ? call.to : callerId,
			ringTimeoutSec: settings.ringTimeoutSec,
		},
		destination: {
			number: call.to,
			...(call.extension === undefined ? {} : { extension: call.extension }),
			legs: legsOfDestination(call).map(({ uuid, gateway = '' }) => ({ legUuid: uuid, gateway })),
			callerId,
			answerTimeoutSec: settings.answerTimeoutSec,
			maxCallSec: settings.maxCallSec,
		},
	}
}

/** How a user's own phone is rung. */
export function targetOf({ kind, address }: Device, { sipDialString, sipDomain, gateways }: Settings): OriginatePlan['user']['target'] {
	return kind === 'sip'
		? { kind, template: sipDialString, address, domain: sipDomain ?? undefined }
		: { kind, gateway: gateways[0] ?? '', number: address }
}
