// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a person typed or a `tel:` link holds -> E.164. Ambiguous input is refused, never guessed.

import type { CountryCode } from 'libphonenumber-js/max'

import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max'

export interface ParsedNumber {
	/** ITU-T E.164 with `+`. */
	e164: string
	/** Grouped as people of that country write it internationally. */
	display: string
	/** ISO 3166 alpha-2; undefined for codes that belong to no country. */
	country: string | undefined
	/** libphonenumber's type; undefined = no known pattern. */
	type: string | undefined
}

export type NumberFault
	= | 'empty' | 'too_long' | 'not_a_number' | 'needs_country_code' | 'extension_not_supported' | 'impossible'

const LONGEST_INPUT = 200
const E164 = /^\+[1-9][0-9]{6,14}$/
/** RFC 3966 visual separators, and what else people put between digits: no-break and thin spaces, dashes, slashes. */
const SEPARATORS = /[\s\-.()/\u00ad\u2010-\u2015\u2212\u2060\ufeff\u200b-\u200f\u202a-\u202e\u2066-\u2069]/gu

/**
 * Reads a number.
 *
 * @param input what was typed or pasted, or a `tel:` URI (RFC 3966)
 * @param homeCountry ISO country for national forms; null = only international ones are understood
 */
export function parseNumber(input: string, homeCountry: string | null): ParsedNumber | { fault: NumberFault } {
	if (input.length > LONGEST_INPUT) {
		return { fault: 'too_long' }
	}
	const text = /^tel:/i.test(input.trim()) ? readTelUri(input.trim().slice(4)) : input
	if (typeof text === 'object') {
		return text
	}
	const dialled = dialledDigits(text)
	if (dialled === '') {
		return { fault: 'empty' }
	}
	if (!/^\+?[0-9]+$/.test(dialled)) {
		return { fault: /(?:;|,|ext|x|#)/i.test(dialled) ? 'extension_not_supported' : 'not_a_number' }
	}
	const home = homeCountry !== null && isSupportedCountry(homeCountry) ? homeCountry as CountryCode : undefined
	if (!dialled.startsWith('+') && home === undefined) {
		return { fault: 'needs_country_code' }
	}
	const parsed = parsePhoneNumberFromString(dialled, { extract: false, ...(home === undefined ? {} : { defaultCountry: home }) })
	if (parsed === undefined || parsed.ext !== undefined || !E164.test(parsed.number) || !parsed.isPossible()) {
		return { fault: 'impossible' }
	}
	return {
		e164: parsed.number,
		display: parsed.formatInternational(),
		country: parsed.country,
		type: parsed.isValid() ? parsed.getType() : undefined,
	}
}

/**
 * The characters that would be dialled: separators taken out, digits of every script as ASCII, `(0)` after a country
 * code dropped.
 */
export function dialledDigits(text: string): string {
	return text
		.normalize('NFKC')
		.replace(/^(\s*\+[\d\s]+?)\(0\)/u, '$1')
		.replace(SEPARATORS, '')
		.replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)))
}

/** Each script's digits stand in a run of ten code points that begins with its zero. */
function digitValue(digit: string): number {
	const code = digit.codePointAt(0) ?? 0
	let zero = code
	while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1)) && code - zero < 9) {
		zero--
	}
	return code - zero
}

/** RFC 3966: `tel:` number, then parameters. Parameters that would change what is dialled are refused. */
function readTelUri(rest: string): string | { fault: NumberFault } {
	let decoded: string
	try {
		decoded = decodeURIComponent(rest)
	} catch {
		return { fault: 'not_a_number' }
	}
	const [number = '', ...parameters] = decoded.split(';')
	let context = ''
	for (const parameter of parameters) {
		const [name = '', value = ''] = parameter.split('=')
		switch (name.toLowerCase()) {
			case 'phone-context':
				context = value
				break
			case 'ext':
			case 'isub':
				return { fault: 'extension_not_supported' }
			default:
				// Section 5.3: a parameter `m-…` must be understood by whoever uses the number.
				if (name.toLowerCase().startsWith('m-')) {
					return { fault: 'not_a_number' }
				}
		}
	}
	if (context === '' || number.trim().startsWith('+')) {
		return number
	}
	// A domain as context names a private numbering plan, which nobody can dial from here.
	return /^\+[\d\-.()]+$/.test(context) ? `${context}${number.replace(/^0/, '')}` : { fault: 'not_a_number' }
}
