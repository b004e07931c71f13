// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The inner half of the composition: the parts behind the routes, and how they are put together.

import type { CallLimiter, Clock } from './calls/ports.ts'
import type { Config } from './config.ts'
import type { Route } from './http/route.ts'
import type { Logger } from './logger.ts'
import type { AddressBooks } from './nextcloud/address-books.ts'
import type { OcsClient } from './nextcloud/ocs-client.ts'
import type { UserDirectory } from './nextcloud/user-directory.ts'
import type { Settings } from './policy/settings.ts'
import type { Releasers } from './startup.ts'

import { randomUUID } from 'node:crypto'
import { CallControl } from './calls/call-control.ts'
import { CallFeed } from './calls/call-feed.ts'
import { CallService } from './calls/call-service.ts'
import { CallStream } from './calls/call-stream.ts'
import { CallTracker } from './calls/call-tracker.ts'
import { migrate, openDatabase } from './db/orm.ts'
import { AppStateRepository } from './db/repositories/app-state-repository.ts'
import { CallRepository } from './db/repositories/call-repository.ts'
import { DeviceRepository } from './db/repositories/device-repository.ts'
import { SettingsRepository } from './db/repositories/settings-repository.ts'
import { SignInRepository } from './db/repositories/sign-in-repository.ts'
import { storageFault } from './db/storage-fault.ts'
import { startEmbeddedPostgres } from './embedded/postgres.ts'
import { startEmbeddedRedis } from './embedded/redis.ts'
import { SipCallError } from './errors.ts'
import { isDialTemplate, isDomain, isGatewayName } from './esl/dial-string.ts'
import { FreeSwitch } from './esl/freeswitch.ts'
import { adminConfigRoutes } from './http/routes/admin-config.ts'
import { authRoutes } from './http/routes/auth.ts'
import { callControlRoutes } from './http/routes/call-control.ts'
import { callRoutes } from './http/routes/calls.ts'
import { contactRoutes } from './http/routes/contacts.ts'
import { eventRoutes } from './http/routes/events.ts'
import { meRoutes } from './http/routes/me.ts'
import { createIdentity } from './identity/index.ts'
import { AppConfig } from './nextcloud/app-config.ts'
import { SettingsStore } from './policy/settings-store.ts'
import { loadOrCreateKeyFile, TOKEN_KEY } from './privacy/key-file.ts'
import { KeyRing } from './privacy/key-ring.ts'
import { createPostgresCallLimiter, createRedisCallLimiter } from './redis/call-limiter.ts'
import { connectRedis } from './redis/connection.ts'

/** What tests replace. */
export interface AppOverrides {
	clock?: Clock
	/** Times of the switch's connections and of the sweep, shorter than a network needs. */
	esl?: { silenceMs?: number, commandTimeoutMs?: number }
	sweepMs?: number
	/** How long the switch is left alone after a hold or an answer. */
	settleMs?: number
	/** Of event streams. */
	pingMs?: number
}

/** What is there before any other part: the way to Nextcloud. */
export interface Base {
	config: Config
	logger: Logger
	clock: Clock
	overrides: AppOverrides
	ocs: OcsClient
	users: UserDirectory
	addressBooks: AddressBooks
}

/** What the life cycle works on, once the parts are up. */
export interface Parts {
	routes: readonly Route[]
	verifyToken: (token: string) => Promise<{ userId: string } | undefined>
	setEnabled: (isEnabled: boolean) => Promise<void>
	status: () => Promise<string[]>
}

const KEYS_SWEEP_MS = 60 * 60 * 1000

/** Brings everything up that stands behind the routes, each part with its undo. */
export async function startParts({ config, logger, clock, overrides, ocs, users, addressBooks }: Base, releasers: Releasers): Promise<Parts> {
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
	const store = new CallRepository({ orm, keys, clock })
	const feed = new CallFeed()
	const callSwitch = createSwitch(config, logger, clock, overrides)
	const tracker = new CallTracker({
		store,
		feed,
		callSwitch,
		clock,
		logger: logger.child({ component: 'calls' }),
		isPassing: (error) => storageFault(error) !== undefined,
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
	const signIns = new SignInRepository({ orm })
	const identity = createIdentity({
		store: signIns,
		users,
		isActive: (userId) => isActive(users, userId),
		oauth: {
			client: () => config.oauthClient === undefined ? undefined : { id: config.oauthClient.id, secret: config.oauthClient.secret.reveal() },
			nextcloudUrl: config.nextcloudUrl,
			publicUrl: () => publicUrlOf(ocs),
		},
		jwt: { keys: await tokenKeys(config), algorithm: config.jwt.algorithm, expiryMin: config.jwt.expiryMin },
		now: () => clock.now(),
		newUuid: randomUUID,
		logger: logger.child({ component: 'identity' }),
	})
	// Keys are looked up with their age, so tidying up late harms nobody.
	const tidying = setInterval(() => {
		void store.forgetOldKeys(clock.now()).catch((error: unknown) => logger.warn('Old idempotency keys stay for now', { error }))
		void signIns.forgetExpired(clock.now()).catch((error: unknown) => logger.warn('Old sign-ins stay for now', { error }))
	}, KEYS_SWEEP_MS)
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
	const groupsOf = async (userId: string) => (await users.get(userId)).groups
	const control = new CallControl({ calls, store, tracker, callSwitch, limiter, settings: () => settings.get(), clock, newUuid: randomUUID, ...(overrides.settleMs === undefined ? {} : { settleMs: overrides.settleMs }) })
	const stream = new CallStream({ store, feed, clock, ...(overrides.pingMs === undefined ? {} : { pingMs: overrides.pingMs }) })
	return {
		verifyToken: (token) => identity.verifier.verify(token),
		routes: [
			...authRoutes({ signIn: identity.signIn, guard: (step) => guardSignIn(limiter, step) }),
			...callRoutes({ calls, store, settings: () => settings.get(), groupsOf }),
			...callControlRoutes({ calls, control, groupsOf, logger: logger.child({ component: 'calls' }) }),
			...eventRoutes({ stream }),
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

/** Of the environment, else of the volume. */
async function tokenKeys({ jwt, storagePath }: Config): Promise<[Buffer, ...Buffer[]]> {
	const [signingKey, ...previousKeys] = jwt.keys.map((key) => key.reveal())
	return signingKey === undefined ? [await loadOrCreateKeyFile(storagePath, TOKEN_KEY)] : [signingKey, ...previousKeys]
}

/** Nextcloud's address in people's browsers, which only Nextcloud knows. */
async function publicUrlOf(ocs: OcsClient): Promise<string> {
	const { data } = await ocs.request({ path: '/apps/app_api/api/v1/info/nextcloud_url/absolute?url=index.php' })
	const url = typeof data === 'object' && data !== null && 'absolute_url' in data ? data.absolute_url : undefined
	if (typeof url !== 'string' || !URL.canParse(url)) {
		throw new SipCallError('nextcloud_unavailable', 'Nextcloud did not tell its own address. Try again in a minute.', { retryAfterSec: 30 })
	}
	return url
}

/** Of all sign-ins together: nobody who signs in has a name yet, and all come from the proxy's address. */
const SIGN_INS = { kind: 'signInsPerMinute', max: 120, windowSec: 60 }

async function guardSignIn(limiter: CallLimiter, step: 'login' | 'exchange'): Promise<void> {
	const refusal = await limiter.consume(step, [SIGN_INS])
	if (refusal !== undefined) {
		const { max, windowSec } = SIGN_INS
		throw new SipCallError('rate_limited', `Too many are signing in at the moment. Try again in ${refusal.retryAfterSec} seconds.`, {
			retryAfterSec: refusal.retryAfterSec,
			rateLimit: { policy: SIGN_INS.kind, quota: max, windowSec, remaining: 0, resetSec: refusal.retryAfterSec },
		})
	}
}

async function isActive(users: UserDirectory, userId: string): Promise<boolean> {
	try {
		await users.get(userId)
		return true
	} catch (error) {
		if (error instanceof SipCallError && error.code === 'forbidden') {
			return false
		}
		throw error
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
