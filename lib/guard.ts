// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What stands between SIPCall and a part that may fail: one that does not answer is left alone for a while, and only so
// many ask it at once.

import { BrokenCircuitError, bulkhead, BulkheadRejectedError, circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from 'cockatiel'
import { addTime, presentTime } from './time-spent.ts'

export type GuardedPart = 'nextcloud' | 'database' | 'redis' | 'freeswitch' | 'carrier'

export interface GuardOptions {
	part: GuardedPart
	/** Of several of one kind, such as `host:port` of a FreeSWITCH. */
	name?: string
	/** Whether an error means that the part is ill; any other one is an answer. */
	isFault: (error: unknown) => boolean
	/** So many faults in a row, and it is left alone. */
	breakAfter: number
	/** For so long; then one is let through, and its answer decides. */
	breakMs: number
	/** So many ask at once, others wait; left out = as many as there are. */
	atOnce?: number
	/** So many wait at most. */
	waiting?: number
}

export interface GuardState {
	part: GuardedPart
	name: string | undefined
	/** `open`: it is left alone. `half_open`: the next answer decides. */
	breaker: 'closed' | 'half_open' | 'open'
	/** How often it was left alone, since the start. */
	opened: number
	/** Who was told to come later because it was left alone, or too many asked. */
	refused: number
	running: number
	waiting: number
}

const STATES = {
	[CircuitState.Closed]: 'closed',
	[CircuitState.HalfOpen]: 'half_open',
	[CircuitState.Open]: 'open',
	[CircuitState.Isolated]: 'open',
} as const

/** Nothing was asked: the part is left alone, or too many ask it. */
export class GuardRefusal extends Error {
	static readonly CODE = 'PART_LEFT_ALONE'
	/** What is left of it in the error of another library that wraps it. */
	readonly code = GuardRefusal.CODE

	constructor(part: GuardedPart, cause: unknown) {
		super(`The ${part} is left alone for a moment`, { cause })
		this.name = 'GuardRefusal'
	}
}

export class Guard {
	readonly #options: GuardOptions
	readonly #breaker
	readonly #places
	readonly #atOnce: number
	readonly #queue: number
	#opened = 0
	#refused = 0
	/** Monotonic milliseconds. */
	#aloneUntil = -Infinity
	#isolation: { dispose: () => void } | undefined
	#lastFault: unknown

	constructor(options: GuardOptions) {
		const { isFault, breakAfter, breakMs, atOnce = Number.MAX_SAFE_INTEGER, waiting = 0 } = options
		this.#options = options
		// Cockatiel's own time is the wall clock's: one that is set back by an hour would leave the part alone for an hour.
		this.#breaker = circuitBreaker(handleWhen((error) => this.#noteFault(error, isFault(error))), { halfOpenAfter: -Infinity, breaker: new ConsecutiveBreaker(breakAfter) })
		this.#breaker.onSuccess(() => {
			this.#lastFault = undefined
		})
		this.#breaker.onBreak(() => {
			this.#opened++
			this.#aloneUntil = performance.now() + breakMs
		})
		this.#places = bulkhead(atOnce, waiting)
		this.#atOnce = atOnce
		this.#queue = waiting
	}

	/** Whether it is asked as usual. Half open is not closed to those who have the choice. */
	get isClosed(): boolean {
		return this.#breaker.state === CircuitState.Closed
	}

	/** Why it was left alone, or would be; undefined when the last answer was none of those. */
	get lastFault(): unknown {
		return this.#lastFault
	}

	get state(): GuardState {
		const { part, name } = this.#options
		return {
			part,
			name,
			breaker: STATES[this.#breaker.state],
			opened: this.#opened,
			refused: this.#refused,
			running: this.#atOnce - this.#places.executionSlots,
			waiting: this.#queue - this.#places.queueSlots,
		}
	}

	/**
	 * Asks, once: nothing is repeated here.
	 *
	 * @throws {GuardRefusal} when nothing was asked
	 */
	async execute<Value>(ask: () => Promise<Value>): Promise<Value> {
		const [spent, began] = [presentTime(), performance.now()]
		try {
			// Who has waited for a place must not ask a part that has been left alone meanwhile.
			return await this.#places.execute(() => this.#ask(ask))
		} catch (error) {
			if (error instanceof BrokenCircuitError || error instanceof BulkheadRejectedError) {
				this.#refused++
				throw new GuardRefusal(this.#options.part, error)
			}
			throw error
		} finally {
			addTime(spent, this.#options.part, performance.now() - began)
		}
	}

	#noteFault(error: unknown, isFault: boolean): boolean {
		this.#lastFault = isFault ? error : undefined
		return isFault
	}

	#ask<Value>(ask: () => Promise<Value>): Promise<Value> {
		const { state } = this.#breaker
		// Whoever comes while one is let through does not wait for that one's answer: it may take as long as a time-out.
		if (state === CircuitState.HalfOpen || (state === CircuitState.Open && performance.now() < this.#aloneUntil)) {
			throw new BrokenCircuitError()
		}
		return this.#breaker.execute(() => ask())
	}

	/**
	 * Somebody knows that it does not answer: it is left alone until `heard`.
	 *
	 * @return whether that is news
	 */
	silent(): boolean {
		const isNew = this.#isolation === undefined
		this.#isolation ??= this.#breaker.isolate()
		return isNew
	}

	/** It answers again. */
	heard(): void {
		this.#isolation?.dispose()
		this.#isolation = undefined
	}

	/**
	 * It may be there again: whether it is, is asked now and not when its time is over.
	 *
	 * @param ask something harmless
	 */
	async tryNow(ask: () => Promise<unknown>): Promise<void> {
		this.#aloneUntil = -Infinity
		await this.execute(ask).catch(() => {})
	}
}

/** All guards there are, for whoever looks at them. A part that is opened anew has a new one. */
export class Guards {
	readonly #all = new Map<string, Guard>()

	add(options: GuardOptions): Guard {
		const guard = new Guard(options)
		this.#all.set(keyOf(options), guard)
		return guard
	}

	remove(part: Pick<GuardOptions, 'part' | 'name'>): void {
		this.#all.delete(keyOf(part))
	}

	states(): GuardState[] {
		return [...this.#all.values()].map(({ state }) => state)
	}
}

function keyOf({ part, name = '' }: Pick<GuardOptions, 'part' | 'name'>): string {
	return `${part} ${name}`
}
