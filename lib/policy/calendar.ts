// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Days and hours as people of a time zone count them, across the changes of their clocks. By `Intl`, which has the zones.

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

export type Weekday = typeof WEEKDAYS[number]

const DAY_MS = 24 * 60 * 60 * 1000

/** What a calendar and a clock on the wall show. */
export interface LocalTime {
	year: number
	/** 1 … 12. */
	month: number
	day: number
	/** Since midnight by the clock, 0 … 1439. */
	minutes: number
	weekday: Weekday
}

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string): Intl.DateTimeFormat {
	const known = formats.get(timeZone)
	if (known !== undefined) {
		return known
	}
	const made = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' })
	formats.set(timeZone, made)
	return made
}

/** Whether this is a zone of the IANA's database, such as `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
	try {
		// An offset such as +01:00 knows no summer time, and whoever types it most likely wanted a zone.
		return /^[A-Za-z]/.test(name) && formatOf(name) !== undefined
	} catch {
		return false
	}
}

export function localTime(at: Date, timeZone: string): LocalTime {
	const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = partsOf(at, timeZone)
	// Monday first; 1 January 1970 was a Thursday.
	const weekday = WEEKDAYS[(Math.floor(Date.UTC(year, month - 1, day) / DAY_MS) + 3) % 7] ?? 'mon'
	return { year, month, day, minutes: hour * 60 + minute, weekday }
}

function partsOf(at: Date, timeZone: string): Record<string, number> {
	return Object.fromEntries(formatOf(timeZone).formatToParts(at).map(({ type, value }) => [type, Number(value)]))
}

/** Milliseconds that the zone's clocks are ahead of UTC at a moment. */
function offsetMs(at: number, timeZone: string): number {
	const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = partsOf(new Date(at), timeZone)
	return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000
}

/**
 * The first moment at which a zone's clock shows this time of day or a later one on this day: where clocks jump over it
 * that is the moment of the jump, where they show it twice the first of both.
 *
 * @param month 1 … 12; days and minutes beyond the end of a month or day count on
 */
export function momentOf(year: number, month: number, day: number, minutes: number, timeZone: string): Date {
	const wanted = Date.UTC(year, month - 1, day, 0, minutes)
	const before = offsetMs(wanted - DAY_MS, timeZone)
	const after = offsetMs(wanted + DAY_MS, timeZone)
	const shows = (at: number) => at + offsetMs(at, timeZone)
	const fitting = [wanted - before, wanted - after].filter((at) => shows(at) === wanted)
	if (fitting.length > 0) {
		return new Date(Math.min(...fitting))
	}
	// Jumped over: the clock goes from below to above at one moment in between.
	let [early, late] = [wanted - Math.max(before, after) - DAY_MS / 24, wanted - Math.min(before, after) + DAY_MS / 24]
	while (late - early > 1) {
		const middle = Math.floor((early + late) / 2)
		if (shows(middle) >= wanted) {
			late = middle
		} else {
			early = middle
		}
	}
	return new Date(late)
}

/** When the day began that it is in this zone, and when the next one begins. */
export function dayOf(at: Date, timeZone: string): { from: Date, to: Date } {
	const { year, month, day } = localTime(at, timeZone)
	return { from: momentOf(year, month, day, 0, timeZone), to: momentOf(year, month, day + 1, 0, timeZone) }
}

/** When the month began that it is in this zone, and when the next one begins. */
export function monthOf(at: Date, timeZone: string): { from: Date, to: Date } {
	const { year, month } = localTime(at, timeZone)
	return { from: momentOf(year, month, 1, 0, timeZone), to: momentOf(year, month + 1, 1, 0, timeZone) }
}
