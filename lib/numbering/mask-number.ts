// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { parsePhoneNumberFromString } from 'libphonenumber-js/max'

/** A number that its owner's partner recognises and nobody else: the country's code and the last two digits, `+49 ••••56`. */
export function maskNumber(e164: string): string {
	const code = parsePhoneNumberFromString(e164)?.countryCallingCode
	return `${code === undefined ? '' : `+${code} `}••••${e164.slice(-2)}`
}
