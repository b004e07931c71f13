// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call } from './call.ts'

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
			this.#delete(call.uuid)
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

	#delete(callUuid: string): void {
		const call = this.#calls.get(callUuid)
		this.#calls.delete(callUuid)
		for (const uuid of call === undefined ? [] : [call.jobUuid, ...call.legs.map((leg) => leg.uuid)]) {
			this.#byLegOrJob.delete(uuid)
		}
	}
}
