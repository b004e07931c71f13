// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The whole sidecar in a test: real PostgreSQL and Redis, the scripted FreeSWITCH, the Nextcloud shell.

import type { AppOverrides, RunningApp } from '../../lib/app.ts'
import type { CallJson } from '../../lib/http/schemas.ts'
import type { ScriptedFreeSwitch, ScriptedFreeSwitchOptions } from '../stand-ins/freeswitch/index.ts'
import type { NextcloudShell } from '../stand-ins/nextcloud/nextcloud-shell.ts'
import type { TestDatabase } from './database.ts'

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { inject } from 'vitest'
import { startApp } from '../../lib/app.ts'
import { loadConfig } from '../../lib/config.ts'
import { createLogger } from '../../lib/logger.ts'
import { startScriptedFreeSwitch } from '../stand-ins/freeswitch/index.ts'
import { startNextcloudShell } from '../stand-ins/nextcloud/nextcloud-shell.ts'
import { createTestDatabase } from './database.ts'
import { keepPrivate, keepSecrets, keptLog } from './kept-log.ts'
import { until } from './until.ts'

export const APP_SECRET = 'test-secret:with-a-colon'
/** Not the one that every FreeSWITCH comes with: the doctor warns of that. */
const SWITCH_PASSWORD = 'the-switch-secret'

export interface Answer<Body = Record<string, unknown>> {
	status: number
	headers: Headers
	body: Body
	text: string
}

/** AppAPI's proof for a user; empty for Nextcloud itself. */
export function signedHeaders(userId: string): Record<string, string> {
	return {
		'EX-APP-ID': 'sipcall',
		'EX-APP-VERSION': '0.1.0',
		'AUTHORIZATION-APP-API': Buffer.from(`${userId}:${APP_SECRET}`).toString('base64'),
	}
}

/** Requests as Nextcloud's proxy would sign them for one user. */
export class ApiClient {
	readonly #url: string
	readonly #userId: string

	constructor(url: string, userId: string) {
		this.#url = url
		this.#userId = userId
	}

	async request<Body = Record<string, unknown>>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<Body>> {
		keepPrivate(body)
		const response = await fetch(`${this.#url}${path}`, {
			method,
			headers: {
				...signedHeaders(this.#userId),
				'X-Requested-With': 'XMLHttpRequest',
				...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
				...headers,
			},
			...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
		})
		const text = await response.text()
		const isJson = response.headers.get('content-type')?.includes('json') === true
		return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : {}) as Body, text }
	}

	get<Body = Record<string, unknown>>(path: string): Promise<Answer<Body>> {
		return this.request<Body>('GET', path)
	}

	call(to: string, options: { key?: string, [field: string]: unknown } = {}): Promise<Answer<CallJson>> {
		const { key, ...wish } = options
		return this.request<CallJson>('POST', '/call', { to, ...wish }, key === undefined ? {} : { 'Idempotency-Key': key })
	}

	hangUp(uuid: string): Promise<Answer<CallJson>> {
		return this.request<CallJson>('DELETE', `/call/${uuid}`)
	}

	/** Follows a call by long polls until the condition holds. */
	async until(uuid: string, condition: (call: CallJson) => boolean): Promise<CallJson> {
		for (let version = 0; ;) {
			const { body, status } = await this.get<CallJson>(`/call-status/${uuid}?version=${version}&wait=25`)
			if (status !== 200) {
				throw new Error(`The call's status was answered by ${status}`)
			}
			if (condition(body)) {
				return body
			}
			if (body.status === 'ended') {
				throw new Error(`The call ended (${body.outcome}) before what was waited for`)
			}
			version = body.version
		}
	}

	/** Until a call may be placed, or none any more. */
	async untilCalling(state: 'ok' | 'down'): Promise<void> {
		await until(() => this.get<{ service: { calling: string } }>('/me'), ({ body }) => body.service.calling === state)
	}

	untilEnded(uuid: string): Promise<CallJson> {
		return this.until(uuid, ({ status }) => status === 'ended')
	}
}

export interface TestApp {
	readonly url: string
	readonly app: RunningApp
	readonly freeSwitch: ScriptedFreeSwitch
	readonly nextcloud: NextcloudShell
	readonly database: TestDatabase
	/** The environment that the sidecar was started with. */
	readonly environment: Record<string, string>
	as(userId: string): ApiClient
	/** `demo` with one phone (extension 1000), and calls to Germany allowed for everybody; the switch may be the test's own. */
	prepare(settings?: Record<string, unknown>, options?: { onRecordedSwitch?: boolean }): Promise<ApiClient>
	/** Waits until the switch's connections are up. */
	ready(): Promise<void>
	/** Another sidecar on the same database, with a volume and perhaps more of its own; stopped with the test at the latest. */
	startReplica(own?: Record<string, string>): Promise<Replica>
	/** Starts the sidecar that a test has stopped again, on the same data; whatever the switch does. */
	startAgain(): Promise<void>
	/** Stops the sidecar and starts it again on the same data. */
	restart(): Promise<void>
	stop(): Promise<void>
}

/** A sidecar beside the first one. */
export interface Replica {
	readonly url: string
	as(userId: string): ApiClient
	stop(): Promise<void>
}

/** Tests ask again and again until something is so. */
export const MANY_REQUESTS = { userPerMinute: 1_000_000, addressPerMinute: 1_000_000, authPerMinute: 1_000_000 }

export interface TestAppOptions {
	freeSwitch?: ScriptedFreeSwitchOptions
	/** Further nodes, that the test has started and stops. */
	peers?: readonly ScriptedFreeSwitch[]
	environment?: Record<string, string>
	overrides?: AppOverrides
	/** false: PostgreSQL counts the limits. */
	redis?: boolean
	/** By which way the sidecar reaches its database; left out, straight. */
	wayTo?: (databaseUrl: string) => Promise<{ url: string }>
}

/** The environment of a sidecar for tests, on the run's PostgreSQL and Redis. */
export function testEnvironment(database: TestDatabase, freeSwitch: ScriptedFreeSwitch, nextcloudUrl: string, redis: boolean): Record<string, string> {
	const redisSocket = inject('redisSocket')
	return {
		APP_SECRET,
		APP_PORT: '1',
		APP_PERSISTENT_STORAGE: database.volume,
		NEXTCLOUD_URL: nextcloudUrl,
		DATABASE_URL: database.url,
		DATABASE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
		JWT_SECRET_KEY: randomBytes(64).toString('base64'),
		FREESWITCH_HOST: freeSwitch.host,
		FREESWITCH_PORT: String(freeSwitch.port),
		FREESWITCH_PASSWORD: freeSwitch.password,
		...(redisSocket === undefined || !redis ? { REDIS_URL: 'redis://127.0.0.1:1' } : { REDIS_URL: `unix:${redisSocket}` }),
	}
}

export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
	const database = await createTestDatabase({ hasSchema: true })
	const freeSwitch = await startScriptedFreeSwitch({ speed: Infinity, heartbeatSec: 0, password: SWITCH_PASSWORD, ...options.freeSwitch })
	const nextcloud = await startNextcloudShell({ appId: 'sipcall', appSecret: APP_SECRET, appVersion: '0.1.0', exAppUrl: 'http://127.0.0.1:1' })
	const nodes = [freeSwitch, ...options.peers ?? []]
	const environment = {
		...testEnvironment(database, freeSwitch, nextcloud.url, options.redis ?? true),
		...(options.wayTo === undefined ? {} : { DATABASE_URL: (await options.wayTo(database.url)).url }),
		...(nodes.length === 1 ? {} : { FREESWITCH_NODES: JSON.stringify(nodes.map(({ host, port, password }) => ({ host, port, password }))) }),
		...options.environment,
	}
	keepSecrets(environment)
	const logger = process.env.SIPCALL_TEST_LOG === undefined ? keptLog() : createLogger({ level: 'error', pretty: true })
	// Port 0 is not valid in the environment of a real start: here it keeps test files out of each other's way.
	const start = (own: Record<string, string> = {}) => startApp({ ...loadConfig({ ...environment, ...own }), listen: { host: '127.0.0.1', port: 0 } }, logger, { requestLimits: MANY_REQUESTS, ...options.overrides })
	const replicas: RunningApp[] = []
	let app = await start()
	await app.ready
	const as = (userId: string) => new ApiClient(app.url, userId)
	const ready = async () => {
		for (const node of nodes) {
			await node.until(() => node.commands.some(({ command }) => command.startsWith('event json')) && node.clients >= 2)
		}
	}
	return {
		get url() {
			return app.url
		},
		get app() {
			return app
		},
		freeSwitch,
		nextcloud,
		database,
		environment,
		as,
		ready,
		async prepare(settings = {}, { onRecordedSwitch = false } = {}) {
			if (!onRecordedSwitch) {
				await ready()
			}
			const demo = as('demo')
			const saved = await demo.request('POST', '/admin/config', { homeCountry: 'DE', allowedGroups: null, callsPerMinute: 1000, callsPerHour: 1000, callsPerDay: 1000, ...settings })
			const me = await demo.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1000' }] })
			if (saved.status !== 200 || me.status !== 200) {
				throw new Error(`The test's sidecar could not be prepared: ${saved.text} ${me.text}`)
			}
			await waitUntilServing(demo)
			return demo
		},
		async startReplica(own = {}) {
			keepSecrets(own)
			const replica = await start({ ...own, APP_PERSISTENT_STORAGE: join(database.volume, `replica-${replicas.length + 2}`) })
			replicas.push(replica)
			await replica.ready
			const client = (userId: string) => new ApiClient(replica.url, userId)
			await waitUntilServing(client('demo'))
			return { url: replica.url, as: client, stop: () => replica.stop() }
		},
		async startAgain() {
			app = await start()
			await app.ready
		},
		async restart() {
			await app.stop()
			app = await start()
			await app.ready
			await freeSwitch.until(() => freeSwitch.clients >= 2)
		},
		async stop() {
			await Promise.all([app, ...replicas].map((server) => server.stop()))
			await nextcloud.stop()
			await freeSwitch.stop()
			await database.drop()
		},
	}
}

/** The switch has answered the sidecar's login before the sidecar has read the answer. */
async function waitUntilServing(client: ApiClient): Promise<void> {
	await client.untilCalling('ok')
}
