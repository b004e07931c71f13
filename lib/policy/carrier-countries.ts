// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ParsedNumber } from '../numbering/parse-number.ts'

import { getCountryCallingCode, isSupportedCountry } from 'libphonenumber-js/max'

/**
 * Whether the company behind the trunk will certainly refuse a number. Companies cut the world in slightly different pieces
 * (Guernsey is Britain to one and not to another), so one country that it lets through speaks for all of the same calling
 * code: what is refused after all is then refused by the company itself.
 *
 * @param countries ISO 3166, that it lets through; undefined = not known, or too old to be true
 */
export function isRefusedByCarrier({ country }: Pick<ParsedNumber, 'country'>, countries: readonly string[] | undefined): boolean {
	const code = callingCode(country)
	return countries !== undefined && code !== undefined && !countries.some((allowed) => allowed === country || callingCode(allowed) === code)
}

function callingCode(country: string | undefined): string | undefined {
	return country !== undefined && isSupportedCountry(country) ? getCountryCallingCode(country) : undefined
}
