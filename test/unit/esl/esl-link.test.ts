// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EslError } from '../../../lib/esl/esl-error.ts'
import { retryDelayMs } from '../../../lib/esl/esl-link.ts'

describe('the wait before the next attempt', () => {
	const lost = new EslError('connection_lost', '')

	it('doubles from 0.2 s to 30 s and stays there', () => {
		expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1_000_000].map((failures) => retryDelayMs(failures, lost, 0))).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000])
	})

	it('is shortened by chance, by half at most', () => {
		fc.assert(fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, random) => {
			const longest = retryDelayMs(failures, lost, 0)
			expect(retryDelayMs(failures, lost, random)).toBeLessThanOrEqual(longest)
			expect(retryDelayMs(failures, lost, random)).toBeGreaterThan(longest / 2 - 0.001)
		}))
	})

	it.each(['password_refused', 'address_refused'] as const)('is a whole minute after %s, whatever happened before', (code) => {
		for (const failures of [1, 2, 50]) {
			expect([0, 0.5, 0.999].map((random) => retryDelayMs(failures, new EslError(code, ''), random))).toEqual([60_000, 60_000, 60_000])
		}
	})
})
