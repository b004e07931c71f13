// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

const WINDOW_MS = 5 * 60_000
/** So long a late event is spoken of. */
const MEMORY_MS = 60_000

/**
 * How late events come, whatever the two clocks say: the quickest event of the last minutes took no time, and all others
 * are measured against it. A clock that is set is forgotten with its window.
 */
export class EventLag {
	#windowEndsAt = 0
	#least = Infinity
	#leastBefore = Infinity
	/** The latest event of the last minute, in monotonic milliseconds. */
	#latest = { sec: 0, at: -Infinity }

	/** The latest that an event came within the last minute, in seconds. */
	get latestSec(): number {
		return performance.now() - this.#latest.at < MEMORY_MS ? this.#latest.sec : 0
	}

	/**
	 * @param micros `Event-Date-Timestamp`, microseconds of FreeSWITCH's clock
	 * @param now of this computer's
	 * @return seconds; undefined when the event bears no time
	 */
	of(micros: string | undefined, now: Date): number | undefined {
		const sentAt = Number(micros) / 1000
		if (!Number.isFinite(sentAt)) {
			return undefined
		}
		const late = now.getTime() - this.#windowEndsAt
		if (late >= 0 || late < -WINDOW_MS) {
			this.#leastBefore = late >= 0 && late < WINDOW_MS ? this.#least : Infinity
			this.#least = Infinity
			this.#windowEndsAt = now.getTime() + WINDOW_MS
		}
		const difference = now.getTime() - sentAt
		this.#least = Math.min(this.#least, difference)
		const lag = (difference - Math.min(this.#least, this.#leastBefore)) / 1000
		if (lag >= this.latestSec) {
			this.#latest = { sec: lag, at: performance.now() }
		}
		return lag
	}
}
