// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Every text of the page has its German and its French one, and nothing is translated that the page no longer says.

import type { Translations } from '../../../src/services/l10n.ts'

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { PROBLEMS } from '../../../lib/http/problem.ts'
import { de } from '../../../src/l10n/de.ts'
import { fr } from '../../../src/l10n/fr.ts'
import { de as manageDe } from '../../../src/l10n/manage-de.ts'
import { fr as manageFr } from '../../../src/l10n/manage-fr.ts'
import { hasProblemWords } from '../../../src/services/problem-words.ts'
import { hasReasonWords } from '../../../src/services/reason-words.ts'
import { speak } from '../../support/language.ts'

const SRC = fileURLToPath(new URL('../../../src', import.meta.url))
const LITERAL = '\'((?:[^\'\\\\]|\\\\.)*)\''

interface Texts {
	texts: Set<string>
	/** Calls of `t` and `n` whose text is no literal, so that nobody could translate it. */
	unreadable: string[]
}

function textsOf(source: string): Texts {
	const texts = new Set<string>()
	const read = (literal = '') => literal.replaceAll(/\\u\{?([0-9a-f]{4})\}?/gi, (_match, code: string) => String.fromCharCode(Number.parseInt(code, 16))).replaceAll(/\\(.)/g, '$1')
	const unreadable: string[] = []
	for (const [call = '', name, first, second] of source.matchAll(new RegExp(`(?<![\\w.$])([tn])\\(\\s*(?:${LITERAL}(?:\\s*,\\s*${LITERAL})?)?`, 'g'))) {
		if (first === undefined || (name === 'n' && second === undefined)) {
			unreadable.push(call)
		} else {
			texts.add(name === 't' ? read(first) : `_${read(first)}_::_${read(second)}_`)
		}
	}
	return { texts, unreadable }
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(?:ts|vue)$/.test(file) && !file.startsWith('l10n') && !file.endsWith('services/l10n.ts'))
const found = files.map((file) => ({ file, ...textsOf(readFileSync(path.join(SRC, file), 'utf8')) }))
const texts = new Set(found.flatMap((file) => [...file.texts]))

function placeholders(text: string): string[] {
	return [...new Set(text.match(/\{\w+\}|%n/g) ?? [])].sort()
}

/** The words between which a translation's placeholders are compared: each form of a plural for itself. */
function forms(text: string): string[] {
	const [, singular, plural] = /^_([^]*)_::_([^]*)_$/.exec(text) ?? []
	return singular === undefined || plural === undefined ? [text] : [singular, plural]
}

it('finds the texts at all', () => {
	expect(texts.size).toBeGreaterThan(50)
	expect(textsOf('t(\'It\\\'s {name}\') n(\n\t\'%n a\',\n\t\'%n b\', 2) at(\'no\') t(dynamic)')).toEqual({ texts: new Set(['It\'s {name}', '_%n a_::_%n b_']), unreadable: ['t('] })
})

it('has only literal texts, so that each can be translated', () => {
	expect(found.filter(({ unreadable }) => unreadable.length > 0).map(({ file, unreadable }) => `${file}: ${unreadable.join(' ')}`)).toEqual([])
})

describe.each<[string, Translations]>([['de', { ...de, ...manageDe }], ['fr', { ...fr, ...manageFr }]])('%s', (_language, bundle) => {
	it('has every text of the page', () => {
		expect([...texts].filter((text) => !(text in bundle))).toEqual([])
	})

	it('has no text that the page does not say', () => {
		expect(Object.keys(bundle).filter((text) => !texts.has(text))).toEqual([])
	})

	it('keeps every placeholder, and no sentence is left empty', () => {
		const wrong = Object.entries(bundle).filter(([text, words]) => {
			const [own, theirs] = [forms(text), typeof words === 'string' ? [words] : words]
			return own.length !== theirs.length || own.some((form, at) => theirs[at]?.trim() === '' || placeholders(form).join() !== placeholders(theirs[at] ?? '').join())
		})
		expect(wrong).toEqual([])
	})
})

it('says each thing once: the words of the first script serve the second as well', () => {
	expect(Object.keys(manageDe).filter((text) => text in de)).toEqual([])
	expect(Object.keys(manageFr).filter((text) => text in fr)).toEqual([])
})

it('addresses nobody in German as du or Sie', () => {
	const addressed = Object.values({ ...de, ...manageDe }).flat().filter((words) => /\b(?:du|dich|dir|dein\w*|Sie|Ihnen|Ihr\w*)\b/.test(words.replace(/^Sie /, '')))
	expect(addressed).toEqual([])
})

describe('what the server says by code', () => {
	it('has words for every reason', () => {
		const codes = new Set([...readFileSync(new URL('../../../lib/calls/reasons.ts', import.meta.url), 'utf8').matchAll(/code: '(\w+)'/g)].map(([, code = '']) => code))
		expect(codes.size).toBeGreaterThan(20)
		expect([...codes].filter((code) => !hasReasonWords(code))).toEqual([])
	})

	it('has words for every refusal that is no fault of the page and does not come from signing in', () => {
		const faults = new Set(['invalid_request', 'not_authenticated', 'invalid_grant', 'csrf', 'method_not_allowed', 'payload_too_large', 'unsupported_media_type', 'idempotency_key_reused', 'call_erased', 'oauth_not_configured'])
		expect(Object.keys(PROBLEMS).filter((code) => !faults.has(code) && !hasProblemWords(code))).toEqual([])
	})
})

describe('the language', () => {
	afterEach(() => speak('en'))

	it.each([['de', 'Auflegen'], ['de_DE', 'Auflegen'], ['de-DE', 'Auflegen'], ['fr', 'Raccrocher'], ['en', 'Hang up'], ['pl', 'Hang up']])('%s is spoken', async (language, words) => {
		await speak(language)
		const { t } = await import('../../../src/services/l10n.ts')
		expect(t('Hang up')).toBe(words)
	})
})
