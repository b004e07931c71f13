// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the overview says of figures; that the figures are right is asked of the server.

import type { Metrics } from '../../../src/services/admin-api.ts'

import { describe, expect, it } from 'vitest'
import { chartsOf, csvOf } from '../../../src/services/metrics-charts.ts'
import { comparisonWords, sumWords, userNames } from '../../../src/services/metrics-words.ts'
import { queryOf, rangeFault } from '../../../src/services/overview-range.ts'

const NOTHING = { calls: 0, outcomes: { completed: 0, busy: 0, no_answer: 0, rejected: 0, cancelled: 0, failed: 0, blocked: 0 }, dialled: 0, answered: 0, answerRate: null, talkSec: 0, cost: [], pendingCost: [], unpriced: 0 }
const eur = (micros: string) => ({ micros, currency: 'EUR' })

function metrics({ before = 0, calls = 0, ...totals }: Partial<Omit<Metrics['totals'], 'before'>> & { before?: number } = {}, days: Partial<Metrics['perDay'][number]>[] = []): Metrics {
	return {
		from: '2026-04-01T00:00:00.000Z',
		to: '2026-04-03T00:00:00.000Z',
		timeZone: 'UTC',
		statistics: 'pseudonymous',
		totals: { ...NOTHING, calls, ...totals, before: { ...NOTHING, calls: before } },
		perDay: ['2026-04-01', '2026-04-02'].map((day, index) => ({ day, ...NOTHING, answerRateMean: null, ...days[index] })),
		perUser: [],
		live: [],
		hasCalled: true,
		health: [],
	}
}

describe('a comparison with before', () => {
	it.each([
		[120, 100, '20% more than the 2 days before'],
		[50, 100, '50% fewer than the 2 days before'],
		[1001, 1000, 'as many as the 2 days before'],
		[0, 4, '100% fewer than the 2 days before'],
		[5, 0, ''],
	])('of %i calls to %i is “%s”', (calls, before, words) => {
		expect(comparisonWords(metrics({ calls, before }))).toBe(words)
	})
})

describe('the charts', () => {
	it('are none when nobody has called', () => {
		expect(chartsOf(metrics())).toEqual([])
	})

	it('have the same in picture, table and file, with nothing rounded away in the file', () => {
		const charts = chartsOf(metrics({ calls: 3, answered: 2, talkSec: 4000, cost: [eur('9007199254740993')], pendingCost: [eur('70'), { micros: '1500000', currency: 'CHF' }] }, [
			{ talkSec: 4000, cost: [eur('9007199254740993')], pendingCost: [eur('70')], answerRateMean: 2 / 3 },
			{ pendingCost: [{ micros: '1500000', currency: 'CHF' }] },
		]))
		expect(charts.map(({ id }) => id)).toEqual(['calls', 'talk-time', 'cost-CHF', 'cost-EUR', 'answer-rate'])
		expect(csvOf(charts[3] as never)).toBe('day,Spent,"Pending, at most"\r\n2026-04-01,9007199254.740993,0.00007\r\n2026-04-02,0.00,0.00\r\n')
		expect(csvOf(charts[2] as never)).toBe('day,Spent,"Pending, at most"\r\n2026-04-01,0.00,0.00\r\n2026-04-02,0.00,1.50\r\n')
		expect(charts[1]).toMatchObject({ finding: '1 h 6 min talked, 33 min 20 s a call', series: [{ values: [4000 / 60, 0], cells: ['1 h 6 min', '0 s'], raw: ['4000', '0'] }] })
		expect(charts[4]).toMatchObject({ series: [{ values: [2 / 3, null], cells: ['67%', 'Too few calls'], raw: ['0.6667', ''] }] })
	})

	it('put outcomes together as people think of them, and none is lost', () => {
		const outcomes = { completed: 1, busy: 2, no_answer: 4, rejected: 8, cancelled: 16, failed: 32, blocked: 64 }
		const [calls] = chartsOf(metrics({ calls: 127, answerRate: 0.5 }, [{ outcomes }]))
		expect(calls?.series.map(({ values }) => values[0])).toEqual([1, 14, 16, 32, 64])
		expect(calls?.finding).toBe('127 calls, 50% answered')
	})
})

describe('words', () => {
	it('are as exact for a sum as it matters', () => {
		expect(['108064798', '1000000', '999999', '123400', '70'].map((micros) => sumWords(eur(micros)))).toEqual(['€108.06', '€1.00', '€1.00', '€0.1234', '€0.0001'])
	})

	it('for users are as long as they must be to tell them apart, or the name', () => {
		const user = (ref: string, displayName?: string) => ({ user: { ref, ...(displayName === undefined ? {} : { displayName }) }, calls: 1, answered: 0, talkSec: 0, cost: [] })
		const nameOf = userNames({ ...metrics(), perUser: [user('4f2a00'), user('4f2b00')] })
		expect([nameOf({ ref: '4f2a00' }), nameOf({ ref: '4f2b00' })]).toEqual(['user 4f2a', 'user 4f2b'])
		expect(userNames({ ...metrics(), perUser: [user('4f2a00'), user('4f2a10')] })({ ref: '4f2a10' })).toBe('user 4f2a1')
		expect(nameOf({ ref: '4f2a00', displayName: 'Anna' })).toBe('Anna')
	})
})

describe('days of one’s own', () => {
	const own = (from: string, to: string) => ({ kind: 'own', from, to }) as const

	it.each([
		['', '2026-04-01', 'incomplete'],
		['0026-04-01', '2026-04-01', 'incomplete'],
		['2026-04-02', '2026-04-01', 'backwards'],
		['2026-04-01', '2026-04-01', undefined],
		['2025-04-01', '2026-04-01', undefined],
		['2025-03-31', '2026-04-01', 'too_long'],
	])('from “%s” to “%s”: %s', (from, to, fault) => {
		expect(rangeFault(own(from, to))).toBe(fault)
		expect(queryOf(own(from, to), 'UTC', 0)).toEqual(fault === undefined ? { from, to } : undefined)
	})

	it('are not asked for where the last days are wanted', () => {
		expect(queryOf({ kind: '7', from: '', to: '' }, undefined, 0)).toEqual({})
		// Half past midnight in Berlin, and 90 days over a change of clocks.
		expect(queryOf({ kind: '90', from: '', to: '' }, 'Europe/Berlin', Date.parse('2026-04-01T22:30:00Z'))).toEqual({ from: '2026-01-03', to: '2026-04-02' })
	})
})
