// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A row of whole days as people of a time zone count them.

import { localTime, momentOf } from './calendar.ts'

export interface DayRange {
	timeZone: string
	/** `YYYY-MM-DD`, each day once, in order. */
	days: string[]
	/** When each of them began. On a day of a change of clocks the next one is 23 or 25 hours away. */
	starts: Date[]
	/** When the first began. */
	from: Date
	/** When the day after the last one begins. */
	to: Date
}

/** The day that it is in a zone at a moment, `YYYY-MM-DD`. */
export function dayAt(at: Date, timeZone: string): string {
	const { year, month, day } = localTime(at, timeZone)
	return dayText(Date.UTC(year, month - 1, day))
}

/**
 * A day some days later or, with a negative number, earlier.
 *
 * @param day `YYYY-MM-DD`
 */
export function addDays(day: string, count: number): string {
	const [year, month, date] = partsOf(day)
	return dayText(Date.UTC(year, month - 1, date + count))
}

/** How many days the one is after the other. */
export function daysBetween(earlier: string, later: string): number {
	return (Date.parse(later) - Date.parse(earlier)) / 86_400_000
}

/**
 * The days from one to another, both included.
 *
 * @param first `YYYY-MM-DD`; not after `last`
 */
export function dayRange(first: string, last: string, timeZone: string): DayRange {
	const days = Array.from({ length: daysBetween(first, last) + 1 }, (_, index) => addDays(first, index))
	const starts = days.map((day) => startOf(day, timeZone))
	return { timeZone, days, starts, from: startOf(first, timeZone), to: startOf(addDays(last, 1), timeZone) }
}

function startOf(day: string, timeZone: string): Date {
	const [year, month, date] = partsOf(day)
	return momentOf(year, month, date, 0, timeZone)
}

function partsOf(day: string): [number, number, number] {
	const [year = 0, month = 0, date = 0] = day.split('-').map(Number)
	return [year, month, date]
}

function dayText(utc: number): string {
	return new Date(utc).toISOString().slice(0, 10)
}
