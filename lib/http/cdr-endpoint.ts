// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// `POST /freeswitch/cdr` for FreeSWITCH's mod_json_cdr: beside Nextcloud's proxy, with a secret of its own. Only 2xx
// counts as taken there: all else is tried again and then written into the module's error directory.

import type { RequestHandler } from 'express'

import express from 'express'
import { SipCallError } from '../errors.ts'
import { isSameSecret } from '../same-secret.ts'

export interface CdrEndpoint {
	/** `cdrSecret` of the settings: null when none is set; undefined while the settings are not there yet. */
	secret: () => string | null | undefined
	/**
	 * What became of the record.
	 *
	 * @return undefined when it is no call record
	 */
	take: (body: Buffer) => Promise<string | undefined>
}

/** A leg's record has 10 kB; one of a channel with a long dialplan some 100 kB. */
const BODY_LIMIT = '1mb'

export function cdrEndpoint({ secret, take }: CdrEndpoint): RequestHandler[] {
	return [
		(request, response, next) => {
			const expected = secret()
			if (expected === undefined) {
				throw new SipCallError('storage_unavailable', 'SIPCall is starting. Try again in a few seconds.', { retryAfterSec: 5 })
			}
			const given = secretOf(request.headers.authorization ?? '')
			// Whether a secret is set at all is nobody's business who has none.
			if (expected === null || given === undefined || !isSameSecret(given, expected)) {
				// curl sends the password only to who asks for it when `auth-scheme` is `any`.
				response.set('WWW-Authenticate', 'Basic realm="SIPCall", charset="UTF-8"')
				throw new SipCallError('not_authenticated', 'Send what is saved as cdrSecret in the settings, as the password of any name (cred of mod_json_cdr) or as “Authorization: Bearer …”.')
			}
			next()
		},
		// Whatever it calls itself: the module forgets its content type with some settings.
		express.raw({ type: () => true, limit: BODY_LIMIT, inflate: false }),
		async (request, response) => {
			const result = Buffer.isBuffer(request.body) ? await take(request.body) : undefined
			if (result === undefined) {
				throw new SipCallError('invalid_request', 'This is no call record of mod_json_cdr that can be read. Set encode to false in its configuration.')
			}
			response.json({ result })
		},
	]
}

/** The password of HTTP Basic (RFC 7617), whatever the name, or a bearer token. */
function secretOf(authorization: string): string | undefined {
	const [, scheme = '', value = ''] = /^(Basic|Bearer) (\S+)$/i.exec(authorization) ?? []
	if (scheme.toLowerCase() === 'bearer') {
		return value
	}
	const [, password] = /^[^:]*:(.+)$/s.exec(Buffer.from(value, 'base64').toString('utf8')) ?? []
	return password
}
