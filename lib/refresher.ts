// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Keeps what is held in memory as new as what others have stored: for whoever is told that there is something to be read.

export interface RefresherOptions<Key> {
	/** Told of each attempt that failed, and of how many in a row; it is tried again. */
	onFault: (key: Key, error: unknown, failures: number) => void
	retryMs?: number
}

const RETRY_MS = 1_000

/**
 * Reads each thing at most once at a time, once more when that was wanted meanwhile (what is under way may be older than
 * the news), and again and again until it succeeds.
 */
export class Refresher<Key> {
	readonly #options: RefresherOptions<Key>
	readonly #running = new Map<Key, { done: Promise<void>, isWantedAgain: boolean }>()
	readonly #retries = new Map<Key, NodeJS.Timeout>()
	readonly #failures = new Map<Key, number>()
	#isStopped = false

	constructor(options: RefresherOptions<Key>) {
		this.#options = options
	}

	/** Resolves when it has been read from here on, or could not be; never rejects. */
	refresh(key: Key, read: () => Promise<unknown>): Promise<void> {
		this.#forgetRetry(key)
		const running = this.#running.get(key)
		if (running !== undefined) {
			running.isWantedAgain = true
			return running.done
		}
		const run = { done: Promise.resolve(), isWantedAgain: false }
		this.#running.set(key, run)
		run.done = this.#read(key, read, run)
		return run.done
	}

	/** Nothing is tried again any more. */
	stop(): void {
		this.#isStopped = true
		this.#retries.forEach((timer) => clearTimeout(timer))
	}

	async #read(key: Key, read: () => Promise<unknown>, run: { isWantedAgain: boolean }): Promise<void> {
		do {
			run.isWantedAgain = false
			try {
				await read()
				this.#failures.delete(key)
			} catch (error) {
				const failures = (this.#failures.get(key) ?? 0) + 1
				this.#failures.set(key, failures)
				if (!this.#isStopped) {
					this.#options.onFault(key, error, failures)
				}
			}
		} while (run.isWantedAgain)
		this.#running.delete(key)
		if (this.#failures.has(key) && !this.#isStopped) {
			this.#retries.set(key, setTimeout(() => void this.refresh(key, read), this.#options.retryMs ?? RETRY_MS).unref())
		}
	}

	#forgetRetry(key: Key): void {
		clearTimeout(this.#retries.get(key))
		this.#retries.delete(key)
	}
}
