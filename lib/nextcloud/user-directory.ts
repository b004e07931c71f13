// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What Nextcloud knows of a user, asked as that user and kept for a short while.

import type { Logger } from '../logger.ts'

import { z } from 'zod'
import { SipCallError } from '../errors.ts'

export interface NextcloudUser {
	id: string
	displayName: string
	groups: readonly string[]
	/** Member of Nextcloud's `admin` group. */
	isAdmin: boolean
}

export interface UserDirectoryOptions {
	nextcloudUrl: string
	appId: string
	appVersion: string
	appSecret: string
	logger: Logger
	/** Milliseconds, for the age of what is kept. */
	now: () => number
	fetch?: typeof fetch
}

/** The contract's longest age of a right. */
const FRESH_MS = 60_000
const REQUEST_TIMEOUT_MS = 5_000
/** Five wrong calls lock the app's address out of Nextcloud for half an hour: after a refusal nothing is asked for a while. */
const REFUSED_PAUSE_MS = 60_000
const MOST_USERS = 10_000

const CloudUser = z.object({
	ocs: z.object({
		data: z.object({
			id: z.string(),
			enabled: z.boolean().optional(),
			displayname: z.string().optional(),
			groups: z.array(z.string()),
		}),
	}),
})

export class UserDirectory {
	readonly #options: UserDirectoryOptions
	readonly #known = new Map<string, { user: NextcloudUser, at: number }>()
	readonly #asking = new Map<string, Promise<NextcloudUser>>()
	#pausedUntil = 0

	constructor(options: UserDirectoryOptions) {
		this.#options = options
	}

	/**
	 * The user as Nextcloud knew it at most 60 seconds ago.
	 *
	 * @throws {SipCallError} `forbidden` when Nextcloud does not know the user or has disabled it;
	 * `nextcloud_unavailable` when it cannot be asked
	 */
	async get(userId: string): Promise<NextcloudUser> {
		const known = this.#known.get(userId)
		if (known !== undefined) {
			const ageMs = this.#options.now() - known.at
			// A clock that was set back must not keep a right alive.
			if (ageMs >= 0 && ageMs < FRESH_MS) {
				return known.user
			}
		}
		const asking = this.#asking.get(userId) ?? this.#ask(userId).finally(() => this.#asking.delete(userId))
		this.#asking.set(userId, asking)
		return asking
	}

	async #ask(userId: string): Promise<NextcloudUser> {
		const { now } = this.#options
		if (now() < this.#pausedUntil) {
			throw unavailable(undefined)
		}
		const response = await this.#request(userId)
		if (response.status === 401) {
			await response.body?.cancel()
			this.#pausedUntil = now() + REFUSED_PAUSE_MS
			this.#options.logger.error('Nextcloud refused the app’s secret or the app is disabled; it is asked again in a minute')
			throw unavailable(undefined)
		}
		if (response.status === 404 || response.status === 403) {
			await response.body?.cancel()
			throw gone()
		}
		if (!response.ok) {
			await response.body?.cancel()
			throw unavailable(undefined)
		}
		const parsed = CloudUser.safeParse(await response.json().catch(() => undefined))
		if (!parsed.success) {
			throw unavailable(parsed.error)
		}
		const { id, enabled, displayname, groups } = parsed.data.ocs.data
		if (enabled === false || id !== userId) {
			throw gone()
		}
		const user = { id, displayName: displayname ?? id, groups, isAdmin: groups.includes('admin') }
		if (this.#known.size >= MOST_USERS) {
			this.#known.clear()
		}
		this.#known.set(userId, { user, at: now() })
		return user
	}

	async #request(userId: string): Promise<Response> {
		const { nextcloudUrl, appId, appVersion, appSecret } = this.#options
		try {
			return await (this.#options.fetch ?? fetch)(`${nextcloudUrl}/ocs/v2.php/cloud/user?format=json`, {
				headers: {
					'EX-APP-ID': appId,
					'EX-APP-VERSION': appVersion,
					'AUTHORIZATION-APP-API': Buffer.from(`${userId}:${appSecret}`).toString('base64'),
					'OCS-APIRequest': 'true',
					Accept: 'application/json',
				},
				// A redirect would carry the secret, which opens every account, to another host.
				redirect: 'error',
				signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
			})
		} catch (error) {
			throw unavailable(error)
		}
	}
}

function gone(): SipCallError {
	return new SipCallError('forbidden', 'Nextcloud does not know this account, or has disabled it.')
}

function unavailable(cause: unknown): SipCallError {
	return new SipCallError('nextcloud_unavailable', 'Nextcloud cannot be asked for your rights at the moment. Try again in a minute.', { cause, retryAfterSec: 30 })
}
