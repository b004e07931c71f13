// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Request, RequestHandler } from 'express'
import type { Caller } from '../route.ts'

import { SipCallError } from '../../errors.ts'

/** Requests that change nothing (RFC 9110 section 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

const JSON_TYPE = /^application\/json\s*(?:;|$)/i

/**
 * Neither of Nextcloud's proxies protects an app against forged requests: they pass a request on for whoever has the
 * user's cookie. So whatever changes something must carry a header and a content type that no foreign page can send
 * without asking first (Fetch standard, CORS-safelisted request headers).
 */
export function browserOrigin(callerOf: (request: Request) => Caller): RequestHandler {
	return (request, _response, next) => {
		const { userId, proof } = callerOf(request)
		// A token is sent by whoever holds it, never by a browser on its own; and Nextcloud itself has no browser.
		if (!SAFE.has(request.method) && userId !== '') {
			checkType(request)
			if (proof === 'nextcloud') {
				checkOrigin(request)
			}
		}
		next()
	}
}

function checkType(request: Request): void {
	// A DELETE may have no body; everything else that changes something is JSON.
	const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
	if ((request.method !== 'DELETE' || hasBody) && !JSON_TYPE.test(request.headers['content-type'] ?? '')) {
		throw new SipCallError('unsupported_media_type', 'Send the request’s body as application/json.')
	}
}

function checkOrigin(request: Request): void {
	// Nextcloud's own script sets it on every request of its pages (core/src/utils/xhr-request.js), and @nextcloud/axios does
	// again: the browser joins both (Fetch standard, header list “combine”).
	const values = request.header('X-Requested-With')?.split(',').map((value) => value.trim())
	if (values?.every((value) => value === 'XMLHttpRequest') !== true) {
		throw new SipCallError('csrf', 'The header X-Requested-With: XMLHttpRequest is missing. It proves that the app’s own page sent the request.')
	}
}
