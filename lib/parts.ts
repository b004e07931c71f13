// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The inner half of the composition: the parts behind the routes, and how they are put together.

import type { CallLimiter, Clock } from './calls/ports.ts'
import type { Config } from './config.ts'
import type { Backups, DatabaseErrand } from './db/backup/backups.ts'
import type { DatabaseAccess } from './db/backup/restore-backup.ts'
import type { EslEndpoint } from './esl/esl-connection.ts'
import type { Check } from './health/checks.ts'
import type { RequestLimits } from './http/middlewares/request-limit.ts'
import type { Route } from './http/route.ts'
import type { OccTasks } from './http/routes/occ.ts'
import type { Logger } from './logger.ts'
import type { AddressBooks } from './nextcloud/address-books.ts'
import type { OcsClient } from './nextcloud/ocs-client.ts'
import type { UserDirectory } from './nextcloud/user-directory.ts'
import type { Settings, SwitchConnection } from './policy/settings.ts'
import type { Progress } from './progress.ts'
import type { Releasers } from './startup.ts'

import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { loadKeys, loadTokenKeys, startDatabase, startLimiter } from './backing.ts'
import { CallControl } from './calls/call-control.ts'
import { CallFeed } from './calls/call-feed.ts'
import { CallService } from './calls/call-service.ts'
import { CallStream } from './calls/call-stream.ts'
import { CallTracker } from './calls/call-tracker.ts'
import { DeviceVerification } from './calls/device-verification.ts'
import { Explainer } from './calls/explain.ts'
import { Lockout } from './calls/lockout.ts'
import { migrate, openDatabase } from './db/orm.ts'
import { AppStateRepository } from './db/repositories/app-state-repository.ts'
import { CallRepository } from './db/repositories/call-repository.ts'
import { DeviceRepository } from './db/repositories/device-repository.ts'
import { RetentionRepository } from './db/repositories/retention-repository.ts'
import { SettingsRepository } from './db/repositories/settings-repository.ts'
import { SignInRepository } from './db/repositories/sign-in-repository.ts'
import { UsageRepository } from './db/repositories/usage-repository.ts'
import { UserDataRepository } from './db/repositories/user-data-repository.ts'
import { UserRuleRepository } from './db/repositories/user-rule-repository.ts'
import { VerificationRepository } from './db/repositories/verification-repository.ts'
import { storageFault } from './db/storage-fault.ts'
import { SipCallError } from './errors.ts'
import { isDialTemplate, isDomain, isGatewayName } from './esl/dial-string.ts'
import { FreeSwitch } from './esl/freeswitch.ts'
import { healthChecks, statusLines } from './health/checks.ts'
import { gateOf } from './http/route-gate.ts'
import { adminConfigRoutes } from './http/routes/admin-config.ts'
import { adminUserRoutes } from './http/routes/admin-users.ts'
import { authRoutes } from './http/routes/auth.ts'
import { callControlRoutes } from './http/routes/call-control.ts'
import { callRoutes } from './http/routes/calls.ts'
import { contactRoutes } from './http/routes/contacts.ts'
import { deviceVerificationRoutes } from './http/routes/device-verification.ts'
import { eventRoutes } from './http/routes/events.ts'
import { meRoutes } from './http/routes/me.ts'
import { numberRoutes } from './http/routes/numbers.ts'
import { createIdentity } from './identity/index.ts'
import { AppConfig } from './nextcloud/app-config.ts'
import { callNotification } from './nextcloud/call-notification.ts'
import { lockNotification } from './nextcloud/lock-notification.ts'
import { Notifications } from './nextcloud/notifications.ts'
import { PublicAddress } from './nextcloud/public-address.ts'
import { runPeriodically } from './periodic.ts'
import { SettingsStore } from './policy/settings-store.ts'
import { DepartureWatch } from './privacy/departures.ts'
import { exportUser } from './privacy/export-user.ts'
import { Retention } from './privacy/retention.ts'

/** What tests replace. */
export interface AppOverrides {
	clock?: Clock
	/** Times of the switch's connections and of the sweep, shorter than a network needs. */
	esl?: { silenceMs?: number, commandTimeoutMs?: number }
	sweepMs?: number
	requestLimits?: RequestLimits
	/** How often calls that are due are masked and deleted. */
	retentionMs?: number
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
	progress: Progress
	backups: Backups
}

/** What the life cycle works on, once the parts are up. */
export interface Parts {
	routes: readonly Route[]
	verifyToken: (token: string) => Promise<{ userId: string } | undefined>
	setEnabled: (isEnabled: boolean) => Promise<void>
	status: () => Promise<string[]>
	/** What is wrong now, from memory. */
	checks: () => Check[]
	occ: OccTasks
	/** For those who work on the database from outside of the parts. */
	database: DatabaseAccess
}

const HOUR_MS = 60 * 60 * 1000
/** Where nothing may be kept after a call, this is how long it stays. */
const RETENTION_MS = 5 * 60 * 1000
/** How long the data of a user wait for the user's last calls to end. */
const LAST_CALLS_MS = 10_000

/** For requests under way when the parts are stopped. */
const REQUESTS_LIMIT_MS = 2_000

/**
 * Brings everything up that stands behind the routes, each part with its undo.
 *
 * @param errand is done once, as soon as the database is up and before any other part uses it
 */
export async function startParts({ config, logger, clock, overrides, ocs, users, addressBooks, progress, backups }: Base, releasers: Releasers, errand?: DatabaseErrand): Promise<Parts> {
	const keys = await loadKeys(config)
	const databaseUrl = await startDatabase(config, logger, releasers)
	progress.report(40)
	const orm = await openDatabase({ url: databaseUrl, keys, logger: logger.child({ component: 'db' }) })
	releasers.add('database connections', () => orm.close(true))
	const database: DatabaseAccess = { url: databaseUrl, kids: keys.storageKeys.map(({ kid }) => kid) }
	await migrate(orm, keys, {
		beforeUpgrade: (executed) => backups.beforeUpgrade(databaseUrl, executed),
		beforeUse: async () => errand?.(database),
	})
	progress.report(70)
	const limiter = await startLimiter(config, databaseUrl, keys, logger, releasers)

	const environment = settingsOfEnvironment(config)
	const callSwitch = new FreeSwitch({ logger: logger.child({ component: 'esl' }), now: () => clock.now(), ...overrides.esl })
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
	// Before anything can change a call, so that no end goes unheard.
	const publicAddress = new PublicAddress({ ocs, now: () => clock.now().getTime() })
	const notifications = new Notifications({ ocs, users, publicUrl: () => publicAddress.get(), logger: logger.child({ component: 'nextcloud' }) })
	releasers.add('notifications', feed.subscribeAll((call) => {
		const notification = callNotification(call)
		if (notification !== undefined) {
			void notifications.send(call.userId, notification)
		}
	}))
	const tracker = new CallTracker({
		store,
		feed,
		callSwitch,
		clock,
		logger: logger.child({ component: 'calls' }),
		isPassing: (error) => storageFault(error) !== undefined,
		...(overrides.sweepMs === undefined ? {} : { sweepMs: overrides.sweepMs }),
	})
	progress.report(90)
	await tracker.start()
	releasers.add('call tracker', () => tracker.stop())
	callSwitch.listen({ onNotice: (notice) => tracker.notice(notice), onReady: () => void tracker.reconcile() })
	callSwitch.connectTo(endpointOf(settings.get().freeswitch))
	settings.onChange(({ freeswitch }, before) => {
		if (!isDeepStrictEqual(freeswitch, before.freeswitch)) {
			callSwitch.connectTo(endpointOf(freeswitch))
		}
	})
	releasers.add('switch', () => callSwitch.stop())
	if (!callSwitch.isSetUp) {
		logger.warn('No FreeSWITCH is set up: no phone can ring')
	}
	const signIns = new SignInRepository({ orm })
	const identity = createIdentity({
		store: signIns,
		users,
		isActive: (userId) => users.isActive(userId),
		oauth: {
			client: () => {
				const { oauth } = settings.get()
				return oauth === null ? undefined : { id: oauth.clientId, secret: oauth.clientSecret }
			},
			nextcloudUrl: config.nextcloudUrl,
			publicUrl: () => publicAddress.get(),
		},
		jwt: { keys: await loadTokenKeys(config), algorithm: config.jwt.algorithm, expiryMin: config.jwt.expiryMin },
		now: () => clock.now(),
		newUuid: randomUUID,
		logger: logger.child({ component: 'identity' }),
	})
	const userRules = new UserRuleRepository({ orm })
	const lockout = new Lockout({
		limiter,
		settings: () => settings.get(),
		lock: (...args) => userRules.lock(...args),
		onLocked: (userId) => users.knownAdmins().forEach((adminId) => void notifications.send(adminId, lockNotification(userId))),
		clock,
		logger: logger.child({ component: 'calls' }),
	})
	lockout.take(await userRules.locked(clock.now()))
	const calls = new CallService({
		lockout,
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
	const verifications = new VerificationRepository({ orm })
	const verification = new DeviceVerification({
		store: verifications,
		calls: store,
		codeCaller: callSwitch,
		limiter,
		settings: () => settings.get(),
		devices: (userId) => devices.of(userId),
		blindIndex: (purpose, value) => keys.blindIndex(purpose, value),
		clock,
		newUuid: randomUUID,
		logger: logger.child({ component: 'calls' }),
	})
	const userData = new UserDataRepository({ orm })
	const purgeUser = async (userId: string) => {
		await calls.endAllOf(userId, LAST_CALLS_MS)
		return userData.erase(userId)
	}
	const departures = new DepartureWatch({ store: userData, listUsers: () => users.list(), purge: purgeUser, now: () => clock.now(), logger: logger.child({ component: 'privacy' }) })
	const retention = new Retention({ store: new RetentionRepository({ orm }), settings: () => settings.get(), now: () => clock.now(), logger: logger.child({ component: 'privacy' }) })
	releasers.add('periodic tasks', runPeriodically([
		{ name: 'retention', everyMs: overrides.retentionMs ?? RETENTION_MS, run: () => retention.run() },
		// Keys are looked up with their age, so tidying up late harms nobody.
		{ name: 'idempotency keys', everyMs: HOUR_MS, run: () => store.forgetOldKeys(clock.now()) },
		{ name: 'expired codes of phones', everyMs: HOUR_MS, run: () => verifications.forgetExpired(clock.now()) },
		{ name: 'expired sign-ins', everyMs: HOUR_MS, run: () => signIns.forgetExpired(clock.now()) },
		// A disabled app may ask Nextcloud nothing.
		{ name: 'removed users', everyMs: HOUR_MS, run: async () => await state.isEnabled() && departures.runDaily() },
	], logger))
	const checks = () => healthChecks({
		switch: { isSetUp: callSwitch.isSetUp, isReady: callSwitch.isReady(), lastError: callSwitch.lastError?.message },
		settings: settings.get(),
		departureDoubt: departures.doubt,
		lockedUsers: lockout.count(),
	})
	const groupsOf = async (userId: string) => (await users.get(userId)).groups
	const control = new CallControl({ calls, store, tracker, callSwitch, limiter, settings: () => settings.get(), clock, newUuid: randomUUID, ...(overrides.settleMs === undefined ? {} : { settleMs: overrides.settleMs }) })
	const stream = new CallStream({ store, feed, clock, ...(overrides.pingMs === undefined ? {} : { pingMs: overrides.pingMs }) })
	const explainer = new Explainer({ store, limiter, devices: (userId) => devices.of(userId), clock })
	const usage = new UsageRepository({ orm })
	const gate = gateOf([
		...authRoutes({ signIn: identity.signIn, guard: (step) => guardSignIn(limiter, step) }),
		...callRoutes({ calls, store, settings: () => settings.get(), groupsOf }),
		...callControlRoutes({ calls, control, groupsOf, logger: logger.child({ component: 'calls' }) }),
		...eventRoutes({ stream }),
		...meRoutes({
			user: (userId) => users.get(userId),
			settings: () => settings.get(),
			devices: { of: (userId) => devices.of(userId), replace: (userId, list) => devices.replace(userId, list) },
			limits: (user, current) => explainer.limits(user, current),
			isSwitchReady: () => callSwitch.isReady(),
			now: () => clock.now(),
			newUuid: randomUUID,
		}),
		...deviceVerificationRoutes({ verification, groupsOf }),
		...numberRoutes({ explain: (user, to, current) => explainer.explain(user, to, current), settings: () => settings.get(), groupsOf, dialRules }),
		...adminUserRoutes({
			search: (adminId, query) => users.search(adminId, query),
			find: (adminId, userId) => users.find(adminId, userId),
			rules: {
				ofMany: (userIds) => userRules.ofMany(userIds),
				save: async (userId, rule, at) => {
					await userRules.save(userId, rule, at)
					lockout.release(userId)
				},
			},
			devices,
			usage: (...args) => usage.of(...args),
			settings: () => settings.get(),
			now: () => clock.now(),
		}),
		...adminConfigRoutes({ settings, environment, dialRules }),
		...contactRoutes({ addressBooks, settings: () => settings.get() }),
	])
	releasers.add('requests', () => gate.close(REQUESTS_LIMIT_MS))
	return {
		database,
		verifyToken: (token) => identity.verifier.verify(token),
		routes: gate.routes,
		setEnabled: async (isEnabled) => {
			await state.setEnabled(isEnabled)
			await (isEnabled ? settings.follow() : settings.stopFollowing())
		},
		checks,
		status: async () => [`SIPCall ${config.appVersion}`, ...statusLines(checks()), `Open calls: ${(await store.findOpen()).length}`],
		occ: {
			countUserData: (userId) => userData.count(userId),
			purgeUser,
			exportUser: (userId) => exportUser(userId, {
				devices: (id) => devices.of(id),
				history: (id, query) => store.history(id, query),
				logs: (uuids) => store.logs(uuids),
			}, clock.now()),
		},
	}
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

/** Which settings the environment gives; secrets among them. */
function settingsOfEnvironment({ callsPerMinute, freeSwitch, oauthClient }: Config): Partial<Settings> {
	const { host, port, user, password } = freeSwitch
	return {
		...(callsPerMinute === undefined ? {} : { callsPerMinute }),
		...(password === undefined ? {} : { freeswitch: { host, port, user: user ?? null, password: password.reveal() } }),
		...(oauthClient === undefined ? {} : { oauth: { clientId: oauthClient.id, clientSecret: oauthClient.secret.reveal() } }),
	}
}

/** Without a password nobody is let in: then there is no switch to try. */
function endpointOf({ host, port, user, password }: SwitchConnection): EslEndpoint | undefined {
	return password === null ? undefined : { host, port, user: user ?? undefined, password }
}
