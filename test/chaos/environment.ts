// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// All that the runs of one lane share: PostgreSQL, Redis, switches and two replicas, with a proxy at each connection.

import type { NetConnectOpts } from 'node:net'
import type { EmbeddedPostgres } from '../../lib/embedded/postgres.ts'
import type { EmbeddedRedis } from '../../lib/embedded/redis.ts'
import type { ParsedOriginate, ScriptedFreeSwitch } from '../stand-ins/freeswitch/index.ts'
import type { NextcloudShell } from '../stand-ins/nextcloud/nextcloud-shell.ts'
import type { Place, PlannedCall } from './plan.ts'
import type { Link, Treatment } from './proxy.ts'
import type { LogLine } from './replica.ts'
import type { Part, Step } from './steps.ts'

import { Redis } from 'ioredis'
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../lib/embedded/postgres.ts'
import { startEmbeddedRedis } from '../../lib/embedded/redis.ts'
import { createLogger } from '../../lib/logger.ts'
import { startScriptedFreeSwitch, STORIES } from '../stand-ins/freeswitch/index.ts'
import { startNextcloudShell } from '../stand-ins/nextcloud/nextcloud-shell.ts'
import { findFreePort } from '../support/free-port.ts'
import { Client } from './client.ts'
import { AFFORDABLE, DEAR, LINES, SCARCE_USERS, USERS } from './plan.ts'
import { Proxy } from './proxy.ts'
import { Replica } from './replica.ts'
import { Truth } from './truth.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const SECRET = 'chaos-secret'
const PASSWORD = 'ClueCon'
/** The log line of a replica that follows the events of a switch from now on. */
export const TAKEOVER = 'Takes the events of FreeSWITCH'
const READY_LIMIT_MS = 90_000
/** Milliseconds between the steps of a call: long enough for a fault to fall between them. */
const PACE = { network: 8, phoneRings: 40, destinationRings: 90, announcement: 40, patience: 150 }

interface HealthPart {
	id: string
	code: string
	state: string
	breaker?: string
}

/** A row of the books, as far as it is judged. */
export interface BookedCall {
	uuid: string
	user_id: string
	status: string
	outcome: string | null
	ended_by: string | null
	talk_ms: number | null
	created_at: Date
	answered_at: Date | null
	ended_at: Date | null
	transfer: string | null
	cost_micros: string | null
	hangup_requested_at: Date | null
	legs: { uuid: string, role: string, createdAt?: string, answeredAt?: string }[]
}

/** What a run listens to while it is on. */
export interface Listener {
	treat(place: Place, part: Part, step: Step, link: Link, node: number): Treatment | undefined
	onPassed(place: Place, part: Part, step: Step, link: Link, node: number): void
	onClosed(place: Place, part: Part, link: Link, node: number): void
	onTaken(originate: ParsedOriginate, node: number): void
	onLine(place: Place, line: LogLine): void
}

export interface EnvironmentOptions {
	/** The folder in which the product's lib/ stands. */
	root?: string
	switches?: number
	/** Of each switch; 30 is FreeSWITCH's own. */
	sessionsPerSecond?: number
}

const SWITCH_HOST = 'switch.test'
/** Where that name leads each replica. */
const HOSTS = ['127.0.0.2', '127.0.0.3'] as const

export class Environment {
	readonly truth = new Truth()
	readonly replicas: Replica[] = []
	readonly switches: ScriptedFreeSwitch[] = []
	readonly clients: [Client, Client]
	/** By replica and part; the switches in order. */
	readonly proxies: { place: Place, part: Part, node: number, proxy: Proxy }[] = []
	readonly postgres: EmbeddedPostgres
	readonly redis: EmbeddedRedis | undefined
	readonly nextcloud: NextcloudShell
	/** Stories by the number that is called. */
	readonly planned = new Map<string, PlannedCall>()
	/** Connections on which a replica hears the switch's events. */
	readonly eventLinks = new Set<Link>()
	/** Whether the replicas have agreed on who listens to a switch. */
	hasOneListener = false
	listener: Listener | undefined
	readonly #folder: string
	readonly #pool: pg.Pool
	readonly #options: EnvironmentOptions
	/** A run that is broken off calls no stop(): its servers are signalled on exit, and their data go with them. */
	readonly #removeNow = () => rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 })

	private constructor(options: EnvironmentOptions, folder: string, postgres: EmbeddedPostgres, redis: EmbeddedRedis | undefined, nextcloud: NextcloudShell) {
		this.#options = options
		this.#folder = folder
		process.once('exit', this.#removeNow)
		this.postgres = postgres
		this.redis = redis
		this.nextcloud = nextcloud
		this.clients = [new Client('', SECRET), new Client('', SECRET)]
		this.#pool = new pg.Pool({ connectionString: postgres.url, max: 2 })
		this.#pool.on('error', () => {})
	}

	static async start(options: EnvironmentOptions = {}): Promise<Environment> {
		const folder = await mkdtemp(join(tmpdir(), 'sipcall-chaos-'))
		const logger = createLogger({ level: 'error', silent: true })
		const users = [...USERS, ...Array.from({ length: SCARCE_USERS }, (_, index) => `scarce${index}`)]
		const [postgres, redis, nextcloud] = await Promise.all([
			startEmbeddedPostgres({ dataDir: folder, logger }),
			startEmbeddedRedis({ dataDir: folder, logger }),
			startNextcloudShell({
				appId: 'sipcall',
				appSecret: SECRET,
				appVersion: '0.1.0',
				exAppUrl: 'http://127.0.0.1:1',
				users: [{ id: 'admin', displayName: 'Admin', groups: ['admin'] }, ...users.map((id) => ({ id, displayName: id, groups: [] }))],
			}),
		])
		const environment = new Environment(options, folder, postgres, redis, nextcloud)
		try {
			await environment.#start()
		} catch (error) {
			await environment.stop()
			throw error
		}
		return environment
	}

	async #start(): Promise<void> {
		for (let node = 0; node < (this.#options.switches ?? 1); node++) {
			this.switches.push(await startScriptedFreeSwitch({
				password: PASSWORD,
				pace: PACE,
				heartbeatSec: 5,
				...(this.#options.sessionsPerSecond === undefined ? {} : { sessionsPerSecond: this.#options.sessionsPerSecond }),
				scenario: (originate) => this.#taken(originate, node),
				onEvent: (event) => this.truth.event(event, node),
			}))
		}
		const keys = { DATABASE_ENCRYPTION_KEY: randomBytes(32).toString('base64'), JWT_SECRET_KEY: randomBytes(64).toString('base64') }
		for (const place of [0, 1] as const) {
			await this.#makeReplica(place, keys)
		}
		await this.replicas[0]?.start()
		await this.#settings()
		await this.replicas[1]?.start()
		await this.untilReady()
		for (const [index, userId] of USERS.entries()) {
			await this.#phone(userId, index)
		}
	}

	async #makeReplica(place: Place, keys: Record<string, string>): Promise<void> {
		const proxyOf = async (part: Part, node: number, target: NetConnectOpts, at: { host?: string, port?: number | undefined } = {}) => {
			const proxy = new Proxy({
				...at,
				part,
				target,
				treat: (step, link) => this.#treat(place, part, step, link, node),
				onPassed: (step, link) => this.listener?.onPassed(place, part, step, link, node),
				onClosed: (link) => {
					this.listener?.onClosed(place, part, link, node)
					this.eventLinks.delete(link)
				},
			})
			await proxy.listen()
			this.proxies.push({ place, part, node, proxy })
			return proxy.port
		}
		const url = /^postgresql:\/\/(\w+)@([^:]+):(\d+)\/(\w+)$/.exec(this.postgres.url)
		const socket = join(decodeURIComponent(url?.[2] ?? ''), `.s.PGSQL.${url?.[3]}`)
		const ports = {
			postgres: await proxyOf('postgres', 0, { path: socket }),
			redis: this.redis === undefined ? 1 : await proxyOf('redis', 0, { path: this.redis.socketPath }),
			// A node is known by its name: the same to both replicas, though each goes to it by a proxy of its own.
			switches: await Promise.all(this.switches.map(({ port }, node) => proxyOf('switch', node, { host: '127.0.0.1', port }, { host: HOSTS[place], port: this.#portOfNode(node) }))),
		}
		const replica = new Replica({
			root: this.#options.root ?? ROOT,
			index: place,
			port: await findFreePort(),
			volume: join(this.#folder, `volume${place}`),
			environment: {
				...keys,
				APP_SECRET: SECRET,
				NEXTCLOUD_URL: this.nextcloud.url,
				DATABASE_URL: `postgresql://${url?.[1]}@127.0.0.1:${ports.postgres}/${url?.[4]}`,
				REDIS_URL: `redis://127.0.0.1:${ports.redis}`,
				SIPCALL_CHAOS_HOSTS: JSON.stringify({ [SWITCH_HOST]: HOSTS[place] }),
				...(ports.switches.length === 1
					? { FREESWITCH_HOST: SWITCH_HOST, FREESWITCH_PORT: String(ports.switches[0]), FREESWITCH_PASSWORD: PASSWORD }
					: { FREESWITCH_NODES: JSON.stringify(ports.switches.map((port) => ({ host: SWITCH_HOST, port, password: PASSWORD }))) }),
			},
		})
		replica.onLine = (line) => {
			this.hasOneListener ||= line.message === TAKEOVER
			this.listener?.onLine(place, line)
		}
		this.replicas.push(replica)
		this.clients[place] = new Client(replica.url, SECRET)
	}

	/** Whether a replica can take something over. */
	isServing(place: Place): boolean {
		return this.replicas[place]?.isUp === true
	}

	/** Of the proxy that another replica has to it already. */
	#portOfNode(node: number): number | undefined {
		return this.proxies.find((one) => one.part === 'switch' && one.node === node)?.proxy.port
	}

	#treat(place: Place, part: Part, step: Step, link: Link, node: number): Treatment | undefined {
		if (part === 'switch' && step.name === 'originate') {
			this.truth.written(step.text ?? '')
		}
		if (part === 'switch' && step.name === 'subscribe') {
			this.eventLinks.add(link)
		}
		return this.listener?.treat(place, part, step, link, node)
	}

	#taken(originate: ParsedOriginate, node: number) {
		this.truth.taken(originate.line, originate.jobUuid)
		this.listener?.onTaken(originate, node)
		const number = originate.legs[0]?.number ?? ''
		return this.planned.get(number)?.story ?? STORIES.answer_until_hangup
	}

	async #settings(): Promise<void> {
		const [client] = this.clients
		await client.until('admin', 'GET', '/me', undefined, ({ status }) => status === 200, READY_LIMIT_MS)
		// The day must not end within a run: what may be spent in a day would begin anew.
		const hour = new Date().getUTCHours()
		await client.must('admin', 'POST', '/admin/config', {
			homeCountry: 'DE',
			allowedGroups: null,
			callsPerMinute: 100_000,
			callsPerHour: 100_000,
			callsPerDay: 100_000,
			maxConcurrent: LINES,
			lockAfterRefusals: null,
			ringTimeoutSec: 2,
			answerTimeoutSec: 2,
			timeZone: `Etc/GMT${hour >= 12 ? '+' : '-'}${Math.abs(hour - 12)}`,
			rates: [
				{ prefix: '+49', perMinute: { micros: '0', currency: 'EUR' } },
				{ prefix: DEAR, perMinute: { micros: '0', currency: 'EUR' }, perCall: { micros: '1000000', currency: 'EUR' } },
			],
			dailySpendLimit: { micros: String(AFFORDABLE * 1_000_000), currency: 'EUR' },
		})
	}

	async #phone(userId: string, index: number): Promise<void> {
		await this.clients[0].must(userId, 'PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: String(2000 + index) }] })
	}

	/** Users whose calls of a day nobody has counted yet. */
	async renewScarceUsers(callsPerDay: number): Promise<void> {
		await this.query('delete from user_rules where user_id like \'scarce%\'')
		for (let index = 0; index < SCARCE_USERS; index++) {
			await this.#phone(`scarce${index}`, 100 + index)
			await this.clients[0].must('admin', 'PUT', `/admin/users/scarce${index}`, { limits: { callsPerDay, maxConcurrentPerUser: 100 } })
		}
	}

	/** As if nobody had called before. */
	async forgetCounters(): Promise<void> {
		if (this.redis === undefined) {
			await this.query('delete from rate_limits')
			return
		}
		const redis = new Redis(this.redis.socketPath, { maxRetriesPerRequest: 5 })
		redis.on('error', () => {})
		try {
			await redis.flushall()
		} finally {
			redis.disconnect()
		}
	}

	proxiesOf(part: Part, place: Place | 'both' = 'both'): Proxy[] {
		return this.proxies.filter((one) => one.part === part && (place === 'both' || one.place === place)).map(({ proxy }) => proxy)
	}

	replicasAt(place: Place | 'both'): Replica[] {
		return this.replicas.filter(({ index }) => place === 'both' || index === place)
	}

	/** Past the proxies; tried until PostgreSQL is there. */
	async query<Row extends object>(statement: string, values: readonly unknown[] = []): Promise<Row[]> {
		for (let tries = 0; ; tries++) {
			try {
				return (await this.#pool.query<Row>(statement, [...values])).rows
			} catch (error) {
				if (tries >= 200) {
					throw error
				}
				await delay(100)
			}
		}
	}

	/** Resolves when both replicas are up, would place a call, and hear each switch whose events are theirs. */
	async untilReady(): Promise<void> {
		await this.#untilHealthy((parts) => {
			const switches = parts.filter(({ id }) => id === 'freeswitch')
			return switches.length === this.switches.length && switches.every(({ state, code }) => state !== 'down' && code !== 'switch_connecting')
		})
		await Promise.all(this.clients.map((client) => client.until<{ service?: { calling: string } }>('admin', 'GET', '/me', undefined, ({ status, body }) => status === 200 && body.service?.calling === 'ok', READY_LIMIT_MS)))
	}

	/** Until both replicas report that, as they are now. */
	async #untilHealthy(isGood: (parts: readonly HealthPart[]) => boolean): Promise<void> {
		await Promise.all(this.clients.map(async (client) => {
			for (const since = performance.now(); ;) {
				// Whoever looks at what is left of a limit asks Redis, where that is left alone no more.
				await client.until('admin', 'GET', '/me', undefined, ({ status }) => status === 200, READY_LIMIT_MS)
				// A report serves for five seconds, and may be from before a fault; this one is made for the question.
				await client.until('', 'POST', '/occ/status', {}, ({ status }) => status === 200, READY_LIMIT_MS)
				const { body } = await client.until<{ parts: HealthPart[] }>('admin', 'GET', '/admin/health', undefined, ({ status }) => status === 200, READY_LIMIT_MS)
				if (isGood(body.parts)) {
					return
				}
				if (performance.now() - since > READY_LIMIT_MS) {
					throw new Error(`A replica is not well: ${body.parts.map(({ code }) => code).join(', ')}`)
				}
				await delay(100)
			}
		}))
	}

	/** Until limits are counted in Redis again, and not in memory: what was wrong with it must not be seen in the next run. */
	async untilCounting(): Promise<void> {
		await this.#untilHealthy((parts) => {
			const { code = 'redis_absent', breaker = 'closed' } = parts.find(({ id }) => id === 'redis') ?? {}
			return code !== 'redis_down' && breaker === 'closed'
		})
	}

	async stop(): Promise<void> {
		this.listener = undefined
		await Promise.allSettled(this.replicas.map((replica) => replica.stop()))
		await Promise.allSettled(this.proxies.map(({ proxy }) => proxy.stop()))
		await Promise.allSettled([...this.switches.map((one) => one.stop()), this.nextcloud.stop(), this.#pool.end()])
		await Promise.allSettled([this.postgres.stop(), this.redis?.stop()])
		process.removeListener('exit', this.#removeNow)
		await rm(this.#folder, { recursive: true, force: true })
	}
}
