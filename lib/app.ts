// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The composition root, with parts.ts, storage.ts and calling.ts: the only files that see every part. Here stands what is
// there from the first moment: the way to Nextcloud, the life cycle, the server. What is acquired first is released last.

import type { AppOverrides, Base } from './base.ts'
import type { Config } from './config.ts'
import type { BackupInfo } from './db/backup/backup-folder.ts'
import type { DatabaseErrand } from './db/backup/backups.ts'
import type { RightsCheck } from './http/route.ts'
import type { BackupLine } from './http/routes/occ.ts'
import type { Logger, RootLogger } from './logger.ts'
import type { Parts } from './parts.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Backups } from './db/backup/backups.ts'
import { storageFault } from './db/storage-fault.ts'
import { healthAtStart } from './doctor.ts'
import { SipCallError } from './errors.ts'
import { Guards } from './guard.ts'
import { Monitoring } from './health/monitoring.ts'
import { setupChecksAnswer, statusLines } from './health/report.ts'
import { REQUEST_LIMITS } from './http/middlewares/request-limit.ts'
import { userRefs } from './http/request-log.ts'
import { healthRoutes } from './http/routes/health.ts'
import { lifeCycleRoutes } from './http/routes/life-cycle.ts'
import { occRoutes } from './http/routes/occ.ts'
import { notAuthenticated, startHttpServer } from './http/server.ts'
import { AddressBooks } from './nextcloud/address-books.ts'
import { verifyAppApi } from './nextcloud/appapi-auth.ts'
import { FetchDavClient } from './nextcloud/dav-client.ts'
import { LifeCycle } from './nextcloud/life-cycle.ts'
import { NextcloudLog, tellingLog } from './nextcloud/nextcloud-log.ts'
import { OcsClient } from './nextcloud/ocs-client.ts'
import { registerInNextcloud } from './nextcloud/registration.ts'
import { UserDirectory } from './nextcloud/user-directory.ts'
import { startParts } from './parts.ts'
import { audited } from './privacy/audit-trail.ts'
import { Progress } from './progress.ts'
import { Startup } from './startup.ts'

export type { AppOverrides } from './base.ts'

export interface RunningApp {
	/** `http://host:port`, or the socket's path. */
	readonly url: string
	readonly port: number | undefined
	/** Resolves when everything behind the routes is up, however many attempts that takes. */
	readonly ready: Promise<void>
	readonly backups: Backups
	/** Stops taking requests, finishes writes, closes everything; leaves live calls alone. Resolves within 8 seconds. */
	stop(): Promise<void>
}

const HTTP_STOP_MS = 3_000
const STOP_LIMIT_MS = 7_500
/** The page's script, stylesheet and icons. */
const ASSETS = fileURLToPath(new URL('../ex_app', import.meta.url))

/**
 * Starts the sidecar. Resolves as soon as `/heartbeat` answers; `ready` tells when the rest is up.
 */
export async function startApp(config: Config, ownLog: Logger & Partial<RootLogger>, overrides: AppOverrides = {}): Promise<RunningApp> {
	const clock = overrides.clock ?? { now: () => new Date() }
	const now = () => clock.now().getTime()
	const toNextcloud = {
		nextcloudUrl: config.nextcloudUrl,
		appId: config.appId,
		appVersion: config.appVersion,
		appSecret: config.appSecret.reveal(),
		// Not told to Nextcloud: what goes wrong on the way there would go that way again.
		logger: ownLog.child({ component: 'nextcloud' }),
		now,
	}
	const guards = new Guards()
	const ocs = new OcsClient({ ...toNextcloud, guards })
	let parts: Parts | undefined
	const nextcloudLog = new NextcloudLog(ocs, () => parts?.isEnabled() === true)
	const logger = tellingLog(ownLog, (...line) => void nextcloudLog.tell(...line))
	const addressBooks = new AddressBooks({ dav: new FetchDavClient(toNextcloud), now, logger: toNextcloud.logger })
	const backups = new Backups({
		storagePath: config.storagePath,
		appVersion: config.appVersion,
		now: () => clock.now(),
		access: () => parts?.database,
		checkJournal: async (madeAt, options) => {
			if ((parts?.countReplicas() ?? 1) > 1) {
				throw new SipCallError('wrong_state', 'Other replicas of SIPCall work on the same database. Stop all but one, and restore then.')
			}
			await parts?.journal.checkRestore(madeAt, options)
		},
		restartWith: (errand) => startup.restart(errand),
		logger: logger.child({ component: 'backups' }),
	})
	const monitoring = new Monitoring(config.appVersion)
	const base: Base = { config, logger, clock, overrides, ocs, guards, users: new UserDirectory({ ocs, now }), addressBooks, progress: new Progress(), backups, monitoring }
	const startup = new Startup<DatabaseErrand>(async (releasers, errand) => {
		const started = await startParts(base, releasers, errand)
		// Added last, so before any of them stops: from then on requests are told to come back.
		releasers.add('routes', () => {
			parts = undefined
		})
		parts = started
	}, logger)
	const atStart = healthAtStart({ ocs, fault: () => startup.fault, clock, logger, ...overrides.health })
	// Whoever mends something at a console asks again at once.
	const health = (freshMs?: number) => parts?.health(freshMs) ?? atStart.report(freshMs)
	const lifeCycle = new LifeCycle({
		ocs,
		untilUp: () => startup.currentAttempt(),
		progress: base.progress,
		enable: async () => {
			await registerInNextcloud(ocs, config.appVersion, logger.child({ component: 'nextcloud' }))
			await parts?.setEnabled(true)
		},
		disable: async () => parts?.setEnabled(false),
		logger: logger.child({ component: 'nextcloud' }),
	})
	const http = await startHttpServer(config.listen, {
		lifeCycle: [
			...lifeCycleRoutes({
				init: () => lifeCycle.init(),
				setEnabled: (isEnabled) => lifeCycle.setEnabled(isEnabled),
				setupChecks: async () => setupChecksAnswer(await health(0)),
			}),
			...healthRoutes({ report: () => health() }),
			...occRoutes({
				status: async () => await parts?.status() ?? statusLines(await health(0)),
				tasks: () => parts?.occ,
				setLogLevel: (level) => {
					ownLog.level = level
				},
				backups: {
					create: async () => lineOf(await audited(() => parts?.audit, { actor: { kind: 'console' }, action: 'backup.made' }, () => backups.create())),
					list: async () => (await backups.list()).map(lineOf),
					restore: (name, options) => audited(() => parts?.audit, { actor: { kind: 'console' }, action: 'backup.restored', detail: { name, force: options.force } }, () => backups.restore(name, options)),
				},
			}),
		],
		routes: () => parts?.routes,
		assets: ASSETS,
		version: config.appVersion,
		verifyProof: (headers) => verifyAppApi(headers, { id: config.appId, secret: config.appSecret.reveal() }),
		// While the parts are starting nobody knows which sign-ins have ended; 401 would make clients give theirs up.
		verifyToken: async (token) => {
			if (parts === undefined) {
				throw new SipCallError('storage_unavailable', 'SIPCall is starting. Try again in a few seconds.', { retryAfterSec: 5 })
			}
			return parts.verifyToken(token)
		},
		corsOrigins: config.corsOrigins,
		requestLimits: overrides.requestLimits ?? REQUEST_LIMITS,
		checkRight: rightsCheck(base.users),
		faultOf: storageFault,
		onAnswered: (answer) => monitoring.answered(answer),
		userRef: userRefs(config.appSecret.reveal()),
		metrics: { token: () => parts?.metricsToken(), contentType: monitoring.contentType, text: () => monitoring.text() },
		cdrs: { secret: () => parts?.cdrSecret(), take: async (body) => parts?.takeCdr(body) },
		logger: logger.child({ component: 'http' }),
	})
	logger.info('Listening', { address: http.address })
	startup.begin()
	let stopped: Promise<void> | undefined
	const stop = async () => {
		await parts?.drain()
		await http.stop(HTTP_STOP_MS)
		await startup.stop()
	}
	return {
		url: http.address,
		port: http.port,
		ready: startup.up,
		backups,
		stop: () => stopped ??= Promise.race([
			stop(),
			delay(STOP_LIMIT_MS, undefined, { ref: false }),
		]),
	}
}

/** Nextcloud's own routes want Nextcloud; all others want a user, and some an admin. */
function rightsCheck(users: UserDirectory): RightsCheck {
	return async ({ userId, proof }, right) => {
		if (right === 'public') {
			return
		}
		if (proof === 'none' || (right !== 'nextcloud' && userId === '')) {
			throw notAuthenticated()
		}
		if (right === 'nextcloud' && (userId !== '' || proof !== 'nextcloud')) {
			throw new SipCallError('forbidden', 'Only Nextcloud itself may do this.')
		}
		if (right === 'admin' && !(await users.get(userId)).isAdmin) {
			throw new SipCallError('forbidden', 'Only Nextcloud’s administrators may do this.')
		}
	}
}

function lineOf({ name, bytes, header }: BackupInfo): BackupLine {
	return { name, bytes, isReadable: header !== undefined }
}
