// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The inner half of the composition: the parts behind the routes. How data are kept stands in storage.ts, how calls are made
// in calling.ts; here is what looks at both.

import type { Base } from './base.ts'
import type { Cdrs } from './cdrs.ts'
import type { DatabaseErrand } from './db/backup/backups.ts'
import type { DatabaseAccess } from './db/backup/restore-backup.ts'
import type { JournalRepository } from './db/repositories/journal-repository.ts'
import type { Report } from './health/report.ts'
import type { Route } from './http/route.ts'
import type { OccTasks } from './http/routes/occ.ts'
import type { AuditTrail } from './privacy/audit-trail.ts'
import type { Releasers } from './startup.ts'

import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { loadTokenKeys } from './backing.ts'
import { startCalling } from './calling.ts'
import { MetricsRepository } from './db/repositories/metrics-repository.ts'
import { ReceiptRepository } from './db/repositories/receipt-repository.ts'
import { SignInRepository } from './db/repositories/sign-in-repository.ts'
import { UsageRepository } from './db/repositories/usage-repository.ts'
import { startDoctor } from './doctor.ts'
import { configSnippets } from './esl/config-snippets.ts'
import { statusLines } from './health/report.ts'
import { gateOf } from './http/route-gate.ts'
import { createIdentity } from './identity/index.ts'
import { UserNames } from './nextcloud/user-names.ts'
import { exportUser as exportOf } from './privacy/export-user.ts'
import { allRoutes } from './routes.ts'
import { startStorage } from './storage.ts'
import { startUpkeep } from './upkeep.ts'

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
/** For requests under way when the parts are stopped. */
const REQUESTS_LIMIT_MS = 2_000

/**
 * Brings everything up that stands behind the routes, each part with its undo.
 *
 * @param errand is done once, as soon as the database is up and before any other part uses it
 */
export async function startParts(base: Base, releasers: Releasers, errand?: DatabaseErrand): Promise<Parts> {
	const { config, logger, clock, overrides, ocs, guards, users, addressBooks, backups, monitoring } = base
	const storage = await startStorage(base, releasers, errand)
	const { database, orm, keys, poolGuard, replicas, audit, journal, readReplicas, counters, rotation } = storage
	const { limiter } = counters
	const { environment, settingRules, settings, state, devices, preferences, userRules, unreadableCalls, store, pastCalls, publicAddress, tracker, cdrs, callSwitch, gateways, carrier, lockout, calls, control, stream, explainer, verifications, verification, costs } = await startCalling(base, storage, releasers)
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
