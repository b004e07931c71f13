// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Which days the overview is about. */

/** As many days up to today, or days of one's own. */
export const RANGE_KINDS = ['7', '30', '90', 'own'] as const

export interface OverviewRange {
	kind: typeof RANGE_KINDS[number]
	/** `YYYY-MM-DD` of one's own days; empty as long as nothing is chosen. */
	from: string
	to: string
}

/** As many days as the server adds up at once. */
export const LONGEST_DAYS = 366
const DAY_MS = 86_400_000
const DAY = /^\d{4}-\d\d-\d\d$/

/** What is wrong with days of one's own; `incomplete` is still being chosen. */
export function rangeFault({ kind, from, to }: OverviewRange): 'incomplete' | 'backwards' | 'too_long' | undefined {
	if (kind !== 'own') {
		return undefined
	}
	// A year of two digits is one that is still being typed.
	if (!DAY.test(from) || !DAY.test(to) || from < '1876' || to < '1876') {
		return 'incomplete'
	}
	const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1
	return days < 1 ? 'backwards' : days > LONGEST_DAYS ? 'too_long' : undefined
}

/**
 * The days to ask for; none are the server's own seven, which it alone knows until it has told its time zone.
 *
 * @param now by the server's clock, in milliseconds
 * @return undefined while there is nothing to ask for
 */
export function queryOf(range: OverviewRange, timeZone: string | undefined, now: number): { from?: string, to?: string } | undefined {
	const { kind, from, to } = range
	if (rangeFault(range) !== undefined) {
		return undefined
	}
	if (kind === 'own') {
		return { from, to }
	}
	if (kind === '7') {
		return {}
	}
	const today = todayIn(timeZone, now)
	return { from: new Date(Date.parse(today) - (Number(kind) - 1) * DAY_MS).toISOString().slice(0, 10), to: today }
}

/** Sweden writes days as ISO 8601 does. */
function todayIn(timeZone: string | undefined, now: number): string {
	return new Intl.DateTimeFormat('sv-SE', { ...(timeZone === undefined ? {} : { timeZone }), calendar: 'iso8601', year: 'numeric', month: '2-digit', day: '2-digit' }).format(now)
}
