// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { FindingCode, Meaning } from '../../../lib/health/findings.ts'

import { afterEach, describe, expect, it } from 'vitest'
import { finding, FINDINGS } from '../../../lib/health/findings.ts'
import { de } from '../../../src/l10n/findings-de.ts'
import { fr } from '../../../src/l10n/findings-fr.ts'
import { findingWords } from '../../../src/services/finding-words.ts'
import { reportText } from '../../../src/services/health-words.ts'
import { speak } from '../../support/language.ts'

const VALUES = { version: '1.10.12', seconds: 7, settings: 'log_statement', megabytes: 12, commands: 'originate', position: 2, count: 3, keys: 'a1b2c3d4', replicas: 2, changes: 3, rows: 2, left: 3, total: 4, reason: 'Look at the list.' }
const CODES = Object.keys(FINDINGS) as FindingCode[]

describe('a finding of the server’s', () => {
	afterEach(() => speak('en'))

	it.each(CODES)('%s has the server’s own words in English', (code) => {
		const { text, advice } = finding(code, VALUES)
		expect(findingWords(finding(code, VALUES))).toEqual({ text, advice })
	})

	it.each([['de', de], ['fr', fr]])('has other words in %s, with its values, and nobody else has any', (language, words) => {
		expect(Object.keys(words)).toEqual(CODES)
		const placeholders = (sentence = '') => [...new Set(sentence.match(/\{\w+\}/g))].sort()
		for (const [code, { text, advice }] of Object.entries(FINDINGS) as [string, Meaning][]) {
			const [ownText, ownAdvice] = words[code] ?? []
			expect([placeholders(ownText), placeholders(ownAdvice)], code).toEqual([placeholders(text), placeholders(advice)])
			expect([ownText === text, ownAdvice === undefined], code).toEqual([code === 'removed_users', advice === undefined])
		}
		speak(language)
		expect(findingWords(finding('switch_ok', VALUES)).text).toContain('1.10.12')
		expect(findingWords(finding('key_missing', VALUES))).not.toEqual(finding('key_missing', VALUES))
	})

	it('addresses nobody in German as du or Sie', () => {
		expect(Object.values(de).flat().filter((words) => /\b(?:du|dich|dir|dein\w*|Sie|Ihnen|Ihr\w*)\b/.test((words ?? '').replace(/^Sie /, '')))).toEqual([])
	})

	it('that the page does not know is shown as it came', () => {
		expect(findingWords({ code: 'new', text: 'Something new.', advice: 'Look.' })).toEqual({ text: 'Something new.', advice: 'Look.' })
	})
})

describe('a report', () => {
	it('has codes and words, and no longer run of digits: a gateway may be named after a number', () => {
		const text = reportText('2026-11-22T09:30:00.000Z', [
			{ key: 'database', id: 'database', name: 'Database', state: 'ok', word: 'Working', ms: 3, code: 'database_ok', text: 'PostgreSQL answers.' },
			{ key: 'gateway', id: 'gateway', name: 'Gateway: 4930123456', state: 'down', word: 'Down', code: 'gateway_silent', text: 'No answer.', advice: 'Ask.' },
		])
		expect(text).toBe('SIPCall, 2026-11-22T09:30:00.000Z\nDatabase: ok (database_ok, 3 ms) – PostgreSQL answers.\nGateway: (digits): down (gateway_silent) – No answer. Ask.')
	})
})
