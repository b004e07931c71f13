// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Bringing parts up and down again, whatever the parts are.

import type { Logger } from './logger.ts'

import { SipCallError } from './errors.ts'

/** Undoes what was done, in reverse, each at most once; a part that does not stop does not keep the others. */
export class Releasers {
	readonly #releasers: { name: string, release: () => void | Promise<void> }[] = []
	readonly #logger: Logger

	constructor(logger: Logger) {
		this.#logger = logger
	}

	add(name: string, release: () => void | Promise<void>): void {
		this.#releasers.push({ name, release })
	}

	async run(): Promise<void> {
		for (let next = this.#releasers.pop(); next !== undefined; next = this.#releasers.pop()) {
			try {
				await next.release()
			} catch (error) {
				this.#logger.error('A part did not stop cleanly', { part: next.name, error })
			}
		}
	}
}

const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 30_000

/**
 * Starts the parts, and tries again for as long as they fail: a database that comes up late needs no restart, and a
 * fault that a person must mend is told again and again instead of ending a container in a loop.
 *
 * `Errand` is what a restart may be asked to do on the way up.
 */
export class Startup<Errand = never> {
	readonly #start: (releasers: Releasers, errand?: Errand) => Promise<void>
	readonly #logger: Logger
	readonly #up = Promise.withResolvers<void>()
	#attempt: Promise<void> = Promise.resolve()
	#parts: Releasers | undefined
	#fault: unknown
	#timer: NodeJS.Timeout | undefined
	#stopped = false

	/**
	 * @param start brings all parts up, each with its undo; what it throws, the attempt's parts are stopped again
	 */
	constructor(start: (releasers: Releasers, errand?: Errand) => Promise<void>, logger: Logger) {
		this.#start = start
		this.#logger = logger
	}

	/** Resolves once the parts are up, however many attempts it takes. */
	get up(): Promise<void> {
		return this.#up.promise
	}

	/** Resolves when the parts are up; rejects with the present attempt's fault, while the next one is on its way. */
	currentAttempt(): Promise<void> {
		return this.#attempt
	}

	/** Why the last attempt failed; undefined while none has, and once the parts are up. */
	get fault(): unknown {
		return this.#fault
	}

	begin(): void {
		this.#follow(this.#try())
	}

	/**
	 * Stops the parts and starts them again. Resolves when they are up; when they are not, it goes on as after any failed
	 * start, but the errand belongs to this one attempt: nothing is done late that its caller was told had failed.
	 *
	 * @param errand is handed to the start
	 * @throws {SipCallError} `shutting_down`; or what the start throws
	 */
	async restart(errand: Errand): Promise<void> {
		clearTimeout(this.#timer)
		const attempt = this.#startAgain(this.#attempt, errand)
		this.#follow(attempt)
		await attempt
	}

	async #startAgain(earlier: Promise<void>, errand: Errand): Promise<void> {
		await earlier.catch(() => {})
		await this.#parts?.run()
		this.#parts = undefined
		if (this.#stopped) {
			throw new SipCallError('shutting_down', 'SIPCall is being stopped. Try again when it is up.', { retryAfterSec: 5 })
		}
		await this.#try(errand)
	}

	#follow(attempt: Promise<void>, failures = 0): void {
		this.#attempt = attempt
		attempt.then(() => this.#up.resolve(), (error: unknown) => {
			// A restart that came in between tries by itself.
			if (this.#stopped || this.#attempt !== attempt) {
				return
			}
			const retryInMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures, 10), LONGEST_RETRY_MS)
			this.#logger.error(error instanceof Error ? error.message : 'SIPCall could not start', { error, retryInMs })
			this.#timer = setTimeout(() => this.#follow(this.#try(), failures + 1), retryInMs)
		})
	}

	async stop(): Promise<void> {
		this.#stopped = true
		clearTimeout(this.#timer)
		await this.#attempt.catch(() => {})
		await this.#parts?.run()
	}

	async #try(errand?: Errand): Promise<void> {
		const parts = new Releasers(this.#logger)
		try {
			await this.#start(parts, errand)
			this.#parts = parts
			this.#fault = undefined
		} catch (error) {
			this.#fault = error
			await parts.run()
			throw error
		}
	}
}
