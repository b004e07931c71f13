// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A line for each request, for whoever looks closely; and one for each that took long, with where its time went.

import type { Logger } from '../logger.ts'
import type { AnswerDetails, AnsweredRequest } from './middlewares/answer-watch.ts'

import { createHmac } from 'node:crypto'

/** Longer than a person takes for "at once". */
const SLOW_MS = 1_000
/** They wait on purpose. */
const LONG_ROUTES = new Set(['/call-status/{uuid}', '/events'])
/** Of a user's name in the log: enough to tell users apart. */
const REF_CHARACTERS = 12

/**
 * A name for a user that says nothing to others, and is the same in every line.
 *
 * @param secret of this installation
 */
export function userRefs(secret: string): (userId: string) => string {
	return (userId) => createHmac('sha256', secret).update(`log ${userId}`).digest('hex').slice(0, REF_CHARACTERS)
}

export function requestLog(logger: Logger, refOf: (userId: string) => string, slowMs = SLOW_MS): (answer: AnsweredRequest, details: AnswerDetails) => void {
	return ({ method, route, status, seconds, code }, { requestId, userId, requestBytes, responseBytes, spent }) => {
		const durationMs = Math.round(seconds * 1000)
		const isSlow = durationMs >= slowMs && !LONG_ROUTES.has(route)
		logger[isSlow ? 'info' : 'debug'](isSlow ? 'A request took long' : 'A request was answered', {
			requestId,
			method,
			route,
			status,
			durationMs,
			...(code === undefined ? {} : { code }),
			requestBytes,
			responseBytes,
			...(userId === '' ? {} : { userRef: refOf(userId) }),
			...(isSlow ? { spentMs: Object.fromEntries([...spent].map(([part, ms]) => [part, Math.round(ms)])) } : {}),
		})
	}
}
