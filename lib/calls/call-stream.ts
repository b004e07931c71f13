// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The calls of one user as they change. The row is the truth and has a version, so what was missed is made good by the
// present state of every call that has changed meanwhile: steps in between are not repeated (they are in the call's log).

import type { CallFeed } from './call-feed.ts'
import type { Call } from './call.ts'
import type { CallStore, Clock } from './ports.ts'

import { SipCallError } from '../errors.ts'

export interface CallStreamOptions {
	store: CallStore
	feed: CallFeed
	clock: Clock
	/** A line without news at least this often, so that every proxy between sees that somebody is there. */
	pingMs?: number
}

export interface StreamWish {
	userId: string
	/** The moment that the last event named which this client has seen. */
	since: Date | undefined
	/** false: what is there now, and no waiting. */
	isLasting: boolean
	/** Ends the stream. */
	signal: AbortSignal
}

/** Without a call it is only a sign of life. */
export interface StreamItem {
	/** Whoever comes back with this moment misses nothing. */
	at: Date
	call?: Call
}

const PING_MS = 20_000
/** Rights are checked when a stream begins, so none may last: the client comes back by itself. */
const LIFE_MS = 15 * 60_000
/** A browser has one for each tab. */
const MAX_OF_USER = 20
/**
 * A change is stored with the time at which its transaction took it up, and seen when that is committed: by then a later one
 * may have been told. No transaction lasts longer than this (`statement_timeout`), and clocks may differ a little.
 */
const OVERLAP_MS = 60_000

export class CallStream {
	readonly #options: CallStreamOptions

	constructor(options: CallStreamOptions) {
		this.#options = options
	}

	/**
	 * The user's open calls, then what has changed since, then every change as it is stored. A slow reader gets the newest
	 * state of each call, never a queue.
	 *
	 * @throws {SipCallError} `limit_reached` when the user has too many of these
	 */
	open(wish: StreamWish): AsyncGenerator<StreamItem, void> {
		if (this.#options.feed.countOfUser(wish.userId) >= MAX_OF_USER) {
			throw new SipCallError('limit_reached', 'Too many windows follow your calls at once. Close some of them.', { retryAfterSec: 30 })
		}
		return this.#follow(wish)
	}

	async* #follow({ userId, since, isLasting, signal }: StreamWish): AsyncGenerator<StreamItem, void> {
		const { feed, clock, pingMs = PING_MS } = this.#options
		const news = new Map<string, Call>()
		const told = new Map<string, number>()
		let wake = () => {}
		// Subscribed before reading, so that no change falls between.
		const unsubscribe = feed.subscribeUser(userId, (call) => {
			news.set(call.uuid, call)
			wake()
		})
		const stop = () => wake()
		signal.addEventListener('abort', stop)
		const endsAt = performance.now() + LIFE_MS
		try {
			for await (const item of this.#present(userId, since)) {
				told.set(item.call.uuid, item.call.version)
				yield item
			}
			yield { at: clock.now() }
			while (isLasting && !signal.aborted && performance.now() < endsAt) {
				const at = clock.now()
				const changed = [...news.values()].filter((call) => call.version > (told.get(call.uuid) ?? 0))
				news.clear()
				for (const call of changed) {
					told.set(call.uuid, call.version)
					yield { at, call }
				}
				if (news.size === 0 && !signal.aborted) {
					const { promise, resolve } = Promise.withResolvers<void>()
					wake = resolve
					const timer = setTimeout(resolve, pingMs)
					await promise
					clearTimeout(timer)
				}
				if (news.size === 0 && !signal.aborted) {
					yield { at: clock.now() }
				}
			}
		} finally {
			signal.removeEventListener('abort', stop)
			unsubscribe()
		}
	}

	async* #present(userId: string, since: Date | undefined): AsyncGenerator<StreamItem & { call: Call }> {
		const { store } = this.#options
		const from = since === undefined ? undefined : new Date(Math.max(0, since.getTime() - OVERLAP_MS))
		for (const call of await store.findOpenOf(userId)) {
			// Of a moment before all that follows: who is cut off here must get the rest as well.
			yield { at: since ?? call.createdAt, call }
		}
		if (from === undefined) {
			return
		}
		for (let page = await store.changedSince(userId, from); page.length > 0;) {
			for (const { call, changedAt } of page) {
				yield { at: changedAt, call }
			}
			const last = page.at(-1)
			page = last === undefined ? [] : await store.changedSince(userId, from, { changedAt: last.changedAt, uuid: last.call.uuid })
		}
	}
}
