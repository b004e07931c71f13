// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What is done again and again, and what is done to all data of a user at once.

import type { MikroORM } from '@mikro-orm/postgresql'
import type { Audit } from './audit.ts'
import type { CallService } from './calls/call-service.ts'
import type { CallTracker } from './calls/call-tracker.ts'
import type { CarrierCosts } from './calls/carrier-costs.ts'
import type { GatewayWatch } from './calls/gateway-watch.ts'
import type { Clock } from './calls/ports.ts'
import type { Backups } from './db/backup/backups.ts'
import type { ReadReplicas } from './db/read-replicas.ts'
import type { CallRepository } from './db/repositories/call-repository.ts'
import type { JournalRepository } from './db/repositories/journal-repository.ts'
import type { SignInRepository } from './db/repositories/sign-in-repository.ts'
import type { VerificationRepository } from './db/repositories/verification-repository.ts'
import type { Logger } from './logger.ts'
import type { AddressBooks } from './nextcloud/address-books.ts'
import type { UserDirectory } from './nextcloud/user-directory.ts'
import type { Settings } from './policy/settings.ts'
import type { KeyRing } from './privacy/key-ring.ts'
import type { Rotation } from './privacy/rotation.ts'
import type { Releasers } from './startup.ts'

import { randomUUID } from 'node:crypto'
import { CallDaysRepository } from './db/repositories/call-days-repository.ts'
import { ErasureRepository } from './db/repositories/erasure-repository.ts'
import { RetentionRepository } from './db/repositories/retention-repository.ts'
import { UserDataRepository } from './db/repositories/user-data-repository.ts'
import { storageFault } from './db/storage-fault.ts'
import { SipCallError } from './errors.ts'
import { runPeriodically } from './periodic.ts'
import { DepartureWatch } from './privacy/departures.ts'
import { neededSince } from './privacy/erasure-journal.ts'
import { Erasures } from './privacy/erasure.ts'
import { Retention } from './privacy/retention.ts'

export interface UpkeepOptions {
	orm: MikroORM
	keys: KeyRing
	rotation: Rotation
	journal: JournalRepository
	readReplicas: ReadReplicas
	backups: Backups
	store: CallRepository
	signIns: SignInRepository
	verifications: VerificationRepository
	calls: CallService
	tracker: CallTracker
	users: UserDirectory
	addressBooks: AddressBooks
	settings: { get: () => Settings }
	audit: Audit
	/** Whether what one replica alone may do is to be done here. */
	isOnDuty: () => boolean
	/** A disabled app may ask Nextcloud nothing. */
	isEnabled: () => Promise<boolean>
	clock: Clock
	logger: Logger
	retentionMs: number | undefined
	costs: CarrierCosts
	costsMs: number | undefined
	gateways: GatewayWatch
}

export interface Upkeep {
	/** Why the search for removed users dares nothing; undefined = it does. */
	departureDoubt: () => string | undefined
	erasures: Erasures
	/** What the next run deletes and masks. */
	retention: RetentionRepository
}

const HOUR_MS = 60 * 60 * 1000
/** Where nothing may be kept after a call, this is how long it stays. */
const RETENTION_MS = 5 * 60 * 1000
/** So many calls are told to those who follow them. */
const MOST_TOLD = 200
const MINUTE_MS = 60 * 1000
const DAY_MS = 24 * 60 * MINUTE_MS

export function startUpkeep({ orm, keys, rotation, journal, readReplicas, backups, store, signIns, verifications, calls, tracker, users, addressBooks, settings, audit, isOnDuty, isEnabled, clock, logger, retentionMs, costs, costsMs, gateways }: UpkeepOptions, releasers: Releasers): Upkeep {
	const now = () => clock.now()
	const privacyLogger = logger.child({ component: 'privacy' })
	const userData = new UserDataRepository({ orm })
	const erasures = new Erasures({
		store: new ErasureRepository({ orm, keys, audit: audit.log, journal, onErased: () => readReplicas.noteChange() }),
		endCalls: (isConcerned, limitMs) => calls.endAll(isConcerned, limitMs),
		settleAudit: () => audit.trail.settle(),
		forgetContacts: (userId) => addressBooks.forget(userId),
		refresh: async (callUuids) => {
			// Whoever follows more than these sees the rest at the next look.
			for (const uuid of callUuids.slice(0, MOST_TOLD)) {
				const call = await store.find(uuid)
				if (call !== undefined) {
					tracker.take(call)
				}
			}
		},
		isPassing: (error) => (error instanceof SipCallError && error.code === 'storage_unavailable') || storageFault(error) !== undefined,
		now,
		newUuid: randomUUID,
		logger: privacyLogger,
	})
	const departures = new DepartureWatch({ store: userData, listUsers: () => users.list(), purge: (userId) => erasures.erase({ target: { scope: 'all', userId }, actor: { kind: 'system' } }), now, logger: privacyLogger })
	const callDays = new CallDaysRepository({ orm, logger: logger.child({ component: 'db' }) })
	const retentionStore = new RetentionRepository({ orm })
	const retention = new Retention({ store: retentionStore, settings: () => settings.get(), now, logger: privacyLogger })
	const once = (run: () => Promise<unknown>) => async () => isOnDuty() ? run() : undefined
	releasers.add('periodic tasks', runPeriodically([
		{ name: 'states of gateways', everyMs: MINUTE_MS / 2, run: () => gateways.ask() },
	], logger))
	releasers.add('periodic tasks of one replica', runPeriodically([
		{ name: 'retention', everyMs: retentionMs ?? RETENTION_MS, run: () => retention.run() },
		{ name: 'retention of the audit log', everyMs: retentionMs ?? RETENTION_MS, run: () => audit.retention.run(settings.get().retention.auditDays) },
		// What it finds is told by the doctor, and logged.
		{ name: 'check of the audit log', everyMs: DAY_MS, run: async () => audit.verification.start() },
		{ name: 'costs of calls', everyMs: costsMs ?? MINUTE_MS / 2, run: () => costs.run() },
		{ name: 'what a server that is gone could not store', everyMs: MINUTE_MS, run: () => tracker.recover() },
		{ name: 'sums of days', everyMs: MINUTE_MS, run: () => callDays.run() },
		{ name: 'unfinished erasures', everyMs: MINUTE_MS, run: () => erasures.resume() },
		// Keys are looked up with their age, so tidying up late harms nobody.
		{ name: 'idempotency keys', everyMs: HOUR_MS, run: () => store.forgetOldKeys(now()) },
		{ name: 'expired codes of phones', everyMs: HOUR_MS, run: () => verifications.forgetExpired(now()) },
		{ name: 'expired sign-ins', everyMs: HOUR_MS, run: () => signIns.forgetExpired(now()) },
		{ name: 'erasure journal', everyMs: HOUR_MS, run: async () => journal.tidy(neededSince(now(), (await backups.list()).map(({ createdAt }) => createdAt))) },
		// A server that did not know of the change may have used the earlier key since.
		{ name: 'rows under an earlier key', everyMs: HOUR_MS, run: async () => rotation.wake() },
		{ name: 'removed users', everyMs: HOUR_MS, run: async () => await isEnabled() && departures.runDaily() },
	].map((task) => ({ ...task, run: once(task.run) })), logger))
	rotation.wake()
	// Behind the start, not in its way: it waits for calls to end.
	void erasures.resume().catch((error: unknown) => privacyLogger.warn('Erasures that were cut off cannot be finished yet; they are tried again', { error }))
	return { departureDoubt: () => departures.doubt, erasures, retention: retentionStore }
}
