// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The forms of the administration, without a page: what is shown of the settings, and what is sent back.

import type { AdminUser, Settings } from '../../../src/services/admin-api.ts'

import { getCountries } from 'libphonenumber-js/max'
import { describe, expect, it } from 'vitest'
import { showSettings } from '../../../lib/policy/secret-settings.ts'
import { settingsSchema } from '../../../lib/policy/settings-schema.ts'
import { DEFAULT_SETTINGS } from '../../../lib/policy/settings.ts'
import { countryCodes } from '../../../src/services/choices.ts'
import { connectionChangeOf, connectionFormOf } from '../../../src/services/connection-form.ts'
import { amountText, microsOf, moneyWords } from '../../../src/services/money.ts'
import { changeOf, countriesWithHome, formOf, KINDS, policyOf } from '../../../src/services/policy-form.ts'
import { describeChanges } from '../../../src/services/policy-words.ts'
import { userChangeOf, userFormOf } from '../../../src/services/user-form.ts'

const schema = settingsSchema({ isProviderKind: () => true, isDialTemplate: () => true, isGatewayName: () => true, isDomain: () => true })
const eur = (micros: string) => ({ micros, currency: 'EUR' })

function settings(change: Partial<typeof DEFAULT_SETTINGS> = {}): Settings {
	return showSettings({ ...DEFAULT_SETTINGS, homeCountry: 'DE', allowedCountries: ['DE', 'FR'], ...change })
}

describe('the choices', () => {
	it('are the countries and kinds that the server knows', () => {
		expect([...countryCodes()].sort()).toEqual([...getCountries()].sort())
		expect([...KINDS].sort()).toEqual([...schema.shape.allowedTypes.element.options].sort())
	})
})

describe('an amount', () => {
	it.each([['0.02', '20000'], ['0,02', '20000'], ['12', '12000000'], [' 1.5 ', '1500000'], ['0.000001', '1'], ['999999999999', '999999999999000000']])('%s is %s millionths', (text, micros) => {
		expect(microsOf(text)).toBe(micros)
	})

	it.each(['', '-1', '1.', '.5', '1.0000001', '1 000', 'one', '1e3'])('%j is none', (text) => {
		expect(microsOf(text)).toBeUndefined()
	})

	it.each([['0', '0'], ['20000', '0.02'], ['1500000', '1.50'], ['1', '0.000001'], ['999999999999000001', '999999999999.000001']])('of %s millionths stands in its field as %s, and comes back', (micros, text) => {
		expect(amountText(micros)).toBe(text)
		expect(microsOf(text)).toBe(micros)
	})

	it('is read to people with its currency and every digit', () => {
		expect(moneyWords(eur('999999999999000001'))).toBe('€999,999,999,999.000001')
		expect(moneyWords(eur('20000'))).toBe('€0.02')
	})
})

describe('the countries that may be called', () => {
	it.each([
		['', 'DE', [], ['DE']],
		['DE', 'AT', ['DE'], ['AT']],
		['DE', '', ['DE'], []],
		['DE', 'AT', ['DE', 'FR'], ['DE', 'FR']],
		['DE', 'AT', [], []],
	])('when the home country becomes “%s” → “%s” with %j are %j', (before, homeCountry, allowedCountries, expected) => {
		expect(countriesWithHome({ homeCountry, allowedCountries }, before)).toEqual(expected)
	})
})

describe('the policy’s form', () => {
	const rich = settings({
		workingHours: { timeZone: 'Europe/Berlin', days: { mon: [{ from: '08:00', to: '12:00' }, { from: '13:00', to: '24:00' }] } },
		rates: [{ prefix: '+49', perMinute: eur('20000'), perCall: eur('50000') }],
		dailySpendLimit: eur('50000000'),
		confirmAbove: eur('100000'),
		brake: { from: '20:00', to: '07:00', callsPerHour: 5 },
		allowedGroups: null,
	})

	it.each([['the defaults', settings()], ['everything', rich]])('of %s gives the same settings back', (_name, given) => {
		const { policy, faults } = policyOf(formOf(given))
		expect(faults).toEqual({})
		expect(policy).toEqual(Object.fromEntries(Object.keys(policy).map((key) => [key, given[key as keyof Settings]])))
		expect(schema.partial().safeParse(policy).success).toBe(true)
	})

	it('sends what has changed and nothing else, and tells it', () => {
		const before = policyOf(formOf(rich)).policy
		const form = formOf(rich)
		form.allowedCountries = ['DE', 'AT']
		form.counts.callsPerDay = '50'
		form.amounts.dailySpendLimit = ''
		form.hasBrake = false
		const now = policyOf(form).policy
		expect(changeOf(before, now)).toEqual({ allowedCountries: ['DE', 'AT'], callsPerDay: 50, dailySpendLimit: null, brake: null })
		expect(describeChanges(before, now)).toEqual([
			{ key: 'allowedCountries', name: 'Allowed countries', removed: ['France (FR)'], added: ['Austria (AT)'] },
			{ key: 'callsPerDay', name: 'Calls per day', removed: ['200'], added: ['50'] },
			{ key: 'dailySpendLimit', name: 'Limit per day', removed: ['€50.00'], added: ['None'] },
			{ key: 'brake', name: 'Brake at night', removed: ['From 20:00 to 07:00, after 5 calls within an hour'], added: ['None'] },
		])
	})

	it('takes the countries that are shown along when the home country changes, and minds no order', () => {
		const before = policyOf(formOf(settings())).policy
		const form = formOf(settings())
		form.allowedCountries.reverse()
		expect(changeOf(before, policyOf(form).policy)).toEqual({})
		form.homeCountry = 'AT'
		expect(changeOf(before, policyOf(form).policy)).toEqual({ homeCountry: 'AT', allowedCountries: ['FR', 'DE'] })
	})

	it('never takes what is no number for none', () => {
		const form = formOf(rich)
		form.counts.callsPerMinute = ''
		form.maxDistinctPerDay = 'many'
		form.amounts.monthlySpendLimit = 'a lot'
		form.lock.count = '0'
		expect(policyOf(form).faults).toEqual({
			callsPerMinute: { min: 1, max: 1_000_000 },
			maxDistinctPerDay: { min: 1, max: 100_000 },
			monthlySpendLimit: 'amount',
			'lockAfterRefusals.count': { min: 1, max: 1000 },
		})
	})
})

describe('the connection’s form', () => {
	const given = settings({ freeswitch: { host: 'fs.example', port: 8021, user: null, password: 'secret' }, oauth: { clientId: 'id', clientSecret: 'secret' }, callerIds: [{ number: '+4930999900', label: 'Office', groups: ['sales', 'support'] }] })

	it('sends nothing when nothing was changed, and holds no secret', () => {
		const form = connectionFormOf(given)
		expect(connectionChangeOf(given, form)).toEqual({})
		expect(JSON.stringify(form)).not.toContain('secret')
	})

	it('sends a secret only where one was typed', () => {
		const form = { ...connectionFormOf(given), user: 'sipcall@fs.example', clientSecret: 'new' }
		expect(connectionChangeOf(given, form)).toEqual({
			freeswitch: { host: 'fs.example', port: 8021, user: 'sipcall@fs.example' },
			oauth: { clientId: 'id', clientSecret: 'new' },
		})
	})

	it('sends what is no number as it was typed, so that the server says so', () => {
		expect(connectionChangeOf(given, { ...connectionFormOf(given), metricsToken: 'a-token-of-16-chars' })).toEqual({ metricsToken: 'a-token-of-16-chars' })
		expect(connectionChangeOf(given, { ...connectionFormOf(given), cdrSecret: 'a-secret-of-16-chars' })).toEqual({ cdrSecret: 'a-secret-of-16-chars' })
		expect(connectionChangeOf(given, { ...connectionFormOf(given), port: 'x' })).toEqual({ freeswitch: { host: 'fs.example', port: 'x', user: null } })
	})
})

describe('a user’s form', () => {
	const now = new Date('2026-11-24T11:00:00.000Z')
	const user: AdminUser = {
		id: 'guest',
		displayName: 'Guest',
		groups: [],
		enabled: true,
		mayCall: true,
		permission: null,
		limits: { callsPerDay: 5, maxDistinctPerDay: null },
		lock: null,
		approvedCountries: ['FR'],
		devices: [{ id: '4a1f4f6e-3c1e-4f0e-9a0c-5f0a2c6f7b11', kind: 'sip', label: 'Desk', address: '1000', isDefault: true, verified: false }],
		usage: { callsToday: 0, calls30Days: 0 },
		limitToday: { used: 0, max: 200 },
	}

	it('sends nothing when nothing was changed', () => {
		expect(userChangeOf(user, userFormOf(user, now), now)).toEqual({ change: {}, faults: {} })
	})

	it('sends what was decided, and keeps a limit that no number stands for', () => {
		const form = { ...userFormOf(user, now), permission: 'no' as const, approvedCountries: [], verified: [user.devices[0]?.id ?? ''], isLocked: true, lockedUntil: '2026-11-26T12:30' }
		form.limits.callsPerDay = '7'
		expect(userChangeOf(user, form, now)).toEqual({
			change: {
				permission: false,
				limits: { callsPerDay: 7, maxDistinctPerDay: null },
				approvedCountries: [],
				devices: [{ id: user.devices[0]?.id, verified: true }],
				lock: { until: new Date('2026-11-26T12:30').toISOString() },
			},
			faults: {},
		})
	})

	it('unlocks, and locks until no time that is past', () => {
		const locked: AdminUser = { ...user, lock: { until: '2026-11-24T12:00:00.000Z', by: 'admin' } }
		expect(userChangeOf(locked, { ...userFormOf(locked, now), isLocked: false }, now).change).toEqual({ lock: null })
		expect(userChangeOf(user, { ...userFormOf(user, now), isLocked: true, lockedUntil: '2026-11-20T12:30' }, now)).toEqual({ change: {}, faults: { lock: true } })
	})

	it('locks with a reason, and changes or takes it away without moving the end', () => {
		const locked: AdminUser = { ...user, lock: { until: '2026-11-26T12:00:42.123Z', by: 'admin', reason: 'Lost phone' } }
		const form = userFormOf(locked, now)
		expect(userChangeOf(locked, form, now).change).toEqual({})
		expect(userChangeOf(locked, { ...form, lockReason: ' Found again ' }, now).change).toEqual({ lock: { until: '2026-11-26T12:00:42.123Z', reason: 'Found again' } })
		expect(userChangeOf(locked, { ...form, lockReason: ' ' }, now).change).toEqual({ lock: { until: '2026-11-26T12:00:42.123Z' } })
	})
})
