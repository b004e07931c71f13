// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The composition root: the only file that sees every part. What is acquired first is released last.

import type { CallLimiter, Clock } from './calls/ports.ts'
import type { Settings } from './calls/settings.ts'
import type { Config } from './config.ts'
import type { RightsCheck, Route } from './http/route.ts'
import type { Logger } from './logger.ts'

import { randomUUID } from 'node:crypto'
import { CallFeed } from './calls/call-feed.ts'
import { CallService } from './calls/call-service.ts'
import { CallTracker } from './calls/call-tracker.ts'
import { migrate, openDatabase } from './db/orm.ts'
import { CallRepository } from './db/repositories/call-repository.ts'
import { DeviceRepository } from './db/repositories/device-repository.ts'
import { SettingsRepository } from './db/repositories/settings-repository.ts'
import { storageFault } from './db/storage-fault.ts'
import { startEmbeddedPostgres } from './embedded/postgres.ts'
import { startEmbeddedRedis } from './embedded/redis.ts'
import { SipCallError } from './errors.ts'
import { isDialTemplate, isDomain, isGatewayName } from './esl/dial-string.ts'
import { FreeSwitch } from './esl/freeswitch.ts'
import { adminConfigRoutes } from './http/routes/admin-config.ts'
import { callRoutes } from './http/routes/calls.ts'
import { meRoutes } from './http/routes/me.ts'
import { notAuthenticated, startHttpServer } from './http/server.ts'
import { verifyAppApi } from './nextcloud/appapi-auth.ts'
import { UserDirectory } from './nextcloud/user-directory.ts'
import { loadOrCreateKeyFile } from './privacy/key-file.ts'
import { KeyRing } from './privacy/key-ring.ts'
import { createPostgresCallLimiter, createRedisCallLimiter } from './redis/call-limiter.ts'
import { connectRedis } from './redis/connection.ts'

/** What tests replace. */
export interface AppOverrides {
	clock?: Clock
	/** Times of the switch's connections and of the sweep, shorter than a network needs. */
	esl?: { silenceMs?: number, commandTimeoutMs?: number }
	sweepMs?: number
}

export interface RunningApp {
	/** `http://host:port`, or the socket's path. */
	readonly url: string
	readonly port: number | undefined
	/** Stops taking requests, finishes writes, closes everything; leaves live calls alone. Resolves within 8 seconds. */
	stop(): Promise<void>
}

const HTTP_STOP_MS = 3_000
const STOP_LIMIT_MS = 7_500
const KEYS_SWEEP_MS = 60 * 60 * 1000

/** Undoes what was done, in reverse, each at most once; a part that does not stop does not keep the others. */
class Releasers {
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

/**
 * Starts the sidecar. `/heartbeat` answers as soon as the port is open; the rest follows, and this resolves when all
 * of it is up.
 *
 * @throws {SipCallError} `storage_unavailable` when the database cannot be used (wrong key, newer schema, no server)
 */
export async function startApp(config: Config, logger: Logger, overrides: AppOverrides = {}): Promise<RunningApp> {
	const clock = overrides.clock ?? { now: () => new Date() }
	const releasers = new Releasers(logger)
	const users = new UserDirectory({
		nextcloudUrl: config.nextcloudUrl,
		appId: config.appId,
		appVersion: config.appVersion,
		appSecret: config.appSecret.reveal(),
		logger: logger.child({ component: 'nextcloud' }),
		now: () => clock.now().getTime(),
	})
	let routes: readonly Route[] | undefined
	const http = await startHttpServer(config.listen, {
		routes: () => routes,
		version: config.appVersion,
		lifeCycle: [],
		verifyProof: (headers) => verifyAppApi(headers, { id: config.appId, secret: config.appSecret.reveal() }),
		verifyToken: async () => undefined,
		checkRight: rightsCheck(users),
		faultOf: storageFault,
		logger: logger.child({ component: 'http' }),
	})
	releasers.add('http', () => http.stop(HTTP_STOP_MS))
	logger.info('Listening', { address: http.address })
	try {
		routes = await startParts(config, logger, clock, overrides, users, releasers)
	} catch (error) {
		await releasers.run()
		throw error
	}
	let stopped: Promise<void> | undefined
	return {
		url: http.address,
		port: http.port,
		stop: () => stopped ??= Promise.race([
			releasers.run(),
			new Promise<void>((resolve) => {
				setTimeout(resolve, STOP_LIMIT_MS).unref()
			}),
		]),
	}
}

async function startParts(config: Config, logger: Logger, clock: Clock, overrides: AppOverrides, users: UserDirectory, releasers: Releasers): Promise<readonly Route[]> {
	const masterKeys = config.encryptionKeys.length > 0 ? config.encryptionKeys.map((key) => key.reveal()) : [await loadOrCreateKeyFile(config.storagePath)]
	const [activeKey, ...previousKeys] = masterKeys
	if (activeKey === undefined) {
		throw new TypeError('There is no encryption key')
	}
	const keys = new KeyRing([activeKey, ...previousKeys])

	const databaseUrl = config.databaseUrl?.reveal() ?? await startDatabase(config, logger, releasers)
	const orm = await openDatabase({ url: databaseUrl, keys, logger: logger.child({ component: 'db' }) })
	releasers.add('database connections', () => orm.close(true))
	await migrate(orm, keys)
	const limiter = await startLimiter(config, databaseUrl, logger, releasers)

	const environment: Partial<Settings> = config.callsPerMinute === undefined ? {} : { callsPerMinute: config.callsPerMinute }
	const settings = new SettingsRepository({ orm, environment })
	const devices = new DeviceRepository({ orm })
	const store = new CallRepository({ orm, keys })
	const feed = new CallFeed()

	const callSwitch = createSwitch(config, logger, clock, overrides)
	const tracker = new CallTracker({
		store,
		feed,
		callSwitch,
		clock,
		logger: logger.child({ component: 'calls' }),
		...(overrides.sweepMs === undefined ? {} : { sweepMs: overrides.sweepMs }),
	})
	await tracker.start()
	releasers.add('call tracker', () => tracker.stop())
	if (config.freeSwitch.password === undefined) {
		logger.warn('FREESWITCH_PASSWORD is not set: no phone can ring until the switch is set up')
	} else {
		callSwitch.start({ onNotice: (notice) => tracker.notice(notice), onReady: () => void tracker.reconcile() })
		releasers.add('switch', () => callSwitch.stop())
	}
	// Keys are looked up with their age, so tidying up late harms nobody.
	const tidying = setInterval(() => void store.forgetOldKeys(clock.now()).catch((error: unknown) => logger.warn('Old idempotency keys stay for now', { error })), KEYS_SWEEP_MS)
	releasers.add('tidying', () => clearInterval(tidying))

	const calls = new CallService({
		store,
		tracker,
		feed,
		callSwitch,
		limiter,
		settings: () => settings.get(),
		devices: (userId) => devices.of(userId),
		clock,
		newUuid: randomUUID,
		logger: logger.child({ component: 'calls' }),
	})
	return [
		...callRoutes({ calls, store, settings: () => settings.get(), groupsOf: async (userId) => (await users.get(userId)).groups }),
		...meRoutes({
			user: (userId) => users.get(userId),
			settings: () => settings.get(),
			devices: { of: (userId) => devices.of(userId), replace: (userId, list) => devices.replace(userId, list) },
			isSwitchReady: () => callSwitch.isReady(),
			newUuid: randomUUID,
		}),
		...adminConfigRoutes({
			settings,
			environment,
			dialRules: { isDialTemplate, isGatewayName, isDomain },
			now: () => clock.now(),
		}),
	]
}

async function startDatabase(config: Config, logger: Logger, releasers: Releasers): Promise<string> {
	const postgres = await startEmbeddedPostgres({ dataDir: config.storagePath, logger: logger.child({ component: 'postgresql' }) })
	releasers.add('postgresql', () => postgres.stop())
	return postgres.url
}

/** Redis where there is one, else PostgreSQL. */
async function startLimiter(config: Config, databaseUrl: string, logger: Logger, releasers: Releasers): Promise<CallLimiter> {
	const redisLogger = logger.child({ component: 'redis' })
	const embedded = config.redisUrl === undefined ? await startEmbeddedRedis({ dataDir: config.storagePath, logger: redisLogger }) : undefined
	if (embedded !== undefined) {
		releasers.add('redis', () => embedded.stop())
	}
	const target = config.redisUrl?.reveal() ?? embedded?.socketPath
	if (target === undefined) {
		logger.info('There is no Redis: PostgreSQL counts the limits')
		const { limiter, stop } = createPostgresCallLimiter(databaseUrl, redisLogger)
		releasers.add('limiter', stop)
		return limiter
	}
	const redis = connectRedis(target, redisLogger)
	releasers.add('redis connection', () => redis.disconnect())
	return createRedisCallLimiter(redis)
}

function createSwitch(config: Config, logger: Logger, clock: Clock, overrides: AppOverrides): FreeSwitch {
	const { host, port, user, password } = config.freeSwitch
	return new FreeSwitch({
		endpoint: { host, port, user, password: password?.reveal() ?? '' },
		logger: logger.child({ component: 'esl' }),
		now: () => clock.now(),
		...overrides.esl,
	})
}

/** Nextcloud's own routes want Nextcloud; all others want a user, and some an admin. */
function rightsCheck(users: UserDirectory): RightsCheck {
	return async ({ userId, proof }, right) => {
		if (right === 'public') {
			return
		}
		if ((right === 'nextcloud') !== (userId === '') || (right === 'nextcloud' && proof !== 'nextcloud')) {
			throw notAuthenticated()
		}
		if (right === 'admin' && !(await users.get(userId)).isAdmin) {
			throw new SipCallError('forbidden', 'Only Nextcloud’s administrators may do this.')
		}
	}
}
