// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Money, Rate } from './rates.ts'
import type { WorkingHours } from './working-hours.ts'

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
	/** IANA zone whose days and months count for limits. */
	timeZone: string
	/** When calls may be placed; null = always. */
	workingHours: WorkingHours | null
	/** Different numbers that a user may call in a day; null = any. */
	maxDistinctPerDay: number | null
	/** So many calls refused by the policy within a time lock a user's calling; null = never. */
	lockAfterRefusals: { count: number, windowMin: number, lockMin: number } | null
	/** What all users together may spend; open calls count as if they lasted as long as they may. null = no limit. */
	dailySpendLimit: Money | null
	monthlySpendLimit: Money | null
	/** What calls cost, for the two limits above and for what is shown before a call. */
	rates: Rate[]
	/** Calls above this price a minute are asked about first; null = none. */
	confirmAbove: Money | null
	/** Holds the first call to a country for an admin's approval when it comes at night and in a burst; null = off. */
	brake: Brake | null
	/** Days after its end that a call is kept, and that its number is kept; and that the audit log is. 0 = not at all. */
	retention: { callsDays: number, maskAfterDays: number, auditDays: number }
	/** Whether statistics name people. */
	statistics: 'pseudonymous' | 'named'
	freeswitch: SwitchConnection
	/** The OAuth 2.0 client in Nextcloud; null = nobody signs in from outside. */
	oauth: OAuthClient | null
	/** The company behind the trunk. */
	provider: ProviderSettings
	/** Proves that a call record comes from FreeSWITCH. Nothing takes call records yet. */
	cdrSecret: string | null
	/** Opens the metrics. Nothing gives metrics yet. */
	metricsToken: string | null
}

export interface Brake {
	/** The night, by the clock of `timeZone`; may go past midnight. */
	from: string
	to: string
	/** This many calls of the user within the hour before are a burst. */
	callsPerHour: number
}

/** FreeSWITCH's Event Socket. */
export interface SwitchConnection {
	host: string
	port: number
	/** `name@domain` for `userauth`. */
	user: string | null
	/** null = no switch is set up. */
	password: string | null
}

export interface ProviderSettings {
	/** `generic` = nobody is asked. */
	kind: string
	apiKey?: string | undefined
	/** null = the company's own. */
	baseUrl?: string | null | undefined
	/** Whether administrators may have a number looked up, which the company charges for. */
	lookup?: boolean | undefined
	/** Which of the company's trunks is ours; null = the only one. */
	connectionId?: string | null | undefined
}

export interface OAuthClient {
	clientId: string
	clientSecret: string
}

/**
 * Settings with a secret in them: stored encrypted, never given out again. A saved null takes the saved value away, so
 * that the environment's counts again.
 */
export const SECRET_SETTINGS = ['freeswitch', 'oauth', 'provider', 'cdrSecret', 'metricsToken'] as const

/** What an admin has saved. */
export type SavedSettings = { [Key in keyof Settings]?: Settings[Key] | (Key extends typeof SECRET_SETTINGS[number] ? null : never) }

export function isSecretSetting(key: string): key is typeof SECRET_SETTINGS[number] {
	return (SECRET_SETTINGS as readonly string[]).includes(key)
}

/** What counts: what is saved, over the environment's, over the defaults. */
export function mergeSettings(environment: Partial<Settings>, saved: SavedSettings): Settings {
	const counting = Object.entries(saved).filter(([key, value]) => value !== null || !isSecretSetting(key))
	return { ...DEFAULT_SETTINGS, ...environment, ...Object.fromEntries(counting) as Partial<Settings> }
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
	timeZone: 'UTC',
	workingHours: null,
	maxDistinctPerDay: null,
	lockAfterRefusals: { count: 10, windowMin: 10, lockMin: 15 },
	dailySpendLimit: null,
	monthlySpendLimit: null,
	rates: [],
	confirmAbove: null,
	brake: null,
	retention: { callsDays: 90, maskAfterDays: 30, auditDays: 730 },
	statistics: 'pseudonymous',
	freeswitch: { host: '127.0.0.1', port: 8021, user: null, password: null },
	oauth: null,
	provider: { kind: 'generic' },
	cdrSecret: null,
	metricsToken: null,
})
