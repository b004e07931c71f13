// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The last step of the way up: a change of a call -> transition -> one transaction, or the disk while the database is away.

import type { Logger } from '../logger.ts'
import type { CallChange } from './call-events.ts'
import type { Call } from './call.ts'
import type { BacklogState } from './event-backlog.ts'
import type { CallStore, EventSpool } from './ports.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { EventBacklog } from './event-backlog.ts'
import { applyChange } from './leg-record.ts'

export interface ChangeWriterOptions {
	store: CallStore
	/** Where what happens waits while the database is away. */
	spool: EventSpool
	/** Whether trying again may help: the database is away, not the event impossible to store. */
	isPassing: (error: unknown) => boolean
	logger: Logger
	/** An open call as it is known, but for what waits here. */
	known: (callUuid: string) => Call | undefined
	/** Told of each change that is stored; undefined: there is no such call any more. */
	onStored: (callUuid: string, stored: StoredChange | undefined) => void
	/** Told of each call of which something waits, as it is with that. */
	onPutAside: (call: Call) => void
	/** Nothing waits any more; with the calls of which something did and that are not over. */
	onAllStored: (callUuids: string[]) => void
}

/** What became of a change: whether it changed anything, and whether the call has ended by it. */
export interface StoredChange {
	call: Call
	changed: boolean
	isEnd: boolean
}

/** A database that takes longer is as good as away: whoever waits is told what happens, and a process that ends loses nothing. */
const STORE_LIMIT_MS = 1_000

export class ChangeWriter {
	readonly #options: ChangeWriterOptions
	readonly #backlog: EventBacklog<StoredChange | undefined>
	/** Calls as they are once all is stored that waits for it. */
	readonly #unstored = new Map<string, Call>()

	constructor(options: ChangeWriterOptions) {
		this.#options = options
		this.#backlog = new EventBacklog({
			...options,
			store: (change) => this.#change(change),
			onStored: ({ callUuid }, stored) => options.onStored(callUuid, stored),
			onEmpty: () => {
				const callUuids = [...this.#unstored.keys()]
				this.#unstored.clear()
				options.onAllStored(callUuids)
			},
		})
	}

	/** Whether nothing waits. */
	get isEmpty(): boolean {
		return this.#backlog.isEmpty
	}

	get state(): BacklogState {
		return this.#backlog.state
	}

	/** A call with what waits for being stored; undefined when nothing does. */
	unstored(callUuid: string): Call | undefined {
		return this.#unstored.get(callUuid)
	}

	/** All of a call is stored. */
	forget(callUuid: string): void {
		this.#unstored.delete(callUuid)
	}

	/**
	 * Stores what an earlier process has left on the disk.
	 *
	 * @return how many changes
	 */
	recover(): Promise<number> {
		return this.#backlog.recover()
	}

	/** Leaves what waits on the disk. */
	stop(): Promise<void> {
		return this.#backlog.stop()
	}

	/**
	 * An event must not be lost because the database is away: then it waits on the disk, and those after it behind it. Never
	 * rejects.
	 *
	 * @return the call as it is then; undefined when there is none, or the event cannot be stored
	 */
	async write(change: CallChange): Promise<Call | undefined> {
		const { callUuid } = change
		if (!this.#backlog.isEmpty) {
			return this.putAside(change)
		}
		try {
			const storing = this.#change(change)
			const stored = await Promise.race([storing, delay(STORE_LIMIT_MS, 'late' as const, { ref: false })])
			if (stored === 'late') {
				// Nobody knows whether it will be stored. What is stored twice changes nothing.
				storing.catch(() => {})
				return this.putAside(change)
			}
			this.#options.onStored(callUuid, stored)
			return stored?.call
		} catch (error) {
			if (this.#options.isPassing(error)) {
				return this.putAside(change)
			}
			this.#options.logger.error('A call’s event cannot be stored and is left out', { callUuid, error })
			return undefined
		}
	}

	/**
	 * What waits on the disk counts already: the call is followed, told and hung up as it is by now. The same transition of the
	 * same events leads to the same call when it is stored.
	 */
	async putAside(change: CallChange): Promise<Call | undefined> {
		const { callUuid } = change
		await this.#backlog.putAside(change)
		const known = this.#unstored.get(callUuid) ?? this.#options.known(callUuid)
		const outcome = known === undefined ? undefined : applyChange(known, change)
		if (outcome === undefined || 'ignored' in outcome) {
			return known
		}
		// The database is back already, and somebody has been told of more.
		if (!this.#backlog.isEmpty) {
			this.#unstored.set(callUuid, outcome.call)
			this.#options.onPutAside(outcome.call)
		}
		return outcome.call
	}

	async #change(change: CallChange): Promise<StoredChange | undefined> {
		let wasOpen = false
		const stored = await this.#options.store.change(change.callUuid, (call) => {
			wasOpen = call.status !== 'ended'
			return applyChange(call, change)
		})
		return stored === undefined ? undefined : { ...stored, isEnd: stored.changed && wasOpen && stored.call.status === 'ended' }
	}
}
