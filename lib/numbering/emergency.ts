// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import libphonenumber from 'google-libphonenumber'
import { dialledDigits } from './parse-number.ts'

/** Numbers that are emergency numbers in so many places that a person may mean them anywhere. */
const WORLD = new Set(['112', '911', '999', '110', '000', '111', '113', '115', '117', '118', '119', '15', '17', '18', '19', '10', '100', '101', '102', '103', '108', '120', '122', '190', '192', '193', '997', '998'])

const shortNumbers = libphonenumber.ShortNumberInfo.getInstance()

/**
 * Whether these digits would reach an emergency service on a normal phone, in the home country or as one of the
 * world's common emergency numbers. Looks at what was typed, before any country code is added. A callback call is the
 * wrong way to an emergency service: it is slow and tells the wrong place.
 *
 * @param input as typed, or a `tel:` URI
 */
export function isEmergencyNumber(input: string, homeCountry: string | null): boolean {
	const digits = dialledDigits(input.trim().replace(/^tel:/i, '').split(';')[0] ?? '')
	if (!/^\d{2,8}$/.test(digits)) {
		return false
	}
	return WORLD.has(digits) || (homeCountry !== null && shortNumbers.connectsToEmergencyNumber(digits, homeCountry))
}
