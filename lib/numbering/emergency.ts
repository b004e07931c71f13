// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import libphonenumber from 'google-libphonenumber'
import { dialledDigits } from './dialled-digits.ts'
import { splitExtension } from './extension.ts'
import { parseNumber } from './parse-number.ts'
import { withoutScheme } from './tel-uri.ts'

/** Numbers that are emergency numbers in so many places that a person may mean them anywhere. */
const WORLD = new Set(['112', '911', '999', '110', '000', '111', '113', '115', '117', '118', '119', '15', '17', '18', '19', '10', '100', '101', '102', '103', '108', '120', '122', '190', '192', '193', '997', '998'])

/** Up to this length digits are dialled as a short number, whatever else they might be. */
const SHORT_NUMBER = 5

const shortNumbers = libphonenumber.ShortNumberInfo.getInstance()

/**
 * Whether these digits would reach an emergency service on a normal phone, in the home country or as one of the
 * world's common emergency numbers. Looks at what was typed, before any country code is added. A callback call is the
 * wrong way to an emergency service: it is slow and tells the wrong place. An extension or a key behind the number makes
 * no other number of it.
 *
 * @param input as typed, or a `tel:` URI
 */
export function isEmergencyNumber(input: string, homeCountry: string | null): boolean {
	const number = splitExtension(withoutScheme(input) ?? '')?.number ?? withoutScheme(input)?.split(';')[0] ?? ''
	const digits = dialledDigits(number).replace(/[*#].*$/s, '')
	if (!/^\d{2,8}$/.test(digits)) {
		return false
	}
	if (WORLD.has(digits)) {
		return true
	}
	return homeCountry !== null && shortNumbers.connectsToEmergencyNumber(digits, homeCountry) && !isOrdinaryNumber(digits, homeCountry)
}

/** In some countries people's own numbers begin with an emergency number's digits: 9999 5161 is a mobile in Oman. */
function isOrdinaryNumber(digits: string, homeCountry: string): boolean {
	const number = parseNumber(digits, homeCountry)
	return digits.length > SHORT_NUMBER && 'type' in number && number.type !== undefined
}
