// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What a chart shows, day by day; the same for the one that draws it and for the table beside it. */

/** How a series is told from others: by a colour and a hatch. */
export type Look = 'answered' | 'not_reached' | 'cancelled' | 'failed' | 'blocked' | 'talk' | 'cost' | 'pending' | 'rate'

export interface DaySeries {
	name: string
	look: Look
	/** One for each day, in the unit of the axis; null leaves a gap. */
	values: readonly (number | null)[]
	/** The same in words, exactly. */
	cells: readonly string[]
	/** The same for spreadsheets: no unit, a point before fractions. */
	raw: readonly string[]
}

export interface DayChart {
	/** Stable, for the file's name. */
	id: string
	kind: 'bar' | 'line'
	title: string
	/** What there is to see in it, in a sentence. */
	finding: string
	/** `YYYY-MM-DD`. */
	days: readonly string[]
	series: readonly DaySeries[]
	/** A value on the axis, in words. */
	format: (value: number) => string
	/** Where the axis ends; left out: a little above the highest value. */
	max?: number
}
