// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Where the time of a piece of work goes: whoever waits for a part adds to it, and whoever has begun it reads it.

import { AsyncLocalStorage } from 'node:async_hooks'

/** Milliseconds by part. What waits for two parts at once spends the time of both. */
export type TimeSpent = Map<string, number>

const spending = new AsyncLocalStorage<TimeSpent>()

/** Everything that begins in there, and what follows from it, adds to this. */
export function watchTime<Value>(spent: TimeSpent, work: () => Value): Value {
	return spending.run(spent, work)
}

/** What the present work has spent; undefined where nobody watches. */
export function presentTime(): TimeSpent | undefined {
	return spending.getStore()
}

export function addTime(spent: TimeSpent | undefined, part: string, ms: number): void {
	spent?.set(part, (spent.get(part) ?? 0) + ms)
}
