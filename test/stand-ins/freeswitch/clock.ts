// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * The clock of the switch. It may run faster than the wall clock, or jump from one thing that is due to the next, so that a
 * test sees a call of twenty seconds, with the times and durations of twenty seconds, in a moment.
 */

/** Node clamps longer timers to one millisecond. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

interface Due {
	at: number
	task: () => void
}

export class Clock {
	readonly #startedAtMs = Date.now()
	/** The wall clock may be set back while a call is up; the switch's own time never runs backwards. */
	readonly #startedMs = performance.now()
	readonly #speed: number
	/** Only for a clock that jumps: what is due, in order, and the time it has reached. */
	#due: Due[] = []
	#jumpedMs = 0
	#jumping = false

	/** @param speed seconds of the switch per second of the wall clock; Infinity jumps */
	constructor(speed = 1) {
		this.#speed = speed
	}

	/** Microseconds since 1970, as in `Caller-Channel-Created-Time`. */
	now(): number {
		const elapsedMs = this.#speed === Infinity ? this.#jumpedMs : (performance.now() - this.#startedMs) * this.#speed
		return Math.round((this.#startedAtMs + elapsedMs) * 1000)
	}

	/** Microseconds since the switch started. */
	uptime(): number {
		return this.now() - this.#startedAtMs * 1000
	}

	/**
	 * Runs a task after milliseconds of the switch's own time. Infinity is never.
	 *
	 * @return calls it off
	 */
	after(ms: number, task: () => void): () => void {
		if (this.#speed === Infinity) {
			return this.#afterJump(ms, task)
		}
		if (ms <= 0) {
			const immediate = setImmediate(task)
			return () => clearImmediate(immediate)
		}
		const real = ms / this.#speed
		if (real > LONGEST_TIMER_MS) {
			return () => {}
		}
		const timer = setTimeout(task, real)
		timer.unref()
		return () => clearTimeout(timer)
	}

	#afterJump(ms: number, task: () => void): () => void {
		if (ms === Infinity) {
			return () => {}
		}
		const due: Due = { at: this.#jumpedMs + Math.max(0, ms), task }
		const place = this.#due.findIndex(({ at }) => at > due.at)
		this.#due.splice(place < 0 ? this.#due.length : place, 0, due)
		this.#jump()
		return () => {
			this.#due = this.#due.filter((other) => other !== due)
		}
	}

	/** One thing at a time, so that whatever it causes is in the queue before time goes on. */
	#jump(): void {
		if (this.#jumping) {
			return
		}
		this.#jumping = true
		setImmediate(() => {
			this.#jumping = false
			const next = this.#due.shift()
			if (next !== undefined) {
				this.#jumpedMs = next.at
				next.task()
				this.#jump()
			}
		})
	}
}
