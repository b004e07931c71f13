// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { getCanonicalLocale } from '@nextcloud/l10n'
import { t } from './l10n.ts'

/** The day a call was made, for a heading in a list: “Today”, “Yesterday”, else the date. */
export function dayWords(date: Date, now: Date): string {
	const midnight = (of: Date) => new Date(of.getFullYear(), of.getMonth(), of.getDate()).getTime()
	// Rounded, because a day that changes to or from summer time has 23 or 25 hours.
	const daysAgo = Math.round((midnight(now) - midnight(date)) / 86_400_000)
	if (daysAgo === 0) {
		return t('Today')
	}
	if (daysAgo === 1) {
		return t('Yesterday')
	}
	const sameYear = date.getFullYear() === now.getFullYear()
	return new Intl.DateTimeFormat(getCanonicalLocale(), {
		weekday: 'long',
		day: 'numeric',
		month: 'long',
		...(sameYear ? {} : { year: 'numeric' }),
	}).format(date)
}

/** The time of day in the user's locale and the browser's time zone. */
export function clockTime(date: Date): string {
	return new Intl.DateTimeFormat(getCanonicalLocale(), { timeStyle: 'short' }).format(date)
}

/** As {@link clockTime}, for steps that follow each other within seconds. */
export function clockTimeWithSeconds(date: Date): string {
	return new Intl.DateTimeFormat(getCanonicalLocale(), { timeStyle: 'medium' }).format(date)
}

export function dateAndTime(date: Date): string {
	return new Intl.DateTimeFormat(getCanonicalLocale(), { dateStyle: 'long', timeStyle: 'medium' }).format(date)
}

/** As short as a table needs it. */
export function dayAndTime(date: Date): string {
	return new Intl.DateTimeFormat(getCanonicalLocale(), { dateStyle: 'medium', timeStyle: 'short' }).format(date)
}
