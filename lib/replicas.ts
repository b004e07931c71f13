// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// This process as one of several replicas on one database: what it does that only one may do, and what it hears of the others.

import type { CallTracker } from './calls/call-tracker.ts'
import type { PoolGuard } from './db/pool-guard.ts'
import type { ReadReplicas } from './db/read-replicas.ts'
import type { AppStateRepository } from './db/repositories/app-state-repository.ts'
import type { Logger } from './logger.ts'
import type { SettingsStore } from './policy/settings-store.ts'
import type { Releasers } from './startup.ts'

import { ReplicaSession } from './db/replica-session.ts'
import { Refresher } from './refresher.ts'
import { SpoolFile } from './spool/spool-file.ts'

/** A switch whose events one replica alone hears. */
export interface EventSource {
	name: string
	/** Whether this replica is the one. */
	consume: (isWanted: boolean) => void
	/** Since when this replica can reach it, in monotonic milliseconds; undefined while it cannot. */
	reachedSince: number | undefined
	/** Whether its events come in here. */
	isHearing: boolean
}

export interface ReplicasOptions {
	databaseUrl: string
	/** Of this process, and of no other that ever was; its connections bear it. */
	origin: string
	volume: string
	/** Shorter times, for tests. */
	tickMs?: number | undefined
	silentMs?: number | undefined
	/** Of the pool that works on the same database. */
	guard: PoolGuard
	logger: Logger
}

/** What hears of the others. */
export interface ReplicaListeners {
	tracker: Pick<CallTracker, 'learn' | 'reconcile'>
	settings: Pick<SettingsStore, 'load' | 'follow' | 'stopFollowing'>
	state: Pick<AppStateRepository, 'isEnabled'>
	readReplicas: Pick<ReadReplicas, 'noteChange'>
}

/** Longer than another replica needs to subscribe. */
const OVERLAP_MS = 5_000
/** So long another replica may be without the events before nobody counts on it any more: somebody takes them over sooner. */
const TAKEOVER_MS = 5_000
/** Whatever runs again and again, and needs to run once among all replicas. */
const PERIODIC_TASKS = 'periodic tasks'

export class Replicas {
	readonly spool: SpoolFile
	readonly #session: ReplicaSession
	readonly #logger: Logger
	readonly #sources = new Map<string, EventSource>()
	#listeners: ReplicaListeners | undefined
	/** What others have changed counts here as well, limits among it: it is read until that succeeds. */
	readonly #reads: Refresher<'settings' | 'enabled'>

	constructor({ databaseUrl, origin, volume, tickMs, silentMs, guard, logger }: ReplicasOptions) {
		this.#logger = logger
		this.#reads = new Refresher({ onFault: (what, error, failures) => logger[failures === 1 ? 'warn' : 'debug']('What another server may have changed cannot be read; trying again', { what, error }) })
		this.#session = new ReplicaSession({
			url: databaseUrl,
			origin,
			onNews: (news) => this.#hear(news),
			onUp: () => {
				guard.heard()
				this.#catchUp()
			},
			onSilent: () => {
				if (guard.silent()) {
					logger.error('PostgreSQL does not answer: nobody waits for it until it does')
				}
			},
			logger,
			...(tickMs === undefined ? {} : { tickMs }),
			...(silentMs === undefined ? {} : { silentMs }),
		})
		this.spool = new SpoolFile({
			volume,
			origin,
			unlessAlive: async (other, work) => {
				await this.#session.alone(spoolOf(other), work)
			},
			logger,
		})
		// Held as long as this process lives: what it has put aside is nobody else's until then.
		this.#session.take(spoolOf(origin), () => {})
		this.#session.take(PERIODIC_TASKS, (isOurs) => isOurs && logger.debug('Periodic tasks are run here'))
	}

	/** How many there are, this one among them. */
	get count(): number {
		return this.#session.replicas
	}

	/** For whoever looks at all of them. */
	figures(): { count: number, hears: ReadonlyMap<string, boolean> } {
		return { count: this.count, hears: new Map([...this.#sources].map(([name, { isHearing }]) => [name, isHearing])) }
	}

	/**
	 * Resolves when it is known what is to be done here.
	 *
	 * @throws {SipCallError} `storage_unavailable`
	 */
	async start(releasers: Releasers): Promise<void> {
		releasers.add('shared duties', () => this.#stop())
		await this.#session.start()
	}

	listen(listeners: ReplicaListeners): void {
		this.#listeners = listeners
	}

	/** Whether periodic tasks are to be run here. */
	isOnDuty(): boolean {
		return this.#session.has(PERIODIC_TASKS)
	}

	/**
	 * Whether this replica hears the events of a switch.
	 *
	 * @param node undefined, or one that is not set up any more = of any
	 */
	hearsEvents(node: string | undefined): boolean {
		const names = node !== undefined && this.#sources.has(node) ? [node] : [...this.#sources.keys()]
		return names.some((name) => this.#session.has(eventsOf(name)))
	}

	/**
	 * Whether some replica hears the events of a switch: of a call that is placed there now it will be known how it ends. One
	 * that has just gone counts for as long as it takes another to follow; not so when the switch itself was away meanwhile.
	 * While PostgreSQL is away nobody can tell, and nothing is placed in any case.
	 */
	isHeard(node: string): boolean {
		const source = this.#sources.get(node)
		if (source?.isHearing === true || !this.#session.isUp) {
			return true
		}
		const seenAt = this.#session.seenAt(hearingOf(node))
		return seenAt > (source?.reachedSince ?? Infinity) && performance.now() - seenAt < TAKEOVER_MS
	}

	/** A switch can be reached from here, or is heard here, or is so no more. */
	noteChange(node: string): void {
		const source = this.#sources.get(node)
		this.#session.setPossible(eventsOf(node), source?.reachedSince !== undefined)
		this.#session.show(hearingOf(node), source?.isHearing === true)
	}

	/** From now on the events of these are shared out, and of no others. */
	share(sources: readonly EventSource[]): void {
		for (const [name, source] of this.#sources) {
			if (!sources.some((other) => other.name === name)) {
				this.#sources.delete(name)
				source.consume(false)
				this.noteChange(name)
				void this.#session.leave(eventsOf(name))
			}
		}
		for (const source of sources) {
			this.#sources.set(source.name, source)
			source.consume(this.#session.has(eventsOf(source.name)))
			this.#session.take(eventsOf(source.name), (isOurs) => this.#turn(source.name, isOurs))
			this.noteChange(source.name)
		}
	}

	/** Leaves everything to others, before this process ends. Events are heard until then, so that none falls between. */
	async handOver(): Promise<void> {
		await this.#session.handOver()
	}

	#turn(name: string, isOurs: boolean): void {
		if (isOurs) {
			this.#logger.info('Takes the events of FreeSWITCH', { node: name })
			this.#sources.get(name)?.consume(true)
			return
		}
		this.#logger.info('Leaves the events of FreeSWITCH to another replica', { node: name })
		// What two hear is stored once; what nobody hears is lost.
		setTimeout(() => this.#sources.get(name)?.consume(this.#session.has(eventsOf(name))), OVERLAP_MS).unref()
	}

	#hear(news: Parameters<ConstructorParameters<typeof ReplicaSession>[0]['onNews']>[0]): void {
		switch (news.of) {
			case 'call':
				this.#listeners?.readReplicas.noteChange(news.userId)
				void this.#listeners?.tracker.learn(news.uuid, news.userId, news.isEnded)
				break
			case 'settings':
				void this.#load()
				break
			case 'enabled':
				void this.#followIfEnabled()
				break
			case 'erasure':
				this.#listeners?.readReplicas.noteChange()
		}
	}

	/** Nothing is repeated for those who were away. */
	#catchUp(): void {
		this.#listeners?.readReplicas.noteChange()
		void this.#load()
		void this.#followIfEnabled()
		void this.#listeners?.tracker.reconcile()
	}

	#load(): Promise<void> {
		return this.#reads.refresh('settings', async () => this.#listeners?.settings.load())
	}

	#followIfEnabled(): Promise<void> {
		return this.#reads.refresh('enabled', async () => await this.#listeners?.state.isEnabled() ? this.#listeners?.settings.follow() : this.#listeners?.settings.stopFollowing())
	}

	async #stop(): Promise<void> {
		this.#reads.stop()
		await this.#session.stop()
	}
}

function spoolOf(origin: string): string {
	return `spool ${origin}`
}

/** The duty of hearing them. */
function eventsOf(node: string): string {
	return `events ${node}`
}

/** The sign that they are heard. */
function hearingOf(node: string): string {
	return `hears ${node}`
}
