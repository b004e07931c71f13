// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The pool's guard: a PostgreSQL that is away or silent costs nobody the time of a connection attempt, and what it has under
// way is given up when it is silent.

import type { Pool, PoolClient } from 'pg'
import type { Guard } from '../guard.ts'
import type { TimeSpent } from '../time-spent.ts'

import { addTime, presentTime } from '../time-spent.ts'
import { cutConnection } from './cut-connection.ts'
import { storageFault } from './storage-fault.ts'

/** Longer than the query layer takes to give a connection back by itself; giving it back twice would throw. */
const LOST_RELEASE_MS = 200

export class PoolGuard {
	readonly #guard: Guard
	/** Those that somebody has now. */
	readonly #taken = new Set<PoolClient>()
	/** For whom, and since when. */
	readonly #borrowed = new WeakMap<PoolClient, { spent: TimeSpent | undefined, since: number }>()
	#pool: Pool | undefined

	constructor(guard: Guard) {
		this.#guard = guard
	}

	/** Every connection of this pool is asked for through the guard. */
	watch(pool: Pool): void {
		this.#pool = pool
		const connect = pool.connect.bind(pool) as () => Promise<PoolClient>
		pool.connect = (async () => {
			const client = await this.#guard.execute(() => connect())
			this.#borrowed.set(client, { spent: presentTime(), since: performance.now() })
			return client
		}) as Pool['connect']
		pool.on('acquire', (client) => this.#taken.add(client))
		pool.on('release', (_error, client) => {
			this.#taken.delete(client)
			const borrowed = this.#borrowed.get(client)
			addTime(borrowed?.spent, 'database', performance.now() - (borrowed?.since ?? 0))
		})
		pool.on('connect', (client) => client.once('end', () => this.#releaseLost(client)))
	}

	/** Why the last connection could not be had; undefined when it could. */
	get lastFault(): unknown {
		return this.#guard.lastFault
	}

	/** Connections that work, those that are free, and who waits for one. */
	get use(): { busy: number, idle: number, waiting: number } {
		return { busy: this.#taken.size, idle: this.#pool?.idleCount ?? 0, waiting: this.#pool?.waitingCount ?? 0 }
	}

	/**
	 * PostgreSQL answers nobody: nothing is asked until `heard`, and nobody waits for what it was asked before.
	 *
	 * @return whether that is news
	 */
	silent(): boolean {
		const isNew = this.#guard.silent()
		this.#taken.forEach(cutConnection)
		return isNew
	}

	/** PostgreSQL answers again. */
	heard(): void {
		this.#guard.heard()
	}

	/**
	 * Kysely 0.29 gives a connection back only when its own commit or rollback succeeds: one that is lost within a
	 * transaction would keep its place in the pool for ever, and after ten of them nothing could be asked any more.
	 */
	#releaseLost(client: PoolClient): void {
		setTimeout(() => {
			if (this.#taken.delete(client)) {
				client.release(true)
			}
		}, LOST_RELEASE_MS).unref()
	}
}

/** Whether an error of the pool means that the database is away: what breaks the guard. */
export function isDatabaseFault(error: unknown): boolean {
	return storageFault(error) !== undefined
}
