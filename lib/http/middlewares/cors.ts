// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { RequestHandler } from 'express'

/** What a script may send beyond what it always may, and read beyond what it always may (Fetch standard, CORS). */
const METHODS = 'GET, POST, PUT, DELETE'
const REQUEST_HEADERS = 'Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id, X-Requested-With'
const ANSWER_HEADERS = 'Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id'
const PREFLIGHT_SEC = '600'

/**
 * Lets the scripts of listed origins use the token API. Without credentials: a browser then sends no cookie, and the
 * token, which a script must hold, stays the only proof.
 *
 * Nextcloud's PHP proxy answers OPTIONS itself with 405, so preflights arrive only over HaRP or on the own port.
 *
 * @param prefix of the token API; nothing else is opened
 * @param origins as browsers spell them
 */
export function cors(prefix: string, origins: readonly string[]): RequestHandler {
	const allowed = new Set(origins)
	return (request, response, next) => {
		if (allowed.size === 0 || !request.path.startsWith(`${prefix}/`)) {
			next()
			return
		}
		// The answer depends on it, also where there is none.
		response.vary('Origin')
		const { origin } = request.headers
		if (origin === undefined || !allowed.has(origin)) {
			next()
			return
		}
		response.set('Access-Control-Allow-Origin', origin)
		response.set('Access-Control-Expose-Headers', ANSWER_HEADERS)
		if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
			response.set('Access-Control-Allow-Methods', METHODS)
			response.set('Access-Control-Allow-Headers', REQUEST_HEADERS)
			response.set('Access-Control-Max-Age', PREFLIGHT_SEC)
			response.status(204).end()
			return
		}
		next()
	}
}
