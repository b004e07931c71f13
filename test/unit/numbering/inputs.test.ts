// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ExpectedAnswer } from './inputs.ts'

import { describe, expect, it } from 'vitest'
import { isEmergencyNumber } from '../../../lib/numbering/emergency.ts'
import { parseNumber } from '../../../lib/numbering/parse-number.ts'
import { INPUTS } from './inputs.ts'

/** As a call is placed: emergency numbers first, whatever else the input might be. */
function answerTo(input: string, homeCountry: string | null): ExpectedAnswer {
	if (isEmergencyNumber(input, homeCountry)) {
		return { emergency: true }
	}
	const number = parseNumber(input, homeCountry)
	if ('fault' in number) {
		return number
	}
	const { e164, country, type, extension } = number
	return { e164, country, type, ...(extension === undefined ? {} : { extension }) }
}

describe('the table of inputs', () => {
	it('has at least 300 different rows, numbers of at least 25 countries and 25 home countries', () => {
		const different = new Set(INPUTS.map(({ homeCountry, input }) => JSON.stringify([homeCountry, input])))
		expect(different.size).toBe(INPUTS.length)
		expect(INPUTS.length).toBeGreaterThanOrEqual(300)
		expect(new Set(INPUTS.flatMap(({ expected }) => 'country' in expected && expected.country ? [expected.country] : [])).size).toBeGreaterThanOrEqual(25)
		expect(new Set(INPUTS.flatMap(({ homeCountry }) => homeCountry ?? [])).size).toBeGreaterThanOrEqual(25)
	})

	it.each(INPUTS.map(({ homeCountry, input, expected }) => [input, homeCountry, expected] as const))('%j at home in %s is %o', (input, homeCountry, expected) => {
		expect(answerTo(input, homeCountry)).toEqual(expected)
	})
})
