// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { getCanonicalLocale } from '@nextcloud/l10n'
import { dateFormat } from './formats.ts'
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
	return dateFormat({
		weekday: 'long',
		day: 'numeric',
		month: 'long',
		...(sameYear ? {} : { year: 'numeric' }),
	}).format(date)
}

/** The time of day in the user's locale and the browser's time zone. */
export function clockTime(date: Date): string {
	return dateFormat({ timeStyle: 'short' }).format(date)
}

/** As {@link clockTime}, for steps that follow each other within seconds. */
export function clockTimeWithSeconds(date: Date): string {
	return dateFormat({ timeStyle: 'medium' }).format(date)
}

export function dateAndTime(date: Date): string {
	return dateFormat({ dateStyle: 'long', timeStyle: 'medium' }).format(date)
}

/** As short as a table needs it. */
export function dayAndTime(date: Date): string {
	return dateFormat({ dateStyle: 'medium', timeStyle: 'short' }).format(date)
}

/**
 * A moment that is near: the time of day alone while it is today's.
 *
 * @param timeZone of the rule that names the moment; it is told where it is not the browser's
 */
export function momentWords(date: Date, now = new Date(), timeZone?: string): string {
	const isForeign = timeZone !== undefined && timeZone !== Intl.DateTimeFormat().resolvedOptions().timeZone
	const zone = isForeign ? { timeZone } : {}
	const day = dateFormat({ dateStyle: 'medium', ...zone })
	const time = dateFormat({ timeStyle: 'short', ...(day.format(date) === day.format(now) ? {} : { dateStyle: 'medium' }), ...zone }).format(date)
	return isForeign ? `${time} ${timeZone}` : time
}

/** `in 3 hours`, `in 12 minutes`: how long until a moment. */
export function relativeWords(date: Date, now: Date): string {
	const seconds = Math.max(0, Math.round((date.getTime() - now.getTime()) / 1000))
	const format = new Intl.RelativeTimeFormat(getCanonicalLocale(), { numeric: 'always' })
	if (seconds < 90) {
		return format.format(seconds, 'second')
	}
	const minutes = Math.round(seconds / 60)
	return minutes < 90 ? format.format(minutes, 'minute') : minutes < 36 * 60 ? format.format(Math.round(minutes / 60), 'hour') : format.format(Math.round(minutes / 1440), 'day')
}
