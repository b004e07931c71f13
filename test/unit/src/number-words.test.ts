// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Explanation, Refusal } from '../../../src/services/types.ts'

import { afterEach, describe, expect, it } from 'vitest'
import { moneyWords } from '../../../src/services/money-words.ts'
import { confirmWords, numberWords } from '../../../src/services/number-words.ts'
import { refusalWords } from '../../../src/services/refusal-words.ts'
import { speak } from '../../support/language.ts'

afterEach(() => speak('en'))

function explained(overrides: Partial<Explanation> = {}): Explanation {
	return { input: '030 123456', e164: '+4930123456', display: '+49 30 123456', country: 'DE', type: 'FIXED_LINE', allowed: true, ...overrides }
}

const plain = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, ' ')

describe('a sum of money', () => {
	it.each([
		['en', '20000', 'EUR', '€0.02'],
		['de', '20000', 'EUR', '0,02 €'],
		['fr', '1500000', 'EUR', '1,50 €'],
		['en', '12300', 'USD', '$0.0123'],
		['en', '0', 'EUR', '€0.00'],
		['en', '9007199254740993000000', 'EUR', '€9,007,199,254,740,993.00'],
		['en', '-20000', 'EUR', '-€0.02'],
	])('in %s, %s millionths of %s are %s', (language, micros, currency, words) => {
		speak(language)
		expect(plain(moneyWords({ micros, currency }))).toBe(words)
	})
})

describe('what a number is', () => {
	it('is told by country, kind and rate', () => {
		expect(plain(numberWords(explained({ estimatedRate: { micros: '20000', currency: 'EUR' } })))).toBe('Germany · landline · about €0.02 per minute')
		speak('de')
		expect(plain(numberWords(explained({ estimatedRate: { micros: '20000', currency: 'EUR' } })))).toBe('Deutschland · Festnetz · etwa 0,02 € pro Minute')
	})

	it('leaves out what is not known, and is empty for what is no number', () => {
		const { country: _country, type: _type, ...unknown } = explained()
		expect(numberWords(unknown)).toBe('')
		const { e164: _e164, ...none } = explained()
		expect(numberWords(none)).toBe('')
		expect(numberWords(explained({ type: 'A_NEW_ONE' }))).toBe('Germany')
	})

	it('is asked about when it is expensive or the first one to a country', () => {
		expect(confirmWords(explained())).toBeUndefined()
		expect(confirmWords(explained({ confirm: 'new_country', country: 'FR' }))).toBe('This is the first call to France.')
		expect(plain(confirmWords(explained({ confirm: 'expensive', estimatedRate: { micros: '2000000', currency: 'EUR' } })) ?? '')).toBe('This call is expensive: about €2.00 per minute.')
	})
})

describe('a refusal', () => {
	const refusal = (id: string, label: string, overrides: Partial<Refusal> = {}): Refusal => ({ code: 'destination_not_allowed', message: 'No. Your administrator can allow it.', rule: { id, label }, fixableBy: 'admin', ...overrides })

	it.each([
		['allowedCountries', { country: 'FR' }, 'Calls to France are not allowed.'],
		['allowedCountries', {}, 'SIPCall cannot tell which country this number belongs to, so it does not call it. Begin with + and the country code.'],
		['allowedTypes', { country: 'DE', type: 'PREMIUM_RATE' }, 'Premium numbers are not allowed.'],
		['allowedTypes', { country: 'DE', type: 'PAGER' }, 'This kind of number is not allowed.'],
		['allowedTypes', { country: 'DE' }, 'This number belongs to no known range of numbers. Such numbers are not allowed.'],
		['deniedPrefixes', { country: 'DE' }, 'This number is on the list of numbers that may not be called.'],
		['workingHours', { country: 'DE' }, 'Calls are not allowed at this time.'],
	])('by %s of %j is told as %j', (id, number, text) => {
		expect(refusalWords(refusal(id, 'x'), number, false).text).toBe(text)
	})

	it('names the rule and who can change it, and gives a text to send that holds no number', () => {
		const words = refusalWords(refusal('allowedCountries', 'Allowed countries'), { country: 'FR' }, false)
		expect(words.rule).toBe('Rule: Allowed countries. Your administrator can change it.')
		expect(words.request).toBe('SIPCall: Calls to France are not allowed. Rule: Allowed countries. (destination_not_allowed)')
	})

	it('sends an administrator to nobody else', () => {
		expect(refusalWords(refusal('allowedCountries', 'x'), { country: 'FR' }, true).rule).toBe('Rule: Allowed countries.')
	})

	it('keeps the name that a newer server gives its rule', () => {
		expect(refusalWords(refusal('moonPhase', 'Phase of the moon'), {}, false).rule).toBe('Rule: Phase of the moon. Your administrator can change it.')
	})

	it('has nothing for an administrator where the user can mend it', () => {
		expect(refusalWords({ code: 'invalid_number', message: 'Too short.', fixableBy: 'user' }, {}, false)).toEqual({ text: 'Too short.' })
	})
})
