// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What is wrong, in sentences for an admin. One list for all who show it: Nextcloud's setup checks and `occ sipcall:status`.

import type { Settings } from '../policy/settings.ts'

export interface Check {
	/** Stable; letters and `_`. */
	id: string
	state: 'ok' | 'warning' | 'error'
	/** What is, and where it is not good also why and what to do. */
	text: string
	/** The page of docs/admin that says more. */
	page: 'freeswitch' | 'settings' | 'commands' | 'policy'
}

/** What the checks are made of; read from memory, so that asking costs nothing. */
export interface HealthFacts {
	switch: { isSetUp: boolean, isReady: boolean, lastError: string | undefined }
	settings: Pick<Settings, 'homeCountry' | 'allowedCountries' | 'allowedPrefixes' | 'allowedGroups'>
	/** Why the daily search for removed users found nothing that it dares to act on. */
	departureDoubt: string | undefined
	/** Whose calling was locked by refused calls. */
	lockedUsers: number
}

export function healthChecks({ switch: freeSwitch, settings, departureDoubt, lockedUsers }: HealthFacts): Check[] {
	return [
		switchCheck(freeSwitch),
		callingCheck(settings),
		...(departureDoubt === undefined
			? []
			: [{ id: 'removed_users', state: 'warning' as const, text: departureDoubt, page: 'commands' as const }]),
		...(lockedUsers === 0
			? []
			: [{
					id: 'locked_users',
					state: 'warning' as const,
					text: `Calling is locked for ${lockedUsers === 1 ? 'one user' : `${lockedUsers} users`} after too many calls that are not allowed. The list of users shows whom, and unlocks.`,
					page: 'policy' as const,
				}]),
	]
}

function switchCheck({ isSetUp, isReady, lastError }: HealthFacts['switch']): Check {
	const check = { id: 'freeswitch', page: 'freeswitch' as const }
	if (isReady) {
		return { ...check, state: 'ok', text: 'FreeSWITCH is connected.' }
	}
	return isSetUp
		? { ...check, state: 'error', text: `Nobody can call: FreeSWITCH is not connected. ${lastError ?? 'The first attempt is under way'}.` }
		: { ...check, state: 'warning', text: 'Nobody can call yet: no FreeSWITCH is set up. Set its host and its Event Socket’s password.' }
}

function callingCheck({ homeCountry, allowedCountries, allowedPrefixes, allowedGroups }: HealthFacts['settings']): Check {
	const check = { id: 'calling', page: 'settings' as const }
	if (allowedGroups !== null && allowedGroups.length === 0) {
		return { ...check, state: 'warning', text: 'Nobody can call: no group is allowed to. Name the groups whose members may call.' }
	}
	const hasCountry = (allowedCountries ?? (homeCountry === null ? [] : [homeCountry])).length > 0
	if (!hasCountry && allowedPrefixes.length === 0) {
		return { ...check, state: 'warning', text: 'Nobody can call yet: no country is allowed. Set the home country.' }
	}
	return { ...check, state: 'ok', text: allowedGroups === null ? 'Everybody may call.' : 'Members of the named groups may call.' }
}

const DOCUMENTS = 'https://github.com/sipcall/sipcall/blob/main/docs/admin/'
const STATUSES = { ok: 'success', warning: 'warning', error: 'error' } as const

/** AppAPI's answer to `GET /setup_checks`, by the check's id. */
export function setupChecksAnswer(checks: readonly Check[]): Record<string, { status: string, text: string, link_url: string, link_label: string }> {
	return Object.fromEntries(checks.map(({ id, state, text, page }) => [id, {
		status: STATUSES[state],
		text,
		link_url: `${DOCUMENTS}${page}.md`,
		link_label: 'Documentation',
	}]))
}

const MARKS = { ok: 'ok   ', warning: 'WARN ', error: 'ERROR' } as const

/** Lines for a console. */
export function statusLines(checks: readonly Check[]): string[] {
	return checks.map(({ state, text }) => `${MARKS[state]} ${text}`)
}
