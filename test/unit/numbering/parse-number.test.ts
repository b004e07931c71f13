// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import fc from 'fast-check'
import { getCountries, getExampleNumber } from 'libphonenumber-js/max'
import examples from 'libphonenumber-js/mobile/examples'
import { describe, expect, it } from 'vitest'
import { parseNumber } from '../../../lib/numbering/parse-number.ts'

const BERLIN = '+4930123456'

describe('what people type and paste', () => {
	it.each([
		['+4930123456', null],
		['+49 30 123456', null],
		['  +49 30 123456\t', null],
		['+49 30 12 34 56', null],
		['+49 (30) 123456', null],
		['(+49) 30 123456', null],
		['+49 (0)30 123456', null],
		['+49 (0) 30 123456', null],
		['+49(0)30/123456', null],
		['+49-(0)30-123456', null],
		['(+49) (0)30 / 12 34 56', null],
		['+49 030 123456', null],
		['+49.30.123456', null],
		['+49/30/123456', null],
		['+49-30-123456', null],
		['+49–30—12−34‑56', null],
		['+49\u00a030\u202f123\u2009456', null],
		['+49\t30\n123456', null],
		['+49 30 123456\r\n', null],
		['0049 30 123456', 'DE'],
		['00 49 (0) 30 123456', 'DE'],
		['011 49 30 123456', 'US'],
		['030 123456', 'DE'],
		['(030) 123456', 'DE'],
		['030/123456', 'DE'],
		['0 30 - 12 34 56', 'DE'],
		['+٤٩ ٣٠ ١٢٣٤٥٦', null],
		['۰۳۰۱۲۳۴۵۶', 'DE'],
		['０３０−１２３４５６', 'DE'],
		['＋４９（０）３０１２３４５６', null],
		['𝟎𝟛𝟬1𝟤𝟹456', 'DE'],
		['\u{116da}30123456', 'DE'],
		['\u202a+49 30 123456\u202c', null],
		['\u200e+49\u200b30\u2060123456\ufeff', null],
		['+49\u00ad30\u00ad123456', null],
	])('%j with the home country %s is +4930123456', (input, home) => {
		expect(parseNumber(input, home)).toEqual({ e164: BERLIN, display: '+49 30 123456', country: 'DE', type: 'FIXED_LINE' })
	})

	it.each([
		['06 1234567', 'IT', '+39061234567'],
		['+39 06 1234567', null, '+39061234567'],
		['+39 (0)6 1234567', null, '+39061234567'],
		['+39 (0)331 1234567', null, '+3903311234567'],
		['+44 (0)20 7946 0958', null, '+442079460958'],
		['+34 (0)91 123 45 67', null, '+34911234567'],
		['020 7946 0958', 'GB', '+442079460958'],
		['(202) 555-0123', 'US', '+12025550123'],
		['8 (495) 123-45-67', 'RU', '+74951234567'],
		['01 23 45 67 89', 'FR', '+33123456789'],
		['+49 30 123456-0', null, '+49301234560'],
	])('%j with the home country %s is %s: a leading zero goes or stays as the country has it', (input, home, e164) => {
		expect(parseNumber(input, home)).toMatchObject({ e164 })
	})

	it.each([
		['', 'empty'],
		[' \u200b() -', 'empty'],
		['030 123456', 'needs_country_code'],
		['0049 30 123456', 'needs_country_code'],
		['+', 'not_a_number'],
		['++4930123456', 'not_a_number'],
		['+49+30123456', 'not_a_number'],
		['Max Mustermann', 'not_a_number'],
		['call me: +49 30 123456', 'not_a_number'],
		['+49 30 123456 (Berlin)', 'not_a_number'],
		['callto:+4930123456', 'not_a_number'],
		['+4912', 'impossible'],
		['+1234567890123456', 'impossible'],
		['+0123456789', 'impossible'],
		['+999 123456789', 'impossible'],
		['+49 00 30 123456', 'impossible'],
		['1'.repeat(201), 'too_long'],
	])('%j without a home country is %s', (input, fault) => {
		expect(parseNumber(input, null)).toEqual({ fault })
	})

	it('knows no national form of a country that does not exist', () => {
		for (const home of ['XX', 'de', '', 'DEU', '__proto__']) {
			expect(parseNumber('030 123456', home)).toEqual({ fault: 'needs_country_code' })
		}
	})
})

describe('a tel: URI', () => {
	it.each([
		['tel:+4930123456', null],
		['TEL:+49-30-123456', null],
		[' tel:+49(30)123456', null],
		['tel:%2B49%2030%20123456', null],
		['tel:030-123456;phone-context=+49', null],
		['tel:30-123456;phone-context=+49', null],
		['tel:123456;phone-context=+49-30', null],
		['tel:030123456;Phone-Context=%2B49', null],
		['tel:+4930123456;phone-context=+1', null],
		['tel:+4930123456;foo=bar;baz', null],
		['tel:030123456', 'DE'],
	])('%j is +4930123456', (input, home) => {
		expect(parseNumber(input, home)).toMatchObject({ e164: BERLIN })
	})

	it('keeps the zero that an Italian number begins with', () => {
		expect(parseNumber('tel:06-1234567;phone-context=+39', null)).toMatchObject({ e164: '+39061234567' })
	})

	it.each([
		['tel:', 'empty'],
		['tel:+4930123456;isub=12', 'extension_not_supported'],
		['tel:+4930123456;m-charge=free', 'not_a_number'],
		['tel:+4930123456;M-charge', 'not_a_number'],
		['tel:7042;phone-context=example.com', 'not_a_number'],
		['tel:030123456;phone-context="+49"', 'not_a_number'],
		['tel:2025550123;phone-context=+49;phone-context=+1', 'not_a_number'],
		['tel:%', 'not_a_number'],
		['tel:%E0%A4%A', 'not_a_number'],
		['tel:+49%0030123456', 'not_a_number'],
	])('%j is %s', (input, fault) => {
		expect(parseNumber(input, 'DE')).toEqual({ fault })
	})
})

describe('traps', () => {
	it.each([
		['+1 268 464 1234', 'AG'],
		['+1 876 578 0123', 'JM'],
		['+44 7911 123456', 'GG'],
		['+247 41234', 'AC'],
		['+870 773 111 632', undefined],
		['+7 840 123 4567', 'RU'],
	])('%j belongs to %s, whatever its calling code suggests', (input, country) => {
		expect(parseNumber(input, null)).toMatchObject({ country })
	})

	it.each(['0900 12345678', '+49 900 12345678', '+49 1234567'])('%j has no known type: nobody was given such a number', (input) => {
		expect(parseNumber(input, 'DE')).toMatchObject({ type: undefined })
	})

	it.each(['1-800-FLOWERS', '+1 800 FLEXNOW', '+49 30 12345p6', '+49 30 123456²', '+493012345①', '+493012345½', '⁺4930123456'])('%j is no number: letters and footnotes are not dialled', (input) => {
		expect(parseNumber(input, 'US')).toEqual({ fault: 'not_a_number' })
	})

	it.each(['*21*+4930123456#', '**21*030123456#', '#31#+4930123456', '+4930123456#12'])('%j is a service code: it is not dialled, nor is a number picked out of it', (input) => {
		expect(parseNumber(input, 'DE')).toEqual({ fault: 'service_code' })
	})

	it('shows an extension behind the number, and reads it again from there', () => {
		const parsed = parseNumber('tel:+49-30-123456;ext=12', null)
		expect(parsed).toEqual({ e164: BERLIN, display: '+49 30 123456 ext. 12', country: 'DE', type: 'FIXED_LINE', extension: '12' })
		expect(parseNumber('+49 30 123456 ext. 12', null)).toEqual(parsed)
	})

	it.each(['${system(id)}', '+4930123456${system(id)}', '+4930123456@host', '+4930|123456', '+4930123456|sofia/gateway/x/1', '+4930123456,user/1000', '+4930123456\0', '\0+4930123456', '+49{30}123456', '+49[30]123456', '+49\'30\'123456', '+4930123456\n\nbgapi x', '+49\u007f30123456', '+49^30123456', '+49~30123456'])('%j is no number', (input) => {
		expect(parseNumber(input, 'DE')).toHaveProperty('fault')
	})
})

describe('whatever comes in', () => {
	/** Strings that are nearly numbers find more than random ones. */
	const nearly = fc.array(fc.constantFrom(...'0123456789+-() ./;,=#*x%2Btel:', '00', '+49', '+1', '+39', '(0)', ';ext=', ' ext. ', ',,', ';phone-context=', '\u200e', '٣', '０', '²', 'ー', '\n'), { maxLength: 24 }).map((parts) => parts.join(''))
	const digits = fc.tuple(fc.constantFrom('', '+', '00', '011'), fc.stringMatching(/^\d{4,16}$/)).map((parts) => parts.join(''))
	const home = fc.option(fc.constantFrom<string>(...getCountries()), { nil: null })

	/** Numbers as a country writes them, with separators, extensions and single characters put in, taken out or doubled. */
	const valid = fc.constantFrom(...getCountries()).chain((country) => {
		const example = getExampleNumber(country, examples)
		return fc.constantFrom(example?.number ?? '', example?.formatInternational() ?? '', example?.formatNational() ?? '', example?.getURI() ?? '')
	})
	const mutated = fc.tuple(
		valid,
		fc.constantFrom('', ';ext=12', ' ext. 12', 'x12', ',12', ',,12#', ';12', ' ext. *12#', ' / 030 123456', ';isub=1', ';phone-context=+49', ', 12'),
		fc.array(fc.tuple(fc.nat(40), fc.constantFrom('', ' ', '-', '.', '/', '(0)', '0', '9', '+', '٣', '\u200b', '\u00a0', 'ー', '\n', ',', ';', 'x', '#', '*', '%', '\0', '²', 'a', 'w', 'A', '\uD800', '${x}', '@', '|'), fc.nat(2)), { maxLength: 3 }),
	).map(([number, extension, changes]) => changes.reduce((text, [position, put, take]) => text.slice(0, position) + put + text.slice(position + take), number + extension))

	it.each([
		['bytes', fc.string({ unit: 'binary', maxLength: 220 })],
		['graphemes', fc.string({ unit: 'grapheme', maxLength: 220 })],
		['UTF-16 with lone surrogates', fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 }).map((units) => String.fromCharCode(...units))],
		['nearly numbers', nearly],
		['digits', digits],
		['numbers with small changes', mutated],
	])('of %s, the answer is a fault or an E.164 number with keys of the whitelist, and reads as itself again', (_name, input) => {
		fc.assert(fc.property(input, home, (text, country) => {
			const parsed = parseNumber(text, country)
			if ('fault' in parsed) {
				return
			}
			const { e164, extension, display } = parsed
			expect(e164).toMatch(/^\+[1-9][0-9]{6,14}$/)
			expect(extension ?? '0').toMatch(/^[0-9*#,]{1,20}$/)
			expect(extension ?? '0').toMatch(/[0-9*#]$/)
			expect(parseNumber(display, null)).toEqual(parsed)
			expect(parseNumber(display, country)).toEqual(parsed)
			const behind = extension === undefined ? '' : `;ext=${extension.replaceAll('#', '%23')}`
			expect(parseNumber(`tel:${e164}${behind}`, country)).toEqual(parsed)
			expect(parseNumber(e164, null)).toMatchObject({ e164, type: parsed.type, country: parsed.country })
		}), { numRuns: 3000 })
	})

	it('finds numbers with and without extensions among them, so that the above says something', () => {
		const found = fc.sample(fc.tuple(mutated, home), { numRuns: 3000, seed: 1 }).map(([text, country]) => parseNumber(text, country))
		expect(found.filter((parsed) => 'e164' in parsed && parsed.extension === undefined).length).toBeGreaterThan(100)
		expect(found.filter((parsed) => 'e164' in parsed && parsed.extension !== undefined).length).toBeGreaterThan(100)
		expect(found.filter((parsed) => 'fault' in parsed).length).toBeGreaterThan(100)
	})
})
