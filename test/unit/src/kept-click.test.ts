// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { describe, expect, it } from 'vitest'
import { clickMark, readKept } from '../../../src/services/kept-click.ts'

const KEY = '0d9a2c9e-6b1f-4a70-9d35-0e7a54d3c5a1'
const HOUR_MS = 3_600_000

describe('the mark of a click', () => {
	it('is the same for the same click, and another for another phone, caller ID, note or key', () => {
		const click = { to: '030 123456', device: 'desk', callerId: '+4930999900' }
		expect(clickMark(KEY, { ...click })).toBe(clickMark(KEY, click))
		const others = [
			clickMark(KEY, { ...click, to: '030 123457' }),
			clickMark(KEY, { ...click, device: 'mobile' }),
			clickMark(KEY, { to: click.to, device: click.device }),
			clickMark(KEY, { ...click, note: 'x' }),
			clickMark(`${KEY}1`, click),
		]
		expect(others).not.toContain(clickMark(KEY, click))
	})

	it('names no number: of 200,000 numbers about 3 share each of its 65,536 values', () => {
		const shares = new Map<number, number>()
		for (let number = 0; number < 200_000; number++) {
			const mark = clickMark(KEY, { to: `+4930${1_000_000 + number}` })
			shares.set(mark, (shares.get(mark) ?? 0) + 1)
		}
		expect(Math.max(...shares.keys())).toBeLessThan(65_536)
		expect(shares.size).toBeGreaterThan(60_000)
		expect(Math.max(...shares.values())).toBeLessThan(25)
	})
})

describe('a kept click', () => {
	const stored = (change: object = {}) => JSON.stringify({ user: 'demo', key: KEY, at: 1000, mark: 7, ...change })

	it('is read by the same user for 24 hours', () => {
		expect(readKept(stored(), 'demo', 1000)).toEqual({ key: KEY, at: 1000, mark: 7 })
		expect(readKept(stored(), 'demo', 1000 + 24 * HOUR_MS - 1)).toEqual({ key: KEY, at: 1000, mark: 7 })
	})

	it.each<[string, string | null, string, number]>([
		['by another user', stored(), 'guest', 2000],
		['after 24 hours', stored(), 'demo', 1000 + 24 * HOUR_MS],
		['by a clock that was put back', stored(), 'demo', 999],
		['without its key', stored({ key: undefined }), 'demo', 2000],
		['where none is', null, 'demo', 2000],
	])('is not read %s', (_case, text, user, now) => {
		expect(readKept(text, user, now)).toBeUndefined()
	})
})
