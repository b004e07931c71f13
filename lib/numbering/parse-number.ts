// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a person typed or a `tel:` link holds -> E.164. Ambiguous input is refused, never guessed.

import type { CountryCode, PhoneNumber } from 'libphonenumber-js/max'
import type { SplitNumber } from './extension.ts'

import { getCountryCallingCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { dialledDigits, fold } from './dialled-digits.ts'
import { readExtension, splitExtension } from './extension.ts'
import { isTelUri, readTelUri } from './tel-uri.ts'

export interface ParsedNumber {
	/** ITU-T E.164 with `+`. */
	e164: string
	/** Keys to press once the destination has answered: `0-9*#`, and `,` for a pause of two seconds; 1–20 of them. */
	extension?: string
	/** Grouped as people of that country write it internationally; with ` ext. 12` when there is an extension. */
	display: string
	/** ISO 3166 alpha-2; undefined for codes that belong to no country. */
	country: string | undefined
	/** libphonenumber's type; undefined = no known pattern. */
	type: string | undefined
}

export type NumberFault
	= | 'empty' | 'too_long' | 'not_a_number' | 'several_numbers' | 'service_code' | 'needs_country_code' | 'needs_area_code'
		| 'bad_extension' | 'extension_not_supported' | 'impossible'

const LONGEST_INPUT = 200
/** The `(0)` directly behind a country code. */
const TRUNK_ZERO = /^(\D*\+[^(]{1,8})\(\s*0\s*\)/u
const E164 = /^\+[1-9][0-9]{6,14}$/
/** Where a second number may begin: on a new line, or behind a slash with a prefix of its own. */
const NEXT_NUMBER = /[\r\n\u0085\u2028\u2029]+|\/(?=\s*[+0])/u
/** Two texts with at least so many digits are two numbers. */
const DIGITS_OF_A_NUMBER = 6

/**
 * Countries whose fixed numbers differ in length and whose people leave the area code out in their own town. Digits
 * without the leading 0 may be such a local number there, and then begin like the area code of another town.
 */
const AREA_CODE_NEEDS_ZERO: ReadonlySet<string> = new Set(['AT', 'AX', 'BD', 'BG', 'CN', 'DE', 'DZ', 'EG', 'FI', 'GB', 'GG', 'HR', 'ID', 'IE', 'IL', 'IM', 'IQ', 'IR', 'JE', 'KE', 'KH', 'KR', 'LB', 'MM', 'MN', 'MY', 'NA', 'PH', 'PK', 'RO', 'RS', 'SE', 'SK', 'SY', 'TW', 'XK'])

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
	const split = isTelUri(input) ? splitUri(input) : splitTyped(input)
	if ('fault' in split) {
		return split
	}
	const number = readPlain(split.number, homeCountry)
	if ('fault' in number || split.keys === undefined) {
		return number
	}
	const extension = readExtension(split.keys)
	if (split.isBareMark && isAnotherNumber(split.keys, homeCountry)) {
		return { fault: 'several_numbers' }
	}
	// Behind a comma or a semicolon nothing but keys: `123456, 12` may as well be the numbers of two lines.
	if (extension === undefined || (split.isBareMark && /[^\p{Nd}*#,\p{Default_Ignorable_Code_Point}]/u.test(split.keys.trimEnd()))) {
		return { fault: 'bad_extension' }
	}
	return { ...number, extension, display: displayNumber(number.e164, extension) }
}

/** A number as people of its country write it internationally, and the extension behind it. */
export function displayNumber(e164: string, extension?: string): string {
	const number = parsePhoneNumberFromString(e164)?.formatInternational() ?? e164
	return extension === undefined ? number : `${number} ext. ${extension}`
}

function splitTyped(input: string): SplitNumber | { fault: NumberFault } {
	if (input.split(NEXT_NUMBER).filter((part) => dialledDigits(part).length >= DIGITS_OF_A_NUMBER).length > 1) {
		return { fault: 'several_numbers' }
	}
	return splitExtension(input) ?? { fault: 'not_a_number' }
}

function splitUri(input: string): SplitNumber | { fault: NumberFault } {
	const uri = readTelUri(input)
	if ('fault' in uri) {
		return uri
	}
	const split = splitExtension(uri.number)
	if (split === undefined || uri.ext === undefined) {
		return split ?? { fault: 'not_a_number' }
	}
	return split.keys === undefined ? { number: split.number, keys: uri.ext } : { fault: 'bad_extension' }
}

/** Whether a number, and no extension, stands behind the comma or semicolon. */
function isAnotherNumber(text: string, homeCountry: string | null): boolean {
	const other = readPlain(text, homeCountry)
	return 'type' in other ? other.type !== undefined : dialledDigits(text).startsWith('+')
}

function readPlain(text: string, homeCountry: string | null): ParsedNumber | { fault: NumberFault } {
	const dialled = dialledDigits(text)
	if (dialled === '') {
		return { fault: 'empty' }
	}
	if (!/^\+?[0-9]+$/.test(dialled)) {
		return { fault: /^[+0-9*#]*[*#][+0-9*#]*$/.test(dialled) ? 'service_code' : 'not_a_number' }
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
	const type = parsed.isValid() ? parsed.getType() : undefined
	const isGeographic = type === undefined || type.startsWith('FIXED_LINE')
	// `990` in Finland leads out of the country, too.
	if (home !== undefined && AREA_CODE_NEEDS_ZERO.has(home) && isGeographic && !/^[+0]/.test(dialled) && parsed.countryCallingCode === getCountryCallingCode(home)) {
		return { fault: 'needs_area_code' }
	}
	return { e164: parsed.number, display: parsed.formatInternational(), country: parsed.country, type }
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
