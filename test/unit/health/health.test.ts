// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { SwitchInquiry } from '../../../lib/calls/switch-inquiry.ts'
import type { Probe } from '../../../lib/health/health.ts'
import type { Part, Report } from '../../../lib/health/report.ts'

import { tmpdir } from 'node:os'
import { describe, expect, it, vi } from 'vitest'
import { Guards } from '../../../lib/guard.ts'
import { finding } from '../../../lib/health/findings.ts'
import { freeBytesOn } from '../../../lib/health/free-bytes.ts'
import { Health } from '../../../lib/health/health.ts'
import { keysProbe, recordsProbe } from '../../../lib/health/probes/data.ts'
import { noticesProbe } from '../../../lib/health/probes/sipcall.ts'
import { readReplicaProbe, spoolProbe, volumeProbe } from '../../../lib/health/probes/storage.ts'
import { switchProbe, versionFinding } from '../../../lib/health/probes/switches.ts'
import { reportOf, setupChecksAnswer, stateOf, statusLines } from '../../../lib/health/report.ts'
import { DEFAULT_SETTINGS } from '../../../lib/policy/settings.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const AT = new Date('2026-11-22T09:30:00.000Z')
const GATEWAY_OK: Part = { id: 'gateway', name: 'one', ...finding('gateway_answers') }
const GATEWAY_DOWN: Part = { id: 'gateway', name: 'two', ...finding('gateway_silent') }
const GOOD: Part[] = [
	{ id: 'nextcloud', ...finding('nextcloud_ok') },
	{ id: 'database', ...finding('database_ok') },
	{ id: 'redis', ...finding('redis_ok') },
	{ id: 'freeswitch', ...finding('switch_ok') },
	GATEWAY_OK,
	{ id: 'carrier', ...finding('carrier_generic') },
	{ id: 'calling', ...finding('calling_everybody') },
]

function healthOf(probes: readonly Probe[], times: { limitMs?: number, freshMs?: number } = {}): Health {
	return new Health({ probes, now: () => AT, logger: new RecordedLog(), ...times })
}

describe('the report', () => {
	it('comes although a part hangs, which is then told as silent and not asked again until it has answered', async () => {
		const { promise, resolve } = Promise.withResolvers<Part[]>()
		let looks = 0
		const health = healthOf([
			{
				id: 'redis',
				ifSilent: 'redis_down',
				look: () => {
					looks++
					return looks === 1 ? promise : [{ id: 'redis', ...finding('redis_ok') }]
				},
			},
			{ id: 'database', ifSilent: 'database_down', look: () => [{ id: 'database', ...finding('database_ok') }] },
		], { limitMs: 1, freshMs: 0 })
		const codes = ({ parts }: Report) => parts.map(({ code }) => code)
		expect(codes(await health.report())).toEqual(['database_ok', 'redis_down'])
		expect(codes(await health.report())).toEqual(['database_ok', 'redis_down'])
		expect(looks).toBe(1)
		resolve([])
		await promise
		await new Promise(setImmediate)
		expect(codes(await health.report())).toEqual(['database_ok', 'redis_ok'])
		expect(looks).toBe(2)
	})

	it('says which part is left alone, of several FreeSWITCHes which one', async () => {
		const node = (name: string): Part => ({ id: 'freeswitch', name, ...finding('switch_ok', { version: '1.10.12' }) })
		const guards = new Guards()
		const options = { isFault: () => true, breakAfter: 1, breakMs: 1_000 }
		guards.add({ ...options, part: 'freeswitch', name: 'a:8021' })
		guards.add({ ...options, part: 'freeswitch', name: 'b:8021' }).silent()
		guards.add({ ...options, part: 'redis' })
		const health = new Health({ now: () => AT, logger: new RecordedLog(), guards: () => guards.states(), probes: [
			{ id: 'freeswitch', ifSilent: 'switch_no_answer', look: () => [node('a:8021'), node('b:8021')] },
			{ id: 'redis', ifSilent: 'redis_down', look: () => [{ id: 'redis', ...finding('redis_ok') }] },
			{ id: 'calling', ifSilent: 'calling_no_group', look: () => [{ id: 'calling', ...finding('calling_everybody') }] },
		] })
		const report = await health.report()
		expect(report.parts.map(({ id, breaker }) => [id, breaker])).toEqual([['redis', 'closed'], ['freeswitch', 'closed'], ['freeswitch', 'open'], ['calling', undefined]])
		expect(statusLines(report).filter((line) => line.includes('left alone'))).toEqual(['ok    b:8021: FreeSWITCH 1.10.12 is connected. It is left alone for a few seconds, and then asked again.'])
	})

	it('takes a part that fails for silent', async () => {
		const health = healthOf([{ id: 'database', ifSilent: 'database_down', look: () => Promise.reject(new Error('gone')) }])
		expect((await health.report()).parts).toMatchObject([{ id: 'database', code: 'database_down', state: 'down' }])
	})

	it('is made once for all who ask at a time and shortly after, and anew for who wants it fresh', async () => {
		let looks = 0
		const health = healthOf([{
			id: 'sipcall',
			ifSilent: 'sipcall_starting',
			look: async () => {
				looks++
				return [{ id: 'sipcall', ...finding('sipcall_ok', { version: '1' }) }]
			},
		}], { freshMs: 60_000 })
		const [first, second] = await Promise.all([health.report(), health.report()])
		expect(second).toBe(first)
		expect(await health.report()).toBe(first)
		expect(looks).toBe(1)
		await health.report(0)
		expect(looks).toBe(2)
	})

	it('has the parts in the order in which a call passes them', () => {
		expect(reportOf(GOOD.toReversed(), AT).parts.map(({ id }) => id)).toEqual(GOOD.map(({ id }) => id))
	})

	it.each<[string, Part[], Report['state']]>([
		['all good', GOOD, 'ok'],
		['one gateway of two that is down', [...GOOD, GATEWAY_DOWN], 'degraded'],
		['every gateway that is down', [...GOOD.filter((part) => part !== GATEWAY_OK), GATEWAY_DOWN], 'down'],
		['one FreeSWITCH of two that is down', [...GOOD, { id: 'freeswitch', name: 'two:8021', ...finding('switch_lost') }], 'degraded'],
		['every FreeSWITCH that is down', [...GOOD.filter(({ id }) => id !== 'freeswitch'), { id: 'freeswitch', ...finding('switch_lost') }], 'down'],
		['no database', [...GOOD, { id: 'database', ...finding('database_down') }], 'down'],
		['no Redis, which nobody needs to call', [...GOOD, { id: 'redis', ...finding('redis_down') }], 'degraded'],
		['a Redis that was never there', [...GOOD, { id: 'redis', ...finding('redis_absent') }], 'ok'],
		['a volume that is nearly full, which ends no call yet', [...GOOD, { id: 'volume', ...finding('disk_full') }], 'degraded'],
		['no country', [...GOOD, { id: 'calling', ...finding('calling_no_country') }], 'not_set_up'],
	])('of %s is as it should be', (_what, parts, state) => {
		expect(stateOf(parts)).toBe(state)
	})

	it('is in AppAPI’s words for Nextcloud, and in lines for a console', () => {
		const report = reportOf([...GOOD, GATEWAY_DOWN, { id: 'redis', ...finding('redis_down') }], AT)
		expect(Object.entries(setupChecksAnswer(report)).map(([id, { status }]) => [id, status])).toEqual([
			['nextcloud', 'success'],
			['database', 'success'],
			['redis', 'success'],
			['redis_2', 'warning'],
			['freeswitch', 'success'],
			['gateway', 'success'],
			['gateway_2', 'error'],
			['carrier', 'success'],
			['calling', 'success'],
		])
		expect(statusLines(report)).toContain(`ERROR Gateway two: ${GATEWAY_DOWN.text} ${GATEWAY_DOWN.advice}`)
		expect(statusLines(report)).toContain('ok    Nextcloud answers.')
	})
})

describe('what needs no question', () => {
	const notices = (change: { settings?: Partial<typeof DEFAULT_SETTINGS>, departureDoubt?: string, lockedUsers?: number, ignoredSettings?: string[] }) => noticesProbe(() => ({
		settings: { ...DEFAULT_SETTINGS, homeCountry: 'DE', monthlySpendLimit: { micros: '1', currency: 'EUR' }, oauth: { clientId: 'id', clientSecret: 'secret' }, ...change.settings },
		departureDoubt: change.departureDoubt,
		lockedUsers: change.lockedUsers ?? 0,
		ignoredSettings: change.ignoredSettings ?? [],
	})).look() as Part[]

	it.each([
		['members of groups', {}, ['calling_groups']],
		['everybody', { settings: { allowedGroups: null } }, ['calling_everybody']],
		['no country', { settings: { homeCountry: null } }, ['calling_no_country']],
		['an allowed prefix, which is a place that may be called', { settings: { homeCountry: null, allowedPrefixes: ['+49'] } }, ['calling_groups']],
		['an empty list of countries', { settings: { allowedCountries: [] } }, ['calling_no_country']],
		['no group', { settings: { allowedGroups: [] } }, ['calling_no_group']],
		['settings that mean nothing', { ignoredSettings: ['callsPerMinute'] }, ['calling_groups', 'settings_ignored']],
		['locked users', { lockedUsers: 2 }, ['calling_groups', 'locked_users']],
		['spending without a limit', { settings: { monthlySpendLimit: null } }, ['calling_groups', 'spending_unlimited']],
		['sign-ins that are not set up, which is no fault', { settings: { oauth: null } }, ['calling_groups', 'sign_in_not_set_up']],
		['a list of users that cannot be believed', { departureDoubt: 'Look at the list.' }, ['calling_groups', 'removed_users']],
	])('tells of %s', (_what, change, codes) => {
		expect(notices(change).map(({ code }) => code)).toEqual(codes)
	})
})

describe('a read replica', () => {
	const replica = (state: 'up' | 'late' | 'away' | 'foreign', loggingSettings: string[] = []) => ({ name: 'db2:5432', state: () => state, mostLagSec: 30, look: async () => ({ loggingSettings }) })

	it.each([
		['up', replica('up'), 'read_replica_ok', 'ok'],
		['late', replica('late'), 'read_replica_late', 'degraded'],
		['away', replica('away'), 'read_replica_away', 'degraded'],
		['another server', replica('foreign'), 'read_replica_foreign', 'degraded'],
		['one whose log shows statements', replica('up', ['log_statement']), 'database_logs', 'degraded'],
		['one that fails when it is looked at', { ...replica('up'), look: () => Promise.reject(new Error('gone')) }, 'read_replica_away', 'degraded'],
	])('that is %s is told as it is, and ends no calling', async (_what, one, code, state) => {
		const parts = await readReplicaProbe([one]).look()
		expect(parts).toMatchObject([{ id: 'read_replica', name: 'db2:5432', code, state }])
		expect(stateOf([...GOOD, ...parts])).toBe(state)
	})

	it('that is away or another server is not asked once more, and one that is late says how late it may be', async () => {
		const look = vi.fn(async () => ({ loggingSettings: [] }))
		await readReplicaProbe([{ ...replica('away'), look }, { ...replica('foreign'), look }]).look()
		expect(look).not.toHaveBeenCalled()
		expect(await readReplicaProbe([{ ...replica('late'), look }]).look()).toMatchObject([{ text: expect.stringContaining('more than 30 seconds') }])
		expect(look).toHaveBeenCalledOnce()
	})
})

describe('the volume', () => {
	const codes = async (freeBytes: () => Promise<number>) => (await healthOf([volumeProbe(freeBytes)]).report()).parts.map(({ code, values }) => [code, values?.megabytes])

	it.each([
		['1 GiB', 1024 ** 3, []],
		['a byte less than 1 GiB', 1024 ** 3 - 1, [['disk_low', 1073]]],
		['100 MiB', 100 * 1024 ** 2, [['disk_low', 104]]],
		['a byte less than 100 MiB', 100 * 1024 ** 2 - 1, [['disk_full', 104]]],
	])('with %s that is free is told as it should be', async (_what, bytes, expected) => {
		expect(await codes(async () => bytes)).toEqual(expected)
	})

	it('is asked for what is free: nothing in a file system that takes no files, and it is told when it is gone', async () => {
		expect(await codes(() => freeBytesOn('/proc'))).toEqual([['disk_full', 0]])
		expect(await codes(() => freeBytesOn('/nowhere'))).toEqual([['volume_away', undefined]])
		expect(await freeBytesOn(tmpdir())).toBeGreaterThan(0)
	})

	it('nearly full is an error for Nextcloud and at a console, though calls go on', () => {
		const report = reportOf([...GOOD, { id: 'volume', ...finding('disk_full', { megabytes: 7 }) }], AT)
		expect(setupChecksAnswer(report).volume?.status).toBe('error')
		expect(statusLines(report)[1]).toMatch(/^ERROR SIPCall’s volume is nearly full: 7 MB are left\. Make room/)
	})
})

describe('what waits for the database', () => {
	it.each([
		[{ waiting: 0, isOnDisk: true }, []],
		[{ waiting: 3, isOnDisk: true }, [['spool_waiting', 3]]],
		[{ waiting: 3, isOnDisk: false }, [['spool_disk_refuses', 3]]],
	])('is told of %o', async (backlog, expected) => {
		expect((await healthOf([spoolProbe(() => backlog)]).report()).parts.map(({ code, values }) => [code, values?.changes])).toEqual(expected)
	})
})

describe('the encryption keys', () => {
	const AT = Date.parse('2026-11-24T12:00:00.000Z')
	const DAY_MS = 24 * 60 * 60 * 1000
	const KEY = { kid: 'a1b2c3d4', isLoaded: true, rows: 0, backups: [] }
	const GOOD = { hasNewer: false, activeSince: new Date(AT - 2 * DAY_MS), rows: { total: 5, left: 0 }, unreadable: 0, earlier: [] }

	it.each([
		['nothing while nothing is to be done', {}, []],
		['nothing of a change that has just begun', { activeSince: new Date(AT - DAY_MS + 1000), rows: { total: 5, left: 3 }, earlier: [{ ...KEY, rows: 3 }] }, []],
		['a change that has taken more than a day', { rows: { total: 5, left: 3 }, earlier: [{ ...KEY, rows: 3 }] }, ['key_change_slow']],
		['an earlier key that nothing needs', { earlier: [KEY] }, ['key_unneeded']],
		['nothing of one that a backup needs', { earlier: [{ ...KEY, backups: ['a'] }] }, []],
		['a key that is missing', { rows: { total: 5, left: 1 }, unreadable: 1, earlier: [{ ...KEY, isLoaded: false, rows: 1 }] }, ['key_missing', 'rows_unreadable']],
		['another server’s newer key', { hasNewer: true, rows: { total: 5, left: 5 }, earlier: [{ ...KEY, rows: 5 }] }, ['keys_differ']],
	])('tell %s', async (_what, change, codes) => {
		const parts = await keysProbe(async () => ({ ...GOOD, ...change }), () => AT).look()
		expect(parts.map(({ code }) => code)).toEqual(codes)
	})
})

describe('the records of data protection', () => {
	it.each([
		['nothing while all is as it was written', {}, []],
		['a broken audit log', { brokenAuditEntry: () => 7 }, [{ code: 'audit_broken', values: { seq: 7 } }]],
		['calls that cannot be read', { unreadableCalls: () => 3 }, [{ code: 'calls_unreadable', values: { calls: 3 } }]],
		['a journal that cannot be read', { journal: async () => undefined }, [{ code: 'journal_unreadable' }]],
		['damaged lines and a missing key', { journal: async () => ({ damaged: [2, 5], missingKids: ['a1b2c3d4'] }) }, [{ code: 'journal_damaged', values: { lines: '2, 5' } }, { code: 'journal_key_missing', values: { keys: 'a1b2c3d4' } }]],
	])('tell %s', async (_what, change, parts) => {
		const found = await recordsProbe({ brokenAuditEntry: () => undefined, journal: async () => ({ damaged: [], missingKids: [] }), unreadableCalls: () => 0, ...change }).look()
		expect(found).toEqual(parts.map((part) => expect.objectContaining(part) as unknown))
	})
})

const asked = () => Promise.reject(new Error('asked'))
const NODE: SwitchInquiry = { name: 'pbx:8021', isReady: () => true, isServing: () => true, fault: () => undefined, hasStockPassword: false, denied: async () => [], version: async () => '1.10.12', hearsEvents: async () => {}, gateway: asked }

describe('a switch', () => {
	it.each([[undefined, 'switch_ok_unversioned'], ['1.10.12-release', 'switch_ok'], ['1.11.0', 'switch_ok'], ['2.0.1', 'switch_ok'], ['1.8.7', 'switch_old'], ['1.6', 'switch_old']])('of version %s is %s', (version, code) => {
		expect(versionFinding(version).code).toBe(code)
	})

	it.each([
		['is paused', { isAccepting: false }, 'switch_paused'],
		['has no room for two legs', { sessions: 999 }, 'switch_full'],
		['has room for two legs', { sessions: 998 }, 'switch_ok'],
		['has another clock', { clockSkewSec: -90.4 }, 'switch_clock'],
		['tells late', { eventLagSec: 7 }, 'switch_events_late'],
	])('that %s is told as such, with what it takes', async (_what, change, code) => {
		const figures = { node: 'pbx:8021', isReady: true, isAccepting: true, sessions: 4, maxSessions: 1000, sessionsPerSec: 30, heartbeatAgeSec: 3.4, clockSkewSec: 0.2, eventLagSec: 0, callsPerSec: 14, waiting: 2, paced: 7, refused: 1, ...change }
		const [part] = await switchProbe(() => [NODE], () => figures).look()
		expect(part).toMatchObject({ id: 'freeswitch', code, load: { sessions: figures.sessions, maxSessions: 1000, sessionsPerSec: 30, heartbeatAgeSec: 3, callsPerSec: 14, waiting: 2, refused: 1 } })
		expect(part).not.toHaveProperty('name')
	})

	it.each([
		[['uuid_hold', 'sofia', 'originate'], 'switch_commands_denied', 'originate'],
		[['uuid_hold', 'sofia', 'uuid_transfer'], 'switch_controls_denied', 'uuid_hold, uuid_transfer'],
		[['sofia'], 'switch_ok', undefined],
	])('that does not allow %s is told as %s', async (denied, code, commands) => {
		const node = { ...NODE, denied: async () => denied }
		expect(await switchProbe(() => [node], () => undefined).look()).toMatchObject([{ code, ...(commands === undefined ? {} : { values: { commands } }) }])
	})

	it('of several that hangs or fails is named, and hides no other', async () => {
		vi.useFakeTimers()
		try {
			const node = (name: string, version: () => Promise<string>) => ({ ...NODE, name, version })
			const looked = switchProbe(() => [node('one:8021', () => new Promise(() => {})), node('two:8021', async () => '1.10.12'), node('three:8021', () => Promise.reject(new Error('cut')))], () => undefined).look()
			await vi.advanceTimersByTimeAsync(3_000)
			expect(await looked).toMatchObject([{ name: 'one:8021', code: 'switch_no_answer' }, { name: 'two:8021', code: 'switch_ok' }, { name: 'three:8021', code: 'switch_no_answer' }])
		} finally {
			vi.useRealTimers()
		}
	})

	it.each([
		[false, undefined, 'switch_not_set_up'],
		[true, undefined, 'switch_connecting'],
		[true, 'address_refused', 'switch_address_refused'],
		[true, 'lost', 'switch_lost'],
	] as const)('that is set up (%s) and has the fault %s is told as %s', async (isSetUp, fault, code) => {
		const node = { ...NODE, isReady: () => false, isServing: () => false, fault: () => fault, hasStockPassword: true, denied: asked, version: asked, hearsEvents: asked }
		const probe = switchProbe(() => isSetUp ? [node] : [], () => undefined)
		expect(await probe.look()).toMatchObject([{ id: 'freeswitch', code }])
	})
})
