// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Place } from '../../../lib/esl/pacing.ts'

import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { callsPerSec, Pacing } from '../../../lib/esl/pacing.ts'

let now: number
let rate: number
let pacing: Pacing

beforeEach(() => {
	now = 1000
	rate = 14.5
	pacing = new Pacing({ ratePerSec: () => rate, now: () => now })
})

/** Takes the turn, and has the answer at once. */
function go(place: Place | undefined): number {
	const leftMs = place === undefined ? Number.NaN : pacing.take(place)
	if (place !== undefined && leftMs === 0) {
		pacing.answered(place)
	}
	return leftMs
}

function reserve(count: number): Place[] {
	return Array.from({ length: count }, () => pacing.reserve()).filter((place) => place !== undefined)
}

describe('originates', () => {
	it.each([[30, 1, 14], [30, 2, 7], [1000, 1, 499], [3, 1, 1]])('of a node of %i sessions a second, divided by %i, are %i a second', (sessions, share, calls) => {
		rate = callsPerSec(sessions, share)
		expect(pacing.perSecond).toBe(calls)
	})

	it('wait for nothing while there are fewer', () => {
		for (const place of reserve(14)) {
			expect(go(place)).toBe(0)
		}
		expect(pacing.waiting).toBe(0)
	})

	it('beyond that wait for 1.1 s, then for 2.2 s, and beyond 2 s they get no place', () => {
		expect(reserve(100).map(({ at }) => at - now)).toEqual([...Array.from({ length: 14 }, () => 0), ...Array.from({ length: 14 }, () => 1100)])
		expect(pacing.waitMs()).toBe(2200)
		expect(pacing.waiting).toBe(14)
	})

	it('have no place any more once it was given back', () => {
		const places = reserve(28)
		pacing.release(places[27] as Place)
		expect(pacing.waiting).toBe(13)
		expect(reserve(2)).toHaveLength(1)
	})

	it('that went late are counted from when they went: nobody makes good for a second that was missed', () => {
		const [first, ...others] = reserve(28)
		now += 600
		expect(go(first)).toBe(0)
		const next = others[13]
		now = next?.at ?? 0
		expect(go(next)).toBe(600)
		now += 600
		expect(go(next)).toBe(0)
	})

	it('that the switch has not answered hold up those of the next second, which begins with the answer', () => {
		rate = 1
		const [first, second] = reserve(2)
		expect(pacing.take(first as Place)).toBe(0)
		now += 1100
		expect(go(second)).toBe(20)
		now += 400
		pacing.answered(first as Place)
		expect(go(second)).toBe(1100)
		now += 1100
		expect(go(second)).toBe(0)
	})

	it('of a node of less than one a second come one at a time', () => {
		rate = 0.5
		const [first] = reserve(2)
		expect(go(first)).toBe(0)
		expect(pacing.waitMs()).toBe(2200)
		now += 2200
		expect(pacing.waitMs()).toBe(0)
	})

	it('are never more than the rate within any second, however late each of them is', () => {
		fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 60 }), (steps) => {
			now = 0
			const own = new Pacing({ ratePerSec: () => 5, now: () => now })
			const waiting: Place[] = []
			const went: number[] = []
			for (const step of steps) {
				now += step
				const place = own.reserve()
				if (place !== undefined) {
					waiting.push(place)
				}
				while (waiting[0] !== undefined && own.take(waiting[0]) === 0) {
					own.answered(waiting[0])
					waiting.shift()
					went.push(now)
				}
			}
			expect(went.every((at, index) => went.slice(index + 1).filter((later) => later <= at + 1000).length < 5)).toBe(true)
		}))
	})
})
