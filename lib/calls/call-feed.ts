// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call } from './call.ts'
import type { CallListener } from './ports.ts'

/** Passes stored changes on to whoever waits for a call, or for the calls of a user. Holds nothing for others. */
export class CallFeed {
	readonly #ofCall = new Listeners()
	readonly #ofUser = new Listeners()

	/** Told after the transaction that stored the change has been committed. */
	publish(call: Call): void {
		this.#ofCall.tell(call.uuid, call)
		this.#ofUser.tell(call.userId, call)
	}

	/**
	 * @return ends the subscription
	 */
	subscribe(uuid: string, listener: CallListener): () => void {
		return this.#ofCall.add(uuid, listener)
	}

	/**
	 * @return ends the subscription
	 */
	subscribeUser(userId: string, listener: CallListener): () => void {
		return this.#ofUser.add(userId, listener)
	}

	/** Whether anybody here waits for a call, or for the calls of its user. */
	isFollowed(uuid: string, userId: string): boolean {
		return this.#ofCall.count(uuid) > 0 || this.#ofUser.count(userId) > 0
	}

	/** How many listen to the calls of a user. */
	countOfUser(userId: string): number {
		return this.#ofUser.count(userId)
	}
}

class Listeners {
	readonly #byKey = new Map<string, Set<CallListener>>()

	tell(key: string, call: Call): void {
		for (const listener of [...this.#byKey.get(key) ?? []]) {
			listener(call)
		}
	}

	count(key: string): number {
		return this.#byKey.get(key)?.size ?? 0
	}

	add(key: string, listener: CallListener): () => void {
		const listeners = this.#byKey.get(key) ?? new Set()
		listeners.add(listener)
		this.#byKey.set(key, listeners)
		return () => {
			listeners.delete(listener)
			if (listeners.size === 0 && this.#byKey.get(key) === listeners) {
				this.#byKey.delete(key)
			}
		}
	}
}
