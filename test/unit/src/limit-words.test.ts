// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { afterEach, describe, expect, it } from 'vitest'
import { leftWords, limitWords, reachedLimit } from '../../../src/services/limit-words.ts'
import { momentWords, relativeWords } from '../../../src/services/time-words.ts'
import { speak } from '../../support/language.ts'

afterEach(() => speak('en'))

const now = new Date('2026-11-24T12:00:00.000Z')
const inHours = (hours: number) => new Date(now.getTime() + hours * 3_600_000).toISOString()
const plain = (text = '') => text.replaceAll(/[\u00a0\u202f]/g, ' ')

describe('a limit that is used up', () => {
	it('tells how much of what is used, and when there is room again', () => {
		expect(limitWords({ kind: 'callsPerDay', used: 30, max: 30, resetsAt: inHours(3), timeZone: 'Asia/Tokyo' }, now)).toMatchObject({
			heading: 'No calls left today',
			usage: '30 of 30 calls used',
			percent: 100,
		})
		expect(plain(limitWords({ kind: 'callsPerDay', used: 30, max: 30, resetsAt: inHours(2), timeZone: 'Asia/Tokyo' }, now).reset)).toBe('New calls from 11:00 PM Asia/Tokyo (in 2 hours).')
	})

	it('tells no numbers of what the server keeps to itself', () => {
		const words = limitWords({ kind: 'dailySpendLimit', resetsAt: inHours(3) }, now)
		expect(words.heading).toBe('The money for calls is used up for today')
		expect(words.usage).toBeUndefined()
	})

	it('lets no call through until its reset, the longest one first', () => {
		const day = { kind: 'callsPerDay', used: 30, max: 30, resetsAt: inHours(3) }
		const hour = { kind: 'callsPerHour', used: 10, max: 10, resetsAt: inHours(1) }
		expect(reachedLimit([hour, day], now)).toBe(day)
		expect(reachedLimit([hour, { ...day, used: 29 }], now)).toBe(hour)
		expect(reachedLimit([{ ...hour, resetsAt: inHours(-1) }], now)).toBeUndefined()
		expect(reachedLimit([{ kind: 'maxDistinctPerDay', used: 5, max: 5, resetsAt: inHours(1) }], now)).toBeUndefined()
	})
})

describe('a limit that comes near', () => {
	it.each([
		[23, undefined],
		[24, '6 calls left today'],
		[29, '1 call left today'],
		[30, undefined],
	])('is told with %i of 30 calls used as %j', (used, words) => {
		expect(leftWords([{ kind: 'callsPerDay', used, max: 30 }])).toBe(words)
	})
})

describe('a moment', () => {
	it('is a time of day while it is today’s, else it has its date, and a foreign zone its name', () => {
		const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
		expect(plain(momentWords(now, now, 'Asia/Tokyo'))).toBe('9:00 PM Asia/Tokyo')
		expect(plain(momentWords(new Date(inHours(24)), now, 'Asia/Tokyo'))).toBe('Nov 25, 2026, 9:00 PM Asia/Tokyo')
		expect(momentWords(now, now, zone)).toBe(momentWords(now, now))
	})

	it.each([[40, 'in 40 seconds'], [600, 'in 10 minutes'], [10_800, 'in 3 hours'], [260_000, 'in 3 days'], [-5, 'in 0 seconds']])('that is %i s away is %s', (seconds, words) => {
		expect(relativeWords(new Date(now.getTime() + seconds * 1000), now)).toBe(words)
	})
})
