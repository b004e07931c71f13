// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ErrorCode } from '../errors.ts'

import { SipCallError } from '../errors.ts'

interface ProblemKind {
	status: number
	title: string
}

/** Every code's HTTP status and title (RFC 9457): the catalogue of docs/developer/errors.md is made from this. */
export const PROBLEMS: Readonly<Record<ErrorCode, ProblemKind>> = {
	invalid_request: { status: 400, title: 'The request is not valid' },
	not_authenticated: { status: 401, title: 'Sign-in needed' },
	invalid_grant: { status: 401, title: 'Sign-in refused' },
	csrf: { status: 403, title: 'The request did not come from the app’s own page' },
	forbidden: { status: 403, title: 'Not allowed' },
	calling_not_permitted: { status: 403, title: 'Calling is not permitted' },
	account_locked: { status: 403, title: 'Calling is locked' },
	not_found: { status: 404, title: 'Not found' },
	method_not_allowed: { status: 405, title: 'Method not allowed' },
	already_in_call: { status: 409, title: 'Already in a call' },
	wrong_state: { status: 409, title: 'Not possible now' },
	call_erased: { status: 410, title: 'The call was erased' },
	payload_too_large: { status: 413, title: 'The request is too large' },
	unsupported_media_type: { status: 415, title: 'Unsupported media type' },
	invalid_number: { status: 422, title: 'Not a phone number' },
	emergency_number: { status: 422, title: 'Emergency number' },
	destination_not_allowed: { status: 422, title: 'Destination not allowed' },
	caller_id_not_allowed: { status: 422, title: 'Caller ID not allowed' },
	no_device: { status: 422, title: 'No phone to ring' },
	wrong_code: { status: 422, title: 'Wrong code' },
	idempotency_key_reused: { status: 422, title: 'Idempotency-Key reused' },
	rate_limited: { status: 429, title: 'Too many calls' },
	limit_reached: { status: 429, title: 'Limit reached' },
	switch_unavailable: { status: 503, title: 'Phone system unavailable' },
	trunk_unavailable: { status: 503, title: 'Phone company unavailable' },
	storage_unavailable: { status: 503, title: 'Storage unavailable' },
	nextcloud_unavailable: { status: 503, title: 'Nextcloud unavailable' },
	oauth_not_configured: { status: 503, title: 'Sign-in from outside is not set up' },
	shutting_down: { status: 503, title: 'Restarting' },
}

export interface Problem {
	type: string
	title: string
	status: number
	detail: string
	code: string
	requestId: string
	retryAfterSec?: number
	errors?: { field: string, message: string }[]
	[extension: string]: unknown
}

/** The document for an expected refusal. */
export function problemOf(error: SipCallError, requestId: string): Problem {
	const { status, title } = PROBLEMS[error.code]
	return {
		...error.extra,
		type: `urn:sipcall:problem:${error.code}`,
		title,
		status,
		detail: error.message,
		code: error.code,
		requestId,
		...(error.retryAfterSec === undefined ? {} : { retryAfterSec: error.retryAfterSec }),
		...(error.errors === undefined ? {} : { errors: error.errors }),
	}
}

/** The document for a bug: nothing of it is told but the id under which the log has everything. */
export function bareProblem(requestId: string): Problem {
	return {
		type: 'about:blank',
		title: 'Internal Server Error',
		status: 500,
		detail: 'Something went wrong in SIPCall. Tell your administrator the request id.',
		code: 'internal_error',
		requestId,
	}
}

/**
 * What Express's own parsers throw is the client's fault and gets the code for it.
 *
 * @return undefined when it is none of theirs
 */
export function clientFault(error: unknown): SipCallError | undefined {
	if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number' || error.status < 400 || error.status > 499) {
		return undefined
	}
	switch (error.status) {
		case 413:
			return new SipCallError('payload_too_large', 'The request’s body is larger than 64 KiB, or with a table of prices or a call record than 1 MiB.')
		case 415:
			return new SipCallError('unsupported_media_type', 'The body’s encoding is not supported. Send UTF-8 JSON without compression.')
		default:
			return new SipCallError('invalid_request', 'The request cannot be read: check the address and that the body is JSON.')
	}
}
