// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { microsOf } from '../../../lib/policy/decimal.ts'

describe('an amount of a company', () => {
	it.each([
		['0.0401', '40100'],
		['300.00', '300000000'],
		['0.0', '0'],
		['0.0000001', '1'],
		['0.00000100', '1'],
		['1.0000010000001', '1000002'],
		['-12.5', '-12500000'],
		['-0.0000019', '-1'],
		['999999999999.999999', '999999999999999999'],
		[0.5, '500000'],
	])('%j is %s millionths', (amount, micros) => {
		expect(microsOf(amount)).toBe(micros)
	})

	it.each([[''], ['1e3'], ['.5'], ['1.'], ['1,5'], [' 1'], ['NaN'], ['0x10'], ['1234567890123'], [null], [undefined], [true], [{}], [1e30], [Number.NaN]])('%j is none', (amount) => {
		expect(microsOf(amount)).toBeUndefined()
	})

	it('is exact for every number of millionths, and never less than what was said', () => {
		fc.assert(fc.property(fc.bigInt({ min: 0n, max: 10n ** 17n }), fc.integer({ min: 0, max: 999_999 }), (micros, rest) => {
			const text = `${micros / 1_000_000n}.${String(micros % 1_000_000n).padStart(6, '0')}${String(rest).padStart(6, '0')}`
			expect(BigInt(microsOf(text) ?? -1)).toBe(micros + (rest > 0 ? 1n : 0n))
		}))
	})
})
