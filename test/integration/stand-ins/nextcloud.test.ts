// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { IncomingMessage, Server } from 'node:http'
import type { NextcloudShell } from '../../stand-ins/nextcloud/nextcloud-shell.ts'

import { createServer, request as httpRequest } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startNextcloudShell } from '../../stand-ins/nextcloud/nextcloud-shell.ts'

const APP = { appId: 'sipcall', appSecret: 'a-secret:with a colon', appVersion: '0.1.0' }
const PROXY = '/index.php/apps/app_api/proxy/sipcall'

interface Received {
	method: string
	url: string
	raw: string[]
	headers: IncomingMessage['headers']
	body: string
}

let exApp: Server
let shell: NextcloudShell
let received: Received[]
let reply: { status: number, headers: Record<string, string | string[]>, body: string }

beforeEach(async () => {
	received = []
	reply = { status: 200, headers: { 'Content-Type': 'application/json' }, body: '{"a":1}' }
	exApp = createServer(async (request, response) => {
		let body = ''
		for await (const chunk of request) {
			body += String(chunk)
		}
		received.push({ method: request.method ?? '', url: request.url ?? '', raw: request.rawHeaders, headers: request.headers, body })
		response.writeHead(reply.status, reply.headers).end(reply.body)
	})
	await new Promise<void>((resolve) => {
		exApp.listen(0, '127.0.0.1', resolve)
	})
	const address = exApp.address()
	const port = typeof address === 'object' ? address?.port : undefined
	shell = await startNextcloudShell({ ...APP, exAppUrl: `http://127.0.0.1:${port}` })
})

afterEach(async () => {
	await shell.stop()
	exApp.closeAllConnections()
	await new Promise((resolve) => {
		exApp.close(resolve)
	})
})

/** A request whose path is sent as it is written: `fetch` would tidy up dot segments. */
function send(path: string, options: { method?: string, headers?: Record<string, string>, body?: string } = {}) {
	return new Promise<{ status: number, headers: IncomingMessage['headers'], body: string }>((resolve, reject) => {
		const { hostname, port } = new URL(shell.url)
		const request = httpRequest({ hostname, port, path, method: options.method ?? 'GET', headers: options.headers ?? {} }, async (response) => {
			let body = ''
			for await (const chunk of response) {
				body += String(chunk)
			}
			resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
		})
		request.on('error', reject)
		request.end(options.body)
	})
}

function only(): Received {
	expect(received).toHaveLength(1)
	return received[0] as Received
}

function valuesOf(raw: string[], name: string): string[] {
	return raw.filter((_value, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name)
}

describe('the proxy on the way to the ExApp', () => {
	it('signs for the user of the session and keeps a client from signing itself', async () => {
		await send(`${PROXY}/me`, { headers: {
			'EX-APP-ID': 'spoof',
			'AUTHORIZATION-APP-API': 'c3Bvb2Y6eA==',
			'x-origin-ip': '9.9.9.9',
			Authorization: 'Bearer browser-token',
			'X-Requested-With': 'XMLHttpRequest',
		} })
		const { raw, headers } = only()
		expect(valuesOf(raw, 'authorization-app-api')).toEqual([Buffer.from(`demo:${APP.appSecret}`).toString('base64')])
		expect(valuesOf(raw, 'ex-app-id')).toEqual(['spoof', 'sipcall'])
		expect(valuesOf(raw, 'ex-app-version')).toEqual(['0.1.0'])
		expect(valuesOf(raw, 'aa-version')).toEqual(['32.0.0'])
		expect(valuesOf(raw, 'x-origin-ip')).toEqual(['127.0.0.1'])
		expect(headers['aa-request-id']).toMatch(/^[\w-]{20}$/)
		expect(headers.authorization).toBe('Bearer browser-token')
		expect(headers['x-requested-with']).toBe('XMLHttpRequest')
		expect(valuesOf(raw, 'content-type')).toEqual([''])
	})

	it('forwards the session\'s cookies and acts for the user they name', async () => {
		await send(`${PROXY}/me`, { headers: { Cookie: 'oc_sessionPassphrase=x; nc_username=guest' } })
		const { headers } = only()
		expect(headers.cookie).toBe('oc_sessionPassphrase=x; nc_username=guest')
		expect(headers['authorization-app-api']).toBe(Buffer.from(`guest:${APP.appSecret}`).toString('base64'))
		expect(shell.requests.at(-1)).toMatchObject({ part: 'proxy', userId: 'guest', status: 200 })
	})

	it.each(['POST', 'PUT', 'DELETE'])('passes %s with its body and type', async (method) => {
		const body = '{"to":"+49 30 123"}'
		await send(`${PROXY}/call?q=1`, { method, body, headers: { 'Content-Type': 'application/json', 'Content-Length': String(body.length) } })
		expect(only()).toMatchObject({ method, url: '/call?q=1', body, headers: { 'content-type': 'application/json', 'content-length': String(body.length) } })
	})

	it('writes the path and the query as PHP does', async () => {
		await send(`${PROXY}/api/echo/%2B49%2030/a%2Fb/c%20d?a=1&b=%C3%A4+x&list[]=1&list[]=2&dot.ted=3&n=%2B49%2030`)
		expect(only().url).toBe('/api/echo/+49%2030/a/b/c%20d?a=1&b=%C3%A4+x&list%5B0%5D=1&list%5B1%5D=2&dot_ted=3&n=%2B49+30')
	})

	it('resolves encoded dot segments, so that no route level is a wall', async () => {
		await send(`${PROXY}/api/%2e%2e/admin/echo`)
		expect(only().url).toBe('/admin/echo')
	})

	it.each(['PATCH', 'OPTIONS'])('answers %s with 405', async (method) => {
		expect(await send(`${PROXY}/me`, { method })).toMatchObject({ status: 405 })
		expect(received).toEqual([])
	})

	it.each(['heartbeat', 'init', 'enabled?enabled=1', 'setup_checks', 'occ/status'])('refuses %s with a page of HTML', async (path) => {
		const { status, headers, body } = await send(`${PROXY}/${path}`, { headers: { Accept: 'application/json' } })
		expect(status).toBe(404)
		expect(headers['content-type']).toBe('text/html; charset=UTF-8')
		expect(body).toContain('<!DOCTYPE html>')
		expect(received).toEqual([])
	})

	it('refuses HEAD, and whoever is not logged in, with 404', async () => {
		expect(await send(`${PROXY}/me`, { method: 'HEAD' })).toMatchObject({ status: 404 })
		expect(await send(`${PROXY}/me`, { headers: { Cookie: 'nc_username=' } })).toMatchObject({ status: 404 })
		expect(received).toEqual([])
	})

	it('lets nobody through to the PUBLIC routes, in nobody\'s name', async () => {
		await send(`${PROXY}/api/v1/me`, { headers: { Cookie: 'nc_username=', Authorization: 'Bearer token' } })
		expect(only().headers).toMatchObject({
			authorization: 'Bearer token',
			'authorization-app-api': Buffer.from(`:${APP.appSecret}`).toString('base64'),
		})
	})
})

describe('the proxy on the way back', () => {
	it('passes status, headers and body of a refusal', async () => {
		reply = { status: 429, headers: { 'Content-Type': 'application/problem+json', 'Retry-After': '7', 'Cache-Control': 'no-store', 'X-Request-Id': 'r-1' }, body: '{"code":"rate_limited"}' }
		expect(await send(`${PROXY}/me`)).toMatchObject({
			status: 429,
			headers: { 'content-type': 'application/problem+json', 'retry-after': '7', 'cache-control': 'no-store', 'x-request-id': 'r-1' },
			body: reply.body,
		})
	})

	it.each([
		[{ 'Content-Type': 'application/json' }, 'no-cache, no-store, must-revalidate'],
		[{ 'Content-Type': 'application/json; charset=utf-8' }, 'private, max-age=3600, must-revalidate'],
		[{ 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' }, 'no-store'],
	])('answers %j with Cache-Control: %s', async (headers, cacheControl) => {
		reply = { ...reply, headers }
		expect((await send(`${PROXY}/me`)).headers['cache-control']).toBe(cacheControl)
	})

	it('returns the first of several cookies only', async () => {
		reply = { ...reply, headers: { ...reply.headers, 'Set-Cookie': ['probe=1; Path=/', 'probe2=2; Path=/'] } }
		expect((await send(`${PROXY}/me`)).headers['set-cookie']).toEqual(['probe=1; Path=/'])
	})

	it('answers an empty 500 when the ExApp is down', async () => {
		exApp.closeAllConnections()
		await new Promise((resolve) => {
			exApp.close(resolve)
		})
		expect(await send(`${PROXY}/me`)).toMatchObject({ status: 500, body: '', headers: { 'content-type': 'text/html; charset=UTF-8' } })
	})
})

describe('the embedded page', () => {
	it('has two nested #content, the skip links, the globals and the app\'s files', async () => {
		const { status, headers, body } = await send('/index.php/apps/app_api/embedded/sipcall/calls?as=guest')
		expect(status).toBe(200)
		expect(body.match(/<div id="content"/g)).toHaveLength(2)
		expect(body).toContain('<div id="skip-actions">')
		expect(body).toContain('data-user="guest" data-user-displayname="Guest"')
		expect(body).toContain(`src="${PROXY}/js/sipcall-main.js?v=`)
		expect(body).toContain(`href="${PROXY}/css/sipcall-main.css?v=`)
		expect(headers['content-security-policy']).toContain('connect-src \'self\'')
		expect(headers['set-cookie']?.[0]).toContain('nc_username=guest')
	})

	it('is where / leads to, deep links keep the page, other entries are 404', async () => {
		expect(await send('/?number=1')).toMatchObject({ status: 302, headers: { location: '/index.php/apps/app_api/embedded/sipcall/calls?number=1' } })
		expect(await send('/apps/app_api/embedded/sipcall/calls/call/42')).toMatchObject({ status: 200 })
		expect(await send('/index.php/apps/app_api/embedded/sipcall/nosuch')).toMatchObject({ status: 404 })
	})
})

describe('OCS', () => {
	const proof = (userId: string, secret = APP.appSecret) => ({
		'EX-APP-ID': 'sipcall',
		'EX-APP-VERSION': '0.1.0',
		'AUTHORIZATION-APP-API': Buffer.from(`${userId}:${secret}`).toString('base64'),
		'OCS-APIRequest': 'true',
	})

	it('tells who the user is in whose name the ExApp asks', async () => {
		const { status, headers, body } = await send('/ocs/v2.php/cloud/user?format=json', { headers: proof('demo') })
		expect(status).toBe(200)
		expect(headers['x-user-id']).toBe('demo')
		expect(JSON.parse(body)).toMatchObject({ ocs: {
			meta: { status: 'ok', statuscode: 200, message: 'OK' },
			data: { enabled: true, id: 'demo', displayname: 'Demo user', groups: ['admin', 'sales'], language: 'en' },
		} })
	})

	it.each([
		['a wrong secret', proof('demo', 'wrong')],
		['an unknown user', proof('nobody')],
		['another app id', { ...proof('demo'), 'EX-APP-ID': 'nosuch' }],
		['no proof', {}],
	])('refuses %s with 401 and statuscode 997', async (_case, headers) => {
		const { status, body } = await send('/ocs/v2.php/apps/app_api/api/v1/users?format=json', { headers })
		expect(status).toBe(401)
		expect(JSON.parse(body)).toEqual({ ocs: { meta: { status: 'failure', statuscode: 997, message: 'AppAPI authentication failed' }, data: [] } })
	})

	it('knows no user where the ExApp asks in nobody\'s name', async () => {
		const { status, body } = await send('/ocs/v2.php/cloud/user?format=json', { headers: proof('') })
		expect(status).toBe(401)
		expect(JSON.parse(body)).toEqual({ ocs: { meta: { status: 'failure', statuscode: 997, message: 'Current user is not logged in' }, data: [] } })
	})

	it('answers what it does not know with 404 in JSON', async () => {
		const { status, body } = await send('/ocs/v2.php/apps/nosuch?format=json', { headers: proof('demo') })
		expect(status).toBe(404)
		expect(JSON.parse(body)).toMatchObject({ ocs: { meta: { status: 'failure' } } })
	})
})

describe('the shell as a whole', () => {
	it('answers 503 while Nextcloud is in maintenance mode, and comes back', async () => {
		shell.setAvailable(false)
		expect(await send(`${PROXY}/me`)).toMatchObject({ status: 503, headers: { 'x-nextcloud-maintenance-mode': '1' } })
		shell.setAvailable(true)
		expect(await send(`${PROXY}/me`)).toMatchObject({ status: 200 })
	})
})
