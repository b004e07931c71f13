// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Weekday } from './calendar.ts'

import { localTime, momentOf, WEEKDAYS } from './calendar.ts'

/** `HH:MM`; an end of `24:00` is midnight. */
export interface Interval {
	from: string
	to: string
}

/** When calls may be placed, by the clock of a time zone. A weekday that is left out has no hours. */
export interface WorkingHours {
	timeZone: string
	days: Partial<Record<Weekday, readonly Interval[]>>
}

/** @return minutes since midnight */
export function minutesOf(clock: string): number {
	const [hours = '0', minutes = '0'] = clock.split(':')
	return Number(hours) * 60 + Number(minutes)
}

/** The beginning belongs to the hours, the end does not. */
export function isWithinHours(at: Date, { timeZone, days }: WorkingHours): boolean {
	const { weekday, minutes } = localTime(at, timeZone)
	return (days[weekday] ?? []).some(({ from, to }) => minutes >= minutesOf(from) && minutes < minutesOf(to))
}

/** When the hours begin the next time; undefined when they never do. */
export function nextOpening(at: Date, { timeZone, days }: WorkingHours): Date | undefined {
	const today = localTime(at, timeZone)
	const first = WEEKDAYS.indexOf(today.weekday)
	// Today's hours of next week are the last that can be meant.
	for (let ahead = 0; ahead <= 7; ahead++) {
		const weekday = WEEKDAYS[(first + ahead) % 7]
		const openings = (weekday === undefined ? [] : days[weekday] ?? [])
			.map(({ from }) => momentOf(today.year, today.month, today.day + ahead, minutesOf(from), timeZone))
			.filter((opening) => opening.getTime() > at.getTime())
		const next = openings.toSorted((a, b) => a.getTime() - b.getTime())[0]
		if (next !== undefined) {
			return next
		}
	}
	return undefined
}
