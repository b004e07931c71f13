// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { describe, expect, it } from 'vitest'
import { formatTyped, readNumbers } from '../../../src/number/tools.ts'

function shown(text: string, country: string | null = 'DE'): string[] {
	return readNumbers(text, country).map(({ display, extension }) => extension === undefined ? display : `${display} ext. ${extension}`)
}

describe('a pasted text', () => {
	const BERLIN = ['+49 30 123456']
	it.each<[string, string[]]>([
		['tel:+4930123456', BERLIN],
		['tel:tel:+49-30-123456', BERLIN],
		['tel:%2B49%2030%20123456', BERLIN],
		['tel:123456;phone-context=+4930', BERLIN],
		['tel:+4930123456;ext=12', ['+49 30 123456 ext. 12']],
		['sip:+4930123456@example.com;user=phone', BERLIN],
		['sip:%2B4930123456;ext=12@example.com', ['+49 30 123456 ext. 12']],
		['sip:030123456@example.com', []],
		['sip:1007@example.com', []],
		['+49 (0)30 123456', BERLIN],
		['+49 (0) 30 / 12 34 56', BERLIN],
		['0049 30 123456', BERLIN],
		['030/123456', BERLIN],
		['030.12.34.56', BERLIN],
		['(030) 123456', BERLIN],
		['030 – 123 456', BERLIN],
		['+49 30\n123456', BERLIN],
		['０３０ １２３４５６', BERLIN],
		['٠٣٠ ١٢٣٤٥٦', BERLIN],
		['\u202a+49 30\u00a0123456\u202c', BERLIN],
		['+49\u200b30123456', BERLIN],
		['Tel. 030 123456 (Zentrale)', BERLIN],
		['Büro: 030 123456, Durchwahl 12', ['+49 30 123456 ext. 12']],
		['030 123456 x 7', ['+49 30 123456 ext. 7']],
		['Tel 030 123456 / Mobil 0171 1234567', ['+49 30 123456', '+49 171 1234567']],
		['030 123456 / 0171 1234567', ['+49 30 123456', '+49 171 1234567']],
		['030 123456\n0171 1234567', ['+49 30 123456', '+49 171 1234567']],
		['030 123456, +49 30 123456', BERLIN],
		['+33 1 23 45 67 89', ['+33 1 23 45 67 89']],
		['+39 (0)6 6982', ['+39 06 6982']],
		['Anna Weber', []],
		['Raum 12', []],
		['12', []],
		['', []],
	])('%j is %j', (text, expected) => {
		expect(shown(text)).toEqual(expected)
	})

	it('needs a country code where no country is set', () => {
		expect(shown('030 123456', null)).toEqual([])
		expect(shown('0049 30 123456', null)).toEqual(BERLIN)
		expect(shown('+4930123456', null)).toEqual(BERLIN)
	})

	it('does not fall over anything', () => {
		for (const text of ['tel:%', '%zz', ';ext=', 'tel:;;;', '+'.repeat(50), '\u0000', '((((', 'tel:+49;phone-context=']) {
			expect(Array.isArray(readNumbers(text, 'DE'))).toBe(true)
		}
	})
})

describe('a number that is being typed', () => {
	it.each([
		['0301', '030 1', 'DE'],
		['+4930123456', '+49 30 123456', 'DE'],
		['+33123456789', '+33 1 23 45 67 89', null],
		['4930', '4930', null],
		['+49 (0)30', '+49 (0)30', 'DE'],
		['anna 030', 'anna 030', 'DE'],
		['*21#', '*21#', 'DE'],
		['', '', 'DE'],
		['+', '+', 'DE'],
	])('%j is shown as %j', (typed, expected, country) => {
		expect(formatTyped(typed, country)).toBe(expected)
	})

	it('never changes the digits', () => {
		for (const typed of ['030123456', '0171 1234567', '+1 555', '000', '0049301234']) {
			expect(formatTyped(typed, 'DE').replace(/[^\d+]/g, '')).toBe(typed.replace(/[^\d+]/g, ''))
		}
	})
})
