// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// `GET /metrics` for Prometheus: beside Nextcloud's proxy, with a token of its own.

import type { RequestHandler } from 'express'

import { SipCallError } from '../errors.ts'
import { isSameSecret } from '../same-secret.ts'

export interface MetricsEndpoint {
	/** `metricsToken` of the settings: null when none is set; undefined while the settings are not there yet. */
	token: () => string | null | undefined
	contentType: string
	text: () => Promise<string>
}

export function metricsEndpoint({ token, contentType, text }: MetricsEndpoint): RequestHandler {
	return async (request, response) => {
		const expected = token()
		if (expected === undefined) {
			throw new SipCallError('storage_unavailable', 'SIPCall is starting. Try again in a few seconds.', { retryAfterSec: 5 })
		}
		const given = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
		// Whether a token is set at all is nobody's business who has none.
		if (expected === null || given === undefined || !isSameSecret(given, expected)) {
			throw new SipCallError('not_authenticated', 'Send the token that is saved as metricsToken in the settings, as “Authorization: Bearer …”.')
		}
		response.set('Content-Type', contentType).send(await text())
	}
}
