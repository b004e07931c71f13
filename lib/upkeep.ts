// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What is done again and again, and what is done to all data of a user at once.

import type { MikroORM } from '@mikro-orm/postgresql'
import type { CallService } from './calls/call-service.ts'
import type { Clock } from './calls/ports.ts'
import type { CallRepository } from './db/repositories/call-repository.ts'
import type { SignInRepository } from './db/repositories/sign-in-repository.ts'
import type { UserDataCounts } from './db/repositories/user-data-repository.ts'
import type { VerificationRepository } from './db/repositories/verification-repository.ts'
import type { Logger } from './logger.ts'
import type { UserDirectory } from './nextcloud/user-directory.ts'
import type { Settings } from './policy/settings.ts'
import type { Releasers } from './startup.ts'

import { RetentionRepository } from './db/repositories/retention-repository.ts'
import { UserDataRepository } from './db/repositories/user-data-repository.ts'
import { runPeriodically } from './periodic.ts'
import { DepartureWatch } from './privacy/departures.ts'
import { Retention } from './privacy/retention.ts'

export interface UpkeepOptions {
	orm: MikroORM
	store: CallRepository
	signIns: SignInRepository
	verifications: VerificationRepository
	calls: CallService
	users: UserDirectory
	settings: { get: () => Settings }
	/** A disabled app may ask Nextcloud nothing. */
	isEnabled: () => Promise<boolean>
	clock: Clock
	logger: Logger
	retentionMs: number | undefined
}

export interface Upkeep {
	/** Why the search for removed users dares nothing; undefined = it does. */
	departureDoubt: () => string | undefined
	countUserData: (userId: string) => Promise<UserDataCounts>
	/** Ends the user's calls, and deletes all that is held of the user. */
	purgeUser: (userId: string) => Promise<UserDataCounts>
}

const HOUR_MS = 60 * 60 * 1000
/** Where nothing may be kept after a call, this is how long it stays. */
const RETENTION_MS = 5 * 60 * 1000
/** How long the data of a user wait for the user's last calls to end. */
const LAST_CALLS_MS = 10_000

export function startUpkeep({ orm, store, signIns, verifications, calls, users, settings, isEnabled, clock, logger, retentionMs }: UpkeepOptions, releasers: Releasers): Upkeep {
	const now = () => clock.now()
	const privacyLogger = logger.child({ component: 'privacy' })
	const userData = new UserDataRepository({ orm })
	const purgeUser = async (userId: string) => {
		await calls.endAllOf(userId, LAST_CALLS_MS)
		return userData.erase(userId)
	}
	const departures = new DepartureWatch({ store: userData, listUsers: () => users.list(), purge: purgeUser, now, logger: privacyLogger })
	const retention = new Retention({ store: new RetentionRepository({ orm }), settings: () => settings.get(), now, logger: privacyLogger })
	releasers.add('periodic tasks', runPeriodically([
		{ name: 'retention', everyMs: retentionMs ?? RETENTION_MS, run: () => retention.run() },
		// Keys are looked up with their age, so tidying up late harms nobody.
		{ name: 'idempotency keys', everyMs: HOUR_MS, run: () => store.forgetOldKeys(now()) },
		{ name: 'expired codes of phones', everyMs: HOUR_MS, run: () => verifications.forgetExpired(now()) },
		{ name: 'expired sign-ins', everyMs: HOUR_MS, run: () => signIns.forgetExpired(now()) },
		{ name: 'removed users', everyMs: HOUR_MS, run: async () => await isEnabled() && departures.runDaily() },
	], logger))
	return { departureDoubt: () => departures.doubt, countUserData: (userId) => userData.count(userId), purgeUser }
}
