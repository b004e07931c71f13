// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The one way from here to Nextcloud's WebDAV: reading, in a user's name, with no password of hers (AppAPI's `DavPlugin`).

import type { Logger } from '../logger.ts'

import { readText } from '../bounded-text.ts'
import { SipCallError } from '../errors.ts'

export interface DavRequest {
	/** Neither of them changes anything. */
	method: 'PROPFIND' | 'REPORT'
	/** In whose name. */
	userId: string
	/** Parts of the path beneath `/remote.php/dav`, not encoded. */
	path: readonly string[]
	/** 0 = the thing itself, 1 = and what is directly in it. */
	depth: 0 | 1
	/** XML. */
	body: string
}

export interface DavAnswer {
	status: number
	body: string
}

export interface DavClient {
	/**
	 * @throws {SipCallError} `nextcloud_unavailable` when there is no answer, one that says "not now", or one that refuses
	 * the proof
	 */
	request: (request: DavRequest) => Promise<DavAnswer>
}

export interface FetchDavClientOptions {
	nextcloudUrl: string
	appId: string
	appVersion: string
	appSecret: string
	logger: Logger
	/** Milliseconds. */
	now: () => number
	fetch?: typeof fetch
	/** 10 s, unless a test cannot wait. */
	timeoutMs?: number
	/** 20 MiB. */
	maxAnswerBytes?: number
}

const TIMEOUT_MS = 10_000
const MAX_ANSWER_BYTES = 20 * 1024 * 1024
/** Five calls with a refused proof lock the app's address out of Nextcloud for half an hour. */
const REFUSED_PAUSE_MS = 60_000
/** Nextcloud answers alike to a wrong secret and to a user that is gone. One user may be gone; two mean the secret. */
const REFUSED_USERS = 2

export class FetchDavClient implements DavClient {
	readonly #options: FetchDavClientOptions
	/** Users whose proof was refused, and until when they are not asked for. */
	readonly #refused = new Map<string, number>()

	constructor(options: FetchDavClientOptions) {
		this.#options = options
	}

	async request({ method, userId, path, depth, body }: DavRequest): Promise<DavAnswer> {
		const { nextcloudUrl, appId, appVersion, appSecret } = this.#options
		// A URL has no way to write these two; they would name another place.
		if (path.some((part) => part === '.' || part === '..' || part === '') || this.#isPaused(userId)) {
			throw unavailable(undefined)
		}
		let answer: DavAnswer
		try {
			const response = await (this.#options.fetch ?? fetch)(`${nextcloudUrl}/remote.php/dav/${path.map(encodeURIComponent).join('/')}/`, {
				method,
				headers: {
					'EX-APP-ID': appId,
					'EX-APP-VERSION': appVersion,
					'AUTHORIZATION-APP-API': Buffer.from(`${userId}:${appSecret}`).toString('base64'),
					'OCS-APIRequest': 'true',
					'Content-Type': 'application/xml; charset=utf-8',
					Depth: String(depth),
				},
				body,
				// A redirect would carry the secret, which opens every account, to another host.
				redirect: 'error',
				signal: AbortSignal.timeout(this.#options.timeoutMs ?? TIMEOUT_MS),
			})
			answer = { status: response.status, body: await readText(response, this.#options.maxAnswerBytes ?? MAX_ANSWER_BYTES) }
		} catch (cause) {
			throw unavailable(cause)
		}
		if (answer.status === 401) {
			this.#pause(userId)
		}
		if (answer.status === 401 || answer.status === 429 || answer.status >= 500) {
			throw unavailable(new Error(`WebDAV answered ${answer.status}`))
		}
		return answer
	}

	#isPaused(userId: string): boolean {
		const now = this.#options.now()
		for (const [id, until] of this.#refused) {
			// A clock that was set back must not make the pause longer.
			if (now >= until || until - now > REFUSED_PAUSE_MS) {
				this.#refused.delete(id)
			}
		}
		return this.#refused.has(userId) || this.#refused.size >= REFUSED_USERS
	}

	#pause(userId: string): void {
		this.#refused.set(userId, this.#options.now() + REFUSED_PAUSE_MS)
		this.#options.logger.warn('Nextcloud refused to show address books: the account is gone, or the app is disabled there; it is asked again in a minute')
	}
}

function unavailable(cause: unknown): SipCallError {
	return new SipCallError('nextcloud_unavailable', 'Your address books cannot be read at the moment. Try again in a minute.', { cause, retryAfterSec: 30 })
}
