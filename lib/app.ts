// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The composition root: the only file that sees every part. What is acquired first is released last.

import type { CallLimiter, Clock } from './calls/ports.ts'
import type { Config } from './config.ts'
import type { RightsCheck, Route } from './http/route.ts'
import type { Logger } from './logger.ts'
import type { Settings } from './policy/settings.ts'
import type { Releasers } from './startup.ts'

import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { CallFeed } from './calls/call-feed.ts'
import { CallService } from './calls/call-service.ts'
import { CallTracker } from './calls/call-tracker.ts'
import { migrate, openDatabase } from './db/orm.ts'
import { AppStateRepository } from './db/repositories/app-state-repository.ts'
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
import { contactRoutes } from './http/routes/contacts.ts'
import { lifeCycleRoutes } from './http/routes/life-cycle.ts'
import { meRoutes } from './http/routes/me.ts'
import { notAuthenticated, startHttpServer } from './http/server.ts'
import { AddressBooks } from './nextcloud/address-books.ts'
import { AppConfig } from './nextcloud/app-config.ts'
import { verifyAppApi } from './nextcloud/appapi-auth.ts'
import { FetchDavClient } from './nextcloud/dav-client.ts'
import { LifeCycle } from './nextcloud/life-cycle.ts'
import { OcsClient } from './nextcloud/ocs-client.ts'
import { registerInNextcloud } from './nextcloud/registration.ts'
import { UserDirectory } from './nextcloud/user-directory.ts'
import { SettingsStore } from './policy/settings-store.ts'
import { loadOrCreateKeyFile } from './privacy/key-file.ts'
import { KeyRing } from './privacy/key-ring.ts'
import { createPostgresCallLimiter, createRedisCallLimiter } from './redis/call-limiter.ts'
import { connectRedis } from './redis/connection.ts'
import { Startup } from './startup.ts'

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
	/** Resolves when everything behind the routes is up, however many attempts that takes. */
	readonly ready: Promise<void>
	/** Stops taking requests, finishes writes, closes everything; leaves live calls alone. Resolves within 8 seconds. */
	stop(): Promise<void>
}

const HTTP_STOP_MS = 3_000
const STOP_LIMIT_MS = 7_500
const KEYS_SWEEP_MS = 60 * 60 * 1000
/** The page's script, stylesheet and icons. */
const ASSETS = fileURLToPath(new URL('../ex_app', import.meta.url))

/** What is there before any other part: the way to Nextcloud. */
interface Base {
	config: Config
	logger: Logger
	clock: Clock
	overrides: AppOverrides
	ocs: OcsClient
	users: UserDirectory
	addressBooks: AddressBooks
}

/** What the life cycle works on, once the parts are up. */
interface Parts {
	routes: readonly Route[]
	setEnabled: (isEnabled: boolean) => Promise<void>
	status: () => Promise<string[]>
}

/**
 * Starts the sidecar. Resolves as soon as `/heartbeat` answers; `ready` tells when the rest is up.
 */
export async function startApp(config: Config, logger: Logger, overrides: AppOverrides = {}): Promise<RunningApp> {
	const clock = overrides.clock ?? { now: () => new Date() }
	const now = () => clock.now().getTime()
	const toNextcloud = {
		nextcloudUrl: config.nextcloudUrl,
		appId: config.appId,
		appVersion: config.appVersion,
		appSecret: config.appSecret.reveal(),
		logger: logger.child({ component: 'nextcloud' }),
		now,
	}
	const ocs = new OcsClient(toNextcloud)
	const addressBooks = new AddressBooks({ dav: new FetchDavClient(toNextcloud), now, logger: toNextcloud.logger })
	const base: Base = { config, logger, clock, overrides, ocs, users: new UserDirectory({ ocs, now }), addressBooks }
	let parts: Parts | undefined
	const startup = new Startup(async (releasers) => {
		parts = await startParts(base, releasers)
	}, logger)
	const lifeCycle = new LifeCycle({
		ocs,
		untilUp: () => startup.currentAttempt(),
		enable: async () => {
			await registerInNextcloud(ocs, config.appVersion, logger.child({ component: 'nextcloud' }))
			await parts?.setEnabled(true)
		},
		disable: async () => parts?.setEnabled(false),
		logger: logger.child({ component: 'nextcloud' }),
	})
	const http = await startHttpServer(config.listen, {
		lifeCycle: lifeCycleRoutes({
			init: () => lifeCycle.init(),
			setEnabled: (isEnabled) => lifeCycle.setEnabled(isEnabled),
			status: async () => await parts?.status() ?? ['SIPCall is starting.'],
		}),
		routes: () => parts?.routes,
		assets: ASSETS,
		version: config.appVersion,
		verifyProof: (headers) => verifyAppApi(headers, { id: config.appId, secret: config.appSecret.reveal() }),
		verifyToken: async () => undefined,
		checkRight: rightsCheck(base.users),
		faultOf: storageFault,
		logger: logger.child({ component: 'http' }),
	})
	logger.info('Listening', { address: http.address })
	startup.begin()
	let stopped: Promise<void> | undefined
	const stop = async () => {
		await http.stop(HTTP_STOP_MS)
		await startup.stop()
	}
	return {
		url: http.address,
		port: http.port,
		ready: startup.up,
		stop: () => stopped ??= Promise.race([
			stop(),
			new Promise<void>((resolve) => {
				setTimeout(resolve, STOP_LIMIT_MS).unref()
			}),
		]),
	}
}

async function startParts({ config, logger, clock, overrides, ocs, users, addressBooks }: Base, releasers: Releasers): Promise<Parts> {
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
	const limiter = await startLimiter(config, databaseUrl, keys, logger, releasers)

	const environment: Partial<Settings> = config.callsPerMinute === undefined ? {} : { callsPerMinute: config.callsPerMinute }
	const dialRules = { isDialTemplate, isGatewayName, isDomain }
	const settings = new SettingsStore({
		source: new AppConfig({ ocs }),
		copy: new SettingsRepository({ orm }),
		environment,
		dialRules,
		now: () => clock.now(),
		logger: logger.child({ component: 'settings' }),
	})
	await settings.load()
	const state = new AppStateRepository({ orm })
	releasers.add('settings', () => settings.stopFollowing())
	if (await state.isEnabled()) {
		void settings.follow()
	}

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
	return {
		routes: [
			...callRoutes({ calls, store, settings: () => settings.get(), groupsOf: async (userId) => (await users.get(userId)).groups }),
			...meRoutes({
				user: (userId) => users.get(userId),
				settings: () => settings.get(),
				devices: { of: (userId) => devices.of(userId), replace: (userId, list) => devices.replace(userId, list) },
				isSwitchReady: () => callSwitch.isReady(),
				newUuid: randomUUID,
			}),
			...adminConfigRoutes({ settings, environment, dialRules }),
			...contactRoutes({ addressBooks, settings: () => settings.get() }),
		],
		setEnabled: async (isEnabled) => {
			await state.setEnabled(isEnabled)
			await (isEnabled ? settings.follow() : settings.stopFollowing())
		},
		status: async () => [
			`SIPCall ${config.appVersion}`,
			`FreeSWITCH: ${callSwitch.isReady() ? 'connected' : callSwitch.lastError?.message ?? 'not set up'}`,
			`Open calls: ${(await store.findOpen()).length}`,
		],
	}
}

async function startDatabase(config: Config, logger: Logger, releasers: Releasers): Promise<string> {
	const postgres = await startEmbeddedPostgres({ dataDir: config.storagePath, logger: logger.child({ component: 'postgresql' }) })
	releasers.add('postgresql', () => postgres.stop())
	return postgres.url
}

/** Redis where there is one, else PostgreSQL. */
async function startLimiter(config: Config, databaseUrl: string, keys: KeyRing, logger: Logger, releasers: Releasers): Promise<CallLimiter> {
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
	return createRedisCallLimiter(redis, keys.storageKeys[0]?.kid ?? '')
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
