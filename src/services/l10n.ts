// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { getLanguage, register, translate, translatePlural } from '@nextcloud/l10n'
import { de } from '../l10n/de.ts'
import { fr } from '../l10n/fr.ts'

type Placeholders = Record<string, string | number>

/**
 * A language's texts by their English ones; a text that depends on a number stands under `_singular_::_plural_`, as
 * Nextcloud names it, with one form for one and one for more.
 */
export type Translations = Readonly<Record<string, string | readonly [string, string]>>

/** Regional forms of a language fall back to it: `de_DE` and `de-DE` to `de`. */
const LANGUAGES: Readonly<Record<string, Translations>> = { de, fr }

/** Makes the user's language known, before anything is shown. English needs nothing: it is the source. */
export function registerLanguage(languages = LANGUAGES): void {
	const bundle = languages[baseLanguage()]
	if (bundle !== undefined) {
		register('sipcall', Object.fromEntries(Object.entries(bundle).map(([text, words]) => [text, typeof words === 'string' ? words : [...words]])))
	}
}

/** Of the user's language, without a region. */
export function baseLanguage(): string {
	return getLanguage().split(/[-_]/, 1)[0] ?? ''
}

/** Whether the page speaks English, by wish or because it has no words for the user's language. */
export function isEnglish(): boolean {
	return !(baseLanguage() in LANGUAGES)
}

/**
 * A text of this app in the user's language. Vue escapes what a template prints, so a name with `&` in it must not be
 * escaped here as well.
 */
export function t(text: string, placeholders: Placeholders = {}): string {
	return translate('sipcall', text, placeholders, undefined, { escape: false, sanitize: false })
}

/** As {@link t}, for a text that depends on a number; `%n` stands for it. */
export function n(singular: string, plural: string, count: number, placeholders: Placeholders = {}): string {
	return translatePlural('sipcall', singular, plural, count, placeholders, { escape: false, sanitize: false })
}
