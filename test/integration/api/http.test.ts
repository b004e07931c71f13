// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ApiClient, TestApp } from '../../support/app.ts'

import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PROBLEMS } from '../../../lib/http/problem.ts'
import { APP_SECRET, startTestApp } from '../../support/app.ts'

interface Raw {
	status: number
	headers: NodeJS.Dict<string | string[]>
	body: string
}

interface Operation {
	security: Record<string, unknown>[]
	responses: Record<string, unknown>
}

interface OpenApi {
	openapi: string
	paths: Record<string, Record<string, Operation>>
	components: { schemas: Record<string, unknown> }
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']

let test: TestApp
let demo: ApiClient

beforeAll(async () => {
	test = await startTestApp()
	demo = await test.prepare()
})

afterAll(() => test.stop())

function proof(userId: string, secret = APP_SECRET): Record<string, string> {
	return { 'EX-APP-ID': 'sipcall', 'EX-APP-VERSION': '0.1.0', 'AUTHORIZATION-APP-API': Buffer.from(`${userId}:${secret}`).toString('base64') }
}

const JSON_HEADERS = { 'Content-Type': 'application/json', 'X-Requested-With': 'XMLHttpRequest' }

/** A request with exactly these headers and bytes: fetch adds and forbids some. */
function raw(method: string, path: string, headers: NodeJS.Dict<string | string[]> = {}, body: string | Buffer = ''): Promise<Raw> {
	return new Promise((resolve, reject) => {
		const { hostname, port } = new URL(test.url)
		const length = body.length === 0 || 'Transfer-Encoding' in headers ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
		const sent = httpRequest({ hostname, port, method, path, headers: { ...headers, ...length }, agent: false }, (response) => {
			text(response).then((answer) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answer }), reject)
		})
		sent.on('error', reject)
		sent.end(body)
	})
}

function signed(method: string, path: string, headers: NodeJS.Dict<string | string[]> = {}, body: string | Buffer = ''): Promise<Raw> {
	return raw(method, path, { ...proof('demo'), ...headers }, body)
}

function expectProblem(answer: Raw, status: number, code: keyof typeof PROBLEMS): Record<string, unknown> {
	expect([answer.status, answer.headers['content-type'], answer.body === '' ? '' : (JSON.parse(answer.body) as { code: string }).code]).toEqual([status, 'application/problem+json', code])
	const problem = JSON.parse(answer.body) as Record<string, unknown>
	expect(problem).toMatchObject({ type: `urn:sipcall:problem:${code}`, title: PROBLEMS[code].title, status, code, requestId: answer.headers['x-request-id'] })
	expect(problem.detail).toMatch(/^[A-Z].*\.$/s)
	expect(PROBLEMS[code].status).toBe(status)
	expectHouseHeaders(answer)
	return problem
}

function expectHouseHeaders({ headers, status }: Raw): void {
	expect(headers['cache-control']).toBe('no-store')
	expect(headers['x-request-id']).toMatch(/^[A-Za-z0-9._-]{1,64}$/)
	expect(headers['x-powered-by']).toBeUndefined()
	expect(headers.location === undefined || status === 202).toBe(true)
	expect(status < 300 || status > 399).toBe(true)
}

interface Listed {
	method: string
	path: string
	/** Who may ask, as the document says: users, Nextcloud itself, or anybody. */
	right: 'user' | 'nextcloud' | 'public'
	operation: Operation
}

async function operations(): Promise<Listed[]> {
	const { paths } = JSON.parse((await raw('GET', '/openapi.json')).body) as OpenApi
	return Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods)
		.map(([method, operation]) => ({
			method: method.toUpperCase(),
			path: path.replaceAll(/\{\w+\}/g, () => randomUUID()),
			right: operation.security.length === 0 ? 'public' as const : operation.security.length === 1 ? 'nextcloud' as const : 'user' as const,
			operation,
		})))
}

describe('the proof', () => {
	it.each([
		['none', {}],
		['a wrong secret', proof('demo', 'wrong')],
		['another app’s id', { ...proof('demo'), 'EX-APP-ID': 'files' }],
		['no version', { ...proof('demo'), 'EX-APP-VERSION': '' }],
		['a basic authorization', { Authorization: `Basic ${Buffer.from(`demo:${APP_SECRET}`).toString('base64')}` }],
		['a Nextcloud session', { Cookie: 'nc_username=demo; oc_sessionPassphrase=x' }],
	])('is asked for on every route of the document: %s is 401', async (_name, headers) => {
		for (const { method, path } of (await operations()).filter(({ right }) => right !== 'public')) {
			expectProblem(await raw(method, path, { ...JSON_HEADERS, ...headers }, method === 'GET' ? '' : '{}'), 401, 'not_authenticated')
		}
	})

	it('of Nextcloud itself opens none of the users’ routes, and a user’s none of Nextcloud’s', async () => {
		const all = await operations()
		expect(all.filter(({ right }) => right === 'user').length).toBeGreaterThan(5)
		for (const { method, path, right } of all.filter((listed) => listed.right !== 'public')) {
			const headers = { ...JSON_HEADERS, ...proof(right === 'user' ? '' : 'demo') }
			const [status, code] = right === 'user' ? [401, 'not_authenticated'] as const : [403, 'forbidden'] as const
			expectProblem(await raw(method, path, headers, method === 'GET' ? '' : '{}'), status, code)
		}
	})

	it('of AppAPI counts for nothing beneath /api/v1, where a token does', async () => {
		for (const { method, path } of (await operations()).filter(({ right }) => right !== 'public')) {
			for (const headers of [{}, { Authorization: 'Bearer x' }, { Authorization: `Bearer ${APP_SECRET}` }]) {
				expectProblem(await signed(method, `/api/v1${path}`, { ...JSON_HEADERS, ...headers }, method === 'GET' ? '' : '{}'), 401, 'not_authenticated')
			}
		}
	})

	it('is asked for before anything else is told: addresses, methods and bodies without it are 401', async () => {
		for (const [method, path, body] of [['GET', '/nothing-here', ''], ['PATCH', '/call', '{'], ['POST', '/heartbeat', '{}'], ['DELETE', '/openapi.json', ''], ['GET', '/%', ''], ['POST', '/call', 'x'.repeat(70_000)]] as const) {
			expectProblem(await raw(method, path, JSON_HEADERS, body), 401, 'not_authenticated')
		}
	})

	it('is not asked for on /heartbeat and /openapi.json', async () => {
		const heartbeat = await raw('GET', '/heartbeat')
		expect([heartbeat.status, heartbeat.body]).toEqual([200, '{"status":"ok"}'])
		expectHouseHeaders(heartbeat)
		const document = await raw('GET', '/openapi.json')
		expect(document.status).toBe(200)
		expectHouseHeaders(document)
	})

	it('of one user beside a client’s own headers counts, of two users it does not', async () => {
		expect((await signed('GET', '/me', { 'EX-APP-ID': ['files', 'sipcall'] })).status).toBe(200)
		const both = [proof('demo'), proof('guest')].map((headers) => headers['AUTHORIZATION-APP-API'] ?? '')
		expectProblem(await signed('GET', '/me', { 'AUTHORIZATION-APP-API': both }), 401, 'not_authenticated')
	})
})

describe('a request that changes something', () => {
	it('takes X-Requested-With twice, as it comes from Nextcloud’s own pages', async () => {
		const answer = await signed('POST', '/numbers/explain', { 'Content-Type': 'application/json', 'X-Requested-With': 'XMLHttpRequest, XMLHttpRequest' }, '{"to":"030 123456"}')
		expect(answer.status).toBe(200)
	})

	it('needs X-Requested-With on every such route: 403 csrf', async () => {
		for (const { method, path } of (await operations()).filter((operation) => operation.method !== 'GET')) {
			expectProblem(await signed(method, path, { 'Content-Type': 'application/json' }, '{}'), 403, 'csrf')
			for (const value of ['xmlhttprequest', '', ',', 'XMLHttpRequest, x']) {
				expectProblem(await signed(method, path, { 'Content-Type': 'application/json', 'X-Requested-With': value }, '{}'), 403, 'csrf')
			}
		}
	})

	it.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp', 'text/json', 'application/json-patch+json', 'text/plain; application/json'])('needs JSON on every such route: content type %s is 415', async (type) => {
		for (const { method, path } of (await operations()).filter((operation) => operation.method !== 'GET')) {
			expectProblem(await signed(method, path, { 'X-Requested-With': 'XMLHttpRequest', ...(type === undefined ? {} : { 'Content-Type': type }) }, '{}'), 415, 'unsupported_media_type')
		}
	})

	it('of Nextcloud itself needs neither: it has no browser', async () => {
		const answer = await raw('PUT', '/enabled?enabled=1', proof(''))
		expect([answer.status, Object.keys(JSON.parse(answer.body) as object)]).toEqual([200, ['error']])
		expectHouseHeaders(answer)
	})

	it('may be a DELETE without a body and without a content type, but not without the header', async () => {
		const path = `/call/${randomUUID()}`
		expectProblem(await signed('DELETE', path, { 'X-Requested-With': 'XMLHttpRequest' }), 404, 'not_found')
		expectProblem(await signed('DELETE', path, { 'X-Requested-With': 'XMLHttpRequest', 'Content-Length': '0' }), 404, 'not_found')
		expectProblem(await signed('DELETE', path), 403, 'csrf')
		expectProblem(await signed('DELETE', path, JSON_HEADERS, '{}'), 404, 'not_found')
		expectProblem(await signed('DELETE', path, { 'X-Requested-With': 'XMLHttpRequest', 'Content-Type': 'text/plain' }, 'x'), 415, 'unsupported_media_type')
		expectProblem(await signed('DELETE', path, { 'X-Requested-With': 'XMLHttpRequest', 'Transfer-Encoding': 'chunked' }), 415, 'unsupported_media_type')
	})

	it('may be a POST with a charset, and not one without a body', async () => {
		expectProblem(await signed('POST', '/call', { ...JSON_HEADERS, 'Content-Type': 'application/json; charset=utf-8' }, '{}'), 400, 'invalid_request')
		expectProblem(await signed('POST', '/call', JSON_HEADERS), 400, 'invalid_request')
		expectProblem(await signed('POST', '/call', { 'X-Requested-With': 'XMLHttpRequest' }), 415, 'unsupported_media_type')
	})

	it('is nothing that a GET or HEAD can be made to do', async () => {
		const before = test.freeSwitch.originates.length
		expectProblem(await signed('GET', '/call?to=%2B4930123401', JSON_HEADERS, '{"to":"+4930123401"}'), 405, 'method_not_allowed')
		expectProblem(await signed('GET', '/call', { ...JSON_HEADERS, 'X-HTTP-Method-Override': 'POST' }, '{"to":"+4930123401"}'), 405, 'method_not_allowed')
		expect(test.freeSwitch.originates.length).toBe(before)
	})
})

describe('an answer', () => {
	it('is 405 with Allow for every method that an address does not have', async () => {
		const all = await operations()
		for (const path of new Set(all.map((operation) => operation.path.replaceAll(/[0-9a-f-]{36}/g, '{uuid}')))) {
			const methods = all.filter((operation) => operation.path.replaceAll(/[0-9a-f-]{36}/g, '{uuid}') === path).map(({ method }) => method)
			const has = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])]
			for (const method of METHODS.filter((candidate) => !has.includes(candidate))) {
				const answer = await signed(method, path.replace('{uuid}', randomUUID()), JSON_HEADERS)
				expect([method, path, answer.status]).toEqual([method, path, 405])
				expect(String(answer.headers.allow).split(', ').toSorted()).toEqual(methods.toSorted())
				expectHouseHeaders(answer)
			}
		}
	})

	it('is 404 for an address that is none, and 400 for one that cannot be decoded', async () => {
		for (const path of ['/', '/calls', '/call/x/y/z', '//me', '/me/..%2fcall', '/index.php', '/.env', '/heartbeat/x']) {
			expectProblem(await signed('GET', path), 404, 'not_found')
		}
		for (const path of ['/call-status/%', '/call-status/%E0%A4%A', '/call/%ff/events']) {
			expectProblem(await signed('GET', path), 400, 'invalid_request')
		}
		expectProblem(await signed('GET', '/call-status/not-a-uuid'), 400, 'invalid_request')
		expectProblem(await signed('GET', `/call-status/${randomUUID()}`), 404, 'not_found')
	})

	it('is 413 above 64 KiB, and the limit is of bytes', async () => {
		const fits = JSON.stringify({ to: '', note: 'x'.repeat(64 * 1024 - 19) })
		expect(Buffer.byteLength(fits)).toBe(64 * 1024)
		expectProblem(await signed('POST', '/call', JSON_HEADERS, fits), 400, 'invalid_request')
		expectProblem(await signed('POST', '/call', JSON_HEADERS, `${fits} `), 413, 'payload_too_large')
		expectProblem(await signed('POST', '/call', JSON_HEADERS, JSON.stringify({ note: 'ü'.repeat(40_000) })), 413, 'payload_too_large')
		expectProblem(await signed('POST', '/call', { ...JSON_HEADERS, 'Transfer-Encoding': 'chunked' }, `${fits} `), 413, 'payload_too_large')
	})

	it('is 415 for a compressed body or another character set', async () => {
		for (const encoding of ['gzip', 'deflate', 'br', 'x']) {
			expectProblem(await signed('POST', '/call', { ...JSON_HEADERS, 'Content-Encoding': encoding }, gzipSync('{"to":"+4930123401"}')), 415, 'unsupported_media_type')
		}
		expectProblem(await signed('POST', '/call', { ...JSON_HEADERS, 'Content-Type': 'application/json; charset=iso-8859-1' }, '{}'), 415, 'unsupported_media_type')
	})

	it('carries the request id of Nextcloud where that is one, else an own', async () => {
		for (const name of ['AA-REQUEST-ID', 'X-Request-Id']) {
			expect((await signed('GET', '/me', { [name]: 'aBc123.x_y-z' })).headers['x-request-id']).toBe('aBc123.x_y-z')
			for (const id of ['CLI', '', 'a b', 'x'.repeat(65), '<script>', 'a\u00fc']) {
				expect((await signed('GET', '/heartbeat', { [name]: id })).headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
			}
		}
	})

	it('is the same with a cookie and without, and never sets one or repeats it', async () => {
		const answer = await signed('GET', '/me', { Cookie: 'session=hunter2', 'harp-shared-key': 'hunter2' })
		expect(answer.status).toBe(200)
		expect(JSON.stringify(answer)).not.toContain('hunter2')
		expect(answer.headers['set-cookie']).toBeUndefined()
		expect(test.nextcloud.requests.every(({ headers }) => headers.cookie === undefined)).toBe(true)
	})

	it('is refused in the parser for what is no HTTP, and the server goes on', async () => {
		const { hostname, port } = new URL(test.url)
		for (const bytes of ['GARBAGE\r\n\r\n', 'GET /me HTTP/1.1\r\n\r\n', `GET /me HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`, 'POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', '\0\0\0\r\n\r\n']) {
			const socket = connect(Number(port), hostname)
			// The server may cut the connection before it has read everything.
			socket.on('error', () => {})
			socket.end(bytes)
			const answer = await text(socket).catch(() => '')
			expect(answer === '' || /^HTTP\/1\.1 (?:4\d\d) /.test(answer)).toBe(true)
		}
		expect((await demo.get('/me')).status).toBe(200)
	})
})

describe('the document', () => {
	it('is whole: every $ref leads somewhere, and every operation tells its good and its bad answers', async () => {
		const document = JSON.parse((await raw('GET', '/openapi.json')).body) as OpenApi
		expect(document.openapi).toMatch(/^3\.1\./)
		const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref = '']) => ref)
		expect(refs.length).toBeGreaterThan(10)
		for (const ref of new Set(refs)) {
			const target = ref.replace(/^#\//, '').split('/').reduce<unknown>((node, key) => typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[key] : undefined, document)
			expect([ref, typeof target]).toEqual([ref, 'object'])
		}
		for (const { method, path, right, operation } of await operations()) {
			const statuses = Object.keys(operation.responses)
			expect([method, path, statuses.filter((status) => status.startsWith('2')).length]).toEqual([method, path, 1])
			expect(statuses).toEqual(expect.arrayContaining(['400', '401', '503']))
			expect([method, path, right, statuses.includes('403')]).toEqual([method, path, right, statuses.includes('403') || (right === 'user' && method !== 'GET')])
		}
	})

	it('lists the routes of the contract that this version has', async () => {
		const document = JSON.parse((await raw('GET', '/openapi.json')).body) as OpenApi
		const listed = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
		expect(listed).toEqual(expect.arrayContaining(['post /call', 'get /call-status/{uuid}', 'delete /call/{uuid}', 'get /call/{uuid}/events', 'get /call-history', 'get /me', 'put /me', 'get /admin/config', 'post /admin/config']))
	})
})
