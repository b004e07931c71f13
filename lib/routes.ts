// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Every route behind the start, put together from the parts that serve it.

import type { Audit } from './audit.ts'
import type { CallControl } from './calls/call-control.ts'
import type { CallingUser } from './calls/call-rules.ts'
import type { CallService } from './calls/call-service.ts'
import type { CallStream } from './calls/call-stream.ts'
import type { DeviceVerification } from './calls/device-verification.ts'
import type { Explainer } from './calls/explain.ts'
import type { Lockout } from './calls/lockout.ts'
import type { MetricsStore } from './calls/metrics.ts'
import type { CallLimiter, CallStore, Clock } from './calls/ports.ts'
import type { Carrier } from './carrier.ts'
import type { DeviceRepository } from './db/repositories/device-repository.ts'
import type { PreferencesRepository } from './db/repositories/preferences-repository.ts'
import type { ReceiptRepository } from './db/repositories/receipt-repository.ts'
import type { UsageRepository } from './db/repositories/usage-repository.ts'
import type { UserRuleRepository } from './db/repositories/user-rule-repository.ts'
import type { Doctor } from './doctor.ts'
import type { Snippet } from './esl/config-snippets.ts'
import type { Route } from './http/route.ts'
import type { Identity } from './identity/index.ts'
import type { Logger } from './logger.ts'
import type { AddressBooks } from './nextcloud/address-books.ts'
import type { UserDirectory } from './nextcloud/user-directory.ts'
import type { UserNames } from './nextcloud/user-names.ts'
import type { SettingRules } from './policy/settings-schema.ts'
import type { SettingsStore } from './policy/settings-store.ts'
import type { Settings } from './policy/settings.ts'
import type { Rotation } from './privacy/rotation.ts'
import type { Upkeep } from './upkeep.ts'

import { randomUUID } from 'node:crypto'
import { readingFor } from './calls/call-rules.ts'
import { metricsOf } from './calls/metrics.ts'
import { countOrRefuse } from './calls/refusals.ts'
import { adminConfigRoutes } from './http/routes/admin-config.ts'
import { adminKeyRoutes } from './http/routes/admin-keys.ts'
import { adminPrivacyRoutes } from './http/routes/admin-privacy.ts'
import { adminUserRoutes } from './http/routes/admin-users.ts'
import { auditLogRoutes } from './http/routes/audit-log.ts'
import { authRoutes } from './http/routes/auth.ts'
import { callControlRoutes } from './http/routes/call-control.ts'
import { callRoutes } from './http/routes/calls.ts'
import { configTestRoutes } from './http/routes/config-test.ts'
import { contactRoutes } from './http/routes/contacts.ts'
import { deviceVerificationRoutes } from './http/routes/device-verification.ts'
import { eventRoutes } from './http/routes/events.ts'
import { meRoutes } from './http/routes/me.ts'
import { metricsRoutes } from './http/routes/metrics.ts'
import { numberRoutes } from './http/routes/numbers.ts'
import { privacyRoutes } from './http/routes/privacy.ts'
import { rateTableRoutes } from './http/routes/rate-table.ts'
import { snippetRoutes } from './http/routes/snippets.ts'
import { testCallRoutes } from './http/routes/test-calls.ts'
import { sampleNumbers } from './numbering/sample-numbers.ts'
import { dueBefore } from './privacy/retention.ts'
import { PROVIDER_KINDS } from './provider/index.ts'

export interface RouteParts {
	identity: Identity
	calls: CallService
	control: CallControl
	stream: CallStream
	explainer: Explainer
	verification: DeviceVerification
	doctor: Doctor
	carrier: Carrier
	store: CallStore
	pastCalls: Pick<CallStore, 'history'>
	devices: DeviceRepository
	preferences: PreferencesRepository
	userRules: UserRuleRepository
	lockout: Lockout
	usage: UsageRepository
	metrics: MetricsStore
	names: UserNames
	upkeep: Upkeep
	rotation: Rotation
	receipts: ReceiptRepository
	exportUser: (userId: string) => AsyncIterable<string>
	users: UserDirectory
	addressBooks: AddressBooks
	settings: SettingsStore
	environment: Partial<Settings>
	settingRules: SettingRules
	audit: Audit
	limiter: CallLimiter
	isSwitchServing: () => boolean
	/** What belongs into FreeSWITCH's configuration. */
	snippets: () => Snippet[]
	clock: Clock
	logger: Logger
}

export function allRoutes({ identity, calls, control, stream, explainer, verification, doctor, carrier, store, pastCalls, devices, preferences, userRules, lockout, usage, metrics, names, upkeep, rotation, receipts, exportUser, users, addressBooks, settings, environment, settingRules, audit, limiter, isSwitchServing, snippets, clock, logger }: RouteParts): Route[] {
	const callingUser = async (id: string): Promise<CallingUser> => {
		const [{ groups }, { country, callerId }] = await Promise.all([users.get(id), preferences.of(id)])
		return { id, groups, country, callerId }
	}
	const readingOf = async (userId: string) => readingFor(await preferences.of(userId), settings.get())
	return [
		...authRoutes({ signIn: identity.signIn, guard: (step) => guardSignIn(limiter, step) }),
		...callRoutes({ calls, store, pastCalls, readingOf, callingUser }),
		...callControlRoutes({ calls, control, callingUser, audit: audit.trail, logger: logger.child({ component: 'calls' }) }),
		...eventRoutes({ stream }),
		...meRoutes({
			user: (userId) => users.profile(userId),
			settings: () => settings.get(),
			devices: { of: (userId) => devices.of(userId), replace: (userId, list) => devices.replace(userId, list) },
			preferences,
			limits: (user, current) => explainer.limits(user, current),
			isSwitchServing,
			now: () => clock.now(),
			newUuid: randomUUID,
		}),
		...deviceVerificationRoutes({ verification, callingUser }),
		...numberRoutes({ explain: (user, to, current) => explainer.explain(user, to, current), settings: () => settings.get(), samples: sampleNumbers, callingUser, settingRules, lookUp: carrier.lookUp, guard: doctor.guardTests }),
		...adminUserRoutes({
			search: (adminId, query) => users.search(adminId, query),
			find: (adminId, userId) => users.find(adminId, userId),
			rules: {
				ofMany: (userIds) => userRules.ofMany(userIds),
				change: async (userId, change, at) => {
					await userRules.change(userId, change, at)
					if (change.lock === null) {
						lockout.release(userId)
					}
				},
			},
			devices,
			usage: (...args) => usage.of(...args),
			limitToday: (userId, own) => explainer.usedToday(userId, own),
			settings: () => settings.get(),
			audit: audit.trail,
			now: () => clock.now(),
		}),
		...configTestRoutes({ settings: () => settings.get(), settingRules, testSwitch: doctor.testSwitch, testTrunk: doctor.testTrunk, testCarrier: doctor.testCarrier, guard: doctor.guardTests, audit: audit.trail }),
		...snippetRoutes({ snippets }),
		...testCallRoutes({ testCalls: doctor.testCalls, callingUser }),
		...rateTableRoutes({ settings: () => settings.get() }),
		...adminConfigRoutes({ settings, environment, settingRules, providers: PROVIDER_KINDS, audit: audit.trail }),
		...auditLogRoutes({ page: (query) => audit.log.page(query), referencesOf: (person) => audit.log.referencesOf(person), verification: audit.verification, oldest: () => audit.log.oldest(), beginning: () => audit.log.beginning(), audit: audit.trail }),
		...metricsRoutes({
			metrics: (first, last, timeZone) => metricsOf(metrics, first, last, timeZone),
			names: (adminId, userIds) => names.of(adminId, userIds),
			settings: () => settings.get(),
			health: async () => (await doctor.report()).parts,
			hasCalled: async () => doctor.testCalls.hasPassed() || metrics.hasAnswered(),
			now: () => clock.now(),
		}),
		...privacyRoutes({
			erasures: upkeep.erasures,
			findReceipt: (id, ownerId) => receipts.find(id, ownerId),
			isAdmin: async (userId) => (await users.get(userId)).isAdmin,
			noteExport: (userId) => audit.trail.write({ actor: { kind: 'user', userId }, action: 'user.exported', targetUserId: userId }),
			exportUser,
			settings: () => settings.get(),
		}),
		...adminPrivacyRoutes({
			erasures: upkeep.erasures,
			receipts: (query) => receipts.page(query),
			retention: async ({ auditDays, ...days }) => {
				const [calls, entries] = await Promise.all([upkeep.retention.count(dueBefore(days, clock.now())), audit.countDrops(auditDays)])
				return { next: { ...calls.next, auditEntries: entries.next }, kept: { ...calls.kept, auditEntries: entries.kept } }
			},
			findUser: (adminId, userId) => users.find(adminId, userId),
			settings: () => settings.get(),
		}),
		...adminKeyRoutes({ rotation }),
		...contactRoutes({ addressBooks, readingOf }),
	]
}

/** Of all sign-ins together: nobody who signs in has a name yet, and all come from the proxy's address. */
const SIGN_INS = { kind: 'signInsPerMinute', max: 120, windowSec: 60 }

function guardSignIn(limiter: CallLimiter, step: 'login' | 'exchange'): Promise<void> {
	return countOrRefuse(limiter, step, SIGN_INS, (waitSec) => `Too many are signing in at the moment. Try again in ${waitSec} seconds.`)
}
