// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The way to a company's REST interface: one key, GET alone, and an answer that nobody trusts.

import type { z } from 'zod'
import type { Logger } from '../logger.ts'

import { readText } from '../bounded-text.ts'
import { GuardRefusal, Guards } from '../guard.ts'
import { isApiAddress } from '../policy/api-address.ts'

export interface ApiClientOptions {
	/** Without a slash at its end. */
	baseUrl: string
	/** `Authorization`, whole. */
	authorization: string
	/** What the company says by its error codes, where that is more than the status does. */
	faultOf: (code: string) => ApiFault | undefined
	logger: Logger
	/** Milliseconds. */
	now: () => number
	/** 5 s, unless a test cannot wait. */
	timeoutMs?: number
	/** 2 MiB. */
	maxAnswerBytes?: number
	guards?: Guards | undefined
}

/** Why a question has no answer. */
export type ApiFault = 'unreachable' | 'limited' | 'key_refused' | 'account_blocked' | 'not_permitted' | 'not_found' | 'invalid'

export class ApiError extends Error {
	readonly fault: ApiFault

	constructor(fault: ApiFault, message: string, options?: ErrorOptions) {
		super(message, options)
		this.name = 'ApiError'
		this.fault = fault
	}
}

const TIMEOUT_MS = 5_000
const MAX_ANSWER_BYTES = 2 * 1024 * 1024
const GUARD = { part: 'carrier', breakAfter: 5, breakMs: 60_000, atOnce: 4, waiting: 500 } as const
const LONGEST_PAUSE_MS = 600_000
const PAUSE_MS = 30_000

/**
 * Asks a company. After five questions in a row without an answer it is left alone for a minute, and when it says that it
 * is asked too often, for as long as it says. Nothing is repeated here: whoever needs an answer asks again later.
 */
export class ApiClient {
	readonly #options: ApiClientOptions
	readonly #guard
	#pausedUntil = -Infinity
	#latencyMs: number | undefined

	/**
	 * @throws {TypeError} when the key would go over the network unencrypted
	 */
	constructor(options: ApiClientOptions) {
		if (!isApiAddress(options.baseUrl)) {
			throw new TypeError('Not an address that a key may be sent to')
		}
		this.#options = options
		this.#guard = (options.guards ?? new Guards()).add({ ...GUARD, isFault: (error) => error instanceof ApiError && error.fault === 'unreachable' })
	}

	/** Of the last answer. */
	get latencyMs(): number | undefined {
		return this.#latencyMs
	}

	/**
	 * @param path below the base, with its parts encoded
	 * @param schema what the answer must be; one that is not counts as none
	 * @throws {ApiError}
	 */
	async get<Value>(schema: z.ZodType<Value>, path: string, query: Readonly<Record<string, string>> = {}): Promise<Value> {
		if (this.#options.now() < this.#pausedUntil) {
			throw new ApiError('limited', 'The company has asked to be left alone for a while')
		}
		try {
			return await this.#guard.execute(async () => {
				const { success, data } = schema.safeParse(await this.#send(path, query))
				return success ? data : unreadable()
			})
		} catch (error) {
			throw error instanceof GuardRefusal ? new ApiError('unreachable', 'The company did not answer several times', { cause: error }) : error
		}
	}

	async #send(path: string, query: Readonly<Record<string, string>>): Promise<unknown> {
		const { baseUrl, authorization, faultOf, timeoutMs = TIMEOUT_MS, maxAnswerBytes = MAX_ANSWER_BYTES } = this.#options
		const search = new URLSearchParams(query).toString()
		const began = performance.now()
		let response: Response
		let text: string
		try {
			response = await fetch(`${baseUrl}${path}${search === '' ? '' : `?${search}`}`, {
				headers: { Authorization: authorization, Accept: 'application/json' },
				// A redirect would carry the key to another host.
				redirect: 'error',
				signal: AbortSignal.timeout(timeoutMs),
			})
			text = await readText(response, maxAnswerBytes)
		} catch (cause) {
			throw new ApiError('unreachable', 'The company gave no answer', { cause })
		}
		this.#latencyMs = Math.round(performance.now() - began)
		this.#heedLimit(response)
		if (response.status === 200) {
			return parsed(text)
		}
		const code = firstCode(parsed(text))
		throw new ApiError((code === undefined ? undefined : faultOf(code)) ?? faultOfStatus(response.status), `The company answered ${response.status}${code === undefined ? '' : `, error ${code}`}`)
	}

	/** Both what is over the limit and what has just reached it. */
	#heedLimit({ status, headers }: Response): void {
		const { now, logger } = this.#options
		if (status !== 429 && headers.get('x-ratelimit-remaining')?.trim() !== '0') {
			return
		}
		const asked = milliseconds(headers.get('retry-after-ms'), 1) ?? retryAfter(headers.get('retry-after'), now()) ?? milliseconds(headers.get('x-ratelimit-reset'), 1000)
		const pauseMs = Math.min(asked ?? (status === 429 ? PAUSE_MS : 0), LONGEST_PAUSE_MS)
		this.#pausedUntil = now() + pauseMs
		logger.debug('The phone company’s interface is left alone for a while', { status, pauseMs })
	}
}

function parsed(text: string): object | undefined {
	try {
		const value: unknown = JSON.parse(text)
		return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
	} catch {
		return undefined
	}
}

function unreadable(): never {
	throw new ApiError('unreachable', 'The company’s answer is not what its description names')
}

/** An answer that is an error may be empty, or a page of a gateway in between: then the status alone speaks. */
function faultOfStatus(status: number): ApiFault {
	switch (status) {
		case 401:
			return 'key_refused'
		case 403:
			return 'not_permitted'
		case 404:
			return 'not_found'
		case 429:
			return 'limited'
		default:
			return status >= 400 && status < 500 ? 'invalid' : 'unreachable'
	}
}

/** `{ errors: [{ code }] }`, and no more of it: what an error says in words may quote what was asked for. */
function firstCode(body: object | undefined): string | undefined {
	const errors: unknown = body !== undefined && 'errors' in body ? body.errors : undefined
	const first: unknown = Array.isArray(errors) ? errors[0] : undefined
	const code: unknown = typeof first === 'object' && first !== null && 'code' in first ? first.code : undefined
	return (typeof code === 'string' || typeof code === 'number') && /^\d{1,6}$/.test(String(code)) ? String(code) : undefined
}

function milliseconds(text: string | null, unitMs: number): number | undefined {
	const value = text === null || text.trim() === '' ? Number.NaN : Number(text)
	return Number.isFinite(value) && value >= 0 ? value * unitMs : undefined
}

/** Seconds or a date (RFC 9110 section 10.2.3). */
function retryAfter(text: string | null, now: number): number | undefined {
	const at = text === null ? Number.NaN : Date.parse(text)
	return milliseconds(text, 1000) ?? (Number.isNaN(at) ? undefined : Math.max(0, at - now))
}
