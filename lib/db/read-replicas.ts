// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Streaming replicas of PostgreSQL, and which of them may answer a question now. (The replicas of replicas.ts are servers
// of SIPCall.) What is read here may be a few seconds late, but is never older than what its reader has changed.

import type { MikroORM } from '@mikro-orm/postgresql'
import type { PoolClient } from 'pg'
import type { Logger } from '../logger.ts'
import type { KeyRing } from '../privacy/key-ring.ts'
import type { ConnectionKeys } from './connection-keys.ts'
import type { LogPosition } from './log-watch.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { SipCallError } from '../errors.ts'
import { cutConnection } from './cut-connection.ts'
import { DatabaseInquiry } from './database-inquiry.ts'
import { LogWatch } from './log-watch.ts'
import { openDatabase } from './orm.ts'
import { storageFault } from './storage-fault.ts'

export interface ReadReplicasOptions {
	primary: MikroORM
	/** PostgreSQL connection URLs. */
	primaryUrl: string
	urls: readonly string[]
	keys: KeyRing
	connectionKeys: ConnectionKeys
	logger: Logger
	/** For tests. */
	lookMs?: number | undefined
	mostLagMs?: number | undefined
	silentMs?: number | undefined
}

/** `foreign`: it is no replica of this database. */
export type ReadReplicaState = 'up' | 'late' | 'away' | 'foreign'

export interface ReadReplicaFigures {
	/** `host:port`. */
	name: string
	state: ReadReplicaState
	/** How far it was behind at the last look, as finely as the looks follow each other; undefined = nobody knows. */
	lagSec: number | undefined
}

const LOOK_MS = 2_000
/** As long as PostgreSQL by default lets a long question hold up the replay (`max_standby_streaming_delay`). */
const MOST_LAG_MS = 30_000
/** With `synchronous_commit = off` a commit is told that much before it is in the log; three times `wal_writer_delay`, and more. */
const UNWRITTEN_MS = 1_000
const POOL_SIZE = 5

export class ReadReplicas {
	readonly #primary: MikroORM
	readonly #watch: LogWatch
	readonly #replicas: readonly ReadReplica[]
	readonly #lookMs: number
	readonly #mostLagMs: number
	readonly #logger: Logger
	readonly #stopping = new AbortController()
	/** Where the primary was, and when, oldest first. */
	#marks: { at: number, bytes: bigint }[] = []
	/** When something was changed that everybody must see. */
	#changedAt = -Infinity
	/** The same for each user. */
	readonly #changes = new Map<string, number>()
	#running: Promise<void> = Promise.resolve()
	#turn = 0

	private constructor({ primary, primaryUrl, logger, silentMs, lookMs = LOOK_MS, mostLagMs = MOST_LAG_MS }: ReadReplicasOptions, replicas: readonly ReadReplica[]) {
		this.#primary = primary
		this.#watch = new LogWatch(primaryUrl, silentMs)
		this.#replicas = replicas
		this.#lookMs = lookMs
		this.#mostLagMs = mostLagMs
		this.#logger = logger
	}

	/** Waits for nobody: a replica is read from once a look has found it near enough. */
	static async open(options: ReadReplicasOptions): Promise<ReadReplicas> {
		const all = new ReadReplicas(options, await Promise.all(options.urls.map((url) => ReadReplica.open(url, options))))
		if (options.urls.length > 0) {
			all.#running = all.#run()
		}
		return all
	}

	/**
	 * Reads from a replica that is near enough, else from the primary; also when the replica fails.
	 *
	 * @param work reads alone, and may be done twice
	 * @param userId whose changes it must see
	 */
	async read<Result>(work: (orm: MikroORM) => Promise<Result>, userId?: string): Promise<Result> {
		const replica = this.#choose(userId)
		if (replica === undefined) {
			return work(this.#primary)
		}
		try {
			return await work(replica.orm)
		} catch (error) {
			const fault = storageFault(error)
			if (fault === undefined && error instanceof SipCallError) {
				throw error
			}
			if (fault !== undefined) {
				this.#turnTo(replica, 'away')
			}
			// No more than the code: the error may hold the statement.
			this.#logger.debug('A read replica has failed; the primary is asked instead', { replica: replica.name, code: codeOf(error) })
			return work(this.#primary)
		}
	}

	/**
	 * Something was committed. From now on a replica is asked only when it surely has it.
	 *
	 * @param userId who must see it; left out = everybody
	 */
	noteChange(userId?: string): void {
		if (this.#replicas.length === 0) {
			return
		}
		if (userId === undefined) {
			this.#changedAt = performance.now()
		} else {
			this.#changes.set(userId, performance.now())
		}
	}

	figures(): ReadReplicaFigures[] {
		return this.#replicas.map((replica) => ({ name: replica.name, state: this.#stateOf(replica), lagSec: replica.lagMs === undefined ? undefined : replica.lagMs / 1000 }))
	}

	/** For whoever looks closer at each. */
	inquiries(): { name: string, state: () => ReadReplicaState, mostLagSec: number, look: () => Promise<{ loggingSettings: string[] }> }[] {
		return this.#replicas.map((replica) => ({
			name: replica.name,
			state: () => this.#stateOf(replica),
			mostLagSec: this.#mostLagMs / 1000,
			look: () => new DatabaseInquiry({ orm: replica.orm }).look(),
		}))
	}

	async stop(): Promise<void> {
		this.#stopping.abort()
		this.#watch.close()
		this.#replicas.forEach((replica) => replica.cut())
		await this.#running
		await Promise.all(this.#replicas.map(({ orm }) => orm.close(true)))
	}

	#choose(userId: string | undefined): ReadReplica | undefined {
		const needed = Math.max(this.#changedAt, userId === undefined ? -Infinity : this.#changes.get(userId) ?? -Infinity)
		const usable = this.#replicas.filter((replica) => this.#stateOf(replica) === 'up' && replica.seenAt > needed)
		return usable[this.#turn++ % usable.length]
	}

	#stateOf({ state, seenAt }: ReadReplica): ReadReplicaState {
		return state === 'up' && performance.now() - seenAt > this.#mostLagMs ? 'late' : state
	}

	async #run(): Promise<void> {
		const { signal } = this.#stopping
		while (!signal.aborted) {
			await this.#look()
			await delay(this.#lookMs, undefined, { signal }).catch(() => {})
		}
	}

	async #look(): Promise<void> {
		const at = performance.now()
		// While the primary is away nobody knows how far it was: its replicas are late when the last mark is.
		const position = await this.#watch.look().catch(() => undefined)
		if (position !== undefined) {
			this.#marks.push({ at, bytes: position.bytes })
		}
		const isOld = (time: number) => at - time > this.#mostLagMs + UNWRITTEN_MS
		this.#marks = this.#marks.filter((mark) => !isOld(mark.at))
		// Whoever may be asked at all has these.
		this.#changes.forEach((time, userId) => isOld(time) && this.#changes.delete(userId))
		await Promise.all(this.#replicas.map((replica) => this.#lookAt(replica, at, position)))
	}

	async #lookAt(replica: ReadReplica, at: number, primary: LogPosition | undefined): Promise<void> {
		const found = await replica.watch.look().catch(() => undefined)
		if (this.#stopping.signal.aborted) {
			return
		}
		if (found === undefined) {
			// Whoever waits for its answer gets the primary's.
			replica.cut()
			this.#turnTo(replica, 'away')
			return
		}
		if (!found.isReplica || (primary !== undefined && found.database !== primary.database)) {
			this.#turnTo(replica, 'foreign')
			return
		}
		const mark = this.#marks.findLast(({ bytes }) => bytes <= found.bytes)
		replica.seenAt = mark === undefined ? -Infinity : mark.at - UNWRITTEN_MS
		replica.lagMs = mark === undefined ? undefined : at - mark.at
		this.#turnTo(replica, 'up')
	}

	#turnTo(replica: ReadReplica, state: 'up' | 'away' | 'foreign'): void {
		replica.state = state
		if (state !== 'up') {
			replica.lagMs = undefined
		}
		const now = this.#stateOf(replica)
		if (now !== replica.toldState) {
			replica.toldState = now
			if (now === 'up') {
				this.#logger.info('A read replica is read from', { replica: replica.name })
			} else {
				this.#logger.warn('A read replica is not read from; the primary answers instead', { replica: replica.name, state: now })
			}
		}
	}
}

class ReadReplica {
	readonly orm: MikroORM
	readonly watch: LogWatch
	readonly #connections: ReadonlySet<PoolClient>
	/** What was found last. */
	state: 'up' | 'away' | 'foreign' = 'away'
	/** What the log was told last. */
	toldState: ReadReplicaState | undefined
	/** What was committed until then is there, on this process's clock. */
	seenAt = -Infinity
	lagMs: number | undefined

	private constructor(orm: MikroORM, watch: LogWatch, connections: ReadonlySet<PoolClient>) {
		this.orm = orm
		this.watch = watch
		this.#connections = connections
	}

	static async open(url: string, { keys, connectionKeys, silentMs, logger }: ReadReplicasOptions): Promise<ReadReplica> {
		const connections = new Set<PoolClient>()
		const orm = await openDatabase({
			url,
			keys,
			connectionKeys,
			logger,
			poolSize: POOL_SIZE,
			isReadOnly: true,
			onPool: (pool) => {
				pool.on('connect', (client) => connections.add(client))
				pool.on('remove', (client) => connections.delete(client))
			},
		})
		return new ReadReplica(orm, new LogWatch(url, silentMs), connections)
	}

	get name(): string {
		return this.watch.name
	}

	/** Ends all connections, and with them whatever is asked over them. */
	cut(): void {
		this.watch.close()
		this.#connections.forEach(cutConnection)
	}
}

function codeOf(error: unknown): unknown {
	return error instanceof Error && 'code' in error ? error.code : undefined
}
