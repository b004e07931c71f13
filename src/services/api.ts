// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * The only place that speaks HTTP. Everything goes through Nextcloud's proxy, which adds who is asking. What comes back
 * is the API's JSON, the API's `application/problem+json`, or something of the proxy's own: an HTML page or nothing.
 */

import type { AxiosRequestConfig, AxiosResponse } from '@nextcloud/axios'
import type { Call, CallLogEntry, CallPage, CallRequest, CodeState, Contact, Device, Explanation, HistoryFilter, Me, MeChange, Problem } from './types.ts'

import axios, { isAxiosError } from '@nextcloud/axios'
import { generateUrl } from '@nextcloud/router'
import { shallowRef } from 'vue'

/** A request to the proxy is answered or given up within this time, so that a lost one does not stop the polling. */
const TIMEOUT_MS = 20_000
/** Tens of thousands of calls take a while. */
export const CSV_TIMEOUT_MS = 300_000

export type FailureKind
	/** No answer: whether the server has done what was asked is unknown. */
	= | 'network'
	/** SIPCall itself refused, and says why. */
		| 'problem'
	/** Nextcloud no longer knows this browser. */
		| 'logged_out'
	/** Nextcloud does not let the request through to SIPCall: disabled, being updated, or logged out. */
		| 'unavailable'
	/** Nextcloud let it through, and SIPCall broke off: it is down or has just gone down. */
		| 'broken_off'

export class ApiFailure extends Error {
	readonly kind: FailureKind
	readonly problem: Problem | undefined

	/** How long the server asks to be left alone; 0 when it does not say. */
	readonly retryAfterMs: number

	constructor(kind: FailureKind, options: { problem?: Problem | undefined, retryAfterSec?: number | undefined, cause?: unknown } = {}) {
		super(options.problem?.detail ?? kind, { cause: options.cause })
		this.name = 'ApiFailure'
		this.kind = kind
		this.problem = options.problem
		this.retryAfterMs = 1000 * (options.problem?.retryAfterSec ?? options.retryAfterSec ?? 0)
	}

	/** The server may have done what was asked: only the same request with the same key may be sent again. */
	get isInDoubt(): boolean {
		return this.kind === 'network' || this.kind === 'broken_off'
	}

	/** Asking again can only annoy: HaRP and Nextcloud count such answers against the visitor's address. */
	get isFinal(): boolean {
		const status = this.problem?.status
		return this.kind === 'logged_out' || this.kind === 'unavailable' || status === 401 || status === 403 || status === 404
	}
}

/**
 * Why no request can do anything any more until the page is loaded again: Nextcloud does not know this browser, or has no
 * SIPCall to ask. Told once for the whole page.
 */
export const pageEnd = shallowRef<'logged_out' | 'unavailable'>()

/** How much the server's clock is ahead of this computer's, in milliseconds. */
let clockOffsetMs = 0

/** The time by the server's clock, so that timers agree with the server's time stamps. */
export function serverNow(): number {
	return Date.now() + clockOffsetMs
}

export function getMe(): Promise<Me> {
	return send({ method: 'get', url: 'me' })
}

/**
 * Changes what is given; a list of devices is replaced as a whole.
 *
 * @return the account as it is now
 */
export function putMe(change: MeChange): Promise<Me> {
	return send({ method: 'put', url: 'me', data: change })
}

/** Calls a phone of the user's with a code of four digits. */
export function callWithCode(deviceId: string): Promise<CodeState> {
	// Without a body the proxy's empty Content-Type would be refused.
	return send({ method: 'post', url: `me/devices/${encodeURIComponent(deviceId)}/verify`, data: {} })
}

/** @return the phone, verified */
export function confirmCode(deviceId: string, code: string): Promise<Device> {
	return send({ method: 'post', url: `me/devices/${encodeURIComponent(deviceId)}/confirm`, data: { code } })
}

/**
 * @param request whom to call, and which device rings first
 * @param idempotencyKey one per click; a request that is sent again after a fault carries the same, so that one click
 *        is one call at most
 */
export function postCall(request: CallRequest, idempotencyKey: string, signal: AbortSignal): Promise<Call> {
	return send({ method: 'post', url: 'call', data: request, headers: { 'Idempotency-Key': idempotencyKey }, signal })
}

/** The call that a click has become, as far as the server knows; reads only. */
export async function findByKey(idempotencyKey: string): Promise<Call | undefined> {
	const { items } = await send<CallPage>({ method: 'get', url: 'call-history', params: { limit: 1, idempotencyKey } })
	return items[0]
}

export function getCall(uuid: string): Promise<Call> {
	return send({ method: 'get', url: `call-status/${encodeURIComponent(uuid)}` })
}

/** @return the call, which ends when both of its legs are gone */
export function hangUp(uuid: string): Promise<Call> {
	return send({ method: 'delete', url: `call/${encodeURIComponent(uuid)}` })
}

/** @return the call when the switch has said so, or as it is after a second */
export function holdCall(uuid: string, isHeld: boolean): Promise<Call> {
	// Without a body the proxy's empty Content-Type would be refused.
	return send({ method: 'post', url: `call/${encodeURIComponent(uuid)}/${isHeld ? 'hold' : 'unhold'}`, data: {} })
}

/** Sends keys to the other side. */
export function sendDigits(uuid: string, digits: string): Promise<Call> {
	return send({ method: 'post', url: `call/${encodeURIComponent(uuid)}/dtmf`, data: { digits } })
}

/** Hands the other side over to a number; the user leaves the call. */
export function transferCall(uuid: string, to: string): Promise<Call> {
	return send({ method: 'post', url: `call/${encodeURIComponent(uuid)}/transfer`, data: { to } })
}

/** Replaces what is written beside a call; what is left out stays. */
export function annotateCall(uuid: string, annotation: { note?: string, tags?: string[] }): Promise<Call> {
	return send({ method: 'put', url: `call/${encodeURIComponent(uuid)}`, data: annotation })
}

/** What would happen if a number were called; nothing is dialled or counted. */
export function postExplain(to: string, signal: AbortSignal): Promise<Explanation> {
	return send({ method: 'post', url: 'numbers/explain', data: { to }, signal })
}

/** What happened to a call, in order. */
export function getCallLog(uuid: string): Promise<CallLogEntry[]> {
	return send({ method: 'get', url: `call/${encodeURIComponent(uuid)}/events` })
}

/** A page of the user's calls, newest first. */
export function getHistory(limit: number, filter: HistoryFilter, cursor?: string): Promise<CallPage> {
	return send({ method: 'get', url: 'call-history', params: { limit, ...filter, ...(cursor === undefined ? {} : { cursor }) } })
}

/** All calls that fit, as the server writes them for spreadsheets. */
export function getHistoryCsv(filter: HistoryFilter): Promise<string> {
	return send({ method: 'get', url: 'call-history', params: filter, headers: { Accept: 'text/csv' }, responseType: 'text', timeout: CSV_TIMEOUT_MS }, 'text/csv')
}

/** Contacts whose name or number holds the text. */
export function searchContacts(search: string, signal: AbortSignal): Promise<Contact[]> {
	return send({ method: 'get', url: 'contacts', params: { search }, signal })
}

/** Whose number this is. */
export function findContact(number: string, signal: AbortSignal): Promise<Contact[]> {
	return send({ method: 'get', url: 'contacts', params: { number }, signal })
}

/** `crypto.randomUUID` is missing on a page that was loaded by plain http. */
export function newIdempotencyKey(): string {
	if (typeof crypto.randomUUID === 'function') {
		return crypto.randomUUID()
	}
	return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** One request to the API. Rejects with an {@link ApiFailure}. */
export async function send<Answer>(config: AxiosRequestConfig & { url: string }, wanted = 'application/json'): Promise<Answer> {
	try {
		// @nextcloud/axios adds X-Requested-With, which the server asks of every request that changes something.
		const response = await axios.request<Answer>({
			timeout: TIMEOUT_MS,
			...config,
			url: generateUrl('/apps/app_api/proxy/sipcall/') + config.url,
			headers: { Accept: 'application/json', ...config.headers },
		})
		noteServerTime(response)
		if (response.status !== 204 && !contentType(response).startsWith(wanted)) {
			throw new ApiFailure('unavailable')
		}
		return response.data
	} catch (error) {
		const failure = failureOf(error)
		if (failure.kind === 'logged_out' || failure.kind === 'unavailable') {
			pageEnd.value = failure.kind
		}
		throw failure
	}
}

function failureOf(error: unknown): ApiFailure {
	if (error instanceof ApiFailure) {
		return error
	}
	if (!isAxiosError(error) || error.response === undefined) {
		return new ApiFailure('network', { cause: error })
	}
	const response: AxiosResponse<unknown> = error.response
	// Where a text was asked for, a refusal comes as one as well.
	const data: unknown = typeof response.data === 'string' && contentType(response).startsWith('application/problem+json') ? JSON.parse(response.data) : response.data
	if (contentType(response).startsWith('application/problem+json') && isProblem(data)) {
		return new ApiFailure(response.status === 401 ? 'logged_out' : 'problem', { problem: data, cause: error })
	}
	if (response.status === 401) {
		return new ApiFailure('logged_out', { cause: error })
	}
	// 429 is Nextcloud's own brake, and passes like a fault.
	const isPassing = response.status >= 500 || response.status === 429
	const retryAfterSec = Number(response.headers['retry-after'] ?? 0)
	return new ApiFailure(isPassing ? 'broken_off' : 'unavailable', { cause: error, retryAfterSec: Number.isFinite(retryAfterSec) ? retryAfterSec : 0 })
}

function isProblem(data: unknown): data is Problem {
	return typeof data === 'object' && data !== null && 'code' in data && 'detail' in data && 'status' in data
}

function contentType(response: AxiosResponse): string {
	return String(response.headers['content-type'] ?? '')
}

function noteServerTime(response: AxiosResponse): void {
	const offset = Date.parse(String(response.headers.date)) - Date.now()
	// The header has whole seconds only, and the way takes time: less than two seconds is no sign of a wrong clock.
	clockOffsetMs = Number.isFinite(offset) && Math.abs(offset) > 2000 ? offset : 0
}
