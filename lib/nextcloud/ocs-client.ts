// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The one way from here to Nextcloud's OCS API, and how often it may be gone.

import type { Logger } from '../logger.ts'

import { ExponentialBackoff, handleType, retry } from 'cockatiel'
import { SipCallError } from '../errors.ts'
import { GuardRefusal, Guards } from '../guard.ts'

export interface OcsClientOptions {
	nextcloudUrl: string
	appId: string
	appVersion: string
	appSecret: string
	logger: Logger
	/** Milliseconds. */
	now: () => number
	fetch?: typeof fetch
	guards?: Guards
}

export interface OcsRequest {
	method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
	/** Below `/ocs/v2.php`, such as `/cloud/user`. v1 answers 200 on most errors, so it is never used. */
	path: string
	/** In whose name; left out = the app itself. */
	userId?: string
	body?: unknown
	timeoutMs?: number
}

export interface OcsAnswer {
	status: number
	/** `ocs.data`; undefined when Nextcloud did not answer with OCS JSON. */
	data: unknown
	/** What Nextcloud's clock said, in milliseconds and to the second (RFC 9110 section 6.6.1). */
	dateMs?: number
}

const TIMEOUT_MS = 5_000
/** Five calls with a refused secret lock the app's address out of Nextcloud for half an hour: one is the warning. */
const REFUSED_PAUSE_MS = 60_000
/** Nextcloud answers each of a user's requests by a PHP process: more at once would only wait there. */
const GUARD = { part: 'nextcloud', breakAfter: 3, breakMs: 10_000, atOnce: 20, waiting: 500 } as const

/** No answer, or one that says "not now": the only failure after which a question may be asked again. */
class Unanswered extends Error {}

/**
 * Asks Nextcloud in the app's or a user's name. A GET is repeated once after a failure; nothing else is ever repeated.
 * After three failures in a row nothing is asked for ten seconds.
 */
export class OcsClient {
	readonly #options: OcsClientOptions
	readonly #guard
	readonly #patient = retry(handleType(Unanswered), { maxAttempts: 1, backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 400 }) })
	#pausedUntil = 0
	#isRefused = false

	constructor(options: OcsClientOptions) {
		this.#options = options
		this.#guard = (options.guards ?? new Guards()).add({ ...GUARD, isFault: (error) => error instanceof Unanswered })
	}

	/**
	 * The last answer was that the app's secret is wrong or the app is disabled: each further question brings Nextcloud
	 * nearer to locking the address out.
	 */
	get isRefused(): boolean {
		return this.#isRefused
	}

	/**
	 * Nextcloud has just signed a request with the app's secret: it knows it, whatever it answered before. An app that is
	 * registered anew is refused until then.
	 */
	noteKnown(): void {
		this.#pausedUntil = 0
		this.#isRefused = false
	}

	/**
	 * @throws {SipCallError} `nextcloud_unavailable` when there is no answer, the app's secret is refused (asked again
	 * only after a minute), or the app is disabled
	 */
	async request(request: OcsRequest): Promise<OcsAnswer> {
		if (this.#options.now() < this.#pausedUntil) {
			throw unavailable(undefined)
		}
		const isRepeatable = (request.method ?? 'GET') === 'GET'
		try {
			return await this.#guard.execute(() => isRepeatable ? this.#patient.execute(() => this.#send(request)) : this.#send(request))
		} catch (error) {
			if (error instanceof Unanswered || error instanceof GuardRefusal) {
				throw unavailable(error.cause ?? error)
			}
			throw error
		}
	}

	async #send({ method = 'GET', path, userId = '', body, timeoutMs = TIMEOUT_MS }: OcsRequest): Promise<OcsAnswer> {
		const { nextcloudUrl, appId, appVersion, appSecret, logger, now } = this.#options
		let response: Response
		let text: string
		try {
			response = await (this.#options.fetch ?? fetch)(`${nextcloudUrl}/ocs/v2.php${path}${path.includes('?') ? '&' : '?'}format=json`, {
				method,
				headers: {
					'EX-APP-ID': appId,
					'EX-APP-VERSION': appVersion,
					'AUTHORIZATION-APP-API': Buffer.from(`${userId}:${appSecret}`).toString('base64'),
					'OCS-APIRequest': 'true',
					Accept: 'application/json',
					...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
				},
				...(body === undefined ? {} : { body: JSON.stringify(body) }),
				// A redirect would carry the secret, which opens every account, to another host.
				redirect: 'error',
				signal: AbortSignal.timeout(timeoutMs),
			})
			text = await response.text()
		} catch (cause) {
			throw new Unanswered('Nextcloud gave no answer', { cause })
		}
		if (response.status === 401 && userId !== '') {
			if (!await this.#isAppKnown()) {
				throw unavailable(undefined)
			}
		} else if (response.status === 401) {
			this.#pausedUntil = now() + REFUSED_PAUSE_MS
			this.#isRefused = true
			logger.error('Nextcloud refused the app’s secret, or the app is disabled there; it is asked again in a minute')
			throw unavailable(undefined)
		}
		if (response.status === 429 || response.status >= 500) {
			throw new Unanswered(`Nextcloud answered ${response.status}`)
		}
		this.#isRefused = false
		const dateMs = Date.parse(response.headers.get('date') ?? '')
		return { status: response.status, data: readOcs(text), ...(Number.isNaN(dateMs) ? {} : { dateMs }) }
	}

	/**
	 * Nextcloud answers 401 for a wrong secret as for a user that is gone. The first concerns everybody, the second one
	 * user: this question, which every known app may ask, tells them apart.
	 */
	async #isAppKnown(): Promise<boolean> {
		// A disabled app is answered as well, with 0: it may ask nothing else, and no user is gone by that.
		const state = await this.#send({ path: '/apps/app_api/ex-app/state' }).catch(() => undefined)
		return state?.status === 200 && Number(state.data) === 1
	}
}

function readOcs(text: string): unknown {
	try {
		const value = JSON.parse(text) as { ocs?: { data?: unknown } }
		return value.ocs?.data
	} catch {
		return undefined
	}
}

function unavailable(cause: unknown): SipCallError {
	return new SipCallError('nextcloud_unavailable', 'Nextcloud cannot be asked at the moment. Try again in a minute.', { cause, retryAfterSec: 30 })
}
