// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ApiFault } from './api-client.ts'

import { ApiError } from './api-client.ts'

export interface KeptOptions<Value> {
	load: () => Promise<Value>
	/** So long nobody asks again. */
	freshMs: number
	/** Milliseconds. */
	now: () => number
}

/** What was told last, and why there is nothing newer. */
export interface Known<Value> {
	value?: Value
	/** Why the last question was not answered. */
	fault?: ApiFault
}

/** After a question that was not answered. */
const RETRY_MS = 15_000
/** Older than so many times its freshness it is not what is so any more. */
const STALE_FACTOR = 2

/**
 * One answer that is kept: whoever wants it gets the last one at once while it is asked for again, and all who ask at the
 * same time are one question.
 */
export class Kept<Value> {
	readonly #options: KeptOptions<Value>
	#last: { value: Value, at: number } | undefined
	#fault: ApiFault | undefined
	#nextAt = -Infinity
	#loading: Promise<void> | undefined

	constructor(options: KeptOptions<Value>) {
		this.#options = options
	}

	/** The last answer, unless it is too old to be true; one that is not fresh is asked for behind. */
	peek(): Value | undefined {
		void this.#refresh()
		const { now, freshMs } = this.#options
		return this.#last !== undefined && now() - this.#last.at < freshMs * STALE_FACTOR ? this.#last.value : undefined
	}

	/** Asks when the last answer is not fresh, and waits for it. Never rejects. */
	async look(): Promise<Known<Value>> {
		await this.#refresh()
		const value = this.peek()
		return { ...(value === undefined ? {} : { value }), ...(this.#fault === undefined ? {} : { fault: this.#fault }) }
	}

	#refresh(): Promise<void> {
		if (this.#loading === undefined && this.#options.now() >= this.#nextAt) {
			this.#loading = this.#load().finally(() => {
				this.#loading = undefined
			})
		}
		return this.#loading ?? Promise.resolve()
	}

	async #load(): Promise<void> {
		const { load, freshMs, now } = this.#options
		try {
			const value = await load()
			this.#last = { value, at: now() }
			this.#fault = undefined
			this.#nextAt = now() + freshMs
		} catch (error) {
			this.#fault = error instanceof ApiError ? error.fault : 'unreachable'
			this.#nextAt = now() + RETRY_MS
		}
	}
}
