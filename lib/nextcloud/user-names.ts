// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What users are called. Kept for longer than rights are: an old name does no harm, and a page that shows many asks often.

import type { UserDirectory } from './user-directory.ts'

const FRESH_MS = 10 * 60_000
const MOST_NAMES = 10_000
const AT_ONCE = 5

export class UserNames {
	readonly #users: Pick<UserDirectory, 'find'>
	readonly #now: () => number
	/** A name that is undefined: there is no such user. */
	readonly #known = new Map<string, { name: string | undefined, at: number }>()

	/**
	 * @param now milliseconds
	 */
	constructor({ users, now }: { users: Pick<UserDirectory, 'find'>, now: () => number }) {
		this.#users = users
		this.#now = now
	}

	/**
	 * Names by user id; whoever Nextcloud does not know, or cannot be asked about, is left out.
	 *
	 * @param adminId in whose name Nextcloud is asked
	 */
	async of(adminId: string, userIds: readonly string[]): Promise<Map<string, string>> {
		const waiting = [...new Set(userIds)].filter((id) => !this.#isFresh(id))
		while (waiting.length > 0) {
			const answers = await Promise.allSettled(waiting.splice(0, AT_ONCE).map((id) => this.#ask(adminId, id)))
			// Nextcloud is away: the others would only wait for the same.
			if (answers.some(({ status }) => status === 'rejected')) {
				break
			}
		}
		return new Map(userIds.flatMap((id) => {
			const name = this.#known.get(id)?.name
			return name === undefined ? [] : [[id, name] as const]
		}))
	}

	#isFresh(userId: string): boolean {
		const ageMs = this.#now() - (this.#known.get(userId)?.at ?? -Infinity)
		return ageMs >= 0 && ageMs < FRESH_MS
	}

	async #ask(adminId: string, userId: string): Promise<void> {
		const user = await this.#users.find(adminId, userId)
		if (this.#known.size >= MOST_NAMES) {
			this.#known.clear()
		}
		this.#known.set(userId, { name: user?.displayName, at: this.#now() })
	}
}
