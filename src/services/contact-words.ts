// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Contact } from './types.ts'

import { getCanonicalLocale } from '@nextcloud/l10n'
import { t } from './l10n.ts'

const TYPES: Readonly<Record<Contact['numbers'][number]['type'], () => string>> = {
	mobile: () => t('Mobile'),
	work: () => t('Work'),
	home: () => t('Home'),
	main: () => t('Main'),
	fax: () => t('Fax'),
	pager: () => t('Pager'),
	other: () => t('Other'),
}

/** What kind of number it is, as the contact's card says. */
export function typeWords(type: Contact['numbers'][number]['type']): string {
	return TYPES[type]()
}

/**
 * The country's name in the user's language.
 *
 * @param country ISO 3166 alpha-2
 */
export function countryName(country: string): string {
	try {
		return new Intl.DisplayNames([getCanonicalLocale()], { type: 'region' }).of(country) ?? country
	} catch {
		return country
	}
}

/** One or two letters that stand for a name. */
export function initials(name: string): string {
	const words = name.match(/[\p{L}\p{N}]\S*/gu) ?? []
	const letters = words.length > 1 ? [words[0], words.at(-1)] : words
	return letters.map((word = '') => [...word][0] ?? '').join('').toLocaleUpperCase(getCanonicalLocale())
}
