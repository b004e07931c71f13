// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What Nextcloud knows of a user, asked as that user and kept for a short while.

import type { OcsClient } from './ocs-client.ts'

import { z } from 'zod'
import { SipCallError } from '../errors.ts'

export interface NextcloudUser {
	id: string
	displayName: string
	groups: readonly string[]
	/** Member of Nextcloud's `admin` group. */
	isAdmin: boolean
	/** Such as `de`. */
	language: string
}

/** The contract's longest age of a right. */
const FRESH_MS = 60_000
const MOST_USERS = 10_000

const CloudUser = z.object({
	id: z.string(),
	enabled: z.boolean().optional(),
	displayname: z.string().optional(),
	groups: z.array(z.string()),
	language: z.string().optional(),
})

/** PHP writes an empty list of users as an array. */
const UserDetails = z.object({ users: z.preprocess((value) => Array.isArray(value) ? {} : value, z.record(z.string(), CloudUser.partial())) })

/** A user as an administrator sees it. */
export interface ListedUser {
	id: string
	displayName: string
	groups: readonly string[]
	isEnabled: boolean
}

function listedUser({ id, displayname, groups, enabled }: { id: string, displayname?: string | undefined, groups?: string[] | undefined, enabled?: boolean | undefined }): ListedUser {
	return { id, displayName: displayname ?? id, groups: groups ?? [], isEnabled: enabled !== false }
}

export class UserDirectory {
	readonly #ocs: OcsClient
	readonly #now: () => number
	readonly #known = new Map<string, { user: NextcloudUser, at: number }>()
	/** Users of whom Nextcloud knows nothing, and when it said so. */
	readonly #gone = new Map<string, number>()
	readonly #asking = new Map<string, Promise<NextcloudUser>>()

	/**
	 * @param now milliseconds, for the age of what is kept
	 */
	constructor({ ocs, now }: { ocs: OcsClient, now: () => number }) {
		this.#ocs = ocs
		this.#now = now
	}

	/**
	 * The user as Nextcloud knew it at most 60 seconds ago.
	 *
	 * @throws {SipCallError} `forbidden` when Nextcloud does not know the user or has disabled it;
	 * `nextcloud_unavailable` when it cannot be asked
	 */
	async get(userId: string): Promise<NextcloudUser> {
		const known = this.#known.get(userId)
		const ageMs = known === undefined ? -1 : this.#now() - known.at
		// A clock that was set back must not keep a right alive.
		if (known !== undefined && ageMs >= 0 && ageMs < FRESH_MS) {
			return known.user
		}
		const asking = this.#asking.get(userId) ?? this.#ask(userId).finally(() => this.#asking.delete(userId))
		this.#asking.set(userId, asking)
		return asking
	}

	/**
	 * The user as Nextcloud knew it last, when it cannot be asked now. It says who somebody is, and gives no right.
	 *
	 * @throws {SipCallError} as `get`; `nextcloud_unavailable` only for users of whom Nextcloud was never asked here
	 */
	async profile(userId: string): Promise<NextcloudUser> {
		try {
			return await this.get(userId)
		} catch (error) {
			const known = this.#known.get(userId)
			if (known === undefined || !(error instanceof SipCallError) || error.code !== 'nextcloud_unavailable') {
				throw error
			}
			return known.user
		}
	}

	/** The administrators who have used SIPCall since it was started, as far as they are known. */
	knownAdmins(): string[] {
		return [...this.#known.values()].filter(({ user }) => user.isAdmin).map(({ user }) => user.id)
	}

	/**
	 * Whether Nextcloud knows the user and has not disabled it.
	 *
	 * @throws {SipCallError} `nextcloud_unavailable`
	 */
	async isActive(userId: string): Promise<boolean> {
		try {
			await this.get(userId)
			return true
		} catch (error) {
			if (error instanceof SipCallError && error.code === 'forbidden') {
				return false
			}
			throw error
		}
	}

	/**
	 * Users by a part of their name or id, in the order in which Nextcloud gives them.
	 *
	 * @param adminId in whose name; Nextcloud answers its administrators alone
	 * @throws {SipCallError} `nextcloud_unavailable`
	 */
	async search(adminId: string, { search, limit, offset }: { search: string, limit: number, offset: number }): Promise<ListedUser[]> {
		const query = new URLSearchParams({ search, limit: String(limit), offset: String(offset) })
		const { status, data } = await this.#ocs.request({ path: `/cloud/users/details?${query.toString()}`, userId: adminId })
		const found = status === 200 ? UserDetails.safeParse(data) : undefined
		if (found?.success !== true) {
			throw new SipCallError('nextcloud_unavailable', 'Nextcloud did not give the list of its users.', { cause: found?.error, retryAfterSec: 30 })
		}
		// A user whose details cannot be read comes as the id alone.
		return Object.entries(found.data.users).map(([id, user]) => listedUser({ ...user, id }))
	}

	/**
	 * One user, asked in an admin's name; undefined when there is none.
	 *
	 * @throws {SipCallError} `nextcloud_unavailable`
	 */
	async find(adminId: string, userId: string): Promise<ListedUser | undefined> {
		const { status, data } = await this.#ocs.request({ path: `/cloud/users/${encodeURIComponent(userId)}`, userId: adminId })
		if (status === 404) {
			return undefined
		}
		const found = status === 200 ? CloudUser.safeParse(data) : undefined
		if (found?.success !== true) {
			throw new SipCallError('nextcloud_unavailable', 'Nextcloud did not tell of this user.', { cause: found?.error, retryAfterSec: 30 })
		}
		return listedUser(found.data)
	}

	/**
	 * The ids of all users, disabled ones included (AppAPI's `getNCUsersList`).
	 *
	 * @throws {SipCallError} `nextcloud_unavailable`
	 */
	async list(): Promise<string[]> {
		const { status, data } = await this.#ocs.request({ path: '/apps/app_api/api/v1/users' })
		const ids = status === 200 ? z.array(z.string()).safeParse(data) : undefined
		if (ids?.success !== true) {
			throw new SipCallError('nextcloud_unavailable', 'Nextcloud did not give the list of its users.', { cause: ids?.error, retryAfterSec: 30 })
		}
		return ids.data
	}

	async #ask(userId: string): Promise<NextcloudUser> {
		const goneAgoMs = this.#now() - (this.#gone.get(userId) ?? -Infinity)
		if (goneAgoMs >= 0 && goneAgoMs < FRESH_MS) {
			throw gone()
		}
		// An answer is as old as its question.
		const askedAt = this.#now()
		const { status, data } = await this.#ocs.request({ path: '/cloud/user', userId })
		if (status === 401) {
			// Nextcloud counts this answer as an attack: it is not asked for again at once.
			remember(this.#gone, userId, this.#now())
		}
		if (status === 401 || status === 403 || status === 404) {
			this.#known.delete(userId)
			throw gone()
		}
		const parsed = status === 200 ? CloudUser.safeParse(data) : undefined
		if (parsed?.success !== true) {
			throw new SipCallError('nextcloud_unavailable', 'Nextcloud did not tell your rights. Try again in a minute.', { cause: parsed?.error, retryAfterSec: 30 })
		}
		const { id, enabled, displayname, groups, language } = parsed.data
		if (enabled === false || id !== userId) {
			this.#known.delete(userId)
			throw gone()
		}
		const user = { id, displayName: displayname ?? id, groups, isAdmin: groups.includes('admin'), language: language ?? 'en' }
		remember(this.#known, userId, { user, at: askedAt })
		return user
	}
}

/** Keeps a map bounded: what is forgotten is asked for again. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
	if (map.size >= MOST_USERS) {
		map.clear()
	}
	map.set(key, value)
}

function gone(): SipCallError {
	return new SipCallError('forbidden', 'Nextcloud does not know this account, or has disabled it.')
}
