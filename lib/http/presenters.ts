// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call } from '../calls/call.ts'
import type { CallJson } from './schemas.ts'

import { costOf } from '../calls/call-cost.ts'
import { displayNumber } from '../numbering/parse-number.ts'

/** A call as the outside sees it: no legs, no user id, no raw input. */
export function presentCall(call: Call): CallJson {
	return {
		uuid: call.uuid,
		version: call.version,
		to: call.to,
		...(call.erasedAt !== undefined ? { erased: true } : call.maskedAt !== undefined ? { masked: true } : {}),
		...(call.isUnreadable === true ? { unreadable: true } : {}),
		...(call.extension === undefined ? {} : { extension: call.extension }),
		toDisplay: displayNumber(call.to, call.extension),
		device: call.device,
		...(call.callerId === undefined ? {} : { callerId: call.callerId }),
		direction: call.direction,
		status: call.status,
		...(call.outcome === undefined ? {} : { outcome: call.outcome }),
		...(call.endedBy === undefined ? {} : { endedBy: call.endedBy }),
		...(call.leg === undefined ? {} : { leg: call.leg }),
		...(call.cause === undefined ? {} : { cause: call.cause }),
		...(call.reason === undefined ? {} : { reason: call.reason }),
		createdAt: call.createdAt.toISOString(),
		...presentTimes(call),
		...(call.talkMs === undefined ? {} : { talkSec: Math.round(call.talkMs / 1000) }),
		...presentCost(call),
		onHold: call.onHold,
		...(call.note === undefined ? {} : { note: call.note }),
		tags: call.tags,
	}
}

function presentCost(call: Call): Pick<CallJson, 'cost' | 'costState'> {
	const cost = costOf(call)
	return cost === undefined ? {} : { cost: cost.state === 'final' ? cost.cost : null, costState: cost.state }
}

function presentTimes({ userAnsweredAt, ringingAt, answeredAt, endedAt }: Call): Partial<Pick<CallJson, 'userAnsweredAt' | 'ringingAt' | 'answeredAt' | 'endedAt'>> {
	return Object.fromEntries(Object.entries({ userAnsweredAt, ringingAt, answeredAt, endedAt })
		.flatMap(([name, value]) => value === undefined ? [] : [[name, value.toISOString()]]))
}
