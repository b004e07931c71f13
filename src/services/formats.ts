// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { getCanonicalLocale } from '@nextcloud/l10n'

/** Making a format takes a hundred times as long as using it, and a list that scrolls needs one for each row. */
const formats = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat>()

function format<Format extends Intl.DateTimeFormat | Intl.NumberFormat>(kind: string, options: object, make: (locale: string) => Format): Format {
	const locale = getCanonicalLocale()
	const key = `${kind} ${locale} ${JSON.stringify(options)}`
	const known = formats.get(key) as Format | undefined
	if (known !== undefined) {
		return known
	}
	const made = make(locale)
	formats.set(key, made)
	return made
}

/** In the user's locale, and in the browser's time zone unless another one is asked for. */
export function dateFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
	return format('date', options, (locale) => new Intl.DateTimeFormat(locale, options))
}

/** In the user's locale. */
export function numberFormat(options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
	return format('number', options, (locale) => new Intl.NumberFormat(locale, options))
}
