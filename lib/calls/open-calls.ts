// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call } from './call.ts'

import { isHandedOver } from './call.ts'

/**
 * Which call a leg or job belongs to, for calls that are not ended. Answers without a query, because a shared switch
 * tells us of every channel it has and most of them are none of ours.
 */
export class OpenCallIndex {
	readonly #calls = new Map<string, Call>()
	readonly #byLegOrJob = new Map<string, string>()

	/** Takes over the newest state; an ended call is forgotten. */
	set(call: Call): void {
		if (call.status === 'ended') {
			this.delete(call.uuid)
			return
		}
		this.#calls.set(call.uuid, call)
		for (const leg of call.legs) {
			this.#byLegOrJob.set(leg.uuid, call.uuid)
		}
		this.#byLegOrJob.set(call.jobUuid, call.uuid)
	}

	byLegOrJob(uuid: string): string | undefined {
		return this.#byLegOrJob.get(uuid)
	}

	get(callUuid: string): Call | undefined {
		return this.#calls.get(callUuid)
	}

	values(): Call[] {
		return [...this.#calls.values()]
	}

	delete(callUuid: string): void {
		const call = this.#calls.get(callUuid)
		this.#calls.delete(callUuid)
		for (const uuid of call === undefined ? [] : [call.jobUuid, ...call.legs.map((leg) => leg.uuid)]) {
			this.#byLegOrJob.delete(uuid)
		}
	}
}

/** A switch that was stuck for longer than this has forgotten its originates. */
const RECENT_MS = 5 * 60_000

/**
 * The calls that are over, for a while. A channel that still appears for one of them is nobody's: without an owner it
 * would ring, and be billed, until somebody notices.
 */
export class RecentCalls {
	/** By the call's and by its legs' uuid; the monotonic time in milliseconds, oldest first. */
	readonly #endedAt = new Map<string, number>()

	add(call: Call, now: number): void {
		// The legs of somebody who was transferred are their own from now on.
		if (isHandedOver(call)) {
			return
		}
		for (const uuid of [call.uuid, ...call.legs.map((leg) => leg.uuid)]) {
			this.#endedAt.set(uuid, now)
		}
	}

	has(uuid: string | undefined): boolean {
		return uuid !== undefined && this.#endedAt.has(uuid)
	}

	forgetOld(now: number): void {
		for (const [uuid, endedAt] of this.#endedAt) {
			if (now - endedAt < RECENT_MS) {
				return
			}
			this.#endedAt.delete(uuid)
		}
	}
}
