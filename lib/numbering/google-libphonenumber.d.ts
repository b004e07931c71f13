// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The one class of google-libphonenumber that is used: libphonenumber-js does not know emergency numbers.

declare module 'google-libphonenumber' {
	interface ShortNumberInfo {
		/** Whether the digits, dialled in that region, reach an emergency service (also with digits after it). */
		connectsToEmergencyNumber(digits: string, region: string): boolean
	}
	const libphonenumber: { ShortNumberInfo: { getInstance(): ShortNumberInfo } }
	export default libphonenumber
}
