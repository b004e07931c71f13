// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// One question that everything allows; each rule is then made to refuse it, and to allow it again.

import type { CallFacts, Question } from '../../../lib/policy/rules.ts'
import type { Settings } from '../../../lib/policy/settings.ts'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseNumber } from '../../../lib/numbering/parse-number.ts'
import { ACCOUNT_RULES, CALL_RULES, confirmationFor, decide, ruleLabel } from '../../../lib/policy/rules.ts'
import { DEFAULT_SETTINGS } from '../../../lib/policy/settings.ts'
import { NO_RULE, settingsFor } from '../../../lib/policy/user-rule.ts'

const eur = (micros: string) => ({ micros, currency: 'EUR' })

const SETTINGS: Settings = {
	...DEFAULT_SETTINGS,
	homeCountry: 'DE',
	allowedGroups: ['sales'],
	callerIds: [{ number: '+4930999900', label: 'Office' }, { number: '+4930999901', label: 'Board', groups: ['board'] }],
	timeZone: 'Europe/Berlin',
	workingHours: { timeZone: 'Europe/Berlin', days: { tue: [{ from: '08:00', to: '18:00' }] } },
	maxDistinctPerDay: 5,
	dailySpendLimit: eur('10000000'),
	monthlySpendLimit: eur('100000000'),
	rates: [{ prefix: '+49', perMinute: eur('20000') }],
	brake: { from: '20:00', to: '07:00', callsPerHour: 3 },
}

const FACTS: CallFacts = {
	openOfUser: 0,
	openInAll: 0,
	distinctToday: 4,
	isCalledToday: false,
	isCountryKnown: true,
	callsLastHour: 0,
	spentToday: 0n,
	spentThisMonth: 0n,
}

function number(input: string) {
	const parsed = parseNumber(input, 'DE')
	if ('fault' in parsed) {
		throw new Error(parsed.fault)
	}
	return parsed
}

const QUESTION: Question = {
	groups: ['sales'],
	rule: NO_RULE,
	settings: SETTINGS,
	number: number('+49 30 123456'),
	ownPhone: undefined,
	callerId: undefined,
	// A Tuesday, 12:00 in Berlin.
	at: new Date('2026-11-24T11:00:00.000Z'),
	facts: FACTS,
	carrierCountries: ['DE'],
}

function asked(change: Partial<Question>, settings: Partial<Settings> = {}, facts: Partial<CallFacts> = {}) {
	return decide({
		...QUESTION,
		...change,
		settings: { ...SETTINGS, ...settings },
		facts: { ...FACTS, ...facts },
	})
}

const NIGHT = { at: new Date('2026-11-24T21:00:00.000Z') }
const ALL_DAY: Partial<Settings> = { workingHours: null }
const BURST: Partial<CallFacts> = { isCountryKnown: false, callsLastHour: 3 }

describe('the rules', () => {
	it('allow what none of them refuses', () => {
		expect(decide(QUESTION)).toBeUndefined()
	})

	it.each<[string, Partial<Question>, Partial<Settings>, Partial<CallFacts>, Record<string, unknown>]>([
		['permission: in no group', { groups: ['guests'] }, {}, {}, { code: 'calling_not_permitted', rule: 'allowedGroups' }],
		['permission: forbidden for this user', { rule: { ...NO_RULE, mayCall: false } }, {}, {}, { code: 'calling_not_permitted', rule: 'permission' }],
		['lock: by refusals', { rule: { ...NO_RULE, lock: { until: new Date('2026-11-24T11:00:00.001Z'), by: 'refusals' } } }, {}, {}, { code: 'account_locked', rule: 'lock', untilAt: new Date('2026-11-24T11:00:00.001Z') }],
		['lock: by an admin', { rule: { ...NO_RULE, lock: { until: new Date('2027-01-01T00:00:00.000Z'), by: 'admin' } } }, {}, {}, { code: 'account_locked', message: expect.stringContaining('Your administrator has locked') as string }],
		['destination: another country', { number: number('+43 1 234567') }, {}, {}, { code: 'destination_not_allowed', rule: 'allowedCountries' }],
		['destination: not the same country by its code', { number: number('+1 268 460 1234') }, { allowedCountries: ['US'] }, {}, { rule: 'allowedCountries' }],
		['destination: a kind', { number: number('+49 900 1234567') }, {}, {}, { rule: 'allowedTypes' }],
		['destination: a prefix', {}, { deniedPrefixes: ['+4930'] }, {}, { rule: 'deniedPrefixes' }],
		['destination: a code without a country', { number: number('+882 16 12345678') }, {}, {}, { rule: 'allowedCountries' }],
		['the phone company: another country', { carrierCountries: ['FR', 'US', 'nowhere'] }, {}, {}, { code: 'destination_not_allowed', rule: 'carrier', fixableBy: 'admin' }],
		['the phone company: no country at all', { carrierCountries: [] }, {}, {}, { rule: 'carrier' }],
		['caller ID: none of the user’s', { callerId: '+4930999901' }, {}, {}, { code: 'caller_id_not_allowed', rule: 'callerIds', fixableBy: 'user' }],
		['working hours: before', { at: new Date('2026-11-24T06:59:59.999Z') }, {}, {}, { code: 'destination_not_allowed', rule: 'workingHours', untilAt: new Date('2026-11-24T07:00:00.000Z') }],
		['working hours: another day', { at: new Date('2026-11-25T11:00:00.000Z') }, {}, {}, { rule: 'workingHours', untilAt: new Date('2026-12-01T07:00:00.000Z') }],
		['brake: new country, night, burst', NIGHT, ALL_DAY, BURST, { code: 'destination_not_allowed', rule: 'brake', fixableBy: 'admin' }],
		['different numbers a day', {}, {}, { distinctToday: 5 }, { code: 'limit_reached', rule: 'maxDistinctPerDay', limit: { kind: 'maxDistinctPerDay', used: 5, max: 5, resetsAt: new Date('2026-11-24T23:00:00.000Z'), timeZone: 'Europe/Berlin' } }],
		['a number without a rate', {}, { rates: [{ prefix: '+4989', perMinute: eur('1') }] }, {}, { code: 'destination_not_allowed', rule: 'rates' }],
		['the own phone without a rate', { ownPhone: '+43 1 234567'.replaceAll(' ', '') }, {}, {}, { code: 'destination_not_allowed', rule: 'rates' }],
		['spending a day, with the own phone', { ownPhone: '+491711234567' }, {}, { spentToday: 8_800_000n }, { rule: 'dailySpendLimit' }],
		// An hour at 0.02 is 1.20.
		['spending a day', {}, {}, { spentToday: 8_800_001n }, { code: 'limit_reached', rule: 'dailySpendLimit', untilAt: new Date('2026-11-24T23:00:00.000Z') }],
		['spending a month', {}, {}, { spentThisMonth: 98_800_001n }, { code: 'limit_reached', rule: 'monthlySpendLimit', untilAt: new Date('2026-11-30T23:00:00.000Z') }],
		['a second call', {}, {}, { openOfUser: 1 }, { code: 'already_in_call', rule: 'maxConcurrentPerUser' }],
		['no line free', {}, {}, { openInAll: 10 }, { code: 'limit_reached', rule: 'maxConcurrent', retryAfterSec: 60 }],
	])('refuse by %s', (_what, change, settings, facts, refusal) => {
		expect(asked(change, settings, facts)).toMatchObject(refusal)
	})

	it.each<[string, Partial<Question>, Partial<Settings>, Partial<CallFacts>]>([
		['permission: allowed for this user', { groups: [], rule: { ...NO_RULE, mayCall: true } }, {}, {}],
		['permission: everybody', { groups: [] }, { allowedGroups: null }, {}],
		['lock: over', { rule: { ...NO_RULE, lock: { until: QUESTION.at, by: 'refusals' } } }, {}, {}],
		['destination: the longer prefix', { number: number('+49 900 1234567') }, { deniedPrefixes: ['+49'], allowedPrefixes: ['+49900123'] }, {}],
		['caller ID: the user’s', { callerId: '+4930999901', groups: ['sales', 'board'] }, {}, {}],
		['working hours: their first moment', { at: new Date('2026-11-24T07:00:00.000Z') }, {}, {}],
		['brake: off', NIGHT, { ...ALL_DAY, brake: null }, BURST],
		['brake: by day', {}, {}, BURST],
		['brake: no burst', NIGHT, ALL_DAY, { ...BURST, callsLastHour: 2 }],
		['brake: a country that was called before', NIGHT, ALL_DAY, { ...BURST, isCountryKnown: true }],
		['brake: approved', { ...NIGHT, rule: { ...NO_RULE, approvedCountries: ['DE'] } }, ALL_DAY, BURST],
		['different numbers a day: one that was called today', {}, {}, { distinctToday: 5, isCalledToday: true }],
		['different numbers a day: no limit', {}, { maxDistinctPerDay: null }, { distinctToday: 500 }],
		['rates: without a limit nobody needs them', {}, { rates: [], dailySpendLimit: null, monthlySpendLimit: null }, {}],
		['spending a day: exactly all of it', {}, {}, { spentToday: 8_800_000n }],
		['spending a month: exactly all of it', {}, {}, { spentThisMonth: 98_800_000n }],
		['a phone company of which nothing is known', { carrierCountries: undefined }, {}, {}],
		['a phone company that counts Guernsey to Britain', { number: number('+44 1481 256789'), carrierCountries: ['GB'] }, { allowedCountries: ['GG'], rates: [{ prefix: '+44', perMinute: eur('1') }] }, {}],
		['a second call where two are allowed', {}, { maxConcurrentPerUser: 2 }, { openOfUser: 1 }],
		['the last line', {}, {}, { openInAll: 9 }],
	])('allow by %s', (_what, change, settings, facts) => {
		expect(asked(change, settings, facts)).toBeUndefined()
	})

	it('have a name each, which no other has', () => {
		const rules = [...ACCOUNT_RULES, ...CALL_RULES]
		expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length)
		expect(new Set(rules.map(({ label }) => label)).size).toBe(rules.length)
		expect(rules.map(({ id }) => ruleLabel(id))).toEqual(rules.map(({ label }) => label))
		expect(ruleLabel('deniedPrefixes')).toBe('Denied prefixes')
	})

	it('never allow what a denied prefix covers, whatever else is asked', () => {
		fc.assert(fc.property(fc.boolean(), fc.constantFrom('+4930123456', '+491711234567', '+498912345'), fc.nat(5), (isAdmin, e164, length) => {
			const denied = e164.slice(0, 3 + length)
			const refusal = asked({ number: number(e164), groups: isAdmin ? ['admin', 'sales'] : ['sales'], rule: { ...NO_RULE, mayCall: true, approvedCountries: ['DE'] } }, { deniedPrefixes: [denied], allowedPrefixes: [denied.slice(0, -1)] })
			expect(refusal?.rule).toBe('deniedPrefixes')
		}))
	})

	it('are those of the user where the user has limits of their own, lower or higher', () => {
		const settings = settingsFor(SETTINGS, { limits: { maxConcurrentPerUser: 3, maxDistinctPerDay: 1 } })
		expect(decide({ ...QUESTION, settings, facts: { ...FACTS, openOfUser: 2, distinctToday: 0 } })).toBeUndefined()
		expect(decide({ ...QUESTION, settings, facts: { ...FACTS, distinctToday: 1 } })?.rule).toBe('maxDistinctPerDay')
	})

	it('count a month’s spending to its last moment, in the zone of the settings', () => {
		const lastMoment = new Date('2026-11-30T22:59:59.999Z')
		expect(asked({ at: lastMoment }, ALL_DAY, { spentThisMonth: 100_000_000n })).toMatchObject({ rule: 'monthlySpendLimit', untilAt: new Date('2026-11-30T23:00:00.000Z') })
	})
})

describe('before a call that is allowed', () => {
	it.each<[Partial<Settings>, Partial<CallFacts>, ReturnType<typeof confirmationFor>]>([
		[{}, {}, undefined],
		[{}, { isCountryKnown: false }, 'new_country'],
		[{ confirmAbove: eur('19999') }, { isCountryKnown: false }, 'expensive'],
		[{ confirmAbove: eur('20000') }, {}, undefined],
	])('with %o and %o the person is asked: %s', (settings, facts, expected) => {
		expect(confirmationFor({ ...QUESTION, settings: { ...SETTINGS, ...settings }, facts: { ...FACTS, ...facts } })).toBe(expected)
	})
})
