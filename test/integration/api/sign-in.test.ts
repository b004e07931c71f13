// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Signing in from outside, through the whole sidecar and the Nextcloud stand-in.

import type { Grant } from '../../../lib/identity/sign-in.ts'
import type { OAuthClient } from '../../stand-ins/nextcloud/oauth.ts'
import type { TestApp } from '../../support/app.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'

let test: TestApp
let client: OAuthClient

interface Answer {
	status: number
	body: Grant & { code: string, id: string, authorizeUrl: string, state: string }
}

async function send(method: string, path: string, { token, body }: { token?: string, body?: unknown } = {}): Promise<Answer> {
	const response = await fetch(`${test.url}/api/v1${path}`, {
		method,
		headers: { ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }), ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	})
	return { status: response.status, body: await response.json() as Answer['body'] }
}

/** What the user's browser does at Nextcloud. */
function codeOf(userId: string, state: string): string {
	const user = test.nextcloud.users.get(userId)
	if (user === undefined) {
		throw new Error(`There is no ${userId}`)
	}
	return new URL(test.nextcloud.oauth.grant(client, user, state)).searchParams.get('code') ?? ''
}

beforeAll(async () => {
	const id = 'client-id'
	const secret = 'client-secret'
	test = await startTestApp({ environment: { NEXTCLOUD_OAUTH_CLIENT_ID: id, NEXTCLOUD_OAUTH_CLIENT_SECRET: secret, CORS_ORIGINS: '["https://app.example"]' } })
	client = test.nextcloud.oauth.addClient('sipcall://back')
	Object.assign(client, { clientId: id, clientSecret: secret })
})

afterAll(() => test.stop())

describe('a client outside Nextcloud', () => {
	it('signs in, uses its token, renews it and signs out', async () => {
		const { body: login } = await send('GET', '/auth/login')
		expect(login.authorizeUrl).toMatch(/\/index\.php\/apps\/oauth2\/authorize\?/)
		const first = await send('POST', '/auth', { body: { code: codeOf('demo', login.state), state: login.state } })
		expect(first).toMatchObject({ status: 200, body: { tokenType: 'Bearer', expiresInSec: 900, user: { id: 'demo' } } })
		expect(await send('GET', '/me', { token: first.body.accessToken })).toMatchObject({ status: 200, body: { id: 'demo' } })

		const second = await send('POST', '/auth/refresh', { body: { refreshToken: first.body.refreshToken } })
		expect(await send('GET', '/me', { token: second.body.accessToken })).toMatchObject({ status: 200 })
		expect(await send('POST', '/auth/revoke', { body: { refreshToken: second.body.refreshToken } })).toMatchObject({ status: 200 })
		expect(await send('GET', '/me', { token: second.body.accessToken })).toMatchObject({ status: 401, body: { code: 'not_authenticated' } })
		expect(await send('POST', '/auth/refresh', { body: { refreshToken: second.body.refreshToken } })).toMatchObject({ status: 401, body: { code: 'invalid_grant' } })
	})

	it('is nobody without a token, and with its token outside /api/v1', async () => {
		expect(await send('GET', '/me')).toMatchObject({ status: 401 })
		const { body } = await send('POST', '/auth', { body: { code: codeOf('demo', 's') } })
		expect((await fetch(`${test.url}/me`, { headers: { Authorization: `Bearer ${body.accessToken}` } })).status).toBe(401)
	})

	it('on a listed page of another origin may ask before it sends', async () => {
		const { status, headers } = await fetch(`${test.url}/api/v1/call`, { method: 'OPTIONS', headers: { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST' } })
		expect([status, headers.get('access-control-allow-origin')]).toEqual([204, 'https://app.example'])
	})

	it('is told to wait when too many begin to sign in at once; whoever renews a sign-in is not', async () => {
		const statuses = (await Promise.all(Array.from({ length: 150 }, () => send('GET', '/auth/login')))).map(({ status }) => status)
		expect(new Set(statuses)).toEqual(new Set([200, 429]))
		expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(120)
		expect((await send('POST', '/auth/refresh', { body: { refreshToken: 'unknown' } })).status).toBe(401)
		// Who is signed in already is not held up.
		expect((await test.as('demo').get('/me')).status).toBe(200)
	})
})
