// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call } from './call.ts'
import type { CallListener } from './ports.ts'

/** Passes stored changes on to whoever waits for a call. Holds nothing for calls that nobody waits for. */
export class CallFeed {
	readonly #listeners = new Map<string, Set<CallListener>>()
	readonly #ofAll = new Set<CallListener>()

	/** Told after the transaction that stored the change has been committed. */
	publish(call: Call): void {
		for (const listener of [...this.#listeners.get(call.uuid) ?? [], ...this.#ofAll]) {
			listener(call)
		}
	}

	/**
	 * @return ends the subscription
	 */
	subscribe(uuid: string, listener: CallListener): () => void {
		const listeners = this.#listeners.get(uuid) ?? new Set()
		listeners.add(listener)
		this.#listeners.set(uuid, listeners)
		return () => {
			listeners.delete(listener)
			if (listeners.size === 0 && this.#listeners.get(uuid) === listeners) {
				this.#listeners.delete(uuid)
			}
		}
	}

	/**
	 * Tells of every change of every call.
	 *
	 * @return ends the subscription
	 */
	subscribeAll(listener: CallListener): () => void {
		this.#ofAll.add(listener)
		return () => this.#ofAll.delete(listener)
	}
}
