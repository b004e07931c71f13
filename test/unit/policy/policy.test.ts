// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ParsedNumber } from '../../../lib/numbering/parse-number.ts'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseNumber } from '../../../lib/numbering/parse-number.ts'
import { chooseCallerId, mayBeCalled, mayCall } from '../../../lib/policy/policy.ts'
import { DEFAULT_SETTINGS } from '../../../lib/policy/settings.ts'

const GERMANY = { ...DEFAULT_SETTINGS, homeCountry: 'DE' }

function number(text: string): ParsedNumber {
	const parsed = parseNumber(text, null)
	if ('fault' in parsed) {
		throw new Error(`${text} is no number: ${parsed.fault}`)
	}
	return parsed
}

const BERLIN = number('+49 30 123456')

describe('who may call', () => {
	it('is, by default, only who is in Nextcloud’s admin group', () => {
		expect(mayCall(['admin'], DEFAULT_SETTINGS)).toBeUndefined()
		expect(mayCall(['sales'], DEFAULT_SETTINGS)).toMatchObject({ code: 'calling_not_permitted', rule: 'allowedGroups', fixableBy: 'admin' })
		expect(mayCall([], DEFAULT_SETTINGS)).toMatchObject({ code: 'calling_not_permitted' })
	})

	it('is everyone with null, nobody with an empty list, and a member of any one of the groups', () => {
		expect(mayCall([], { allowedGroups: null })).toBeUndefined()
		expect(mayCall(['admin'], { allowedGroups: [] })).toMatchObject({ code: 'calling_not_permitted' })
		expect(mayCall(['x', 'support'], { allowedGroups: ['sales', 'support'] })).toBeUndefined()
		expect(mayCall(['Support', 'sale', 'sales '], { allowedGroups: ['sales', 'support'] })).toMatchObject({ code: 'calling_not_permitted' })
	})
})

describe('the country of a destination', () => {
	it('is the home country where no list is set', () => {
		expect(mayBeCalled(BERLIN, GERMANY)).toBeUndefined()
		expect(mayBeCalled(number('+33 1 23 45 67 89'), GERMANY)).toMatchObject({ code: 'destination_not_allowed', rule: 'allowedCountries' })
	})

	it('is none at all without a home country', () => {
		expect(mayBeCalled(BERLIN, DEFAULT_SETTINGS)).toMatchObject({ rule: 'allowedCountries' })
	})

	it('is what the list says, even when that leaves the home country out', () => {
		expect(mayBeCalled(number('+33 1 23 45 67 89'), { ...GERMANY, allowedCountries: ['FR'] })).toBeUndefined()
		expect(mayBeCalled(BERLIN, { ...GERMANY, allowedCountries: ['FR'] })).toMatchObject({ rule: 'allowedCountries' })
		expect(mayBeCalled(BERLIN, { ...GERMANY, allowedCountries: [] })).toMatchObject({ rule: 'allowedCountries' })
	})

	it.each(['+1 268 464 1234', '+1 876 578 0123'])('is not the calling code’s: %s stays refused where the US is allowed', (input) => {
		expect(mayBeCalled(number(input), { ...GERMANY, allowedCountries: ['US'] })).toMatchObject({ rule: 'allowedCountries' })
		expect(mayBeCalled(number('+1 202 555 0123'), { ...GERMANY, allowedCountries: ['US'] })).toBeUndefined()
	})

	it.each(['+870 773 111 632', '+883 510 0000 0000', '+979 123 456 789', '+800 1234 5678'])('is none for %s, which needs a prefix of its own', (input) => {
		expect(mayBeCalled(number(input), { ...GERMANY, allowedCountries: ['DE', 'US', 'GB'] })).toMatchObject({ rule: 'allowedCountries' })
		expect(mayBeCalled(number(input), { ...GERMANY, allowedPrefixes: [number(input).e164.slice(0, 4)] })).toBeUndefined()
	})
})

describe('the kind of a destination', () => {
	it.each([
		['+49 30 123456', 'FIXED_LINE'],
		['+49 1512 3456789', 'MOBILE'],
		['+49 800 1234567', 'TOLL_FREE'],
		['+49 18 500000000', 'UAN'],
	])('of %s is %s and allowed by default', (input, type) => {
		expect(number(input).type).toBe(type)
		expect(mayBeCalled(number(input), GERMANY)).toBeUndefined()
		expect(mayBeCalled(number(input), { ...GERMANY, allowedTypes: DEFAULT_SETTINGS.allowedTypes.filter((allowed) => allowed !== type) })).toMatchObject({ rule: 'allowedTypes' })
	})

	it.each([
		['+49 900 1 123456', 'PREMIUM_RATE'],
		['+49 180 5 123456', 'SHARED_COST'],
		['+49 700 12345678', 'PERSONAL_NUMBER'],
		['+49 1234567', undefined],
	])('of %s is %s and refused by default', (input, type) => {
		expect(number(input).type).toBe(type)
		expect(mayBeCalled(number(input), GERMANY)).toMatchObject({ code: 'destination_not_allowed', rule: 'allowedTypes', fixableBy: 'admin' })
	})
})

describe('the lists of prefixes', () => {
	it('open a country or a kind that is closed', () => {
		expect(mayBeCalled(number('+33 1 23 45 67 89'), { ...GERMANY, allowedPrefixes: ['+331'] })).toBeUndefined()
		expect(mayBeCalled(number('+33 4 23 45 67 89'), { ...GERMANY, allowedPrefixes: ['+331'] })).toMatchObject({ rule: 'allowedCountries' })
		expect(mayBeCalled(number('+49 1234567'), { ...GERMANY, allowedPrefixes: ['+491234'] })).toBeUndefined()
	})

	it('close what country and kind leave open', () => {
		expect(mayBeCalled(BERLIN, { ...GERMANY, deniedPrefixes: ['+4930'] })).toMatchObject({ code: 'destination_not_allowed', rule: 'deniedPrefixes' })
		expect(mayBeCalled(number('+49 40 123456'), { ...GERMANY, deniedPrefixes: ['+4930'] })).toBeUndefined()
	})

	it.each([
		[['+49'], ['+4930'], true],
		[['+4930'], ['+49'], false],
		[['+4930'], ['+4930'], false],
		[['+49301', '+49'], ['+4930'], false],
		[['+49', '+493'], ['+49', '+49301'], true],
		[['+4930123456'], ['+4930123456'], false],
		[['+4930123457'], [], true],
		[[''], [], true],
	])('denied %j and allowed %j: the longest match decides, a tie denies; called = %s', (deniedPrefixes, allowedPrefixes, isAllowed) => {
		expect(mayBeCalled(BERLIN, { ...GERMANY, deniedPrefixes, allowedPrefixes }) === undefined).toBe(isAllowed)
	})

	it('never let through a number that a denied prefix covers and no longer allowed one', () => {
		const e164 = fc.stringMatching(/^\+[1-9][0-9]{6,14}$/)
		const cases = e164.chain((given) => fc.record({
			given: fc.constant(given),
			denied: fc.integer({ min: 2, max: given.length }).map((length) => given.slice(0, length)),
			others: fc.array(fc.integer({ min: 2, max: given.length }).map((length) => given.slice(0, length))),
			strangers: fc.array(e164),
			type: fc.constantFrom(undefined, ...DEFAULT_SETTINGS.allowedTypes),
		}))
		fc.assert(fc.property(cases, ({ given, denied, others, strangers, type }) => {
			const shorter = others.filter(({ length }) => length <= denied.length)
			const allowedPrefixes = [...shorter, ...strangers.filter((prefix) => !given.startsWith(prefix))]
			const refusal = mayBeCalled({ e164: given, display: given, country: 'DE', type }, { ...GERMANY, deniedPrefixes: [...strangers, denied], allowedPrefixes })
			expect(refusal).toMatchObject({ code: 'destination_not_allowed', rule: 'deniedPrefixes' })
		}))
	})

	it('never let through what is in neither an allowed prefix nor an allowed country and kind', () => {
		fc.assert(fc.property(fc.stringMatching(/^\+[1-9][0-9]{6,14}$/), fc.constantFrom(undefined, 'FR', 'AG'), (given, country) => {
			expect(mayBeCalled({ e164: given, display: given, country, type: 'MOBILE' }, GERMANY)).toMatchObject({ rule: 'allowedCountries' })
		}))
	})
})

describe('the caller ID', () => {
	const callerIds = [
		{ number: '+4930111111', label: 'Sales', groups: ['sales'] },
		{ number: '+4930222222', label: 'Office' },
		{ number: '+4930333333', label: 'Nobody', groups: [] },
	]

	it('is the gateway’s own where none is set, and none can be wished for', () => {
		expect(chooseCallerId(undefined, [], { callerIds: [] })).toEqual({ number: undefined })
		expect(chooseCallerId('+4930222222', [], { callerIds: [] })).toMatchObject({ code: 'caller_id_not_allowed', fixableBy: 'user' })
	})

	it('is by default the first one that the user’s groups may show', () => {
		expect(chooseCallerId(undefined, ['sales'], { callerIds })).toEqual({ number: '+4930111111' })
		expect(chooseCallerId(undefined, [], { callerIds })).toEqual({ number: '+4930222222' })
	})

	it('is a wished one only when it is the user’s', () => {
		expect(chooseCallerId('+4930222222', [], { callerIds })).toEqual({ number: '+4930222222' })
		expect(chooseCallerId('+4930111111', [], { callerIds })).toMatchObject({ code: 'caller_id_not_allowed', rule: 'callerIds' })
		expect(chooseCallerId('+4930333333', ['sales', 'admin'], { callerIds })).toMatchObject({ code: 'caller_id_not_allowed' })
		expect(chooseCallerId('+49302222', [], { callerIds })).toMatchObject({ code: 'caller_id_not_allowed' })
	})
})
