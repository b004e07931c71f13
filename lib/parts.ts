// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The inner half of the composition: the parts behind the routes, and how they are put together.

import type { Clock } from './calls/ports.ts'
import type { ExplainFailure } from './calls/trunk-provider.ts'
import type { Cdrs } from './cdrs.ts'
import type { Config } from './config.ts'
import type { Backups, DatabaseErrand } from './db/backup/backups.ts'
import type { DatabaseAccess } from './db/backup/restore-backup.ts'
import type { Guards } from './guard.ts'
import type { Monitoring } from './health/monitoring.ts'
import type { Report } from './health/report.ts'
import type { RequestLimits } from './http/middlewares/request-limit.ts'
import type { Route } from './http/route.ts'
import type { OccTasks } from './http/routes/occ.ts'
import type { Logger } from './logger.ts'
import type { AddressBooks } from './nextcloud/address-books.ts'
import type { OcsClient } from './nextcloud/ocs-client.ts'
import type { UserDirectory } from './nextcloud/user-directory.ts'
import type { SwitchConnection } from './policy/settings.ts'
import type { AuditTrail } from './privacy/audit-trail.ts'
import type { Progress } from './progress.ts'
import type { Releasers } from './startup.ts'

import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { startAudit } from './audit.ts'
import { endpointsOf, loadKeys, loadTokenKeys, openReadReplicas, settingsOfEnvironment, startCounters, startDatabase } from './backing.ts'
import { CallControl } from './calls/call-control.ts'
import { CallFeed } from './calls/call-feed.ts'
import { CallService } from './calls/call-service.ts'
import { CallStream } from './calls/call-stream.ts'
import { CallTracker } from './calls/call-tracker.ts'
import { CarrierCosts } from './calls/carrier-costs.ts'
import { DeviceVerification } from './calls/device-verification.ts'
import { Explainer } from './calls/explain.ts'
import { GatewayWatch } from './calls/gateway-watch.ts'
import { Lockout } from './calls/lockout.ts'
import { UnreadableCalls } from './calls/unreadable-calls.ts'
import { startCarrier } from './carrier.ts'
import { startCdrs } from './cdrs.ts'
import { ConnectionKeys } from './db/connection-keys.ts'
import { DATABASE_GUARD, migrate, openDatabase } from './db/orm.ts'
import { PoolGuard } from './db/pool-guard.ts'
import { AppStateRepository } from './db/repositories/app-state-repository.ts'
import { CallRepository } from './db/repositories/call-repository.ts'
import { DeviceRepository } from './db/repositories/device-repository.ts'
import { JournalRepository } from './db/repositories/journal-repository.ts'
import { MetricsRepository } from './db/repositories/metrics-repository.ts'
import { PastCalls } from './db/repositories/past-calls.ts'
import { PreferencesRepository } from './db/repositories/preferences-repository.ts'
import { ReceiptRepository } from './db/repositories/receipt-repository.ts'
import { RotationRepository } from './db/repositories/rotation-repository.ts'
import { SettingsRepository } from './db/repositories/settings-repository.ts'
import { SignInRepository } from './db/repositories/sign-in-repository.ts'
import { UsageRepository } from './db/repositories/usage-repository.ts'
import { UserRuleRepository } from './db/repositories/user-rule-repository.ts'
import { VerificationRepository } from './db/repositories/verification-repository.ts'
import { storageFault } from './db/storage-fault.ts'
import { startDoctor } from './doctor.ts'
import { configSnippets } from './esl/config-snippets.ts'
import { isDialTemplate, isDomain, isGatewayName } from './esl/dial-string.ts'
import { SwitchPool } from './esl/switch-pool.ts'
import { statusLines } from './health/report.ts'
import { gateOf } from './http/route-gate.ts'
import { createIdentity } from './identity/index.ts'
import { AppConfig } from './nextcloud/app-config.ts'
import { notifyOfEnds } from './nextcloud/call-notification.ts'
import { lockNotification } from './nextcloud/lock-notification.ts'
import { Notifications } from './nextcloud/notifications.ts'
import { PublicAddress } from './nextcloud/public-address.ts'
import { UserNames } from './nextcloud/user-names.ts'
import { SettingsStore } from './policy/settings-store.ts'
import { exportUser as exportOf } from './privacy/export-user.ts'
import { JournalFile } from './privacy/journal-file.ts'
import { replaceEncryptionKey } from './privacy/key-file.ts'
import { Rotation } from './privacy/rotation.ts'
import { isProviderKind } from './provider/index.ts'
import { Replicas } from './replicas.ts'
import { allRoutes } from './routes.ts'
import { startUpkeep } from './upkeep.ts'

/** What tests replace. */
export interface AppOverrides {
	clock?: Clock
	/** Times of the switch's connections and of the sweep, shorter than a network needs. */
	esl?: { silenceMs?: number, commandTimeoutMs?: number }
	sweepMs?: number
	requestLimits?: RequestLimits
	/** How often calls that are due are masked and deleted. */
	retentionMs?: number
	/** The waits of a change of the encryption key. */
	rotation?: { pauseMs?: number, waitMs?: number }
	/** The times by which replicas notice each other. */
	replicas?: { tickMs?: number, silentMs?: number }
	/** How often read replicas are looked at, how late they may be, and how long an answer may take. */
	readReplicas?: { lookMs?: number, mostLagMs?: number, silentMs?: number }
	/** How often costs that are due are asked for. */
	costsMs?: number
	/** How long the switch is left alone after a hold or an answer. */
	settleMs?: number
	/** Of event streams. */
	pingMs?: number
	/** How long a part may take, and how long what was found serves. */
	health?: { limitMs?: number, freshMs?: number }
}

/** What is there before any other part: the way to Nextcloud. */
export interface Base {
	config: Config
	logger: Logger
	clock: Clock
	overrides: AppOverrides
	ocs: OcsClient
	/** What stands before each part that may fail. */
	guards: Guards
	users: UserDirectory
	addressBooks: AddressBooks
	progress: Progress
	backups: Backups
	monitoring: Monitoring
}

/** What the life cycle works on, once the parts are up. */
export interface Parts {
	routes: readonly Route[]
	/** What whoever collects metrics has to show; null: nobody may. */
	metricsToken: () => string | null
	/** What a switch has to show that brings call records; null: none may. */
	cdrSecret: () => string | null
	takeCdr: Cdrs['take']
	verifyToken: (token: string) => Promise<{ userId: string } | undefined>
	setEnabled: (isEnabled: boolean) => Promise<void>
	/** Whether the app is enabled in Nextcloud, as far as is known here. */
	isEnabled: () => boolean
	status: () => Promise<string[]>
	/** What is wrong now. */
	health: (freshMs?: number) => Promise<Report>
	occ: OccTasks
	/** For those who work on the database from outside of the parts. */
	database: DatabaseAccess
	audit: AuditTrail
	/** What was erased, and must not come back with a restore. */
	journal: JournalRepository
	/** Before the last requests are answered: no new calls, and to other replicas what they can do as well. */
	drain: () => Promise<void>
	/** How many servers work on the same database, this one among them. */
	countReplicas: () => number
}

/** So long requests to call are refused here before nobody listens any more, where another replica takes them. */
const SHARE_OUT_MS = 1_000
/** For calls that were accepted and are not dialled yet: about as long as the row in which they wait. */
const TURNS_LIMIT_MS = 2_500
/** For requests under way when the parts are stopped. */
const REQUESTS_LIMIT_MS = 2_000

/**
 * Brings everything up that stands behind the routes, each part with its undo.
 *
 * @param errand is done once, as soon as the database is up and before any other part uses it
 */
export async function startParts({ config, logger, clock, overrides, ocs, guards, users, addressBooks, progress, backups, monitoring }: Base, releasers: Releasers, errand?: DatabaseErrand): Promise<Parts> {
	const keys = await loadKeys(config)
	const databaseUrl = await startDatabase(config, logger, releasers)
	progress.report(40)
	const origin = randomUUID()
	const connectionKeys = new ConnectionKeys(keys, origin)
	const poolGuard = new PoolGuard(guards.add(DATABASE_GUARD))
	const orm = await openDatabase({ url: databaseUrl, keys, connectionKeys, guard: poolGuard, logger: logger.child({ component: 'db' }) })
	releasers.add('database connections', () => orm.close(true))
	const database: DatabaseAccess = {
		url: databaseUrl,
		// They may change while the parts are up.
		get kids() {
			return keys.storageKeys.map(({ kid }) => kid)
		},
	}
	const replicas = new Replicas({ databaseUrl, origin, volume: config.storagePath, guard: poolGuard, ...overrides.replicas, logger: logger.child({ component: 'replicas' }) })
	await replicas.start(releasers)
	const audit = startAudit({ orm, keys, volume: config.storagePath, clock, logger }, releasers)
	const journal = new JournalRepository({ orm, keys, audit: audit.log, file: new JournalFile(config.storagePath), now: () => clock.now(), logger: logger.child({ component: 'privacy' }) })
	const earlierKid = await migrate(orm, keys, {
		beforeUpgrade: (executed) => backups.beforeUpgrade(databaseUrl, executed),
		beforeUse: async () => {
			if (errand !== undefined) {
				await journal.collect()
				await errand(database)
			}
		},
	})
	await journal.catchUp({ isCounted: errand !== undefined })
	const readReplicas = await openReadReplicas({ config, primary: orm, primaryUrl: databaseUrl, keys, connectionKeys, ...overrides.readReplicas, logger }, releasers)
	progress.report(70)
	const counters = await startCounters(config, databaseUrl, keys, guards, logger, releasers)
	const { limiter } = counters

	if (earlierKid !== undefined) {
		audit.trail.note({ actor: { kind: 'system' }, action: 'key.changed', detail: { from: earlierKid, to: keys.activeKid } })
	}
	const rotation = new Rotation({
		store: new RotationRepository({ orm, keys }),
		keys,
		makeKey: config.encryptionKeys.length > 0 ? undefined : () => replaceEncryptionKey(config.storagePath, keys.activeKid),
		settled: () => connectionKeys.settled(),
		backups: async () => (await backups.list()).map(({ name, header }) => ({ name, kids: header?.kids ?? [] })),
		audit: audit.trail,
		...overrides.rotation,
		logger: logger.child({ component: 'privacy' }),
	})
	releasers.add('change of the encryption key', () => rotation.stop())
	const environment = settingsOfEnvironment(config)
	const explainFailure: ExplainFailure = (failure) => carrier.provider().explainFailure?.(failure)
	const callSwitch = new SwitchPool({ logger: logger.child({ component: 'esl' }), now: () => clock.now(), explainFailure, share: () => replicas.count, isHeard: (node) => replicas.isHeard(node), guards, ...overrides.esl })
	const settingRules = { isProviderKind, isDialTemplate, isGatewayName, isDomain }
	const settings = new SettingsStore({
		source: new AppConfig({ ocs }),
		copy: new SettingsRepository({ orm }),
		environment,
		settingRules,
		beforeTakeOver: audit.beforeTakeOver,
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
	const preferences = new PreferencesRepository({ orm })
	const unreadableCalls = new UnreadableCalls(logger.child({ component: 'db' }))
	const onUnreadable = (callUuid: string) => unreadableCalls.note(callUuid)
	const store = new CallRepository({ orm, keys, clock, onChange: (userId) => readReplicas.noteChange(userId), onUnreadable })
	const pastCalls = new PastCalls({ readReplicas, keys, clock, onUnreadable })
	const feed = new CallFeed()
	const publicAddress = new PublicAddress({ ocs, now: () => clock.now().getTime() })
	const notifications = new Notifications({ ocs, users, publicUrl: () => publicAddress.get(), logger: logger.child({ component: 'nextcloud' }) })
	const notify = notifyOfEnds({ preferences: (userId) => preferences.of(userId), send: (userId, notification) => notifications.send(userId, notification), logger: logger.child({ component: 'nextcloud' }) })
	const tracker = new CallTracker({
		onEnded: (call) => {
			monitoring.ended(call)
			notify(call)
		},
		onLateEnd: (notice) => cdrs.late(notice),
		store,
		feed,
		callSwitch,
		clock,
		logger: logger.child({ component: 'calls' }),
		spool: replicas.spool,
		isOurs: (node) => replicas.hearsEvents(node),
		isPassing: (error) => storageFault(error) !== undefined,
		...(overrides.sweepMs === undefined ? {} : { sweepMs: overrides.sweepMs }),
	})
	const cdrs = startCdrs({ store, tracker, monitoring, explainFailure, clock, logger: logger.child({ component: 'calls' }) })
	progress.report(90)
	await tracker.start()
	releasers.add('call tracker', () => tracker.stop())
	const gateways = new GatewayWatch({ nodes: () => callSwitch.nodes, gateways: () => settings.get().gateways, logger: logger.child({ component: 'calls' }) })
	callSwitch.listen({
		onNotice: (notice) => tracker.notice(notice),
		onGateway: (name, isUp, node) => gateways.tell(name, isUp, node),
		onChange: (node) => replicas.noteChange(node),
		onLag: (seconds) => monitoring.lagged(seconds),
		onReady: (node) => {
			monitoring.reconciled()
			void tracker.reconcile()
			void gateways.begin(node)
		},
	})
	const connectSwitches = (connection: SwitchConnection) => {
		callSwitch.connectTo(endpointsOf(connection, environment, config))
		replicas.share(callSwitch.nodes)
	}
	replicas.listen({ tracker, settings, state, readReplicas })
	connectSwitches(settings.get().freeswitch)
	const carrier = startCarrier(settings.get().provider, { guards, clock, logger })
	settings.onChange(({ freeswitch, provider }) => {
		carrier.take(provider)
		void gateways.ask()
		connectSwitches(freeswitch)
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
		onEvent: audit.onSignIn,
		logger: logger.child({ component: 'identity' }),
	})
	const userRules = new UserRuleRepository({ orm })
	const lockout = new Lockout({
		onRefused: audit.onRefused,
		limiter,
		settings: () => settings.get(),
		lock: (...args) => userRules.lock(...args),
		onLocked: (userId, until) => {
			audit.onLocked(userId, until)
			users.knownAdmins().forEach((adminId) => void notifications.send(adminId, lockNotification(userId)))
		},
		clock,
		logger: logger.child({ component: 'calls' }),
	})
	lockout.take(await userRules.locked(clock.now()))
	const calls = new CallService({
		isAlone: () => replicas.count <= 1,
		lockout,
		store,
		tracker,
		feed,
		callSwitch,
		gateways,
		limiter,
		settings: () => settings.get(),
		devices: (userId) => devices.of(userId),
		awaitsCost: carrier.hasCosts,
		carrierCountries: carrier.countries,
		clock,
		newUuid: randomUUID,
		counters: monitoring,
		logger: logger.child({ component: 'calls' }),
	})
	releasers.add('calls that wait for their turn', () => calls.settled(TURNS_LIMIT_MS))
	const verifications = new VerificationRepository({ orm })
	const verification = new DeviceVerification({
		lockout,
		store: verifications,
		calls: store,
		codeCaller: callSwitch,
		gateways,
		limiter,
		onVerified: audit.onVerified,
		settings: () => settings.get(),
		devices: (userId) => devices.of(userId),
		blindIndex: (purpose, value) => keys.blindIndex(purpose, value),
		carrierCountries: carrier.countries,
		clock,
		newUuid: randomUUID,
		logger: logger.child({ component: 'calls' }),
	})
	const costs = new CarrierCosts({
		store,
		provider: carrier.provider,
		tell: (call, before) => {
			monitoring.priced(call, before)
			tracker.take(call)
		},
		clock,
		logger: logger.child({ component: 'calls' }),
	})
	const upkeep = startUpkeep({ orm, keys, rotation, journal, readReplicas, backups, store, signIns, verifications, calls, tracker, users, addressBooks, settings, audit, isOnDuty: () => replicas.isOnDuty(), isEnabled: () => state.isEnabled(), clock, logger, retentionMs: overrides.retentionMs, costs, costsMs: overrides.costsMs, gateways }, releasers)
	const doctor = startDoctor({
		version: config.appVersion,
		ocs,
		guards,
		orm,
		databaseFault: () => poolGuard.lastFault,
		newestBackupAt: config.databaseUrl === undefined ? () => backups.newestManualAt() : undefined,
		volume: config.storagePath,
		countReplicas: () => replicas.count,
		backlog: () => tracker.backlog,
		readReplicas,
		counters,
		callSwitch,
		gateways,
		carrier,
		settings,
		keyState: () => rotation.state(),
		notices: () => ({ departureDoubt: upkeep.departureDoubt(), lockedUsers: lockout.count() }),
		store,
		devices,
		audit,
		journal,
		unreadableCalls,
		clock,
		logger,
		...overrides.health,
	}, releasers)
	monitoring.watch({ openCalls: () => tracker.openCalls().length, isSwitchReady: () => callSwitch.isReady(), switches: () => callSwitch.figures(), backlog: () => ({ ...tracker.backlog, bytes: replicas.spool.bytes }), replicas: () => replicas.figures(), readReplicas: () => readReplicas.figures(), report: () => doctor.report(), guards: () => guards.states(), pool: () => poolGuard.use })
	const control = new CallControl({ lockout, calls, store, tracker, callSwitch, gateways, limiter, settings: () => settings.get(), carrierCountries: carrier.countries, clock, newUuid: randomUUID, ...(overrides.settleMs === undefined ? {} : { settleMs: overrides.settleMs }) })
	const stream = new CallStream({ store, feed, clock, ...(overrides.pingMs === undefined ? {} : { pingMs: overrides.pingMs }) })
	const explainer = new Explainer({ store, gateways, limiter, devices: (userId) => devices.of(userId), carrierCountries: carrier.countries, clock })
	const usage = new UsageRepository({ orm })
	const metrics = new MetricsRepository({ orm, readReplicas })
	await metrics.referToCallers()
	const receipts = new ReceiptRepository({ orm, keys })
	const exportUser = (userId: string) => exportOf(userId, {
		devices: (id) => devices.of(id),
		rule: (id) => userRules.of(id),
		preferences: (id) => preferences.of(id),
		signIns: (id) => signIns.ofUser(id),
		receipts: (id) => receipts.ofUser(id),
		history: (id, query) => pastCalls.history(id, query),
		logs: (uuids) => pastCalls.logs(userId, uuids),
	}, clock.now())
	const gate = gateOf(allRoutes({
		identity,
		calls,
		control,
		stream,
		explainer,
		verification,
		doctor,
		carrier,
		store,
		pastCalls,
		devices,
		preferences,
		userRules,
		lockout,
		usage,
		metrics,
		names: new UserNames({ users, now: () => clock.now().getTime() }),
		upkeep,
		rotation,
		receipts,
		exportUser,
		users,
		addressBooks,
		settings,
		environment,
		settingRules,
		audit,
		limiter,
		isSwitchServing: () => callSwitch.isServing(),
		snippets: () => {
			const { freeswitch: { port, user }, gateways: names } = settings.get()
			return configSnippets({ port, user, gateways: names, address: callSwitch.localAddress, ownPort: 'port' in config.listen ? config.listen.port : undefined })
		},
		clock,
		logger,
	}))
	releasers.add('requests', () => gate.close(REQUESTS_LIMIT_MS))
	return {
		database,
		audit: audit.trail,
		journal,
		drain: async () => {
			calls.close()
			await replicas.handOver()
			// So long those who share the requests out are told to try elsewhere.
			await (replicas.count > 1 ? delay(SHARE_OUT_MS, undefined, { ref: false }) : undefined)
		},
		countReplicas: () => replicas.count,
		verifyToken: (token) => identity.verifier.verify(token),
		routes: gate.routes,
		metricsToken: () => settings.get().metricsToken,
		cdrSecret: () => settings.get().cdrSecret,
		takeCdr: (body) => cdrs.take(body),
		isEnabled: () => settings.isFollowing,
		setEnabled: async (isEnabled) => {
			await state.setEnabled(isEnabled)
			await (isEnabled ? settings.follow() : settings.stopFollowing())
		},
		health: doctor.report,
		// While the database is away those count that are known here.
		status: async () => [...statusLines(await doctor.report(0)), `Open calls: ${await store.findOpen().then((open) => open, () => tracker.openCalls()).then(({ length }) => length)}`],
		occ: {
			countUserData: (userId) => upkeep.erasures.preview({ target: { scope: 'all', userId }, actor: { kind: 'console' } }),
			purgeUser: (userId) => upkeep.erasures.erase({ target: { scope: 'all', userId }, actor: { kind: 'console' } }),
			checkAuditLog: audit.check,
			importCdrs: async function* (folder) {
				await audit.trail.write({ actor: { kind: 'console' }, action: 'records.imported' })
				yield* cdrs.importFolder(folder)
			},
			noteExport: (userId) => audit.trail.write({ actor: { kind: 'console' }, action: 'user.exported', targetUserId: userId }),
			exportUser,
			keyState: () => rotation.state(),
			changeKey: () => rotation.change({ kind: 'console' }),
		},
	}
}
