// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { RequestHandler } from 'express'

import { randomUUID } from 'node:crypto'

const GIVEN_ID = /^[A-Za-z0-9._-]{1,64}$/

/** The id under which a request stands in the answer and in the log: Nextcloud's own where it sent one. */
export const requestId: RequestHandler = (request, response, next) => {
	const given = request.header('AA-REQUEST-ID') ?? request.header('X-Request-Id')
	response.locals.requestId = given !== undefined && given !== 'CLI' && GIVEN_ID.test(given) ? given : randomUUID()
	response.set('X-Request-Id', String(response.locals.requestId))
	// Nextcloud's PHP proxy keeps answers without this for an hour.
	response.set('Cache-Control', 'no-store')
	next()
}
