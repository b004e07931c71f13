// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What is used of google-libphonenumber: libphonenumber-js knows neither emergency numbers nor an example of each kind.

declare module 'google-libphonenumber' {
	interface ShortNumberInfo {
		/** Whether the digits, dialled in that region, reach an emergency service (also with digits after it). */
		connectsToEmergencyNumber(digits: string, region: string): boolean
	}
	/** Opaque: a number of an enumeration. */
	export type PhoneNumberKind = number & { readonly kind: unique symbol }
	type Format = number & { readonly format: unique symbol }
	interface PhoneNumber { readonly number: unique symbol }
	interface PhoneNumberUtil {
		/** 0 = there is no such region. */
		getCountryCodeForRegion(region: string): number
		/** null = the region has none of this kind, or is not known. */
		getExampleNumberForType(region: string, kind: PhoneNumberKind): PhoneNumber | null
		format(number: PhoneNumber, format: Format): string
	}
	const libphonenumber: {
		ShortNumberInfo: { getInstance(): ShortNumberInfo }
		PhoneNumberUtil: { getInstance(): PhoneNumberUtil }
		PhoneNumberType: Readonly<Record<'MOBILE' | 'PREMIUM_RATE', PhoneNumberKind>>
		PhoneNumberFormat: { readonly E164: Format }
	}
	export default libphonenumber
}
