// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// When the next originate may be written to a node: FreeSWITCH refuses channels above its sessions per second, with a
// cause that says no more than that something is out of order. Pure; the clock comes from outside.

export interface PacingOptions {
	/** Originates a second; may change at any time. */
	ratePerSec: () => number
	/** Monotonic milliseconds. */
	now: () => number
	/** Who would have to wait longer gets no place. */
	longestWaitMs?: number
}

/** A place in the row: when its turn comes, or came, in the milliseconds of the clock. */
export interface Place {
	at: number
	/** `gone`: it is on its way, and the switch has not answered. */
	state: 'kept' | 'gone' | 'answered'
}

/** However low a limit is: who waits is told after a while that it is too long. */
const LEAST_RATE = 0.01
const LONGEST_WAIT_MS = 2_000
/** The second legs begin a little after the first ones, sooner or later: so much longer than the switch's second is ours. */
const SECOND_MS = 1_100
/** Where an answer is late, so often is looked for it. */
const LOOK_MS = 20

/**
 * No more than the rate within any second, and no delay while there are fewer: whoever clicks alone never waits.
 */
export class Pacing {
	readonly #options: PacingOptions
	/** Turns of the last second and those to come, in their order. */
	#places: Place[] = []

	constructor(options: PacingOptions) {
		this.#options = options
	}

	/** @return undefined when too many wait already */
	reserve(): Place | undefined {
		const { now, longestWaitMs = LONGEST_WAIT_MS } = this.#options
		const at = this.#next()
		if (at - now() > longestWaitMs) {
			return undefined
		}
		const place: Place = { at, state: 'kept' }
		this.#places.push(place)
		return place
	}

	/**
	 * Takes the turn of a place if it has come. What was late before it counts from when the switch had it: neither a process
	 * that was held up nor a slow network must make good for it.
	 *
	 * @return milliseconds that are left; 0 = it may be written now
	 */
	take(place: Place): number {
		const now = this.#options.now()
		const { count, windowMs } = this.#measure()
		const before = this.#places[this.#places.indexOf(place) - count]
		const at = Math.max(place.at, before === undefined ? 0 : before.at + windowMs)
		if (at > now) {
			return at - now
		}
		if (before?.state === 'gone') {
			return LOOK_MS
		}
		place.at = now
		place.state = 'gone'
		return 0
	}

	/** The switch has answered, or nobody expects it to. */
	answered(place: Place): void {
		place.at = this.#options.now()
		place.state = 'answered'
	}

	/** Nothing is written at this place. */
	release(place: Place): void {
		this.#places = this.#places.filter((known) => known !== place)
	}

	/** Milliseconds until somebody who comes now has their turn. */
	waitMs(): number {
		return this.#next() - this.#options.now()
	}

	/** So many a second there are at most. */
	get perSecond(): number {
		const rate = Math.max(this.#options.ratePerSec(), LEAST_RATE)
		return rate < 1 ? rate : Math.floor(rate)
	}

	/** How many wait for their turn. */
	get waiting(): number {
		const now = this.#options.now()
		return this.#places.filter(({ at, state }) => at > now && state === 'kept').length
	}

	/** Below one a second it is one within a longer time. */
	#measure(): { count: number, windowMs: number } {
		const rate = this.perSecond
		return { count: Math.max(1, rate), windowMs: rate < 1 ? SECOND_MS / rate : SECOND_MS }
	}

	#next(): number {
		const now = this.#options.now()
		const { count, windowMs } = this.#measure()
		this.#places = this.#places.filter(({ at, state }) => state !== 'answered' || at > now - windowMs)
		const before = this.#places.at(-count)
		return Math.max(now, this.#places.at(-1)?.at ?? now, before === undefined ? now : before.at + windowMs)
	}
}

/**
 * How many calls a second a node takes: both legs of each are sessions, and the switch refuses the one that uses the last
 * (`--runtime.sps <= 0` in `switch_core_session_request_uuid`).
 *
 * @param share among how many the node's allowance is divided
 */
export function callsPerSec(sessionsPerSec: number, share: number): number {
	return (sessionsPerSec - 1) / 2 / Math.max(share, 1)
}
