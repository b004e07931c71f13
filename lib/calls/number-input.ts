// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { NumberFault, ParsedNumber } from '../numbering/parse-number.ts'
import type { Settings } from '../policy/settings.ts'

import { SipCallError } from '../errors.ts'
import { parseNumber } from '../numbering/parse-number.ts'

const NUMBER_FAULTS: Readonly<Record<NumberFault, string>> = {
	empty: 'There is no number. Type one with its country code, such as +49 30 123456.',
	too_long: 'This is too long for a phone number. Type the number alone.',
	not_a_number: 'This is not a phone number. Use digits, and + for the country code, such as +49 30 123456.',
	needs_country_code: 'The country is missing. Begin the number with + and the country code, such as +49 30 123456.',
	several_numbers: 'This looks like several numbers. Type the one to call.',
	service_code: 'Service codes such as *21# cannot be dialled. Keys to press once somebody has answered stand behind the number, such as +49 30 123456 ext. 12#.',
	needs_area_code: 'The area code is missing, or the 0 before it. Type the whole number, such as 030 123456 or +49 30 123456.',
	bad_extension: 'The extension is not one that can be dialled. Write it behind the number, such as +49 30 123456 ext. 12, with up to 20 digits, * and #.',
	extension_not_supported: 'This kind of extension cannot be dialled. Type the number without it, or the extension behind it, such as +49 30 123456 ext. 12.',
	impossible: 'No number looks like this. Check the digits and the country code.',
}

/**
 * A number as somebody has typed it.
 *
 * @throws {SipCallError} `invalid_number`
 */
export function readNumber(input: string, settings: Pick<Settings, 'homeCountry'>): ParsedNumber {
	const number = parseNumber(input, settings.homeCountry)
	if ('fault' in number) {
		throw new SipCallError('invalid_number', NUMBER_FAULTS[number.fault], { errors: [{ field: 'to', message: NUMBER_FAULTS[number.fault] }] })
	}
	return number
}
