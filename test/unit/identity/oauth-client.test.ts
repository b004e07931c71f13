// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { NextcloudOAuthOptions } from '../../../lib/identity/oauth-client.ts'
import type { LogFields, Logger } from '../../../lib/logger.ts'

import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SipCallError } from '../../../lib/errors.ts'
import { NextcloudOAuth } from '../../../lib/identity/oauth-client.ts'
import { ACCESS_TOKEN, CLIENT, html, json, OAuthServer, ocs, REFRESH_TOKEN } from './oauth-server.ts'

const TOKEN_CALL = 'POST /index.php/apps/oauth2/api/v1/token'
const USER_CALL = 'GET /ocs/v2.php/cloud/user'
const REVOKE_CALL = 'DELETE /ocs/v2.php/core/apppassword'
const CODE = 'UopFQRrljydrQAPMpmdx1v63Do2KTDMRWMMMhYyMYeGF9xPdTQWoQDmrUWjbDLbj8tSBcXyUbGY6apmH4wLXSyNoYUsIgxczCnNJSj03e1AYEuUWWtIaF6YkWVEyM3Ga'

let nextcloud: OAuthServer
let warnings: { message: string, fields: LogFields | undefined }[]

beforeEach(async () => {
	nextcloud = await OAuthServer.start()
	nextcloud.codes.add(CODE)
	warnings = []
})

afterEach(() => nextcloud.stop())

function client(change: Partial<NextcloudOAuthOptions> = {}): NextcloudOAuth {
	const logger: Logger = {
		error: () => {},
		warn: (message, fields) => warnings.push({ message, fields }),
		info: () => {},
		debug: () => {},
		child: () => logger,
	}
	return new NextcloudOAuth({ client: () => CLIENT, nextcloudUrl: nextcloud.url, publicUrl: async () => 'https://cloud.example/', logger, ...change })
}

async function failureOf(work: Promise<unknown>): Promise<SipCallError> {
	const error = await work.then(() => undefined, (reason: unknown) => reason)
	if (!(error instanceof SipCallError)) {
		return expect.unreachable(`no SipCallError: ${inspect(error)}`)
	}
	// Neither the person nor the log may see what opens an account.
	for (const secret of [ACCESS_TOKEN, REFRESH_TOKEN, CODE, CLIENT.secret]) {
		expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret)
	}
	return error
}

describe('the address of the sign-in', () => {
	it('is Nextcloud’s public one, with client, state and redirectUri', async () => {
		const url = new URL(await client().authorizeUrl('st+ate-1', 'http://127.0.0.1:9031/oauth/callback?a=1&b=2'))
		expect(`${url.origin}${url.pathname}`).toBe('https://cloud.example/index.php/apps/oauth2/authorize')
		expect(Object.fromEntries(url.searchParams)).toEqual({ response_type: 'code', client_id: CLIENT.id, state: 'st+ate-1', redirect_uri: 'http://127.0.0.1:9031/oauth/callback?a=1&b=2' })
	})

	it.each(['https://x.example/nextcloud', 'https://x.example/nextcloud/', 'https://x.example/nextcloud/index.php', 'https://x.example/nextcloud/index.php/'])('is right below %s', async (publicUrl) => {
		expect(await client({ publicUrl: async () => publicUrl }).authorizeUrl('s', undefined)).toBe(`https://x.example/nextcloud/index.php/apps/oauth2/authorize?state=s&client_id=${CLIENT.id}&response_type=code`)
	})

	it('holds no secret, and asks nothing', async () => {
		expect(decodeURIComponent(await client().authorizeUrl('s', undefined))).not.toContain(CLIENT.secret)
		expect(nextcloud.requests).toEqual([])
	})

	it('is refused without a client', async () => {
		expect(await failureOf(client({ client: () => undefined }).authorizeUrl('s', undefined))).toMatchObject({ code: 'oauth_not_configured' })
	})
})

describe('a code of Nextcloud', () => {
	it('tells who its holder is, by three requests in this order', async () => {
		expect(await client().identify(CODE, undefined)).toEqual({ id: 'alice', displayName: 'Alice Example', isAdmin: false })
		expect(nextcloud.lines).toEqual([TOKEN_CALL, USER_CALL, REVOKE_CALL])
		expect(warnings).toEqual([])
	})

	it('is sent with the client’s id and secret in the body, and the redirectUri where there is one', async () => {
		await client().identify(CODE, 'sipcall://back')
		const [request] = nextcloud.requests
		expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({ grant_type: 'authorization_code', code: CODE, redirect_uri: 'sipcall://back', client_id: CLIENT.id, client_secret: CLIENT.secret })
		expect(request?.headers).toMatchObject({ 'content-type': expect.stringMatching(/^application\/x-www-form-urlencoded/) })
		expect(request?.headers.authorization).toBeUndefined()
	})

	it('leaves no token of Nextcloud behind', async () => {
		await client().identify(CODE, undefined)
		expect(nextcloud.isTokenGood).toBe(false)
	})

	it('of a member of the admin group tells so; of a group admin’s it does not', async () => {
		nextcloud.user = { ...nextcloud.user, groups: ['sales', 'admin'], subadmin: [] }
		expect(await client().identify(CODE, undefined)).toMatchObject({ isAdmin: true })
		nextcloud.codes.add(CODE)
		nextcloud.user = { ...nextcloud.user, groups: ['administrators', 'Admin'], subadmin: ['sales'] }
		expect(await client().identify(CODE, undefined)).toMatchObject({ isAdmin: false })
	})

	it('serves once', async () => {
		await client().identify(CODE, undefined)
		expect(await failureOf(client().identify(CODE, undefined))).toMatchObject({ code: 'invalid_grant' })
	})

	it('that Nextcloud does not know is refused, and nobody is asked for', async () => {
		expect(await failureOf(client().identify('x', undefined))).toMatchObject({ code: 'invalid_grant' })
		expect(nextcloud.lines).toEqual([TOKEN_CALL])
	})

	it('is not exchanged without a client', async () => {
		expect(await failureOf(client({ client: () => undefined }).identify(CODE, undefined))).toMatchObject({ code: 'oauth_not_configured' })
		expect(nextcloud.requests).toEqual([])
	})

	it('is not exchanged with a client that Nextcloud refuses: that is for the admin', async () => {
		expect(await failureOf(client({ client: () => ({ ...CLIENT, secret: 'wrong' }) }).identify(CODE, undefined))).toMatchObject({ code: 'oauth_not_configured', cause: expect.any(Error) })
	})

	it('is exchanged with the client as it is now, not as it was', async () => {
		let current: typeof CLIENT | undefined = undefined
		const oauth = client({ client: () => current })
		await failureOf(oauth.identify(CODE, undefined))
		current = CLIENT
		expect(await oauth.identify(CODE, undefined)).toMatchObject({ id: 'alice' })
	})
})

describe('Nextcloud in trouble', () => {
	it.each([
		['answers 500 with a page', html(500)],
		['answers 404 with a page, as without its oauth2 app', html(404)],
		['answers 429 as JSON', json(429, { message: 'Too many requests' })],
		['answers 503 with an error as JSON', json(503, { error: 'maintenance' })],
		['redirects', html(302, { Location: 'http://127.0.0.1:1/elsewhere' })],
		['answers 200 with a page', html(200)],
		['answers 200 without a token', json(200, { token_type: 'Bearer', refresh_token: REFRESH_TOKEN })],
		['answers 200 with another kind of token', json(200, { access_token: ACCESS_TOKEN, token_type: 'mac', refresh_token: REFRESH_TOKEN })],
		['asks for a password', html(401, { 'WWW-Authenticate': 'Basic realm="Nextcloud"' })],
		['hangs up', (response: { destroy: () => void }) => response.destroy()],
	])('that %s to a code cannot be asked for now', async (_name, answer) => {
		nextcloud.instead.set(TOKEN_CALL, answer)
		expect(await failureOf(client().identify(CODE, undefined))).toMatchObject({ code: 'nextcloud_unavailable', retryAfterSec: expect.any(Number), cause: expect.any(Error) })
		expect(nextcloud.lines).toEqual([TOKEN_CALL])
	})

	it('that has throttled us is asked again only after 60 seconds', async () => {
		nextcloud.instead.set(TOKEN_CALL, html(429))
		expect(await failureOf(client().identify(CODE, undefined))).toMatchObject({ code: 'nextcloud_unavailable', retryAfterSec: 60 })
	})

	it('that is not there cannot be asked', async () => {
		expect(await failureOf(client({ nextcloudUrl: 'http://127.0.0.1:1' }).identify(CODE, undefined))).toMatchObject({ code: 'nextcloud_unavailable' })
	})

	it('that says nothing is left after the time limit, headers or not', async () => {
		nextcloud.instead.set(TOKEN_CALL, () => {})
		expect(await failureOf(client({ timeoutSec: 0.05 }).identify(CODE, undefined))).toMatchObject({ code: 'nextcloud_unavailable' })
		nextcloud.instead.set(TOKEN_CALL, (response) => response.writeHead(200, { 'Content-Type': 'application/json' }).write('{"access_token":'))
		expect(await failureOf(client({ timeoutSec: 0.05 }).identify(CODE, undefined))).toMatchObject({ code: 'nextcloud_unavailable' })
	})

	it.each([
		['answers 401', json(401, ocs([], 997))],
		['answers 500', html(500)],
		['redirects', html(302, { Location: 'http://127.0.0.1:1/elsewhere' })],
		['names nobody', json(200, ocs({ id: '', groups: [] }))],
		['names no groups', json(200, ocs({ id: 'alice' }))],
		['answers no JSON', html(200)],
		['hangs up', (response: { destroy: () => void }) => response.destroy()],
	])('that %s when asked who it is signs nobody in, and its token is revoked all the same', async (_name, answer) => {
		nextcloud.instead.set(USER_CALL, answer)
		expect(await failureOf(client().identify(CODE, undefined))).toMatchObject({ code: 'nextcloud_unavailable' })
		expect(nextcloud.lines).toEqual([TOKEN_CALL, USER_CALL, REVOKE_CALL])
		expect(nextcloud.isTokenGood).toBe(false)
	})

	it.each([
		['refuses', json(403, ocs([], 403))],
		['breaks', html(500)],
		['hangs up', (response: { destroy: () => void }) => response.destroy()],
		['says nothing', () => {}],
	])('that %s when its token is revoked hinders nobody, and stands in the log without the token', async (_name, answer) => {
		nextcloud.instead.set(REVOKE_CALL, answer)
		expect(await client({ timeoutSec: 0.2 }).identify(CODE, undefined)).toMatchObject({ id: 'alice' })
		expect(warnings).toHaveLength(1)
		expect(inspect(warnings, { depth: 10 })).not.toContain(ACCESS_TOKEN)
	})
})

describe('the way to Nextcloud', () => {
	it('is http where NEXTCLOUD_URL is', async () => {
		expect(await client().identify(CODE, undefined)).toMatchObject({ id: 'alice' })
	})

	it('is never http where NEXTCLOUD_URL is https: nothing is sent to this server in the clear', async () => {
		expect(await failureOf(client({ nextcloudUrl: nextcloud.url.replace('http:', 'https:') }).identify(CODE, undefined))).toMatchObject({ code: 'nextcloud_unavailable' })
		expect(nextcloud.requests).toEqual([])
	})
})
