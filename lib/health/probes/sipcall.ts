// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What SIPCall knows without asking anybody.

import type { Settings } from '../../policy/settings.ts'
import type { FindingCode } from '../findings.ts'
import type { Probe } from '../health.ts'

import { finding } from '../findings.ts'

/** @param countReplicas all servers on the same database, this one among them */
export function sipcallProbe(version: string, countReplicas: () => number): Probe {
	return {
		id: 'sipcall',
		ifSilent: 'sipcall_starting',
		look: () => {
			const replicas = countReplicas()
			return [{ id: 'sipcall', ...(replicas > 1 ? finding('sipcall_replicas', { version, replicas }) : finding('sipcall_ok', { version })) }]
		},
	}
}

/** What is known without asking anybody: who may call, and what waits for an admin. */
export interface Notices {
	settings: Pick<Settings, 'homeCountry' | 'allowedCountries' | 'allowedPrefixes' | 'allowedGroups' | 'dailySpendLimit' | 'monthlySpendLimit' | 'oauth'>
	/** Keys of settings in Nextcloud that mean nothing. */
	ignoredSettings: readonly string[]
	/** Why the daily search for removed users found nothing that it dares to act on. */
	departureDoubt: string | undefined
	/** Whose calling was locked by refused calls. */
	lockedUsers: number
}

export function noticesProbe(notices: () => Notices): Probe {
	return {
		id: 'calling',
		ifSilent: 'calling_no_group',
		look: () => {
			const { settings, ignoredSettings, departureDoubt, lockedUsers } = notices()
			return [
				{ id: 'calling', ...finding(callingCode(settings)) },
				...(settings.dailySpendLimit === null && settings.monthlySpendLimit === null ? [{ id: 'spending' as const, ...finding('spending_unlimited') }] : []),
				...(settings.oauth === null ? [{ id: 'sign_in' as const, ...finding('sign_in_not_set_up') }] : []),
				...(ignoredSettings.length === 0 ? [] : [{ id: 'settings' as const, ...finding('settings_ignored', { settings: ignoredSettings.join(', ') }) }]),
				...(departureDoubt === undefined ? [] : [{ id: 'removed_users' as const, ...finding('removed_users', { reason: departureDoubt }) }]),
				...(lockedUsers === 0 ? [] : [{ id: 'locked_users' as const, ...finding('locked_users', { count: lockedUsers }) }]),
			]
		},
	}
}

function callingCode({ homeCountry, allowedCountries, allowedPrefixes, allowedGroups }: Notices['settings']): FindingCode {
	if (allowedGroups !== null && allowedGroups.length === 0) {
		return 'calling_no_group'
	}
	const hasCountry = (allowedCountries ?? (homeCountry === null ? [] : [homeCountry])).length > 0
	return !hasCountry && allowedPrefixes.length === 0 ? 'calling_no_country' : allowedGroups === null ? 'calling_everybody' : 'calling_groups'
}
