// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Numbers that show what a policy does. They are for being explained alone: one that is nobody's today may be somebody's
// tomorrow.

import type { PhoneNumberKind } from 'google-libphonenumber'

import libphonenumber from 'google-libphonenumber'

export interface SampleNumber {
	kind: 'mobile' | 'foreign' | 'premium'
	e164: string
}

/** Of the range that North America keeps for fiction: the only one of all that libphonenumber knows as numbers in use. */
const ABROAD = '+12025550123'
const CODE_OF_ABROAD = 1

const { PhoneNumberFormat, PhoneNumberType, PhoneNumberUtil } = libphonenumber
const numbers = PhoneNumberUtil.getInstance()

/**
 * A mobile number of the home country, a number abroad, and one at a premium rate. What a country does not have, or
 * nobody knows, is left out.
 *
 * @param homeCountry ISO 3166 alpha-2; null = none, and so no number of it
 */
export function sampleNumbers(homeCountry: string | null): SampleNumber[] {
	const abroad = homeCountry !== null && numbers.getCountryCodeForRegion(homeCountry) === CODE_OF_ABROAD ? exampleOf('GB', PhoneNumberType.MOBILE) : ABROAD
	const samples: [SampleNumber['kind'], string | undefined][] = [
		['mobile', homeCountry === null ? undefined : exampleOf(homeCountry, PhoneNumberType.MOBILE)],
		['foreign', abroad],
		['premium', homeCountry === null ? undefined : exampleOf(homeCountry, PhoneNumberType.PREMIUM_RATE)],
	]
	return samples.flatMap(([kind, e164]) => e164 === undefined ? [] : [{ kind, e164 }])
}

function exampleOf(country: string, kind: PhoneNumberKind): string | undefined {
	const example = numbers.getExampleNumberForType(country, kind)
	return example === null ? undefined : numbers.format(example, PhoneNumberFormat.E164)
}
