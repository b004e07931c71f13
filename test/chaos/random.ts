// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Chance that can be repeated: everything that is random in a run comes from one of these, made from the run's seed. */
export class Random {
	#state: number

	/** @param seed any whole number; the same one always gives the same row */
	constructor(seed: number) {
		// Neighbouring seeds must not begin alike.
		this.#state = Math.imul(seed ^ 0x9E3779B9, 0x85EBCA6B) >>> 0
	}

	/** 0 (inclusive) … 1 (exclusive): mulberry32. */
	next(): number {
		this.#state = (this.#state + 0x6D2B79F5) >>> 0
		let mixed = this.#state
		mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
	}

	/** A whole number, both ends included. */
	whole(from: number, to: number): number {
		return from + Math.floor(this.next() * (to - from + 1))
	}

	isTrue(probability: number): boolean {
		return this.next() < probability
	}

	pick<Value>(values: readonly Value[]): Value {
		const value = values[this.whole(0, values.length - 1)]
		if (value === undefined) {
			throw new TypeError('There is nothing to pick from')
		}
		return value
	}

	/** One of the values, each as often as its weight says. */
	weighted<Value>(values: readonly (readonly [weight: number, value: Value])[]): Value {
		let left = this.next() * values.reduce((sum, [weight]) => sum + weight, 0)
		for (const [weight, value] of values) {
			left -= weight
			if (left < 0) {
				return value
			}
		}
		return this.pick(values)[1]
	}

	shuffled<Value>(values: readonly Value[]): Value[] {
		return values.map((value) => ({ value, place: this.next() })).toSorted((a, b) => a.place - b.place).map(({ value }) => value)
	}
}
