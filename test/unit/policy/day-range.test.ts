// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addDays, dayAt, dayRange, daysBetween } from '../../../lib/policy/day-range.ts'

const day = fc.date({ min: new Date('1990-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10))
const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'Africa/Cairo', 'Asia/Kathmandu', 'Pacific/Chatham', 'Pacific/Apia')

describe('a range of days', () => {
	it('has each day of it once, in order, across months, leap days and years', () => {
		expect(dayRange('2028-02-27', '2028-03-01', 'UTC').days).toEqual(['2028-02-27', '2028-02-28', '2028-02-29', '2028-03-01'])
		expect(dayRange('2025-12-31', '2026-01-01', 'UTC').days).toEqual(['2025-12-31', '2026-01-01'])
		fc.assert(fc.property(day, fc.integer({ min: 0, max: 800 }), (first, count) => {
			const last = addDays(first, count)
			expect(daysBetween(first, last)).toBe(count)
			expect(addDays(last, -count)).toBe(first)
			const { days } = dayRange(first, last, 'UTC')
			expect(days).toHaveLength(count + 1)
			expect(days).toEqual(days.toSorted())
		}), { numRuns: 50 })
	})

	it('begins each day when the clocks of the zone do, so that every moment of it is in the day that they show', () => {
		fc.assert(fc.property(day, zone, fc.nat(), (first, timeZone, at) => {
			const { days, starts, from, to } = dayRange(first, addDays(first, 6), timeZone)
			const moment = new Date(from.getTime() + at % (to.getTime() - from.getTime()))
			const index = starts.findLastIndex((start) => start <= moment)
			expect(days[index]).toBe(dayAt(moment, timeZone))
		}), { numRuns: 300 })
	})

	it('has 23 and 25 hours on the days on which clocks change', () => {
		const hours = (at: string) => {
			const { from, to } = dayRange(at, at, 'Europe/Berlin')
			return (to.getTime() - from.getTime()) / 3_600_000
		}
		expect(['2026-03-28', '2026-03-29', '2026-10-25'].map(hours)).toEqual([24, 23, 25])
	})
})
