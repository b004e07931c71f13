// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { HealthFacts } from '../../../lib/health/checks.ts'

import { access } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { healthChecks, setupChecksAnswer, statusLines } from '../../../lib/health/checks.ts'
import { DEFAULT_SETTINGS } from '../../../lib/policy/settings.ts'

const GOOD: HealthFacts = {
	switch: { isSetUp: true, isReady: true, lastError: undefined },
	settings: { ...DEFAULT_SETTINGS, homeCountry: 'DE' },
	departureDoubt: undefined,
	lockedUsers: 0,
}

describe('the checks', () => {
	it('find nothing where everything is good', () => {
		expect(healthChecks(GOOD).map(({ id, state }) => [id, state])).toEqual([['freeswitch', 'ok'], ['calling', 'ok']])
	})

	it.each<[string, Partial<HealthFacts>, string, string, RegExp]>([
		['a switch that is away', { switch: { isSetUp: true, isReady: false, lastError: 'FreeSWITCH refused the password' } }, 'freeswitch', 'error', /refused the password/],
		['no switch at all', { switch: { isSetUp: false, isReady: false, lastError: undefined } }, 'freeswitch', 'warning', /no FreeSWITCH is set up/],
		['no country', { settings: DEFAULT_SETTINGS }, 'calling', 'warning', /Set the home country/],
		['an empty list of countries', { settings: { ...DEFAULT_SETTINGS, homeCountry: 'DE', allowedCountries: [] } }, 'calling', 'warning', /no country is allowed/],
		['no group', { settings: { ...DEFAULT_SETTINGS, homeCountry: 'DE', allowedGroups: [] } }, 'calling', 'warning', /no group/],
		['locked users', { lockedUsers: 2 }, 'locked_users', 'warning', /locked for 2 users/],
		['a list of users that cannot be believed', { departureDoubt: 'Look at the list.' }, 'removed_users', 'warning', /Look at the list/],
	])('tell of %s', (_what, facts, id, state, text) => {
		const check = healthChecks({ ...GOOD, ...facts }).find((one) => one.id === id)
		expect(check?.state).toBe(state)
		expect(check?.text).toMatch(text)
	})

	it('take an allowed prefix for a place that may be called', () => {
		expect(healthChecks({ ...GOOD, settings: { ...DEFAULT_SETTINGS, allowedPrefixes: ['+49'] } })[1]?.state).toBe('ok')
	})

	it('are in AppAPI’s words for Nextcloud, and lines for a console; each leads to a page that is there', async () => {
		const checks = healthChecks({ ...GOOD, settings: DEFAULT_SETTINGS, departureDoubt: 'Look.', lockedUsers: 1 })
		const answer = setupChecksAnswer(checks)
		expect(Object.entries(answer).map(([id, { status }]) => [id, status])).toEqual([['freeswitch', 'success'], ['calling', 'warning'], ['removed_users', 'warning'], ['locked_users', 'warning']])
		expect(statusLines(checks)[1]).toMatch(/^WARN {2}Nobody can call yet/)
		for (const { link_url: url } of Object.values(answer)) {
			await access(new URL(`../../../docs/admin/${url.split('/').at(-1)}`, import.meta.url))
		}
	})
})
