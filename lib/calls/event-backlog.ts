// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What happens to calls while the database is away: put aside in its order, on the disk, and stored when it is back.

import type { Logger } from '../logger.ts'
import type { CallChange } from './call-events.ts'
import type { EventSpool } from './ports.ts'

import { setTimeout as delay } from 'node:timers/promises'

export interface EventBacklogOptions<Stored> {
	spool: EventSpool
	/** Stores a change. */
	store: (change: CallChange) => Promise<Stored>
	/** Whether trying again may help: the database is away, not the event impossible to store. */
	isPassing: (error: unknown) => boolean
	/** Told of each change that is stored. */
	onStored: (change: CallChange, stored: Stored) => void
	/** Nothing waits any more. */
	onEmpty: () => void
	logger: Logger
}

/** What the doctor and the metrics may know. */
export interface BacklogState {
	waiting: number
	/** false: the disk has refused some of what waits, and a process that ends now loses that. */
	isOnDisk: boolean
	/** Changes that could not even be kept in memory. */
	lost: number
}

const RETRY_MS = 200
const LONGEST_RETRY_MS = 2_000
/** Half of the pool's connections: whoever asks for something else gets one as well. */
const AT_ONCE = 5
/** About as many as the spool holds on the disk. */
const MOST_WAITING = 200_000

export class EventBacklog<Stored> {
	readonly #options: EventBacklogOptions<Stored>
	readonly #waiting: CallChange[] = []
	/** So many of them are stored already. */
	#stored = 0
	readonly #stopping = new AbortController()
	#draining: Promise<void> | undefined
	#isOnDisk = true
	#lost = 0

	constructor(options: EventBacklogOptions<Stored>) {
		this.#options = options
	}

	/** Whether a change may be stored at once: nothing that came before it waits. */
	get isEmpty(): boolean {
		return this.#waiting.length === this.#stored
	}

	get state(): BacklogState {
		return { waiting: this.#waiting.length - this.#stored, isOnDisk: this.isEmpty || this.#isOnDisk, lost: this.#lost }
	}

	/**
	 * Stores what earlier processes have left on the disk.
	 *
	 * @return how many changes
	 */
	async recover(): Promise<number> {
		let changes = 0
		await this.#options.spool.takeLeft(async (change) => {
			await this.#storeOne(change)
			changes++
		})
		return changes
	}

	/** Resolves when the change is on the disk, or the disk has refused it; it waits in any case. */
	async putAside(change: CallChange): Promise<void> {
		if (this.#waiting.length >= MOST_WAITING) {
			this.#lost++
			return
		}
		const isFirst = this.isEmpty
		this.#waiting.push(change)
		if (isFirst) {
			this.#isOnDisk = true
			this.#options.logger.error('What happens to calls cannot be stored: it is kept on the disk until the database is back')
		}
		this.#draining ??= this.#drain().finally(() => {
			this.#draining = undefined
		})
		try {
			await this.#options.spool.append(change)
		} catch (error) {
			if (this.#isOnDisk) {
				this.#options.logger.error('The disk does not take what happens to calls while the database is away: it is kept in memory only', { error })
			}
			this.#isOnDisk = false
		}
	}

	/** Leaves what waits on the disk. */
	async stop(): Promise<void> {
		this.#stopping.abort()
		await this.#draining
		if (!this.isEmpty) {
			this.#options.logger.warn('Stopped before everything that happened to calls could be stored; the next start does it', { changes: this.state.waiting, isOnDisk: this.#isOnDisk })
		}
	}

	async #drain(): Promise<void> {
		const { signal } = this.#stopping
		const { logger, spool, onEmpty } = this.#options
		while (!this.isEmpty && !signal.aborted) {
			const changes = await this.#storeAll(signal)
			if (!signal.aborted) {
				this.#lost = 0
				onEmpty()
				logger.info('What happened to calls while the database was away is stored', { changes })
				// Stored twice it changes nothing: a process that ends here loses nothing. What comes from now on is appended after this.
				await spool.clear().catch((error: unknown) => logger.warn('What is stored already cannot be removed from the disk', { error }))
			}
		}
	}

	/**
	 * In their order for each call. Different calls are stored beside each other: a database that takes long for each change
	 * would else never catch up with what comes meanwhile.
	 */
	async #storeAll(signal: AbortSignal): Promise<number> {
		let stored = 0
		while (stored < this.#waiting.length) {
			const together = this.#waiting.slice(stored, stored + AT_ONCE)
			const ofCalls = Object.values(Object.groupBy(together, ({ callUuid }) => callUuid))
			await Promise.all(ofCalls.map((changes) => this.#storeInOrder(changes ?? [], signal)))
			if (signal.aborted) {
				break
			}
			stored += together.length
			this.#stored = stored
		}
		this.#waiting.splice(0, stored)
		this.#stored = 0
		return stored
	}

	/** Tries until all are stored, or until it is to stop. */
	async #storeInOrder(changes: readonly CallChange[], signal: AbortSignal): Promise<void> {
		let [stored, retryMs] = [0, RETRY_MS]
		for (let change = changes[0]; change !== undefined && !signal.aborted; change = changes[stored]) {
			try {
				await this.#storeOne(change)
				stored++
				retryMs = RETRY_MS
			} catch {
				await delay(retryMs, undefined, { signal }).catch(() => {})
				retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)
			}
		}
	}

	/**
	 * Rejects with what passes; anything else is told and left out.
	 */
	async #storeOne(change: CallChange): Promise<void> {
		const { store, onStored, isPassing, logger } = this.#options
		try {
			onStored(change, await store(change))
		} catch (error) {
			if (isPassing(error)) {
				throw error
			}
			logger.error('A call’s event cannot be stored and is left out', { callUuid: change.callUuid, error })
		}
	}
}
