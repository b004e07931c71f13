// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { SwitchEvent } from './event-parser.ts'
import type { SwitchStatus } from './inquiry.ts'

/** Who has told nothing of itself for this long takes no new calls. */
const LONGEST_SILENCE_MS = 60_000

/** How busy one FreeSWITCH is, as it says itself: by its HEARTBEAT, or asked. */
export class NodeLoad implements SwitchStatus {
	isAccepting?: boolean
	sessions?: number
	maxSessions?: number
	sessionsPerSec?: number
	/** Seconds of FreeSWITCH's clock ahead of ours, by the last HEARTBEAT. */
	clockSkewSec?: number
	/** Counts what the node has told: who knows of it once need not count it again. */
	told: number
	/** Monotonic milliseconds. */
	#toldAt = -Infinity
	#beatAt: number | undefined

	/** @param told of its connections before this one, on which it has told nothing yet */
	constructor(told = 0) {
		this.told = told
	}

	tell(status: SwitchStatus): void {
		Object.assign(this, status)
		this.told++
		this.#toldAt = performance.now()
	}

	/**
	 * Its sessions per second are what is left of them in this second (`runtime.sps`): never more than the limit, and often less.
	 *
	 * @param aheadMs its clock against ours; NaN when it does not tell
	 */
	beat({ sessions, maxSessions, sessionsPerSec = 0 }: Extract<SwitchEvent, { type: 'heartbeat' }>, aheadMs: number): void {
		this.#beatAt = performance.now()
		if (Number.isFinite(aheadMs)) {
			this.clockSkewSec = aheadMs / 1000
		}
		this.tell({
			...(sessions === undefined ? {} : { sessions }),
			...(maxSessions === undefined ? {} : { maxSessions }),
			...(sessionsPerSec > (this.sessionsPerSec ?? 0) ? { sessionsPerSec } : {}),
		})
	}

	/** Milliseconds since the last HEARTBEAT; undefined where none has come. */
	get beatAgeMs(): number | undefined {
		return this.#beatAt === undefined ? undefined : performance.now() - this.#beatAt
	}

	/** Whether what it has told is new enough to rely on. */
	get isFresh(): boolean {
		return performance.now() - this.#toldAt < LONGEST_SILENCE_MS
	}
}
