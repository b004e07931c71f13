// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { describe, expect, it } from 'vitest'
import { costMicros, rateFor } from '../../../lib/policy/rates.ts'

const eur = (micros: string) => ({ micros, currency: 'EUR' })
const RATES = [{ prefix: '+49', perMinute: eur('20000') }, { prefix: '+491', perMinute: eur('150000'), perCall: eur('50000') }]

describe('a rate', () => {
	it('is that of the longest prefix, in whatever order they stand', () => {
		expect(rateFor('+49171123456', RATES)?.prefix).toBe('+491')
		expect(rateFor('+49171123456', RATES.toReversed())?.prefix).toBe('+491')
		expect(rateFor('+4930123456', RATES)?.prefix).toBe('+49')
		expect(rateFor('+4330123456', RATES)).toBeUndefined()
	})

	it.each([[0, 0n], [1, 334n], [1000, 334n], [60_000, 20_000n], [61_000, 20_334n], [3_600_000, 1_200_000n]])('for %i ms of talk costs %s millionths, by the second and rounded up', (talkMs, micros) => {
		expect(costMicros({ prefix: '+49', perMinute: eur('20000') }, talkMs)).toBe(micros)
	})

	it('adds what each call costs, and keeps what a double could not', () => {
		expect(costMicros({ prefix: '+1', perMinute: eur('60'), perCall: eur('9007199254740993') }, 1000)).toBe(9007199254740994n)
	})
})
