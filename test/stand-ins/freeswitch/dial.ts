// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Calls one party: from CHANNEL_CREATE to its answer, its refusal or our own timeout (`switch_ivr_originate`, one peer). */

import type { Core } from './core.ts'
import type { Leg } from './leg.ts'
import type { Party } from './stories.ts'
import type { OriginateLeg } from './tokenizer.ts'

import { randomUUID } from 'node:crypto'
import { createLeg, fireStillborn } from './create-leg.ts'
import { onAnswer, onCreate, onEarlyMedia, onProgress } from './variables.ts'

export interface DialOrder {
	/** Whom to call. */
	target: OriginateLeg
	party: Party
	/** Seconds after which the whole attempt is given up. */
	timeoutSec: number
	/** The leg that calls, when it is `bridge` that calls. */
	originator?: Leg
	callerName?: string
	callerNumber?: string
	/** Called right after CHANNEL_CREATE. */
	onCreated?: () => void
	/** Called right before CHANNEL_ANSWER. */
	onAnswering?: () => void
	/** Called when early media alone connects the two (the caller does not ignore early media). */
	onEarlyMedia?: (leg: Leg) => void
}

export interface DialResult {
	/** The channel, if one was created. It has answered unless there is a cause. */
	leg?: Leg
	/** Why it did not come to an answer. The channel has had its CHANNEL_HANGUP and nothing after it. */
	cause?: string
	/** It was our own timeout: the switch then tries no further group. */
	timedOut?: boolean
	/** The cause that the whole attempt keeps, whatever the next groups end with (`force_reason`). */
	forced?: string
}

/** Reasons for which the endpoint creates no channel, as mod_sofia and its neighbours name them. */
function impossible(core: Core, order: DialOrder): string | undefined {
	const [kind] = order.target.dialString.split('/')
	const failing = /^error\/(.+)$/.exec(order.target.dialString)
	if (failing?.[1] !== undefined) {
		return failing[1].toUpperCase()
	}
	if (!['sofia', 'user', 'loopback', 'null'].includes(kind ?? '')) {
		return 'CHAN_NOT_IMPLEMENTED'
	}
	const gateway = order.target.gateway
	if (gateway !== undefined && core.options.gateways !== undefined) {
		const status = core.options.gateways.get(gateway)
		if (status !== 'UP') {
			return status === undefined ? 'INVALID_GATEWAY' : 'GATEWAY_DOWN'
		}
	}
	return order.party.impossible
}

/** Runs `execute_on_answer` as far as the limit of a call needs it. */
function armLimit(core: Core, leg: Leg): void {
	const limit = /^sched_hangup[ :]\+(\d+)(?: +(\w+))?/.exec(leg.variables.get('execute_on_answer') ?? '')
	if (limit !== null) {
		core.later(leg, Number(limit[1]) * 1000, () => core.hangUp(leg, { cause: limit[2] ?? 'ALLOTTED_TIMEOUT', by: 'switch' }))
	}
}

/** Fires what an answer of the far end changes. */
export function answer(core: Core, leg: Leg): void {
	if (leg.times.progress === 0 && leg.times.progressMedia === 0) {
		onProgress(leg)
	}
	leg.state = 'CS_CONSUME_MEDIA'
	leg.stateNumber = 7
	leg.profile.networkAddr = leg.host
	onAnswer(leg)
	leg.hasMedia = true
	leg.answerState = 'answered'
	leg.times.answered = core.clock.now()
	core.fireChannel(leg, 'CHANNEL_ANSWER')
	core.setCallState(leg, 'ACTIVE')
	armLimit(core, leg)
}

/** Fires what a 180 of the far end changes. */
export function ring(core: Core, leg: Leg, originator: Leg | undefined): void {
	leg.state = 'CS_CONSUME_MEDIA'
	leg.stateNumber = 7
	leg.profile.networkAddr = leg.host
	leg.times.progress = core.clock.now()
	if (leg.other !== undefined) {
		leg.other.times.progress = leg.times.progress
	}
	if (originator?.times.progress === 0) {
		originator.times.progress = leg.times.progress
	}
	onProgress(leg)
	core.fireChannel(leg, 'CHANNEL_PROGRESS')
	core.setCallState(leg, 'RINGING')
}

function announce(core: Core, leg: Leg): void {
	leg.state = 'CS_CONSUME_MEDIA'
	leg.stateNumber = 7
	leg.times.progressMedia = core.clock.now()
	if (leg.other !== undefined) {
		leg.other.times.progressMedia = leg.times.progressMedia
	}
	leg.answerState = 'early'
	onEarlyMedia(leg)
	core.fireChannel(leg, 'CHANNEL_PROGRESS_MEDIA')
	core.setCallState(leg, 'EARLY')
}

/** Whether a variable that may be a switch or a list is no list. */
function isOff(value: string | undefined): boolean {
	return value === undefined || value === 'true'
}

/** Calls the party. Resolves when it has answered or when it is sure that it will not. */
export async function dial(core: Core, order: DialOrder): Promise<DialResult> {
	const { originator, party, target } = order
	const { pace } = core.options
	const reason = impossible(core, order)
	if (reason !== undefined) {
		if (['INVALID_GATEWAY', 'INVALID_PROFILE', 'GATEWAY_DOWN'].includes(reason)) {
			fireStillborn(core, target.variables.origination_uuid ?? randomUUID())
		}
		return { cause: reason }
	}
	if (core.legs.has(target.variables.origination_uuid ?? '') || !core.mayCreate()) {
		return { cause: 'DESTINATION_OUT_OF_ORDER' }
	}

	const leg = createLeg(core, order)
	core.add(leg)
	onCreate(leg, target.variables, originator)
	core.fireChannel(leg, 'CHANNEL_CREATE')
	order.onCreated?.()
	core.fireChannel(leg, 'CHANNEL_ORIGINATE')

	let timedOut = false
	let forced: string | undefined
	const limits: (() => void)[] = []
	const expire = (seconds: number, cause: string, note: () => void = () => {}): () => void => {
		const callOff = core.later(leg, seconds * 1000, () => {
			if (leg.ending === undefined) {
				note()
				core.hangUp(leg, { cause, by: 'switch' })
			}
		})
		limits.push(callOff)
		return callOff
	}
	// Beside a list of causes in fail_on_single_reject the switch looks at nothing else: the attempt never times out as a whole.
	if (isOff(target.variables.fail_on_single_reject ?? originator?.variables.get('fail_on_single_reject'))) {
		expire(order.timeoutSec, 'NO_ANSWER', () => {
			timedOut = true
		})
	}
	// The limits of one leg are compared with `>` and have causes of their own (`check_per_channel_timeouts`).
	const legTimeout = Number.parseInt(target.variables.leg_timeout ?? '')
	if (legTimeout > 0) {
		expire(legTimeout + 1, 'ALLOTTED_TIMEOUT')
	}
	const progressTimeout = Number.parseInt(target.variables.leg_progress_timeout ?? '')
	const progressed = progressTimeout > 0
		? expire(progressTimeout + 1, 'PROGRESS_TIMEOUT', () => {
				forced = 'PROGRESS_TIMEOUT'
			})
		: () => {}

	/** True when there is nothing left to wait for. */
	const over = async (ms: number): Promise<boolean> => {
		const until = core.clock.now() + ms * 1000
		for (let waited = false; ; waited = true) {
			const left = (until - core.clock.now()) / 1000
			if (leg.ending !== undefined || originator?.ending !== undefined || originator?.next !== undefined) {
				return true
			}
			if (leg.pickedUp || (waited && left <= 0)) {
				return false
			}
			await core.until(left, originator === undefined ? [leg] : [leg, originator])
		}
	}
	const failed = (): DialResult => {
		if (leg.ending === undefined) {
			// The caller is gone: nobody waits for this leg any more.
			if (originator?.ending !== undefined) {
				leg.set('last_bridge_hangup_cause', originator.ending.cause)
			}
			core.hangUp(leg, { cause: 'ORIGINATOR_CANCEL', by: 'switch' })
		}
		return { leg, cause: leg.ending?.cause ?? 'ORIGINATOR_CANCEL', timedOut, ...(forced === undefined ? {} : { forced }) }
	}

	if (await over(pace.network)) {
		return failed()
	}
	if (party.rings) {
		progressed()
		ring(core, leg, originator)
		if (originator?.party.losesPatience) {
			core.later(originator, pace.patience, () => core.hangUp(originator, { cause: 'NORMAL_CLEARING', by: 'party' }))
		}
		if (await over(originator === undefined ? pace.phoneRings : pace.destinationRings)) {
			return failed()
		}
	}
	if (party.announces) {
		progressed()
		announce(core, leg)
		order.onEarlyMedia?.(leg)
		if (await over(pace.announcement)) {
			return failed()
		}
	}
	if (party.then === 'never' && await over(Infinity)) {
		return failed()
	}
	if (typeof party.then === 'object' && !leg.pickedUp) {
		leg.state = 'CS_CONSUME_MEDIA'
		const { cause, status, phrase, nobodyThere } = party.then
		core.hangUp(leg, { cause, by: 'party', refusal: { status, phrase, ...(nobodyThere ? { nobodyThere } : {}) } })
		return failed()
	}
	leg.pickedUp = false
	limits.forEach((callOff) => callOff())
	order.onAnswering?.()
	answer(core, leg)
	return { leg }
}
