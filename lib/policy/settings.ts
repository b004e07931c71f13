// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What an admin can set; names, meanings and defaults are those of the outer contract, section 6. */
export interface Settings {
	/** ISO 3166 alpha-2, for numbers typed in national form; null = only `+` numbers. */
	homeCountry: string | null
	/** ISO countries; null = the home country alone. */
	allowedCountries: string[] | null
	/** libphonenumber's number types. */
	allowedTypes: string[]
	/** The longest match of the two lists wins over country and type. */
	allowedPrefixes: string[]
	deniedPrefixes: string[]
	/** Nextcloud groups that may call; null = everyone. */
	allowedGroups: string[] | null
	callsPerMinute: number
	callsPerHour: number
	callsPerDay: number
	maxConcurrentPerUser: number
	maxConcurrent: number
	maxCallSec: number
	sipDialString: string
	/** null = FreeSWITCH's own `domain`. */
	sipDomain: string | null
	/** In the order in which they are tried. */
	gateways: string[]
	callerIds: { number: string, label: string, groups?: string[] | undefined }[]
	deviceVerification: { phone: 'code' | 'none', sip: 'none' | 'admin' }
	ringTimeoutSec: number
	answerTimeoutSec: number
}

export const DEFAULT_SETTINGS: Readonly<Settings> = Object.freeze<Settings>({
	homeCountry: null,
	allowedCountries: null,
	allowedTypes: ['FIXED_LINE', 'MOBILE', 'FIXED_LINE_OR_MOBILE', 'TOLL_FREE', 'UAN', 'VOIP'],
	allowedPrefixes: [],
	deniedPrefixes: [],
	allowedGroups: ['admin'],
	callsPerMinute: 10,
	callsPerHour: 60,
	callsPerDay: 200,
	maxConcurrentPerUser: 1,
	maxConcurrent: 10,
	maxCallSec: 3600,
	sipDialString: 'user/{address}@{domain}',
	sipDomain: null,
	gateways: ['trunk'],
	callerIds: [],
	deviceVerification: { phone: 'code', sip: 'none' },
	ringTimeoutSec: 30,
	answerTimeoutSec: 60,
})
