// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { getCountries, getCountryCallingCode } from 'libphonenumber-js/max'
import { describe, expect, it } from 'vitest'
import { parseNumber } from '../../../lib/numbering/parse-number.ts'
import { sampleNumbers } from '../../../lib/numbering/sample-numbers.ts'

function sample(homeCountry: string | null, kind: string) {
	const found = sampleNumbers(homeCountry).find((number) => number.kind === kind)
	return found && parseNumber(found.e164, null)
}

describe('the numbers that a policy is tried on', () => {
	it.each([['DE', '49'], ['GB', '44'], ['FR', '33'], ['CH', '41']])('are a mobile and a premium number of %s', (country) => {
		expect(sample(country, 'mobile')).toMatchObject({ country, type: 'MOBILE' })
		expect(sample(country, 'premium')).toMatchObject({ country, type: 'PREMIUM_RATE' })
	})

	it('have one abroad for every country, behind another calling code and not premium', () => {
		const near = getCountries().filter((country) => {
			const abroad = sample(country, 'foreign')
			return abroad === undefined || 'fault' in abroad || !abroad.type?.endsWith('MOBILE') || abroad.e164.startsWith(`+${getCountryCallingCode(country)}`)
		})
		expect(near).toEqual([])
	})

	it('can all be read, for every country', () => {
		expect(getCountries().flatMap((country) => sampleNumbers(country)).filter(({ e164 }) => 'fault' in parseNumber(e164, null))).toEqual([])
	})

	it('leave out what nobody knows', () => {
		expect(sampleNumbers(null)).toEqual([{ kind: 'foreign', e164: '+12025550123' }])
		// Its numbering plan has no premium numbers.
		expect(sampleNumbers('CI').map(({ kind }) => kind)).toEqual(['mobile', 'foreign'])
	})
})
