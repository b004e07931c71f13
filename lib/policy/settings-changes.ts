// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What may be told of a change of settings: which ones, and their values where no secret and no number can be in them.

import type { SavedSettings, Settings } from './settings.ts'

import { isDeepStrictEqual } from 'node:util'
import { DEFAULT_SETTINGS } from './settings.ts'

/** `name`: secrets or numbers may be in it, so only that it changed is told. A new setting needs a thought here. */
const TOLD: Readonly<Record<keyof Settings, 'values' | 'name'>> = {
	homeCountry: 'values',
	allowedCountries: 'values',
	allowedTypes: 'values',
	allowedPrefixes: 'name',
	deniedPrefixes: 'name',
	allowedGroups: 'values',
	callsPerMinute: 'values',
	callsPerHour: 'values',
	callsPerDay: 'values',
	maxConcurrentPerUser: 'values',
	maxConcurrent: 'values',
	maxCallSec: 'values',
	sipDialString: 'values',
	sipDomain: 'values',
	gateways: 'values',
	callerIds: 'name',
	deviceVerification: 'values',
	ringTimeoutSec: 'values',
	answerTimeoutSec: 'values',
	timeZone: 'values',
	workingHours: 'values',
	maxDistinctPerDay: 'values',
	lockAfterRefusals: 'values',
	dailySpendLimit: 'values',
	monthlySpendLimit: 'values',
	// A prefix may be a whole number.
	rates: 'name',
	confirmAbove: 'values',
	brake: 'values',
	retention: 'values',
	statistics: 'values',
	freeswitch: 'name',
	oauth: 'name',
	provider: 'name',
	cdrSecret: 'name',
	metricsToken: 'name',
}

/** Settings with secrets or numbers in them: whoever keeps a copy of them encrypts it. */
export const PRIVATE_SETTINGS: readonly string[] = Object.keys(TOLD).filter((key) => TOLD[key as keyof Settings] === 'name')

export interface SettingChange {
	key: string
	old?: unknown
	new?: unknown
}

/**
 * The settings that differ between two states of what an admin has saved.
 *
 * @param before with what was in force, for the old values
 */
export function settingChanges(before: { saved: Readonly<SavedSettings>, current: Settings }, after: { saved: Readonly<SavedSettings>, current: Settings }): SettingChange[] {
	const keys = Object.keys(DEFAULT_SETTINGS) as (keyof Settings)[]
	return keys
		.filter((key) => key in before.saved !== key in after.saved || !isDeepStrictEqual(before.saved[key], after.saved[key]))
		.map((key) => TOLD[key] === 'name' ? { key } : { key, old: before.current[key], new: after.current[key] })
}
