// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { afterEach, describe, expect, it } from 'vitest'
import { dayWords } from '../../../src/services/time-words.ts'
import { speak } from '../../support/language.ts'

const now = new Date(2026, 10, 24, 0, 30)

afterEach(() => speak('en'))

describe('the heading of a day', () => {
	it.each([
		['en', new Date(2026, 10, 24, 0, 1), 'Today'],
		['en', new Date(2026, 10, 23, 23, 59), 'Yesterday'],
		['de', new Date(2026, 10, 23, 1), 'Gestern'],
		['de', new Date(2026, 10, 22, 12), 'Sonntag, 22. November'],
		['fr', new Date(2025, 10, 22, 12), 'samedi 22 novembre 2025'],
	])('in %s, %s is %s', (language, date, words) => {
		speak(language)
		expect(dayWords(date, now)).toBe(words)
	})
})
