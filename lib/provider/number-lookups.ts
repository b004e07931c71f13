// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { NumberFacts } from '../calls/trunk-provider.ts'

import { createHmac, randomBytes } from 'node:crypto'

export interface NumberLookupsOptions {
	/** Each of these is charged for. */
	load: (number: string) => Promise<NumberFacts>
	/** Milliseconds. */
	now: () => number
}

const KEPT_MS = 30 * 24 * 60 * 60 * 1000
const MOST_KEPT = 1000

/**
 * What was paid for once is kept for 30 days, in memory alone and without the number: by a hash under a key that nobody
 * else has. A restart forgets it.
 */
export class NumberLookups {
	readonly #options: NumberLookupsOptions
	readonly #key = randomBytes(32)
	/** The oldest first. */
	readonly #kept = new Map<string, { at: number, facts: Promise<NumberFacts> }>()

	constructor(options: NumberLookupsOptions) {
		this.#options = options
	}

	/** Two who ask at the same time are one question; one that was not answered is asked again. */
	look(number: string): Promise<NumberFacts> {
		const { load, now } = this.#options
		const name = createHmac('sha256', this.#key).update(number).digest('base64')
		const known = this.#kept.get(name)
		if (known !== undefined && now() - known.at < KEPT_MS) {
			return known.facts
		}
		this.#kept.delete(name)
		const asked = { at: now(), facts: load(number) }
		this.#kept.set(name, asked)
		asked.facts.catch(() => {
			if (this.#kept.get(name) === asked) {
				this.#kept.delete(name)
			}
		})
		const [oldest] = this.#kept.keys()
		if (this.#kept.size > MOST_KEPT && oldest !== undefined) {
			this.#kept.delete(oldest)
		}
		return asked.facts
	}
}
