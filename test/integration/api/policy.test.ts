// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The whole policy over HTTP: what a user is told, what is counted, what is locked, and that nothing reaches the switch.

import type { ExplanationJson, ProblemJson } from '../../../lib/http/schemas.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'
import { until } from '../../support/until.ts'

const DESK = { devices: [{ kind: 'sip', label: 'Desk', address: '1001' }] }
const eur = (micros: string) => ({ micros, currency: 'EUR' })

interface Refusal { code: string, message: string, rule?: { id: string, label: string }, fixableBy: string, untilAt?: string }

let test: TestApp
let demo: ApiClient
let guest: ApiClient
let now: Date

beforeEach(async () => {
	now = new Date('2026-11-24T11:00:00.000Z')
	test = await startTestApp({ overrides: { clock: { now: () => now }, sweepMs: 50 } })
	demo = await test.prepare({ timeZone: 'Europe/Berlin' })
	guest = test.as('guest')
	await guest.request('PUT', '/me', DESK)
})

afterEach(() => test.stop())

async function save(change: Record<string, unknown>): Promise<void> {
	expect(await demo.request('POST', '/admin/config', change)).toMatchObject({ status: 200 })
}

async function called(client: ApiClient, to: string, options = {}): Promise<{ status: number, code?: string, refusal?: Refusal, body: ProblemJson }> {
	const answer = await client.call(to, options)
	if (answer.status === 202) {
		await client.untilEnded(answer.body.uuid)
		return { status: 202, body: answer.body as unknown as ProblemJson }
	}
	const body = answer.body as unknown as ProblemJson & { refusal?: Refusal }
	return { status: answer.status, code: body.code, ...(body.refusal === undefined ? {} : { refusal: body.refusal }), body }
}

async function explained(client: ApiClient, to: string): Promise<ExplanationJson> {
	const { status, body } = await client.request<ExplanationJson>('POST', '/numbers/explain', { to })
	expect(status).toBe(200)
	return body
}

/** What is told before a call is what happens then, and neither dials. */
async function refusedBoth(client: ApiClient, to: string): Promise<Refusal | undefined> {
	const before = test.freeSwitch.originates.length
	const { allowed, refusal } = await explained(client, to)
	const call = await called(client, to)
	expect([allowed, refusal?.code]).toEqual([false, call.code])
	expect(refusal?.rule).toEqual(call.refusal?.rule)
	expect(test.freeSwitch.originates.length).toBe(before)
	return call.refusal
}

describe('a call', () => {
	it.each([
		['another country', {}, '+43 1 234567', { code: 'destination_not_allowed', rule: { id: 'allowedCountries', label: 'Allowed countries' }, fixableBy: 'admin' }],
		['a kind of number', {}, '+49 900 1234567', { rule: { id: 'allowedTypes' } }],
		['a prefix', { deniedPrefixes: ['+4930'] }, '030 123401', { rule: { id: 'deniedPrefixes' } }],
		['the hour', { workingHours: { timeZone: 'Europe/Berlin', days: { wed: [{ from: '08:00', to: '18:00' }] } } }, '030 123401', { rule: { id: 'workingHours' }, untilAt: '2026-11-25T07:00:00.000Z' }],
		['a number without a rate', { rates: [{ prefix: '+4989', perMinute: eur('1') }], dailySpendLimit: eur('100') }, '030 123401', { rule: { id: 'rates' } }],
		['money', { rates: [{ prefix: '+49', perMinute: eur('20000') }], dailySpendLimit: eur('1199999') }, '030 123401', { code: 'limit_reached', rule: { id: 'dailySpendLimit' }, untilAt: '2026-11-24T23:00:00.000Z' }],
		['groups', { allowedGroups: ['nobody'] }, '030 123401', { code: 'calling_not_permitted', rule: { id: 'allowedGroups' } }],
	])('refused by %s says so before and when it is tried, and dials nothing', async (_what, settings, to, refusal) => {
		await save(settings)
		expect(await refusedBoth(guest, to)).toMatchObject(refusal)
	})

	it('to an emergency number is refused and counts nowhere, however often it is tried', async () => {
		await save({ lockAfterRefusals: { count: 2, windowMin: 10, lockMin: 15 }, allowedGroups: ['nobody'] })
		for (let attempt = 0; attempt < 5; attempt++) {
			expect(await called(guest, '112')).toMatchObject({ status: 422, code: 'emergency_number' })
		}
		expect(await explained(guest, '112')).toMatchObject({ allowed: false, refusal: { code: 'emergency_number' } })
		expect((await guest.get('/me')).body.lock).toBeNull()
	})

	it('is explained with all that is known of it', async () => {
		await save({ rates: [{ prefix: '+49', perMinute: eur('20000') }], callerIds: [{ number: '+4930999900', label: 'Office' }] })
		expect(await explained(guest, '030 / 12 34 01 ext. 12')).toEqual({
			input: '030 / 12 34 01 ext. 12',
			e164: '+4930123401',
			display: '+49 30 123401 ext. 12',
			extension: '12',
			country: 'DE',
			type: 'FIXED_LINE',
			allowed: true,
			callerId: '+4930999900',
			gateway: 'trunk',
			estimatedRate: eur('20000'),
			confirm: 'new_country',
		})
		await called(guest, '030 123401')
		expect((await explained(guest, '030 123401')).confirm).toBeUndefined()
		await save({ confirmAbove: eur('19999') })
		expect((await explained(guest, '030 123401')).confirm).toBe('expensive')
		expect(await explained(guest, 'hello')).toMatchObject({ input: 'hello', display: 'hello', allowed: false, refusal: { code: 'invalid_number' } })
	})

	it('that would be the first to a country at night after many others is held until an admin approves it', async () => {
		await save({ allowedCountries: ['DE', 'AT'], brake: { from: '20:00', to: '07:00', callsPerHour: 2 } })
		now = new Date('2026-11-24T21:00:00.000Z')
		await called(guest, '+4930123401')
		expect(await called(guest, '+4312345601')).toMatchObject({ status: 202 })
		await save({ allowedCountries: ['DE', 'AT', 'FR'] })
		expect(await refusedBoth(guest, '+33123456701')).toMatchObject({ rule: { id: 'brake' }, fixableBy: 'admin' })
		expect(await demo.request('PUT', '/admin/users/guest', { approvedCountries: ['FR'] })).toMatchObject({ status: 200, body: { approvedCountries: ['FR'] } })
		expect(await called(guest, '+33123456701')).toMatchObject({ status: 202 })
	})

	it('to more different numbers than a day allows is refused until midnight where the app is; numbers of today go on', async () => {
		await save({ maxDistinctPerDay: 2 })
		await called(guest, '+4930123401')
		await called(guest, '+4930123417')
		expect(await refusedBoth(guest, '+4930123421')).toMatchObject({ code: 'limit_reached', rule: { id: 'maxDistinctPerDay' }, untilAt: '2026-11-24T23:00:00.000Z' })
		expect(await called(guest, '+4930123417')).toMatchObject({ status: 202 })
		now = new Date('2026-11-24T23:00:00.000Z')
		expect(await called(guest, '+4930123421')).toMatchObject({ status: 202 })
	})

	it('spends money by the second, reserves what it may cost, and is refused where that is more than what is left', async () => {
		// Real time: the call stays up while others are asked for.
		await test.stop()
		test = await startTestApp({ freeSwitch: { speed: 1 }, overrides: { sweepMs: 50 } })
		demo = await test.prepare()
		guest = test.as('guest')
		await guest.request('PUT', '/me', DESK)
		await save({ rates: [{ prefix: '+49', perMinute: eur('60000') }], monthlySpendLimit: eur('5000000'), maxCallSec: 3600 })
		// An hour costs 3.60: one may be open, a second at the same time may not.
		await save({ maxConcurrentPerUser: 5 })
		const open = await demo.call('+4930123400')
		await demo.until(open.body.uuid, ({ status }) => status === 'connected')
		expect(await called(guest, '+4930123401')).toMatchObject({ status: 429, code: 'limit_reached', refusal: { rule: { id: 'monthlySpendLimit' } } })
		await demo.hangUp(open.body.uuid)
		await demo.untilEnded(open.body.uuid)
		expect(await called(guest, '+4930123417')).toMatchObject({ status: 202 })
		const [row] = await test.database.query<{ spent: string, reserved: string }>('select sum(cost_micros)::text as spent, sum(reserved_micros)::text as reserved from calls')
		expect(row?.reserved).toBe('7200000')
		expect(Number(row?.spent)).toBeLessThan(1_000_000)
	})
})

describe('a user who keeps trying what is not allowed', () => {
	it('is locked by the tenth attempt for a quarter of an hour, across a restart, and the admin is told', async () => {
		await demo.get('/me')
		for (let attempt = 1; attempt <= 9; attempt++) {
			expect(await called(guest, '+43 1 234567')).toMatchObject({ code: 'destination_not_allowed' })
			// What is mistyped is none of them.
			expect(await called(guest, 'hello')).toMatchObject({ code: 'invalid_number' })
		}
		expect((await guest.get('/me')).body.lock).toBeNull()
		await called(guest, '+43 1 234567')
		const until = new Date(now.getTime() + 15 * 60_000).toISOString()
		expect((await guest.get('/me')).body).toMatchObject({ lock: { until }, permissions: { call: true } })
		expect(await called(guest, '030 123401')).toMatchObject({ status: 403, code: 'account_locked', refusal: { rule: { id: 'lock' }, untilAt: until } })
		expect(await called(demo, '030 123401')).toMatchObject({ status: 202 })
		while (test.nextcloud.notifications('demo').length === 0) {
			await new Promise(setImmediate)
		}
		expect(test.nextcloud.notifications('demo')[0]).toMatchObject({ subject: 'Calling was locked for guest', object_type: 'lock' })

		await test.restart()
		const checks = await test.as('').get<Record<string, unknown>>('/setup_checks')
		expect(checks.body).toHaveProperty('locked_users')
		guest = test.as('guest')
		demo = test.as('demo')
		expect(await called(guest, '030 123401')).toMatchObject({ code: 'account_locked' })
		now = new Date(Date.parse(until))
		expect(await called(guest, '030 123401')).toMatchObject({ status: 202 })
	})

	it('is unlocked by an admin, who may also lock', async () => {
		expect(await demo.request('PUT', '/admin/users/guest', { lock: { until: '2027-01-01T00:00:00.000Z' } })).toMatchObject({ status: 200, body: { mayCall: false, lock: { by: 'admin' } } })
		expect(await called(guest, '030 123401')).toMatchObject({ code: 'account_locked', body: { detail: 'Your administrator has locked calling for your account.' } })
		expect(await demo.request('PUT', '/admin/users/guest', { lock: null })).toMatchObject({ status: 200, body: { mayCall: true, lock: null } })
		expect(await called(guest, '030 123401')).toMatchObject({ status: 202 })
	})
})

describe('an admin', () => {
	it('sees who may call, with phones, limits and usage, and pages through them', async () => {
		await called(guest, '030 123401')
		const { body } = await demo.get<{ items: { id: string }[], nextOffset: number | null }>('/admin/users?search=gue')
		expect(body).toMatchObject({ items: [{ id: 'guest', mayCall: true, permission: null, limits: {}, lock: null, devices: [{ address: '1001', verified: true }], usage: { callsToday: 1, calls30Days: 1, lastCallAt: now.toISOString() } }], nextOffset: null })
		const first = await demo.get<{ items: { id: string }[], nextOffset: number | null }>('/admin/users?limit=1')
		expect(first.body.items).toHaveLength(1)
		const second = await demo.get<{ items: { id: string }[] }>(`/admin/users?limit=1&offset=${first.body.nextOffset}`)
		expect(second.body.items[0]?.id).not.toBe(first.body.items[0]?.id)
		expect((await demo.get('/admin/users?search=nobodyhere')).body).toEqual({ items: [], nextOffset: null })
	})

	it('gives a user other rights and limits than everybody has', async () => {
		await save({ allowedGroups: ['admin'] })
		expect(await called(guest, '030 123401')).toMatchObject({ code: 'calling_not_permitted' })
		expect(await demo.request('PUT', '/admin/users/guest', { permission: true, limits: { callsPerMinute: 1, maxCallSec: 60 } })).toMatchObject({ status: 200, body: { mayCall: true, permission: true, limits: { callsPerMinute: 1, maxCallSec: 60 } } })
		expect(await called(guest, '030 123401')).toMatchObject({ status: 202 })
		expect(test.freeSwitch.commands.findLast(({ command }) => command.includes('originate'))?.command).toContain('sched_hangup +60 ')
		expect(await called(guest, '030 123401')).toMatchObject({ status: 429, code: 'rate_limited' })
		expect((await guest.get<{ limits: unknown[] }>('/me')).body.limits).toContainEqual({ kind: 'callsPerMinute', used: 1, max: 1, resetsAt: expect.any(String) as string })
		expect(await explained(guest, '030 123401')).toMatchObject({ allowed: false, refusal: { code: 'rate_limited', rule: { id: 'callsPerMinute' } } })
		// Explaining costs nothing.
		expect((await guest.get<{ limits: { kind: string, used?: number }[] }>('/me')).body.limits.find(({ kind }) => kind === 'callsPerHour')?.used).toBe(1)
	})

	it('is told how far each user’s calls of a day are used, by the limit that holds for that user', async () => {
		await save({ callsPerDay: 30 })
		expect(await called(guest, '030 123401')).toMatchObject({ status: 202 })
		expect(await called(guest, '030 123401')).toMatchObject({ status: 202 })
		await demo.request('PUT', '/admin/users/demo', { limits: { callsPerDay: 5 } })
		const { items } = (await demo.get<{ items: { id: string, limitToday: object }[] }>('/admin/users')).body
		expect(Object.fromEntries(items.map(({ id, limitToday }) => [id, limitToday]))).toMatchObject({ guest: { used: 2, max: 30 }, demo: { used: 0, max: 5 } })
		now = new Date(now.getTime() + 1000)
		expect(await demo.request('PUT', '/admin/users/guest', { limits: { callsPerDay: 1 } })).toMatchObject({ body: { limitToday: { used: 1, max: 1 } } })
	})

	it('locks with a reason, which only administrators and the user’s own export have, and which stands encrypted', async () => {
		const reason = 'Lost her phone in the tram'
		const lock = { until: '2026-11-24T12:00:00.000Z' }
		expect(await demo.request('PUT', '/admin/users/guest', { lock: { ...lock, reason: ` ${reason} ` } })).toMatchObject({ status: 200, body: { mayCall: false, lock: { ...lock, by: 'admin', reason } } })
		expect((await demo.get<{ items: object[] }>('/admin/users?search=guest')).body.items).toMatchObject([{ lock: { reason } }])
		expect((await guest.get('/me')).text).not.toContain('tram')
		expect(JSON.stringify((await called(guest, '030 123401')).body)).not.toContain('tram')
		expect((await guest.get<{ rule: object }>('/privacy/export')).body.rule).toMatchObject({ lock: { reason } })
		const audited = await demo.get<{ items: { detail: object }[] }>('/admin/audit-log?target=guest&action=user.changed')
		expect(audited.body.items[0]?.detail).toEqual({ lock: { old: null, new: { ...lock, by: 'admin' } } })
		expect(JSON.stringify(await test.database.query('select u::text, l::text from user_rules u, audit_log l'))).not.toContain('tram')
		// A later change of something else leaves it, a lock of another kind does not.
		expect(await demo.request('PUT', '/admin/users/guest', { approvedCountries: ['AT'] })).toMatchObject({ body: { lock: { reason } } })
		now = new Date('2026-11-24T13:00:00.000Z')
		await save({ lockAfterRefusals: { count: 1, windowMin: 10, lockMin: 15 } })
		expect((await called(guest, '+43 1 234567')).status).toBe(422)
		// Locked behind the refusal.
		await until(() => demo.get<{ items: { lock: { by: string } | null }[] }>('/admin/users?search=guest'), ({ body }) => body.items[0]?.lock?.by === 'refusals')
		expect((await demo.get<{ items: { lock: object }[] }>('/admin/users?search=guest')).body.items[0]?.lock).not.toHaveProperty('reason')
		for (const wrong of ['x'.repeat(501), 'a\u0000b']) {
			expect(await demo.request('PUT', '/admin/users/guest', { lock: { until: '2099-01-01T00:00:00.000Z', reason: wrong } })).toMatchObject({ status: 400, body: { errors: [{ field: 'lock.reason' }] } })
		}
	})

	it('tries settings that are not saved, as any user', async () => {
		const tried = await demo.request<ExplanationJson>('POST', '/admin/policy/explain', { policy: { allowedCountries: ['AT'] }, userId: 'guest', to: '030 123401' })
		expect(tried.body).toMatchObject({ allowed: false, refusal: { rule: { id: 'allowedCountries' } } })
		expect(await explained(guest, '030 123401')).toMatchObject({ allowed: true })
		expect(await demo.request('POST', '/admin/policy/explain', { policy: { allowedCountries: ['XX'] }, userId: 'guest', to: '1' })).toMatchObject({ status: 400 })
		expect(await demo.request('POST', '/admin/policy/explain', { policy: { cdrSecret: 'x'.repeat(20) }, userId: 'guest', to: '1' })).toMatchObject({ status: 400 })
	})

	it('gets numbers to try a policy on, of the home country or of one that is not saved', async () => {
		const kinds = async (query: string) => (await demo.get<{ kind: string, e164: string }[]>(`/admin/policy/samples${query}`)).body
		const saved = await kinds('')
		expect(saved).toEqual([{ kind: 'mobile', e164: expect.stringMatching(/^\+491[567]/) }, { kind: 'foreign', e164: '+12025550123' }, { kind: 'premium', e164: expect.stringMatching(/^\+49900/) }])
		expect(await kinds('?homeCountry=AT')).toMatchObject([{ e164: expect.stringMatching(/^\+436/) }, {}, { e164: expect.stringMatching(/^\+439/) }])
		expect(await kinds('?homeCountry=')).toEqual([{ kind: 'foreign', e164: '+12025550123' }])
		const verdicts = await Promise.all(saved.map(async ({ e164 }) => (await demo.request<ExplanationJson>('POST', '/admin/policy/explain', { userId: 'guest', to: e164 })).body.refusal?.rule?.id))
		expect(verdicts).toEqual([undefined, 'allowedCountries', 'allowedTypes'])
		expect(await demo.get('/admin/policy/samples?homeCountry=de')).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
	})

	it('is told of a user who is not there, and of faults by field', async () => {
		expect(await demo.request('PUT', '/admin/users/nobody', { permission: true })).toMatchObject({ status: 404, body: { code: 'not_found' } })
		expect(await demo.request('PUT', '/admin/users/guest', { limits: { callsPerMinute: 0 }, approvedCountries: ['de'] })).toMatchObject({ status: 400, body: { errors: [{ field: 'limits.callsPerMinute' }, { field: 'approvedCountries.0' }] } })
	})
})

describe('a transfer', () => {
	const TWO_LINES = { maxConcurrentPerUser: 10, maxConcurrent: 20 }

	async function startRealTime(settings: Record<string, unknown>): Promise<void> {
		await test.stop()
		test = await startTestApp({ freeSwitch: { speed: 1 }, overrides: { sweepMs: 50, settleMs: 0 } })
		demo = await test.prepare({ ...TWO_LINES, ...settings })
		guest = test.as('guest')
		await guest.request('PUT', '/me', DESK)
	}

	async function talking(number = '+4930123400'): Promise<string> {
		const { body } = await guest.call(number)
		await guest.until(body.uuid, ({ status }) => status === 'connected')
		return body.uuid
	}

	const transfer = (uuid: string, to: string) => guest.request<ProblemJson>('POST', `/call/${uuid}/transfer`, { to })

	it('of several at the same moment passes no limit on money', async () => {
		await startRealTime({ rates: [{ prefix: '+49', perMinute: eur('60000') }], dailySpendLimit: eur('18000000'), maxCallSec: 3600 })
		// An hour costs 3.60: four calls hold 14.40, so that one more hour is left.
		const calls = [await talking(), await talking(), await talking(), await talking()]
		const answers = await Promise.all(calls.map((uuid) => transfer(uuid, '+4930555000')))
		expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 429, 429, 429])
		const [row] = await test.database.query<{ spent: string }>(`select ((select coalesce(sum(coalesce(cost_micros, reserved_micros)), 0) from calls)
			+ (select coalesce(sum(reserved_micros), 0) from transfers))::text as spent`)
		expect(Number(row?.spent)).toBeLessThanOrEqual(18_000_000)
	})

	it('counts among the different numbers of a day', async () => {
		await startRealTime({ maxDistinctPerDay: 2 })
		expect((await transfer(await talking(), '+4930555001')).status).toBe(202)
		const refusedOne = await transfer(await talking(), '+4930555002')
		expect(refusedOne).toMatchObject({ status: 429, body: { code: 'limit_reached' } })
		expect(await called(guest, '+4930555003')).toMatchObject({ status: 429 })
	})

	it('to where it is not allowed locks like a call', async () => {
		await startRealTime({ lockAfterRefusals: { count: 3, windowMin: 10, lockMin: 15 } })
		const uuid = await talking()
		for (let attempt = 0; attempt < 3; attempt++) {
			expect(await transfer(uuid, '+4312345678')).toMatchObject({ status: 422, body: { code: 'destination_not_allowed' } })
		}
		expect((await guest.get<{ lock: unknown }>('/me')).body.lock).not.toBeNull()
		expect(await transfer(uuid, '+4930555001')).toMatchObject({ status: 403, body: { code: 'account_locked' } })
	})
})

describe('money', () => {
	it('is also what the user’s own phone costs, and needs a rate for it', async () => {
		await save({ deviceVerification: { phone: 'none', sip: 'none' }, rates: [{ prefix: '+4930', perMinute: eur('60000') }], dailySpendLimit: eur('100000000'), maxCallSec: 60, answerTimeoutSec: 60 })
		await guest.request('PUT', '/me', { devices: [{ kind: 'phone', label: 'Mobile', address: '+491711234567' }] })
		expect(await refusedBoth(guest, '+4930123401')).toMatchObject({ rule: { id: 'rates' } })
		await save({ rates: [{ prefix: '+49', perMinute: eur('60000') }] })
		expect(await called(guest, '+4930123401')).toMatchObject({ status: 202 })
		const [row] = await test.database.query<{ reserved: string }>('select reserved_micros::text as reserved from calls order by created_at desc limit 1')
		// A minute for the destination; for the own phone also the time in which the destination rings.
		expect(row?.reserved).toBe('180000')
	})
})

describe('a key', () => {
	it('of a call that was deleted dials nothing again', async () => {
		const key = 'click-1'
		expect(await called(guest, '+4930123401', { key })).toMatchObject({ status: 202 })
		await test.database.query('delete from calls')
		const before = test.freeSwitch.originates.length
		expect(await called(guest, '+4930123401', { key })).toMatchObject({ status: 410, code: 'call_erased' })
		expect(test.freeSwitch.originates.length).toBe(before)
	})
})

describe('an admin who changes one thing of a user', () => {
	it('leaves the others, and finds the user by any spelling of the id', async () => {
		expect(await demo.request('PUT', '/admin/users/GUEST', { lock: { until: '2027-01-01T00:00:00.000Z' } })).toMatchObject({ status: 200, body: { id: 'guest', lock: { by: 'admin' } } })
		expect(await demo.request('PUT', '/admin/users/guest', { limits: { callsPerDay: 5 } })).toMatchObject({ status: 200, body: { lock: { by: 'admin' }, limits: { callsPerDay: 5 } } })
		expect(await called(guest, '+4930123401')).toMatchObject({ code: 'account_locked' })
		expect(await demo.request('PUT', '/admin/users/guest', { lock: { until: '0000-01-01T00:00:00.000Z' } })).toMatchObject({ status: 400 })
	})
})
