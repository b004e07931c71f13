// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * Every fault that a caller can be told about. The codes are part of the outer contract: they are never renamed.
 * This file knows no HTTP: `http/problem.ts` gives each code its status.
 */
export type ErrorCode
	= | 'invalid_request'
		| 'not_authenticated'
		| 'invalid_grant'
		| 'csrf'
		| 'forbidden'
		| 'calling_not_permitted'
		| 'account_locked'
		| 'not_found'
		| 'method_not_allowed'
		| 'already_in_call'
		| 'wrong_state'
		| 'call_erased'
		| 'payload_too_large'
		| 'unsupported_media_type'
		| 'invalid_number'
		| 'emergency_number'
		| 'destination_not_allowed'
		| 'caller_id_not_allowed'
		| 'no_device'
		| 'wrong_code'
		| 'idempotency_key_reused'
		| 'rate_limited'
		| 'limit_reached'
		| 'switch_unavailable'
		| 'trunk_unavailable'
		| 'storage_unavailable'
		| 'nextcloud_unavailable'
		| 'oauth_not_configured'
		| 'shutting_down'

export interface FieldError {
	field: string
	message: string
}

export interface RateLimit {
	policy: string
	quota: number
	windowSec: number
	remaining: number
	resetSec: number
}

export interface SipCallErrorOptions {
	cause?: unknown
	errors?: FieldError[]
	/** Seconds after which the same request may succeed. */
	retryAfterSec?: number
	/** The quota that is used up, for the `RateLimit` headers (draft-ietf-httpapi-ratelimit-headers). */
	rateLimit?: RateLimit
	/** Extra members of the problem document (RFC 9457 section 3.2); never secrets, never phone numbers of others. */
	extra?: Record<string, unknown>
}

/**
 * An expected refusal or a known fault. The message is safe to show to the person who asked: one or two sentences
 * that say what happened, why, and what to do. Everything that is not a SipCallError is a bug.
 */
export class SipCallError extends Error {
	readonly code: ErrorCode
	readonly errors: FieldError[] | undefined
	readonly retryAfterSec: number | undefined
	readonly rateLimit: RateLimit | undefined
	readonly extra: Record<string, unknown> | undefined

	constructor(code: ErrorCode, message: string, options: SipCallErrorOptions = {}) {
		super(message, { cause: options.cause })
		this.name = 'SipCallError'
		this.code = code
		this.errors = options.errors
		this.retryAfterSec = options.retryAfterSec
		this.rateLimit = options.rateLimit
		this.extra = options.extra
	}
}
