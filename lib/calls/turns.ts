// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { setTimeout as delay } from 'node:timers/promises'

/** What is done with one thing is done one after the other, each with a rest after it if it wants. */
export class Turns {
	readonly #last = new Map<string, Promise<void>>()

	/**
	 * Does something when all before it is done, also when that failed.
	 *
	 * @param key of the thing
	 * @param restMs how long the next one waits after this one
	 */
	take<Value>(key: string, action: () => Promise<Value>, restMs = 0): Promise<Value> {
		const result = (this.#last.get(key) ?? Promise.resolve()).then(action)
		const rest = () => restMs === 0 ? undefined : delay(restMs, undefined, { ref: false })
		const last: Promise<void> = result.then(rest, () => {}).then(() => {
			if (this.#last.get(key) === last) {
				this.#last.delete(key)
			}
		})
		this.#last.set(key, last)
		return result
	}
}
