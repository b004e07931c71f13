// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { WorkingHours } from '../../../lib/policy/working-hours.ts'

import { describe, expect, it } from 'vitest'
import { isWithinHours, nextOpening } from '../../../lib/policy/working-hours.ts'

const OFFICE: WorkingHours = {
	timeZone: 'Europe/Berlin',
	days: {
		mon: [{ from: '08:00', to: '12:00' }, { from: '13:00', to: '18:00' }],
		fri: [{ from: '08:00', to: '24:00' }],
		sun: [{ from: '02:30', to: '04:00' }],
	},
}

describe('working hours', () => {
	it.each([
		['at their first minute', '2026-11-23T07:00:00.000Z', true],
		['a moment before', '2026-11-23T06:59:59.999Z', false],
		['in the pause', '2026-11-23T11:00:00.000Z', false],
		['at their end', '2026-11-23T17:00:00.000Z', false],
		['in the last minute before midnight', '2026-11-27T22:59:59.000Z', true],
		['at midnight', '2026-11-27T23:00:00.000Z', false],
		['on a day without any', '2026-11-24T10:00:00.000Z', false],
		['an hour earlier by UTC in summer', '2026-07-06T06:00:00.000Z', true],
		['and not then in winter', '2026-11-23T06:00:00.000Z', false],
		// 29 March 2026: clocks go from 02:00 to 03:00.
		['when clocks jump over their beginning', '2026-03-29T01:00:00.000Z', true],
		['before that jump', '2026-03-29T00:59:59.000Z', false],
		// 25 October 2026: 02:30 is there twice.
		['the first half past two', '2026-10-25T00:30:00.000Z', true],
		['two o’clock for the second time', '2026-10-25T01:00:00.000Z', false],
		['the second half past two', '2026-10-25T01:30:00.000Z', true],
	])('%s', (_what, at, isWithin) => {
		expect(isWithinHours(new Date(at), OFFICE)).toBe(isWithin)
	})

	it.each([
		['later the same day', '2026-11-23T11:30:00.000Z', '2026-11-23T12:00:00.000Z'],
		['days later', '2026-11-23T17:30:00.000Z', '2026-11-27T07:00:00.000Z'],
		['after a weekend', '2026-11-29T12:00:00.000Z', '2026-11-30T07:00:00.000Z'],
		['at the jump of the clocks', '2026-03-28T12:00:00.000Z', '2026-03-29T01:00:00.000Z'],
	])('begin again %s', (_what, at, opening) => {
		expect(nextOpening(new Date(at), OFFICE)?.toISOString()).toBe(opening)
	})

	it('may begin again on the same weekday of the next week, or never', () => {
		expect(nextOpening(new Date('2026-11-23T18:00:00.000Z'), { timeZone: 'UTC', days: { mon: [{ from: '08:00', to: '18:00' }] } })?.toISOString()).toBe('2026-11-30T08:00:00.000Z')
		expect(nextOpening(new Date(), { timeZone: 'UTC', days: {} })).toBeUndefined()
	})
})
