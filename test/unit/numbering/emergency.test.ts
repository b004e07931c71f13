// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import fc from 'fast-check'
import { getCountries, getExampleNumber } from 'libphonenumber-js/max'
import examples from 'libphonenumber-js/mobile/examples'
import { describe, expect, it } from 'vitest'
import { isEmergencyNumber } from '../../../lib/numbering/emergency.ts'
import { parseNumber } from '../../../lib/numbering/parse-number.ts'

describe('an emergency number', () => {
	it.each([
		['DE', '110'],
		['DE', '112'],
		['AT', '122'],
		['AT', '133'],
		['AT', '144'],
		['CH', '117'],
		['CH', '118'],
		['CH', '144'],
		['FR', '15'],
		['FR', '17'],
		['FR', '18'],
		['GB', '999'],
		['US', '911'],
		['US', '112'],
		['IT', '113'],
		['PL', '997'],
		['BR', '190'],
		['AU', '000'],
	])('of %s is %s', (country, number) => {
		expect(isEmergencyNumber(number, country)).toBe(true)
	})

	it.each(['112', '911', '999', '110', '000'])('is %s wherever one is, also without a home country', (number) => {
		for (const country of [null, 'DE', 'US', 'JP', 'XX', 'de']) {
			expect(isEmergencyNumber(number, country)).toBe(true)
		}
	})

	it.each(['1 1 2', ' 112\n', '(112)', '1-1-2', '1.1.2', '１１２', '١١٢', '\u200e112', 'tel:112', 'TEL: 112', 'tel:%31%31%32', 'tel:1-1-2;phone-context=+49', '112;ext=1'])('is %j, however it is written', (input) => {
		expect(isEmergencyNumber(input, null)).toBe(true)
	})

	it.each(['1121', '1100', '11212', '110110'])('is %s in Germany: a phone would have connected after the third digit', (input) => {
		expect(isEmergencyNumber(input, 'DE')).toBe(true)
	})

	it('stays one with whatever may stand behind a number: an extension, keys, parameters, another number', () => {
		const number = fc.constantFrom('112', '911', '999', '110', '000', '15')
		const separators = fc.array(fc.constantFrom('', ' ', '-', '.', '(', ')', '/', '\u200b', '\u00a0', '\n'), { minLength: 4, maxLength: 4 })
		const behind = fc.constantFrom('', ';ext=1', ' ext. 12', 'x5', 'X 5', ',1', ',,12#', ';1', ';', ',', '#', '*1', ' extension 7', ';isub=1', ';phone-context=+49', ', 110', ', ext. 3')
		fc.assert(fc.property(fc.constantFrom('', 'tel:', 'TEL:', 'tel:tel:', 'TEL;TYPE=WORK:'), number, separators, behind, fc.constantFrom(null, ...getCountries()), (scheme, digits, between, rest, country) => {
			const typed = [...digits].map((digit, index) => `${between[index] ?? ''}${digit}`).join('')
			expect(isEmergencyNumber(`${scheme}${typed}${rest}`, country)).toBe(true)
		}), { numRuns: 2000 })
	})

	it.each(['0112', '+49112', '00112', '+112', '0110', '+1911', '+44999', '0911', '+33112'])('is not %s, but nobody dials that either', (input) => {
		for (const country of ['DE', 'AT', 'FR', 'GB', 'CH', 'IT', 'ES']) {
			expect([country, isEmergencyNumber(input, country), 'fault' in parseNumber(input, country)]).toEqual([country, false, true])
		}
	})

	it.each([
		['116117', 'DE'],
		['0112', 'DE'],
		['00112', 'DE'],
		['+49112', 'DE'],
		['+112', null],
		['115', 'XX', true],
		['988', 'US'],
		['19222', 'DE'],
		['144', 'DE'],
		['144', null],
		['030112', 'DE'],
		['+49 30 110', 'DE'],
		['', 'DE'],
		['1', 'DE'],
		['tel:%', 'DE'],
		['tel:', null],
		['onehundredandten', 'DE'],
	])('is not %j in %s', (input, country, expected = false) => {
		expect(isEmergencyNumber(input, country)).toBe(expected)
	})

	it.each([
		['9999 5161', 'OM'],
		['911-2428', 'PA'],
		['99991234', 'SO'],
	])('is not %j, an ordinary number of %s that begins like one', (input, country) => {
		expect(isEmergencyNumber(input, country)).toBe(false)
	})

	it('is no country’s own example of a mobile number, nationally or internationally', () => {
		for (const country of getCountries()) {
			const example = getExampleNumber(country, examples)
			expect([country, isEmergencyNumber(example?.formatNational() ?? '', country)]).toEqual([country, false])
			expect([country, isEmergencyNumber(example?.number ?? '', country)]).toEqual([country, false])
		}
	})

	it('is asked for without ever throwing, and never found in eight digits or more of another kind', () => {
		fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.constantFrom(null, ...getCountries()), (text, country) => {
			expect(isEmergencyNumber(text, country)).toBeTypeOf('boolean')
			expect(isEmergencyNumber(`+${text}`, country)).toBe(false)
			expect(isEmergencyNumber(`112345678${text}`, country)).toBe(false)
		}))
	})
})
