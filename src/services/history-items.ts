// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call } from './types.ts'

/** What stands in the list, one below the other. Texts are made only for what is drawn. */
export type HistoryItem
	= | { kind: 'day', key: string, date: Date }
		| { kind: 'call', key: string, call: Call, position: number }

const days = new WeakMap<Call, string>()

/** Calls with a heading above each day, by the browser's time zone. */
export function historyItems(calls: readonly Call[]): HistoryItem[] {
	const items: HistoryItem[] = []
	let before = ''
	calls.forEach((call, at) => {
		const day = dayOf(call)
		if (day !== before) {
			items.push({ kind: 'day', key: day, date: new Date(call.createdAt) })
			before = day
		}
		items.push({ kind: 'call', key: call.uuid, call, position: at + 1 })
	})
	return items
}

function dayOf(call: Call): string {
	const known = days.get(call)
	if (known !== undefined) {
		return known
	}
	const day = new Date(call.createdAt).toDateString()
	days.set(call, day)
	return day
}
