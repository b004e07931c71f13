// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The doctor, put together from the parts that it looks at.

import type { MikroORM } from '@mikro-orm/postgresql'
import type { Audit } from './audit.ts'
import type { Counters } from './backing.ts'
import type { BacklogState } from './calls/event-backlog.ts'
import type { GatewayWatch } from './calls/gateway-watch.ts'
import type { Clock } from './calls/ports.ts'
import type { UnreadableCalls } from './calls/unreadable-calls.ts'
import type { Carrier } from './carrier.ts'
import type { ReadReplicas } from './db/read-replicas.ts'
import type { CallRepository } from './db/repositories/call-repository.ts'
import type { DeviceRepository } from './db/repositories/device-repository.ts'
import type { JournalRepository } from './db/repositories/journal-repository.ts'
import type { SwitchPool } from './esl/switch-pool.ts'
import type { Guards } from './guard.ts'
import type { ConfigTest } from './health/config-test.ts'
import type { KeyInquiry } from './health/probes/data.ts'
import type { Notices } from './health/probes/sipcall.ts'
import type { Report } from './health/report.ts'
import type { Logger } from './logger.ts'
import type { OcsClient } from './nextcloud/ocs-client.ts'
import type { SettingsStore } from './policy/settings-store.ts'
import type { ProviderSettings, Settings, SwitchConnection } from './policy/settings.ts'
import type { AuditVerificationState } from './privacy/audit-verification.ts'
import type { Releasers } from './startup.ts'

import { randomUUID } from 'node:crypto'
import { countOrRefuse } from './calls/refusals.ts'
import { TestCalls } from './calls/test-calls.ts'
import { databaseFaultOf } from './db/database-fault.ts'
import { DatabaseInquiry } from './db/database-inquiry.ts'
import { storageFault } from './db/storage-fault.ts'
import { KeysMissing } from './db/stored-keys.ts'
import { SipCallError } from './errors.ts'
import { makeTrySwitch } from './esl/try-switch.ts'
import { carrierProbe } from './health/carrier.ts'
import { testCarrier, testSwitch, testTrunk } from './health/config-test.ts'
import { finding } from './health/findings.ts'
import { freeBytesOn } from './health/free-bytes.ts'
import { Health } from './health/health.ts'
import { backupsProbe, keysProbe, recordsProbe } from './health/probes/data.ts'
import { nextcloudProbe } from './health/probes/nextcloud.ts'
import { noticesProbe, sipcallProbe } from './health/probes/sipcall.ts'
import { databaseProbe, readReplicaProbe, redisProbe, spoolProbe, volumeProbe } from './health/probes/storage.ts'
import { gatewayProbe, switchProbe } from './health/probes/switches.ts'

export interface DoctorOptions {
	version: string
	ocs: OcsClient
	guards: Guards
	orm: MikroORM
	/** Why there is no connection, for those times in which none is tried. */
	databaseFault: () => unknown
	/** undefined where the environment names somebody else's PostgreSQL. */
	newestBackupAt: (() => Promise<Date | undefined>) | undefined
	/** The persistent volume. */
	volume: string
	countReplicas: () => number
	/** What happened to calls and waits for the database. */
	backlog: () => BacklogState
	readReplicas: ReadReplicas
	counters: Counters
	callSwitch: SwitchPool
	gateways: GatewayWatch
	carrier: Carrier
	settings: Pick<SettingsStore, 'get' | 'ignored'>
	keyState: () => Promise<KeyInquiry>
	notices: () => Omit<Notices, 'settings' | 'ignoredSettings'>
	store: CallRepository
	devices: DeviceRepository
	audit: Audit
	journal: JournalRepository
	unreadableCalls: Pick<UnreadableCalls, 'count'>
	clock: Clock
	logger: Logger
	/** Shorter times, for tests. */
	limitMs?: number | undefined
	freshMs?: number | undefined
}

export interface Doctor {
	/** @param freshMs so old may it be; left out = a few seconds */
	report: (freshMs?: number) => Promise<Report>
	testSwitch: (connection: SwitchConnection & { password: string }) => Promise<ConfigTest>
	testTrunk: (connection: SwitchConnection, trunk: Pick<Settings, 'gateways' | 'callerIds'>) => Promise<ConfigTest>
	testCarrier: (provider: ProviderSettings, callerIds: Settings['callerIds']) => Promise<ConfigTest>
	/** @throws {SipCallError} `rate_limited` */
	guardTests: (adminId: string) => Promise<void>
	testCalls: TestCalls
}

/** Each sends a password somewhere: enough for a person, too few for looking around in a network. */
const TESTS = { kind: 'configTestsPerMinute', max: 10, windowSec: 60, isFullInMemory: true } as const

export function startDoctor(options: DoctorOptions, releasers: Releasers): Doctor {
	const { version, ocs, guards, orm, databaseFault, newestBackupAt, volume, readReplicas, countReplicas, backlog, counters, callSwitch, gateways, carrier, settings, keyState, journal, unreadableCalls, notices, store, devices, audit, clock, logger, limitMs, freshMs } = options
	const nowMs = () => clock.now().getTime()
	const database = new DatabaseInquiry({ orm, lastFault: databaseFault })
	const health = new Health({
		probes: [
			nextcloudProbe(ocs, nowMs),
			sipcallProbe(version, countReplicas),
			volumeProbe(() => freeBytesOn(volume)),
			databaseProbe(database, nowMs),
			readReplicaProbe(readReplicas.inquiries()),
			spoolProbe(backlog),
			keysProbe(keyState, nowMs),
			recordsProbe({ brokenAuditEntry: () => brokenEntry(audit.verification.state), journal: () => journal.look(), unreadableCalls: () => unreadableCalls.count }),
			redisProbe(counters),
			switchProbe(() => callSwitch.nodes, (node) => callSwitch.figuresOf(node)),
			gatewayProbe(() => callSwitch.nodes, () => settings.get().gateways),
			carrierProbe(carrier.provider, () => settings.get()),
			backupsProbe(newestBackupAt === undefined ? undefined : { newestAt: newestBackupAt, since: () => database.since() }, nowMs),
			noticesProbe(() => ({ settings: settings.get(), ignoredSettings: settings.ignored(), ...notices() })),
		],
		now: () => clock.now(),
		guards: () => guards.states(),
		logger: logger.child({ component: 'health' }),
		...(limitMs === undefined ? {} : { limitMs }),
		...(freshMs === undefined ? {} : { freshMs }),
	})
	const testCalls = new TestCalls({
		switch: callSwitch,
		gateways,
		calls: store,
		limiter: counters.limiter,
		settings: () => settings.get(),
		devices: (userId) => devices.of(userId),
		carrierCountries: carrier.countries,
		audit: (userId, device) => audit.trail.write({ actor: { kind: 'admin', userId }, action: 'call.tested', detail: { device } }),
		clock,
		newUuid: randomUUID,
		logger: logger.child({ component: 'calls' }),
	})
	callSwitch.listen({ onNotice: (notice) => testCalls.notice(notice) })
	releasers.add('test calls', () => testCalls.stop())
	const trySwitch = makeTrySwitch()
	return {
		report: (age) => health.report(age),
		testSwitch: (connection) => testSwitch(trySwitch, connection),
		testTrunk: (connection, trunk) => testTrunk(trySwitch, connection, trunk),
		testCarrier: (provider, callerIds) => testCarrier(carrier.open(provider), { ...settings.get(), callerIds }),
		guardTests: (adminId) => countOrRefuse(counters.limiter, adminId, TESTS, (waitSec) => `Only ${TESTS.max} tests may be made within a minute. Try again in ${waitSec} seconds.`),
		testCalls,
	}
}

function brokenEntry(state: AuditVerificationState): number | undefined {
	return state.state === 'done' ? state.broken?.seq : undefined
}

/** What can be told while the other parts are not up: why they are not. */
export function healthAtStart({ ocs, fault, clock, logger, ...times }: { ocs: OcsClient, fault: () => unknown, clock: Clock, logger: Logger, limitMs?: number, freshMs?: number }): Health {
	return new Health({
		probes: [
			nextcloudProbe(ocs, () => clock.now().getTime()),
			{
				id: 'sipcall',
				ifSilent: 'sipcall_starting',
				look: () => {
					const known = fault()
					if (known === undefined) {
						return [{ id: 'sipcall', ...finding('sipcall_starting') }]
					}
					const databaseFault = databaseFaultOf(known) ?? (storageFault(known) === undefined ? undefined : 'down')
					if (databaseFault !== undefined) {
						return [{ id: 'sipcall', ...finding('sipcall_starting') }, { id: 'database', ...finding(`database_${databaseFault}`) }]
					}
					if (known instanceof KeysMissing) {
						return [{ id: 'sipcall', ...finding('sipcall_failed', { reason: known.message }) }, { id: 'keys', ...finding('key_missing', { keys: known.kids.join(', ') }) }]
					}
					return [{ id: 'sipcall', ...finding('sipcall_failed', { reason: known instanceof SipCallError ? known.message : '' }) }]
				},
			},
		],
		now: () => clock.now(),
		logger: logger.child({ component: 'health' }),
		...times,
	})
}
