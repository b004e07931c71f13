// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Every route × every kind of caller. A route without a row here fails, so that nobody adds one without thinking of it.

import type { TestApp } from '../../support/app.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signedHeaders, startTestApp } from '../../support/app.ts'

type Right = 'public' | 'user' | 'admin' | 'nextcloud'

/** What each route needs. Written by hand, on purpose: the code's own word is what is being checked. */
const ROUTES: Readonly<Record<string, Right>> = {
	'POST /init': 'nextcloud',
	'PUT /enabled': 'nextcloud',
	'GET /setup_checks': 'nextcloud',
	'POST /occ/status': 'nextcloud',
	'POST /occ/log-level': 'nextcloud',
	'POST /occ/user/purge': 'nextcloud',
	'POST /occ/export': 'nextcloud',
	'POST /occ/audit/verify': 'nextcloud',
	'POST /occ/cdr-import': 'nextcloud',
	'POST /occ/rotate-keys': 'nextcloud',
	'POST /occ/backup': 'nextcloud',
	'POST /occ/restore': 'nextcloud',
	'GET /auth/login': 'public',
	'POST /auth': 'public',
	'POST /auth/refresh': 'public',
	'POST /auth/revoke': 'public',
	'POST /call': 'user',
	'GET /call-status/{uuid}': 'user',
	'DELETE /call/{uuid}': 'user',
	'GET /call/{uuid}/events': 'user',
	'PUT /call/{uuid}': 'user',
	'POST /call/{uuid}/hold': 'user',
	'POST /call/{uuid}/unhold': 'user',
	'POST /call/{uuid}/dtmf': 'user',
	'POST /call/{uuid}/transfer': 'user',
	'GET /call-history': 'user',
	'GET /events': 'user',
	'GET /contacts': 'user',
	'GET /me': 'user',
	'PUT /me': 'user',
	'POST /me/devices/{id}/verify': 'user',
	'POST /me/devices/{id}/confirm': 'user',
	'POST /numbers/explain': 'user',
	'POST /admin/policy/explain': 'admin',
	'POST /admin/numbers/lookup': 'admin',
	'GET /admin/policy/samples': 'admin',
	'GET /admin/users': 'admin',
	'PUT /admin/users/{id}': 'admin',
	'GET /admin/config': 'admin',
	'POST /admin/config': 'admin',
	'POST /admin/config/test': 'admin',
	'POST /admin/rates/read': 'admin',
	'GET /admin/freeswitch/snippets': 'admin',
	'GET /admin/health': 'admin',
	'POST /admin/test-call': 'admin',
	'GET /admin/test-call/{id}': 'admin',
	'GET /admin/audit-log': 'admin',
	'GET /admin/audit-log/verify': 'admin',
	'POST /admin/audit-log/verify': 'admin',
	'GET /admin/metrics': 'admin',
	'POST /privacy/preview': 'user',
	'POST /privacy/delete': 'user',
	'GET /privacy/receipt/{id}': 'user',
	'GET /privacy/export': 'user',
	'POST /admin/privacy/preview': 'admin',
	'POST /admin/privacy/delete': 'admin',
	'GET /admin/privacy/receipts': 'admin',
	'GET /admin/privacy/retention': 'admin',
	'GET /admin/keys': 'admin',
	'POST /admin/keys/rotate': 'admin',
	'DELETE /admin/call/{uuid}': 'admin',
}

interface Kind {
	headers: Record<string, string>
	/** Beneath /api/v1, as other clients come. */
	isApi?: true
}

const ORIGIN = { 'X-Requested-With': 'XMLHttpRequest', 'Content-Type': 'application/json' }

const CALLERS: Readonly<Record<string, Kind>> = {
	nobody: { headers: ORIGIN },
	'a wrong secret': { headers: { ...ORIGIN, ...signedHeaders('demo'), 'AUTHORIZATION-APP-API': Buffer.from('demo:wrong').toString('base64') } },
	'another app': { headers: { ...ORIGIN, ...signedHeaders('demo'), 'EX-APP-ID': 'other' } },
	'an anonymous visitor of the proxy': { headers: { ...ORIGIN, ...signedHeaders(''), 'x-origin-ip': '203.0.113.9' } },
	'Nextcloud itself': { headers: { ...ORIGIN, ...signedHeaders('') } },
	'a user': { headers: { ...ORIGIN, ...signedHeaders('guest') } },
	'an admin': { headers: { ...ORIGIN, ...signedHeaders('demo') } },
	'an admin’s proof beneath /api/v1': { headers: { ...ORIGIN, ...signedHeaders('demo') }, isApi: true },
	'a forged token': { headers: { ...ORIGIN, Authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJkZW1vIn0.' }, isApi: true },
}

/** What somebody may do who is this: `401`, `403`, or whatever the request itself deserves. */
function expected(caller: string, right: Right): 401 | 403 | 'through' {
	if (right === 'public') {
		return 'through'
	}
	switch (caller) {
		case 'Nextcloud itself':
			return right === 'nextcloud' ? 'through' : 401
		case 'a user':
			return right === 'user' ? 'through' : 403
		case 'an admin':
			return right === 'nextcloud' ? 403 : 'through'
		default:
			return 401
	}
}

describe('rights', () => {
	let test: TestApp

	beforeAll(async () => {
		test = await startTestApp()
		await test.ready()
	})

	afterAll(() => test.stop())

	it('have a row for every route of the API, and no row too many', async () => {
		const { body } = await test.as('demo').get<{ paths: Record<string, Record<string, unknown>> }>('/openapi.json')
		const routes = Object.entries(body.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
		expect(routes.sort()).toEqual(Object.keys(ROUTES).sort())
	})

	it.each(Object.keys(CALLERS).flatMap((caller) => Object.entries(ROUTES).map(([route, right]) => [caller, route, expected(caller, right), right] as const)))(
		'of %s at %s: %s',
		async (caller, route, outcome, right) => {
			const { headers, isApi } = CALLERS[caller] ?? { headers: {} }
			const [method = '', path = ''] = route.split(' ')
			const answer = await fetch(`${test.url}${isApi === true ? '/api/v1' : ''}${path.replace('{uuid}', '4a1f4f6e-3c1e-4f0e-9a0c-5f0a2c6f7b11').replace('{id}', 'guest')}`, {
				method,
				headers,
				...(method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }),
			})
			if (answer.headers.get('content-type')?.startsWith('text/event-stream') === true) {
				// It would go on for ever.
				await answer.body?.cancel()
				expect([answer.status, outcome]).toEqual([200, 'through'])
				return
			}
			const { code } = await answer.json().catch(() => ({})) as { code?: string }
			if (outcome === 401) {
				expect({ status: answer.status, code }).toEqual({ status: 401, code: 'not_authenticated' })
			} else if (outcome === 403) {
				expect({ status: answer.status, code }).toEqual({ status: 403, code: 'forbidden' })
			} else {
				expect([401, 403]).not.toContain(answer.status)
				// 503: there is no OAuth2 client to sign in with. 409: the encryption key comes from the environment.
				expect(right === 'public' ? [200, 400, 503] : [200, 202, 400, 404, 409, 415, 422]).toContain(answer.status)
			}
		},
	)
})
