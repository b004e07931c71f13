// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dayOf, isTimeZone, localTime, momentOf, monthOf } from '../../../lib/policy/calendar.ts'

const iso = (...moments: Date[]) => moments.map((moment) => moment.toISOString())

describe('a local time', () => {
	it.each([
		['2026-11-24T22:59:59.000Z', 'Europe/Berlin', { year: 2026, month: 11, day: 24, minutes: 1439, weekday: 'tue' }],
		['2026-11-24T23:00:00.000Z', 'Europe/Berlin', { year: 2026, month: 11, day: 25, minutes: 0, weekday: 'wed' }],
		['2028-02-29T12:00:00.000Z', 'UTC', { year: 2028, month: 2, day: 29, minutes: 720, weekday: 'tue' }],
		['2026-12-31T23:30:00.000Z', 'Asia/Kathmandu', { year: 2027, month: 1, day: 1, minutes: 315, weekday: 'fri' }],
		['2026-01-01T00:30:00.000Z', 'America/Los_Angeles', { year: 2025, month: 12, day: 31, minutes: 990, weekday: 'wed' }],
	])('of %s in %s', (at, timeZone, expected) => {
		expect(localTime(new Date(at), timeZone)).toEqual(expected)
	})
})

describe('a day', () => {
	it.each([
		['an ordinary one', '2026-11-24T12:00:00.000Z', 'Europe/Berlin', '2026-11-23T23:00:00.000Z', '2026-11-24T23:00:00.000Z', 24],
		['of 23 hours, when summer time begins', '2026-03-29T12:00:00.000Z', 'Europe/Berlin', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z', 23],
		['of 25 hours, when it ends', '2026-10-25T00:30:00.000Z', 'Europe/Berlin', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z', 25],
		['the same in its second half past two', '2026-10-25T01:30:00.000Z', 'Europe/Berlin', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z', 25],
		['without a midnight, because clocks jump over it', '2026-04-24T12:00:00.000Z', 'Africa/Cairo', '2026-04-23T22:00:00.000Z', '2026-04-24T21:00:00.000Z', 23],
		['a leap day', '2028-02-29T12:00:00.000Z', 'Europe/Paris', '2028-02-28T23:00:00.000Z', '2028-02-29T23:00:00.000Z', 24],
		['in a zone of half an hour', '2026-06-01T00:00:00.000Z', 'Australia/Lord_Howe', '2026-05-31T13:30:00.000Z', '2026-06-01T13:30:00.000Z', 24],
	])('is %s', (_what, at, timeZone, from, to, hours) => {
		const day = dayOf(new Date(at), timeZone)
		expect(iso(day.from, day.to)).toEqual([from, to])
		expect((day.to.getTime() - day.from.getTime()) / 3_600_000).toBe(hours)
	})

	it('holds its own moment, touches its neighbours, and is a local midnight wherever there is one', () => {
		const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'Africa/Cairo', 'Asia/Kolkata', 'Asia/Beirut', 'Pacific/Apia', 'Pacific/Chatham']
		fc.assert(fc.property(fc.date({ min: new Date('2000-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }), fc.constantFrom(...zones), (at, zone) => {
			const { from, to } = dayOf(at, zone)
			expect(from.getTime()).toBeLessThanOrEqual(at.getTime())
			expect(to.getTime()).toBeGreaterThan(at.getTime())
			expect(dayOf(to, zone).from).toEqual(to)
			expect(localTime(new Date(from.getTime() - 1), zone).day).not.toBe(localTime(from, zone).day)
		}), { numRuns: 500 })
	})
})

describe('a month', () => {
	it.each([
		['2026-12-31T23:30:00.000Z', 'UTC', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
		['2026-12-31T23:30:00.000Z', 'Europe/Berlin', '2026-12-31T23:00:00.000Z', '2027-01-31T23:00:00.000Z'],
		['2028-02-15T12:00:00.000Z', 'Europe/Berlin', '2028-01-31T23:00:00.000Z', '2028-02-29T23:00:00.000Z'],
		['2026-10-31T12:00:00.000Z', 'Europe/Berlin', '2026-09-30T22:00:00.000Z', '2026-10-31T23:00:00.000Z'],
	])('of %s in %s', (at, timeZone, from, to) => {
		const month = monthOf(new Date(at), timeZone)
		expect(iso(month.from, month.to)).toEqual([from, to])
	})
})

describe('a moment', () => {
	it('that clocks jump over is that of the jump, and one that they show twice is the first', () => {
		expect(iso(momentOf(2026, 3, 29, 150, 'Europe/Berlin'))).toEqual(['2026-03-29T01:00:00.000Z'])
		expect(iso(momentOf(2026, 10, 25, 150, 'Europe/Berlin'))).toEqual(['2026-10-25T00:30:00.000Z'])
	})
})

describe('a time zone', () => {
	it.each([['Europe/Berlin', true], ['UTC', true], ['America/Argentina/Ushuaia', true], ['+01:00', false], ['Mars/Olympus', false], ['', false], ['Europe/Berlin\n', false]])('%j is one: %s', (name, isOne) => {
		expect(isTimeZone(name)).toBe(isOne)
	})
})
