// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a person typed or a `tel:` link holds -> E.164. Ambiguous input is refused, never guessed.

import type { CountryCode, PhoneNumber } from 'libphonenumber-js/max'

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
const TEL_SCHEME = /^\s*tel:/i
/** The `(0)` directly behind a country code. */
const TRUNK_ZERO = /^(\D*\+[^(]{1,8})\(\s*0\s*\)/u
/** Full-width forms, as East Asian keyboards give them, and the small `+` and `-`. */
const FULL_WIDTH = /[\uff01-\uff5e\ufe62\ufe63]/gu
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
	const text = TEL_SCHEME.test(input) ? readTelUri(input) : input
	if (typeof text === 'object') {
		return text
	}
	const dialled = dialledDigits(text)
	if (dialled === '') {
		return { fault: 'empty' }
	}
	if (!/^\+?[0-9]+$/.test(dialled)) {
		return { fault: /^(?:\+?[0-9]+(?:[;,#x]|ext)|[*#])/i.test(dialled) ? 'extension_not_supported' : 'not_a_number' }
	}
	const home = homeCountry !== null && isSupportedCountry(homeCountry) ? homeCountry as CountryCode : undefined
	if (!dialled.startsWith('+') && home === undefined) {
		return { fault: 'needs_country_code' }
	}
	const dialledAs = readDialled(dialled, dialledDigits(fold(text).replace(TRUNK_ZERO, '$1')), home)
	// Read again, so that country and type do not depend on the form it was typed in.
	const parsed = dialledAs && parsePhoneNumberFromString(dialledAs.number, { extract: false })
	// A number with a trunk prefix too many (`+49 00 30 …`) turns into another one on the way.
	if (parsed === undefined || parsed.number !== dialledAs?.number || !E164.test(parsed.number) || !parsed.isPossible()) {
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
 * The `0` of `+44 (0) 20 …` belongs to calls within the country, so it is dropped; where a number itself begins with 0
 * (`+39 (0)6 …` in Italy) it stays.
 */
function readDialled(dialled: string, withoutZero: string, home: CountryCode | undefined): PhoneNumber | undefined {
	const options = { extract: false, ...(home === undefined ? {} : { defaultCountry: home }) }
	const whole = parsePhoneNumberFromString(dialled, options)
	if (dialled === withoutZero || (whole?.isValid() === true && whole.nationalNumber.startsWith('0'))) {
		return whole
	}
	return parsePhoneNumberFromString(withoutZero, options)
}

/**
 * The characters that would be dialled: separators taken out, digits of every script as ASCII. Raised and circled digits
 * are none: they are footnotes.
 */
export function dialledDigits(text: string): string {
	return fold(text)
		.replace(SEPARATORS, '')
		.replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)))
}

function fold(text: string): string {
	return text.replace(FULL_WIDTH, (character) => character.normalize('NFKC'))
}

/** Each script's digits stand in runs of ten code points that begin with its zero; some runs follow one another. */
function digitValue(digit: string): number {
	const code = digit.codePointAt(0) ?? 0
	let first = code
	while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) {
		first--
	}
	return (code - first) % 10
}

/**
 * What stands in a `tel:` URI behind the scheme, percent-decoded; any other input as it is.
 *
 * @return undefined when it is no text
 */
export function withoutScheme(input: string): string | undefined {
	if (!TEL_SCHEME.test(input)) {
		return input
	}
	try {
		return decodeURIComponent(input.replace(TEL_SCHEME, ''))
	} catch {
		return undefined
	}
}

/** RFC 3966: `tel:` number, then parameters. Parameters that would change what is dialled are refused. */
function readTelUri(uri: string): string | { fault: NumberFault } {
	const decoded = withoutScheme(uri)
	if (decoded === undefined) {
		return { fault: 'not_a_number' }
	}
	const [number = '', ...parameters] = decoded.split(';')
	let context = ''
	for (const parameter of parameters) {
		const [name = '', value = ''] = parameter.split('=')
		switch (name.toLowerCase()) {
			case 'phone-context':
				// Section 3: no parameter stands there twice. Of two contexts one would have to be guessed.
				if (context !== '') {
					return { fault: 'not_a_number' }
				}
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
	return /^\+[\d\-.()]+$/.test(context) ? `${context}${number}` : { fault: 'not_a_number' }
}
