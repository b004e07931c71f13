// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The way back to the truth when something was missed: the switch is asked for each leg of a call that is left.

import type { Logger } from '../logger.ts'
import type { CallEvent } from './call-events.ts'
import type { Call, Leg } from './call.ts'
import type { CallSwitch, Clock } from './ports.ts'

import { isLegLive } from './call.ts'

export interface LegInquiryOptions {
	callSwitch: CallSwitch
	clock: Clock
	logger: Logger
	/** Takes an answer as if the switch had told it by itself. */
	apply: (callUuid: string, event: CallEvent) => Promise<unknown>
}

/** What is known of the asking for one call. Times are monotonic milliseconds. */
export interface Inquiry {
	/** When its originate may have been written. */
	bornAt: number
	isAsking: boolean
	/** Since when the switch says that there is no such leg. */
	missing: Map<string, number>
}

/** The switch makes a channel within milliseconds of the originate; a directory behind HTTP may take seconds. */
const BIRTH_MS = 10_000
/** The legs of a call end within milliseconds of each other; after this the missing one is asked for. */
const FAREWELL_MS = 2_000
/** An open call of which nothing was heard for this long is asked for, so that within a minute it is known to be over. */
const SILENCE_MS = 45_000
/** Of calls from before this was kept: what the settings allow at most, and the ringing. */
const LONGEST_SEC = 90_000
/** An end may be on its way while the switch already says that there is no such channel: it is asked once more. */
const GONE_CONFIRM_MS = 1_500

export class LegInquiry {
	readonly #options: LegInquiryOptions

	constructor(options: LegInquiryOptions) {
		this.#options = options
	}

	/**
	 * Asks for every leg of a call that is left; at most once at a time for each call. Never rejects.
	 */
	async ask(call: Call, inquiry: Inquiry): Promise<void> {
		if (inquiry.isAsking) {
			return
		}
		inquiry.isAsking = true
		try {
			const left = legsLeft(call)
			inquiry.missing = new Map([...inquiry.missing].filter(([uuid]) => left.some((leg) => leg.uuid === uuid)))
			for (const leg of left) {
				await this.#askLeg(call, inquiry, leg)
			}
		} catch (error) {
			this.#options.logger.warn('A leg could not be asked for; it is repeated', { callUuid: call.uuid, error })
		} finally {
			inquiry.isAsking = false
		}
	}

	/**
	 * Ends a call whose node cannot be asked, once it is over there by the switch's own limits. Never rejects.
	 */
	async giveUp(call: Call, inquiry: Inquiry): Promise<void> {
		if (inquiry.isAsking) {
			return
		}
		inquiry.isAsking = true
		this.#options.logger.warn('Nothing is heard of a call’s FreeSWITCH, and its longest time has passed: it counts as ended', { callUuid: call.uuid, node: call.node })
		for (const leg of legsLeft(call)) {
			await this.#options.apply(call.uuid, { type: 'leg_gone', legUuid: leg.uuid, at: this.#options.clock.now() })
		}
		inquiry.isAsking = false
	}

	async #askLeg({ uuid: callUuid, node }: Call, inquiry: Inquiry, leg: Leg): Promise<void> {
		const report = await this.#options.callSwitch.look(leg.uuid, node)
		if (report !== undefined) {
			inquiry.missing.delete(leg.uuid)
			await this.#options.apply(callUuid, report)
			return
		}
		const now = performance.now()
		// A leg that never was is gone only when it is too late for it to come, and a B leg only when it had been there.
		if (!isLegLive(leg) && !(leg.role === 'user' && now - inquiry.bornAt >= BIRTH_MS)) {
			return
		}
		const since = inquiry.missing.get(leg.uuid)
		if (since === undefined) {
			inquiry.missing.set(leg.uuid, now)
		} else if (now - since >= GONE_CONFIRM_MS) {
			inquiry.missing.delete(leg.uuid)
			await this.#options.apply(callUuid, { type: 'leg_gone', legUuid: leg.uuid, at: this.#options.clock.now() })
		}
	}
}

/** The legs of which no end is known. */
export function legsLeft(call: Call): Leg[] {
	return call.legs.filter((leg) => leg.end === undefined && leg.goneAt === undefined)
}

/**
 * Whether it is time to ask for a call.
 *
 * @param heardAt when the switch last told anything about it
 * @param isHangupWanted also where the wish could not be stored
 * @param now monotonic milliseconds, as `heardAt`
 */
export function isOverdue(call: Call, { missing }: Inquiry, heardAt: number, isHangupWanted: boolean, now: number): boolean {
	return now - heardAt >= patienceMs(call, isHangupWanted) || [...missing.values()].some((since) => now - since >= GONE_CONFIRM_MS)
}

/** Whether the switch itself has ended a call by now, whoever hears of it. */
export function isTimeUp({ longestSec = LONGEST_SEC }: Call, { bornAt }: Inquiry, now: number): boolean {
	return now - bornAt >= longestSec * 1000
}

/** How long silence about a call is normal. */
function patienceMs(call: Call, isHangupWanted: boolean): number {
	if (call.legs.some((leg) => leg.end !== undefined || leg.goneAt !== undefined) || call.originateFailure !== undefined) {
		return FAREWELL_MS
	}
	return call.status === 'queued' || isHangupWanted ? BIRTH_MS : SILENCE_MS
}
