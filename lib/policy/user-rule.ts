// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Settings } from './settings.ts'

/** The limits that a user may have for themselves, lower or higher than everybody's. */
export const OWN_LIMITS = ['callsPerMinute', 'callsPerHour', 'callsPerDay', 'maxDistinctPerDay', 'maxConcurrentPerUser', 'maxCallSec'] as const

export type OwnLimits = Partial<Pick<Settings, typeof OWN_LIMITS[number]>>

export interface Lock {
	until: Date
	by: 'refusals' | 'admin'
	/** Why, in an admin's words; not read where a call is decided. */
	reason?: string
}

/** What an admin, or a lock, has decided for one user. */
export interface UserRule {
	/** Over the groups; null = the groups decide. */
	mayCall: boolean | null
	limits: OwnLimits
	/** Calling is locked until then. */
	lock: Lock | null
	/** Countries that the brake lets through for this user. */
	approvedCountries: readonly string[]
}

export const NO_RULE: UserRule = Object.freeze<UserRule>({ mayCall: null, limits: {}, lock: null, approvedCountries: [] })

/** The settings as they are for this user. */
export function settingsFor(settings: Settings, { limits }: Pick<UserRule, 'limits'>): Settings {
	return { ...settings, ...limits }
}
