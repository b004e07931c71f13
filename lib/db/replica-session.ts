// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// One connection beside the pool that is held open: by it a sidecar is one of several replicas. It hears what others have
// stored (LISTEN), and holds the locks that say which replica does what only one may do, and what the others shall see of
// it. A lock ends with its connection, so nobody has to notice that a replica has died; one that is silent without having
// died is cut off by the others.

import type { Logger } from '../logger.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { Client } from 'pg'
import { storageFault } from './storage-fault.ts'

/** What another replica has stored; see migration 0021, and erasure-repository.ts. */
export type ReplicaNews
	= | { of: 'call', uuid: string, userId: string, isEnded: boolean }
		| { of: 'settings' | 'enabled' | 'erasure' }

export interface ReplicaSessionOptions {
	/** PostgreSQL itself, or a pooler that keeps a connection to whoever has it: locks and LISTEN belong to the connection. */
	url: string
	/** Told apart from others by this name, which the pool's connections bear as `sipcall.origin`. */
	origin: string
	onNews: (news: ReplicaNews) => void
	/** There is a connection (again): what was told meanwhile was missed. */
	onUp: () => void
	/** PostgreSQL answers nobody: neither what it was asked, nor whoever wants to connect anew. Told again until it does. */
	onSilent?: () => void
	logger: Logger
	/** For tests. */
	tickMs?: number
	silentMs?: number
}

/** Any fixed numbers: the classes of all advisory locks of this file. */
const LOCK_CLASS = 0x51bca12
const SIGN_CLASS = 0x51bca13
/** Every replica shares this one: so many hold it, so many are there. */
const PRESENCE = 0
const TICK_MS = 500
/** Whoever has asked nothing for so long, though it does twice a second, is stuck or cut off. */
const SILENT_MS = 3_000
const CONNECT_TIMEOUT_MS = 3_000
const FIRST_RETRY_MS = 200
const FAREWELL_MS = 200
const LONGEST_RETRY_MS = 2_000

const OF_THIS_DATABASE = 'locktype = \'advisory\' and granted and database = (select oid from pg_database where datname = current_database())'

interface Duty {
	/** Of the lock. */
	key: number
	isOurs: boolean
	/** Whether this replica could do it now. */
	isPossible: boolean
	onChange: (isOurs: boolean) => void
}

export class ReplicaSession {
	readonly #options: ReplicaSessionOptions
	readonly #duties = new Map<string, Duty>()
	/** The locks that the present connection holds. */
	readonly #held = new Set<number>()
	/** What the others shall see of this replica, and what the present connection shows them. */
	readonly #signs = new Set<number>()
	readonly #shown = new Set<number>()
	/** When another one was last seen to show something, in monotonic milliseconds. */
	readonly #seenAt = new Map<number, number>()
	readonly #stopping = new AbortController()
	#running: Promise<void> | undefined
	#client: Client | undefined
	#asking: Promise<unknown> = Promise.resolve()
	/** Ends the wait before the next look. */
	#wake: AbortController | undefined
	#replicas = 1
	#isUp = false

	constructor(options: ReplicaSessionOptions) {
		this.#options = options
	}

	/** How many replicas are there, this one among them, as far as was last known. */
	get replicas(): number {
		return this.#replicas
	}

	/** Whether what is known of the others is from just now. */
	get isUp(): boolean {
		return this.#isUp
	}

	/**
	 * From now on this replica does something that only one may do, whenever no other does.
	 *
	 * While there is no connection everything stays as it is: whoever had a duty goes on with it, and no other can take it
	 * from a database that nobody reaches.
	 *
	 * @param onChange told when it becomes ours, and when it is another's
	 */
	take(name: string, onChange: (isOurs: boolean) => void): void {
		if (!this.#duties.has(name)) {
			this.#duties.set(name, { key: keyOf(name), isOurs: false, isPossible: true, onChange })
			this.#wake?.abort()
		}
	}

	/**
	 * Tells whether this replica can do now what it has taken. While it cannot, others may have it; it stays here as long as
	 * there are none, or PostgreSQL cannot be reached.
	 */
	setPossible(name: string, isPossible: boolean): void {
		const duty = this.#duties.get(name)
		if (duty !== undefined && duty.isPossible !== isPossible) {
			duty.isPossible = isPossible
			this.#wake?.abort()
		}
	}

	/** From now on the other replicas see that something is so here, or that it is no more. */
	show(name: string, isSo: boolean): void {
		const key = keyOf(name)
		if (this.#signs.has(key) !== isSo) {
			this.#signs[isSo ? 'add' : 'delete'](key)
			this.#wake?.abort()
		}
	}

	/** When another replica was last seen to show that, in monotonic milliseconds; -Infinity: never. They are looked at twice a second. */
	seenAt(name: string): number {
		return this.#seenAt.get(keyOf(name)) ?? -Infinity
	}

	/** Whether the duty is ours now. */
	has(name: string): boolean {
		return this.#duties.get(name)?.isOurs === true
	}

	/** Leaves a duty to others, who have it within a second. */
	async leave(name: string): Promise<void> {
		const duty = this.#duties.get(name)
		this.#duties.delete(name)
		if (duty !== undefined && this.#held.delete(duty.key)) {
			await this.#ask(this.#client, 'select pg_advisory_unlock($1::int, $2::int)', [LOCK_CLASS, duty.key]).catch(() => {})
		}
	}

	/** Leaves everything to others. */
	async handOver(): Promise<void> {
		await Promise.all([...this.#duties.keys()].map((name) => this.leave(name)))
	}

	/**
	 * Does something that no other replica may be doing at the same time.
	 *
	 * @return undefined when another one is at it, or nobody can tell
	 */
	async alone<Result>(name: string, work: () => Promise<Result>): Promise<Result | undefined> {
		const client = this.#client
		if (client === undefined) {
			return undefined
		}
		const [row] = await this.#ask<{ is_ours: boolean }>(client, 'select pg_try_advisory_lock($1::int, $2::int) as is_ours', [LOCK_CLASS, keyOf(name)])
		if (row?.is_ours !== true) {
			return undefined
		}
		try {
			return await work()
		} finally {
			await this.#ask(client, 'select pg_advisory_unlock($1::int, $2::int)', [LOCK_CLASS, keyOf(name)]).catch(() => {})
		}
	}

	/**
	 * Resolves when it is known which of the wanted duties are ours.
	 *
	 * @throws {SipCallError} `storage_unavailable` when the database cannot be reached; it is tried on until `stop`
	 * @throws {Error} whatever else PostgreSQL says, such as a refused password
	 */
	async start(): Promise<void> {
		const first = Promise.withResolvers<void>()
		this.#running = this.#run(first.resolve, (error) => first.reject(storageFault(error) ?? error))
		await first.promise
	}

	async stop(): Promise<void> {
		this.#stopping.abort()
		await this.#running
	}

	async #run(onFirst: () => void, onFault: (error: unknown) => void): Promise<void> {
		const { signal } = this.#stopping
		// One that is only slow, or a process that stood still itself, is not silent yet.
		let timeouts = 0
		for (let failures = 0; !signal.aborted; failures++) {
			const client = new Client({ connectionString: this.#options.url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, query_timeout: this.#silentMs, application_name: 'sipcall replica' })
			// Without a listener its end would end the process; the next statement tells of it as well.
			client.on('error', () => {})
			client.on('notification', ({ payload }) => this.#hear(payload))
			try {
				await client.connect()
				await client.query('listen sipcall')
				await client.query('select pg_advisory_lock_shared($1::int, $2::int)', [LOCK_CLASS, PRESENCE])
				this.#held.clear()
				this.#shown.clear()
				this.#client = client
				this.#wake = new AbortController()
				await this.#tick(client)
				failures = 0
				timeouts = 0
				this.#isUp = true
				onFirst()
				this.#options.onUp()
				while (!signal.aborted) {
					await delay(this.#options.tickMs ?? TICK_MS, undefined, { signal: AbortSignal.any([signal, this.#wake.signal]) }).catch(() => {})
					// What changes from here on may not be seen any more by this look.
					this.#wake = new AbortController()
					await this.#tick(client)
				}
			} catch (error) {
				timeouts = isTimeout(error) ? timeouts + 1 : 0
				if (timeouts > 1) {
					this.#options.onSilent?.()
				}
				onFault(error)
				this.#options.logger[failures === 0 ? 'warn' : 'debug']('The connection by which replicas share their duties is lost; it is opened again', { error })
			} finally {
				this.#client = undefined
				this.#isUp = false
				// One that hangs does not answer a farewell either.
				await Promise.race([client.end().catch(() => {}), delay(FAREWELL_MS, undefined, { ref: false })])
			}
			await delay(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 10)), undefined, { signal }).catch(() => {})
		}
	}

	get #silentMs(): number {
		return this.#options.silentMs ?? SILENT_MS
	}

	/** Also what shows the others that this replica is alive. */
	async #tick(client: Client): Promise<void> {
		const lookedAt = performance.now()
		const [present] = await this.#ask<{ replicas: number, seen: number[] | null }>(client, `select count(*) filter (where classid = $1 and objid = $3)::int as replicas,
			array_agg(distinct objid::int) filter (where classid = $2 and pid <> pg_backend_pid()) as seen
			from pg_locks where ${OF_THIS_DATABASE} and classid in ($1, $2)`, [LOCK_CLASS, SIGN_CLASS, PRESENCE])
		this.#replicas = Math.max(1, present?.replicas ?? 1)
		present?.seen?.forEach((key) => this.#seenAt.set(key, lookedAt))
		await this.#showSigns(client)
		await this.#leaveImpossible(client)
		const wanted = [...this.#duties.values()].filter((duty) => !this.#held.has(duty.key) && this.#isFor(duty)).map(({ key }) => key)
		if (wanted.length === 0) {
			return
		}
		const rows = await this.#ask<{ key: number, is_ours: boolean }>(client, 'select key, pg_try_advisory_lock($1::int, key) as is_ours from unnest($2::int[]) key', [LOCK_CLASS, wanted])
		for (const { key, is_ours: isOurs } of rows) {
			this.#settle(key, isOurs)
		}
		const others = rows.filter(({ is_ours: isOurs }) => !isOurs).map(({ key }) => key)
		if (others.length > 0) {
			await this.#cutOff(client, others)
		}
	}

	/** Shared locks: nobody ever waits for them, and any number of replicas may hold one. */
	async #showSigns(client: Client): Promise<void> {
		for (const [verb, from, to] of [['lock', this.#signs, this.#shown], ['unlock', this.#shown, this.#signs]] as const) {
			for (const key of [...from].filter((one) => !to.has(one))) {
				await this.#ask(client, `select pg_advisory_${verb}_shared($1::int, $2::int)`, [SIGN_CLASS, key])
				this.#shown[verb === 'lock' ? 'add' : 'delete'](key)
			}
		}
	}

	async #leaveImpossible(client: Client): Promise<void> {
		for (const duty of [...this.#duties.values()].filter((one) => one.isOurs && !this.#isFor(one))) {
			if (this.#held.delete(duty.key)) {
				await this.#ask(client, 'select pg_advisory_unlock($1::int, $2::int)', [LOCK_CLASS, duty.key])
			}
			this.#settle(duty.key, false)
		}
	}

	#isFor({ isPossible }: Duty): boolean {
		return isPossible || this.#replicas === 1
	}

	/** One question after the other: a connection takes no second one before it has answered the first. */
	async #ask<Row extends object>(client: Client | undefined, statement: string, values: unknown[]): Promise<Row[]> {
		const asked = this.#asking.then(async () => (await client?.query<Row>(statement, values))?.rows ?? [])
		this.#asking = asked.catch(() => {})
		return asked
	}

	#settle(key: number, isOurs: boolean): void {
		if (isOurs) {
			this.#held.add(key)
		}
		for (const duty of this.#duties.values()) {
			if (duty.key === key && duty.isOurs !== isOurs) {
				duty.isOurs = isOurs
				duty.onChange(isOurs)
			}
		}
	}

	/** A replica whose process is stopped, or whose machine is gone, keeps its connection and with it its locks. */
	async #cutOff(client: Client, keys: readonly number[]): Promise<void> {
		const rows = await this.#ask<{ pid: number }>(client, `select pid, pg_terminate_backend(pid) from (
			select distinct pid from pg_locks join pg_stat_activity activity using (pid)
			where ${OF_THIS_DATABASE} and classid = $1 and objid = any($2::int[]) and activity.state_change < clock_timestamp() - make_interval(secs => $3)
		) silent`, [LOCK_CLASS, keys, this.#silentMs / 1000])
		if (rows.length > 0) {
			this.#options.logger.warn('Another replica is silent and does not do its duties: its connection to PostgreSQL is ended', { replicas: rows.length })
		}
	}

	#hear(payload: string | undefined): void {
		const news = newsOf(payload)
		if (news !== undefined && news.origin !== this.#options.origin) {
			this.#options.onNews(news)
		}
	}
}

/** In pg's words: of a question, and of a connection. */
function isTimeout(error: unknown): boolean {
	return error instanceof Error && /read timeout|timeout expired/i.test(error.message)
}

/** The number that a name is locked by: PostgreSQL takes no names. */
function keyOf(name: string): number {
	// Without the sign, and never the number of all replicas.
	return (crc32(name) >>> 1) || 1
}

/** What is written by the triggers of migration 0021 and by erasures, and perhaps by a later version. */
function newsOf(payload: string | undefined): (ReplicaNews & { origin: unknown }) | undefined {
	try {
		return JSON.parse(payload ?? '') as ReplicaNews & { origin: unknown }
	} catch {
		return undefined
	}
}
