// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Figures of calls, counted by PostgreSQL and compared with calls that are known one by one.

import type { MetricsJson } from '../../../lib/http/routes/metrics.ts'
import type { CallJson } from '../../../lib/http/schemas.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'
import { until } from '../../support/until.ts'

const NONE = { completed: 0, busy: 0, no_answer: 0, rejected: 0, cancelled: 0, failed: 0, blocked: 0 }
const NOW = new Date('2026-04-02T10:00:00.000Z')
const eur = (micros: string) => ({ micros, currency: 'EUR' })
const gbp = (micros: string) => ({ micros, currency: 'GBP' })

interface Given {
	at: string
	outcome: keyof typeof NONE
	user?: string
	/** Milliseconds; then the destination answered. */
	talkMs?: number
	/** The user never picked up. */
	isUndialled?: true
	cost?: { micros: string, currency: string }
	/** What the phone company says of it. */
	carrier?: { state: string, cost?: { micros: string, currency: string } }
	/** Was handed over: the cost is what was reserved. */
	transfer?: true
}

let test: TestApp
let demo: ApiClient
let now: Date

beforeEach(async () => {
	now = NOW
	test = await startTestApp({ overrides: { clock: { now: () => now }, retentionMs: 20, sweepMs: 50 } })
	demo = await test.prepare({ timeZone: 'Europe/Berlin', retention: { callsDays: 3000, maskAfterDays: 3000, auditDays: 730 } })
})

afterEach(() => test.stop())

/** Calls as they stand in the books when they have ended. */
async function given(...calls: Given[]): Promise<void> {
	const values = calls.map(({ at, outcome, user = 'demo', talkMs, isUndialled, cost, carrier, transfer }) => {
		const text = (value: string | number | undefined) => value === undefined ? 'null' : `'${value}'`
		return `(gen_random_uuid(), 5, '${user}', 'x', 'x', 'x', gen_random_uuid(), 'x', 'outbound', 'ended', '${outcome}', '${at}', '${at}', '${at}', ${text(isUndialled ? undefined : at)}, ${text(talkMs === undefined ? undefined : at)},
			${text(talkMs)}, false, '[]', gen_random_uuid(), 'FR', ${text(cost?.currency)}, ${text(cost?.micros)}, ${cost === undefined ? 'null' : `${cost.micros}::bigint * ${transfer ? 1 : 2}`}, ${text(transfer ? 'done' : undefined)}, ${text(carrier === undefined ? undefined : JSON.stringify({ looks: 1, ...carrier }))})`
	})
	await test.database.query(`insert into calls (uuid, version, user_id, to_number, to_index, raw_to, device_id, device_label, direction, status, outcome, created_at, ended_at, changed_at, user_answered_at, answered_at,
		talk_ms, on_hold, legs, job_uuid, country, currency, cost_micros, reserved_micros, transfer, carrier_cost) values ${values.join(', ')}`)
}

async function metrics(query = 'from=2026-03-27&to=2026-04-02'): Promise<MetricsJson> {
	const { status, body, text } = await demo.get<MetricsJson>(`/admin/metrics?${query}`)
	expect([status, text]).toEqual([200, expect.any(String)])
	return body
}

function untilFigures(condition: (body: MetricsJson) => boolean, query?: string): Promise<MetricsJson> {
	return until(() => metrics(query), condition)
}

const busyDays = ({ perDay }: MetricsJson) => Object.fromEntries(perDay.filter(({ calls }) => calls > 0).map(({ day, calls }) => [day, calls]))

/** Without what is told of this very moment. */
const figures = ({ totals, perDay }: MetricsJson) => ({ totals, perDay })

describe('the metrics', () => {
	it('are zeros for each day of a time without calls, the seven days up to today where none is named', async () => {
		const { totals, perDay, perUser, live, from, to, timeZone, statistics, health, hasCalled } = await metrics('')
		const nothing = { calls: 0, outcomes: NONE, dialled: 0, answered: 0, answerRate: null, talkSec: 0, cost: [], pendingCost: [], unpriced: 0 }
		expect(totals).toEqual({ ...nothing, before: nothing })
		expect(perDay).toEqual(['2026-03-27', '2026-03-28', '2026-03-29', '2026-03-30', '2026-03-31', '2026-04-01', '2026-04-02'].map((day) => ({ day, ...nothing, answerRateMean: null })))
		expect({ perUser, live, from, to, timeZone, statistics }).toEqual({ perUser: [], live: [], from: '2026-03-26T23:00:00.000Z', to: '2026-04-02T22:00:00.000Z', timeZone: 'Europe/Berlin', statistics: 'pseudonymous' })
		expect(hasCalled).toBe(false)
		expect(health.find(({ id }) => id === 'freeswitch')).toMatchObject({ state: 'ok' })
	})

	it('count every outcome, who answered, how long was talked, and what it has cost, each currency apart', async () => {
		await given(
			{ at: '2026-04-01T08:00:00Z', outcome: 'completed', talkMs: 60_400, cost: eur('20001') },
			{ at: '2026-04-01T08:01:00Z', outcome: 'completed', talkMs: 30_400, cost: eur('9007199254740993') },
			{ at: '2026-04-01T08:02:00Z', outcome: 'completed', talkMs: 1_000, cost: gbp('5') },
			{ at: '2026-04-01T08:03:00Z', outcome: 'completed', talkMs: 1_000 },
			{ at: '2026-04-01T08:04:00Z', outcome: 'failed', talkMs: 2_000, cost: eur('7') },
			{ at: '2026-04-01T08:05:00Z', outcome: 'completed', talkMs: 3_000, cost: eur('500'), transfer: true },
			{ at: '2026-04-01T08:06:00Z', outcome: 'busy', cost: eur('0') },
			{ at: '2026-04-01T08:07:00Z', outcome: 'no_answer', cost: eur('0') },
			{ at: '2026-04-01T08:08:00Z', outcome: 'no_answer', isUndialled: true },
			{ at: '2026-04-01T08:09:00Z', outcome: 'rejected' },
			{ at: '2026-04-01T08:10:00Z', outcome: 'cancelled', isUndialled: true },
			{ at: '2026-04-01T08:11:00Z', outcome: 'failed', isUndialled: true },
			{ at: '2026-04-01T08:12:00Z', outcome: 'blocked' },
		)
		const { totals, perDay, hasCalled } = await metrics()
		expect(hasCalled).toBe(true)
		const { before, ...own } = totals
		expect(own).toEqual({
			calls: 13,
			outcomes: { completed: 5, busy: 1, no_answer: 2, rejected: 1, cancelled: 1, failed: 2, blocked: 1 },
			dialled: 10,
			answered: 6,
			answerRate: 0.6,
			talkSec: 98,
			cost: [eur('9007199254761001'), gbp('5')],
			pendingCost: [eur('500')],
			unpriced: 1,
		})
		expect(before.calls).toBe(0)
		expect(perDay.find(({ day }) => day === '2026-04-01')).toEqual({ day: '2026-04-01', ...own, answerRateMean: 0.6 })
	})

	it('add up what the phone company says in its own currency, and hold nothing for paid that it has not said, also once calls are deleted', async () => {
		await given(
			{ at: '2026-04-01T08:00:00Z', outcome: 'completed', talkMs: 1_000, cost: eur('20'), carrier: { state: 'final', cost: gbp('3') } },
			{ at: '2026-04-01T08:01:00Z', outcome: 'completed', talkMs: 1_000, carrier: { state: 'final', cost: gbp('4') } },
			{ at: '2026-04-01T08:02:00Z', outcome: 'completed', talkMs: 1_000, cost: eur('500'), carrier: { state: 'pending' } },
			{ at: '2026-04-01T08:03:00Z', outcome: 'completed', talkMs: 1_000, cost: eur('7000'), carrier: { state: 'unknown' } },
		)
		const { totals, perUser } = await metrics()
		expect(totals).toMatchObject({ cost: [gbp('7')], pendingCost: [eur('7500')], unpriced: 0 })
		expect(perUser).toMatchObject([{ cost: [gbp('7')] }])
		await test.database.query('delete from calls')
		expect((await metrics()).totals).toEqual(totals)
	})

	it('begin and end days by the clocks of the settings’ time zone, also when those change', async () => {
		// Summer time begins at 2026-03-29T01:00:00Z: that day has 23 hours.
		const calls = ['2026-03-28T22:59:59.999Z', '2026-03-28T23:00:00Z', '2026-03-29T00:59:59.999Z', '2026-03-29T01:00:00Z', '2026-03-29T21:59:59.999Z', '2026-03-29T22:00:00Z', '2026-03-30T21:59:59.999Z']
		await given(...calls.map((at) => ({ at, outcome: 'completed' as const, talkMs: 1000 })))
		expect(busyDays(await metrics())).toEqual({ '2026-03-28': 1, '2026-03-29': 4, '2026-03-30': 2 })
		expect(await metrics('from=2026-03-29&to=2026-03-29')).toMatchObject({ from: '2026-03-28T23:00:00.000Z', to: '2026-03-29T22:00:00.000Z', totals: { calls: 4, before: { calls: 1 } } })
		// A moment stands for the day that it is in; where a range ends is not within it.
		expect(busyDays(await metrics('from=2026-03-29T09:00:00.000Z&to=2026-03-29T22:00:00.000Z'))).toEqual({ '2026-03-29': 4 })
		expect(busyDays(await metrics('from=2026-03-29T23:30:00%2B02:00&to=2026-03-29T22:00:00.001Z'))).toEqual({ '2026-03-29': 4, '2026-03-30': 2 })
		await demo.request('POST', '/admin/config', { timeZone: 'Asia/Kathmandu' })
		expect(busyDays(await metrics())).toEqual({ '2026-03-29': 4, '2026-03-30': 2, '2026-03-31': 1 })
		expect((await metrics('from=2026-03-29&to=2026-03-29')).from).toBe('2026-03-28T18:15:00.000Z')
	})

	it('know the equally long time before, and the answer rate of the seven days up to each day', async () => {
		const day = (at: string, answered: number, other: number) => [
			...Array.from({ length: answered }, () => ({ at: `${at}T12:00:00Z`, outcome: 'completed' as const, talkMs: 1000 })),
			...Array.from({ length: other }, () => ({ at: `${at}T12:00:00Z`, outcome: 'busy' as const })),
			{ at: `${at}T12:00:00Z`, outcome: 'no_answer' as const, isUndialled: true as const },
		]
		await given(...day('2026-03-24', 3, 0), ...day('2026-03-26', 1, 1), ...day('2026-03-31', 0, 2), ...day('2026-04-02', 5, 0))
		const three = await metrics('from=2026-03-31&to=2026-04-02')
		// 03-25 … 03-31: four dialled are too few. Up to 04-01: 03-26 … 04-01 are four as well; 03-27 … 04-02: 5 of 7.
		expect(three.perDay.map(({ answerRate, answerRateMean }) => [answerRate, answerRateMean])).toEqual([[0, null], [null, null], [1, 5 / 7]])
		expect(three.totals).toMatchObject({ calls: 9, before: { calls: 0 } })
		// 03-24 … 03-30 and 03-20 … 03-26 have five each: 4 of 5.
		expect((await metrics('from=2026-03-26&to=2026-03-31')).perDay.map(({ answerRateMean }) => answerRateMean)).toEqual([4 / 5, 4 / 5, 4 / 5, 4 / 5, 4 / 5, null])
		expect((await metrics()).totals).toMatchObject({ calls: 9, before: { calls: 7, answered: 4 } })
	})

	it('tell users apart without naming them, and name them where the settings say so', async () => {
		await given(
			{ at: '2026-04-01T08:00:00Z', outcome: 'completed', talkMs: 5_000, cost: eur('20') },
			{ at: '2026-04-01T08:00:00Z', outcome: 'completed', talkMs: 5_000, cost: gbp('3') },
			{ at: '2026-04-01T08:00:00Z', outcome: 'busy', user: 'guest' },
			{ at: '2026-04-01T08:00:00Z', outcome: 'busy', user: 'gone' },
			{ at: '2026-04-01T08:00:00Z', outcome: 'completed', talkMs: 9_000, user: 'gone' },
			{ at: '2026-03-20T08:00:00Z', outcome: 'busy', user: 'guest' },
		)
		const first = await metrics()
		const ref = { ref: expect.stringMatching(/^[0-9a-f]{32}$/) as string }
		expect(first.perUser).toEqual([
			{ user: ref, calls: 2, answered: 2, talkSec: 10, cost: [eur('20'), gbp('3')] },
			{ user: ref, calls: 2, answered: 1, talkSec: 9, cost: [] },
			{ user: ref, calls: 1, answered: 0, talkSec: 0, cost: [] },
		])
		expect(new Set(first.perUser.map(({ user }) => user?.ref)).size).toBe(3)
		// As the audit log calls the same person.
		const { items } = (await demo.get<{ items: { actor: { id?: string, ref: string } }[] }>('/admin/audit-log')).body
		expect(items.find(({ actor }) => actor.id === 'demo')?.actor.ref).toBe(first.perUser[0]?.user?.ref)
		expect(JSON.stringify({ ...first, health: [] })).not.toMatch(/demo|guest|gone/)

		await demo.request('POST', '/admin/config', { statistics: 'named' })
		const named = await metrics()
		expect(named.statistics).toBe('named')
		expect(named.perUser.map(({ user }) => user)).toEqual([
			{ ...first.perUser[0]?.user, id: 'demo', displayName: 'Demo user' },
			{ ...first.perUser[1]?.user, id: 'gone', displayName: 'gone' },
			{ ...first.perUser[2]?.user, id: 'guest', displayName: 'Guest' },
		])
		expect((await demo.get<{ items: object[] }>('/admin/audit-log?action=settings.changed&limit=1')).body.items).toMatchObject([{ actor: { id: 'demo' }, detail: { changes: [{ key: 'statistics', old: 'pseudonymous', new: 'named' }] } }])
		await demo.request('POST', '/admin/config', { statistics: 'pseudonymous' })
		expect(figures(await metrics())).toEqual(figures(first))
	})

	it('put together whoever is not among the hundred who called most', async () => {
		await given(...Array.from({ length: 103 }, (_, index) => ({ at: '2026-04-01T08:00:00Z', outcome: 'completed' as const, talkMs: 1000, user: `user${index}`, cost: eur('2') })), { at: '2026-04-01T08:00:00Z', outcome: 'busy', user: 'user7' })
		const { perUser } = await metrics()
		expect(perUser).toHaveLength(101)
		expect(perUser[0]).toMatchObject({ calls: 2, answered: 1 })
		expect(perUser.at(-1)).toEqual({ calls: 3, answered: 3, talkSec: 3, cost: [eur('6')] })
	})

	it('keep their sums when calls are deleted after their time, or with all data of a user, but no user', async () => {
		await given(
			{ at: '2026-03-28T22:59:59.999Z', outcome: 'completed', talkMs: 5_000, cost: eur('20') },
			{ at: '2026-03-28T23:00:00Z', outcome: 'completed', talkMs: 6_000, cost: eur('500'), transfer: true },
			{ at: '2026-03-29T21:59:59.999Z', outcome: 'busy', user: 'guest' },
			{ at: '2026-03-30T08:00:00Z', outcome: 'no_answer', isUndialled: true, user: 'guest' },
			{ at: '2026-04-01T08:00:00Z', outcome: 'completed', talkMs: 9_000, user: 'guest', cost: gbp('3') },
		)
		const before = await metrics()
		await test.database.query('insert into transfers (call_uuid, user_id, to_index, created_at, reserved_micros, currency) select uuid, user_id, \'x\', created_at, 70, currency from calls where transfer is not null')
		const full = await metrics()
		expect(full.totals.pendingCost).toEqual([eur('570')])
		expect(before.totals.pendingCost).toEqual([eur('500')])
		// Three days and more after their end nothing is kept, in two steps.
		for (const callsDays of [4, 3]) {
			await demo.request('POST', '/admin/config', { retention: { callsDays, maskAfterDays: callsDays, auditDays: 730 } })
			await untilFigures(({ perUser }) => perUser.some(({ user }) => user === undefined))
			expect(figures(await metrics())).toEqual(figures(full))
		}
		const rest = await untilFigures(({ perUser }) => perUser.at(-1)?.calls === 4)
		expect(rest.perUser).toEqual([{ user: expect.any(Object) as object, calls: 1, answered: 1, talkSec: 9, cost: [gbp('3')] }, { calls: 4, answered: 2, talkSec: 11, cost: [eur('20')] }])
		test.nextcloud.exAppUrl = test.url
		await test.nextcloud.disable()
		await test.nextcloud.enable()
		expect((await test.nextcloud.occ('sipcall:user:purge', ['guest'], { yes: true })).output).toMatch(/^Deleted/)
		expect(figures(await metrics())).toEqual(figures(full))
		expect((await metrics()).perUser).toEqual([{ calls: 5, answered: 3, talkSec: 20, cost: [eur('20'), gbp('3')] }])
		expect(JSON.stringify(await test.database.query('select * from call_sums'))).not.toMatch(/demo|guest|FR/)
	})

	it('count a deleted call by UTC where PostgreSQL does not know the time zone', async () => {
		await given({ at: '2026-03-28T23:30:00Z', outcome: 'busy' })
		// Node would refuse it as well, where it heard of it.
		await test.database.query('alter table settings disable trigger settings_tell; update settings set value = \'"Mars/Olympus_Mons"\' where key = \'timeZone\'; delete from calls')
		expect(busyDays(await metrics())).toEqual({ '2026-03-28': 1 })
	})

	it('show live calls with the country at most, count their money as pending, and count them when they have ended', async () => {
		await demo.request('POST', '/admin/config', { rates: [{ prefix: '+49', perMinute: eur('60000') }], maxCallSec: 600 })
		const { body } = await demo.call('+4930123400')
		await demo.until(body.uuid, ({ status }) => status === 'connected')
		const { live, totals, perDay } = await metrics()
		expect(live).toEqual([{ uuid: body.uuid, version: expect.any(Number) as number, user: { ref: expect.any(String) as string }, country: 'DE', status: 'connected', createdAt: NOW.toISOString(), answeredAt: expect.any(String) as string }])
		expect(totals).toMatchObject({ calls: 0, cost: [], pendingCost: [eur('600000')] })
		expect(perDay.at(-1)?.pendingCost).toEqual([eur('600000')])
		expect((await demo.request('DELETE', `/admin/call/${body.uuid}`)).status).toBe(202)
		await demo.untilEnded(body.uuid)
		expect(await metrics()).toMatchObject({ live: [], totals: { calls: 1, answered: 1, pendingCost: [], outcomes: { completed: 1 } } })
		expect(JSON.stringify(await metrics())).not.toContain('30123400')
	})

	it('agree with what the history says of calls that the switch has put through', async () => {
		await demo.request('POST', '/admin/config', { rates: [{ prefix: '+49', perMinute: eur('60000'), perCall: eur('1000') }] })
		const calls: CallJson[] = []
		for (const number of ['+4930123400', '+4930123401', '+4930123417', '+4930123418', '+4930123421']) {
			calls.push(await demo.untilEnded((await demo.call(number)).body.uuid))
		}
		const { totals, perUser } = await metrics()
		for (const [outcome, count] of Object.entries(totals.outcomes)) {
			expect([outcome, count]).toEqual([outcome, calls.filter((call) => call.outcome === outcome).length])
		}
		const answered = calls.filter(({ answeredAt }) => answeredAt !== undefined)
		expect(totals).toMatchObject({ calls: 5, answered: answered.length, dialled: calls.filter(({ userAnsweredAt }) => userAnsweredAt !== undefined).length })
		expect(perUser).toMatchObject([{ calls: 5, answered: answered.length, cost: totals.cost }])
		const [{ sum } = { sum: '' }] = await test.database.query<{ sum: string }>('select sum(cost_micros)::text as sum from calls')
		expect(totals.cost).toEqual([eur(sum)])
	})

	it('keep the currency of a call that was masked', async () => {
		await demo.request('POST', '/admin/config', { rates: [{ prefix: '+49', perMinute: eur('60000'), perCall: eur('1000') }], retention: { callsDays: 3000, maskAfterDays: 0, auditDays: 730 } })
		const { body } = await demo.call('+4930123401')
		const call = await demo.untilEnded(body.uuid)
		for (let masked = false; !masked;) {
			masked = (await demo.get<{ masked?: boolean }>(`/call-status/${call.uuid}`)).body.masked === true
		}
		const { totals } = await metrics()
		expect(totals).toMatchObject({ calls: 1, unpriced: 0, cost: [{ currency: 'EUR' }] })
	})

	it('are refused for a range that is backwards, too long, or none', async () => {
		const refused = async (query: string, field: string, message: RegExp) => {
			expect(await demo.get(`/admin/metrics?${query}`)).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ field, message: expect.stringMatching(message) as string }] } })
		}
		await refused('from=2026-04-03', 'from', /is after/)
		await refused('from=2026-04-01&to=2026-03-31', 'from', /is after/)
		await refused('from=2025-04-01&to=2026-04-02', 'from', /These are 367 days, and at most 366/)
		await refused('from=yesterday', 'from', /Give a day such as/)
		await refused('to=2026-02-30', 'to', /Give a day such as/)
		await refused('from=0001-01-01', 'from', /years/)
		expect((await metrics('from=2025-04-02&to=2026-04-02')).perDay).toHaveLength(366)
		expect((await metrics('from=2026-04-02&to=2026-04-20')).perDay).toHaveLength(19)
	})

	it('give references to callers of before who have none, when the sidecar starts', async () => {
		await given({ at: '2026-04-01T08:00:00Z', outcome: 'busy', user: 'guest' })
		await test.database.query('delete from audit_subjects where user_id = \'guest\'')
		expect((await metrics()).perUser).toMatchObject([{ user: { ref: '' } }])
		await test.restart()
		demo = test.as('demo')
		expect((await metrics()).perUser).toMatchObject([{ user: { ref: expect.stringMatching(/^[0-9a-f]{32}$/) as string } }])
	})
})
