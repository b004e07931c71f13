// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a body or a query may hold, and that nothing anybody sends can break the server.

import type { ApiClient, TestApp } from '../../support/app.ts'

import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { APP_SECRET, startTestApp } from '../../support/app.ts'

interface FieldErrors {
	code: string
	errors?: { field: string, message: string }[]
	detail?: string
}

let test: TestApp
let demo: ApiClient
const escaped: unknown[] = []
const keep = (error: unknown) => escaped.push(error)

beforeAll(async () => {
	process.on('unhandledRejection', keep)
	test = await startTestApp()
	demo = await test.prepare()
})

afterAll(async () => {
	await test.stop()
	process.off('unhandledRejection', keep)
})

afterEach(() => {
	expect(escaped).toEqual([])
})

async function fieldsOf(method: string, path: string, body?: unknown): Promise<string[]> {
	const answer = await demo.request<FieldErrors>(method, path, body)
	expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request'])
	return (answer.body.errors ?? []).map(({ field }) => field).toSorted()
}

describe('a body', () => {
	it.each(['{', '{"to":}', '', 'null', '"text"', '1', 'true', '{"to":"+4930123401"', '{\'to\':1}', '\ufeff\ufeff{}', '{"to":"\u0001"}', 'NaN', '{"to":"a\nb"}'])('that is no JSON object is 400: %j', async (body) => {
		expect(await demo.request('POST', '/call', body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
	})

	it('of bytes that are no UTF-8 is 400, and not stored with other characters', async () => {
		for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xfc]]) {
			const body = Buffer.concat([Buffer.from('{"to":"+4930123401","note":"'), Buffer.from(bytes), Buffer.from('"}')])
			const { status } = await fetch(`${test.url}/call`, { method: 'POST', headers: signedHeaders(), body })
			expect(status).toBe(400)
		}
	})

	it.each<[unknown, string[]]>([
		[{}, ['to']],
		[[], ['']],
		[{ to: 1 }, ['to']],
		[{ to: null }, ['to']],
		[{ to: ['+4930123401'] }, ['to']],
		[{ to: {} }, ['to']],
		[{ to: '' }, ['to']],
		[{ to: '1'.repeat(401) }, ['to']],
		[{ to: '+4930123401', device: 'x' }, ['device']],
		[{ to: '+4930123401', device: null }, ['device']],
		[{ to: '+4930123401', callerId: '030 1234' }, ['callerId']],
		[{ to: '+4930123401', note: 'x'.repeat(4001) }, ['note']],
		[{ to: '+4930123401', note: 'a\0b' }, ['note']],
		[{ to: '+4930123401', note: '\u001b[2J' }, ['note']],
		[{ to: '+4930123401', note: '\ud800' }, ['note']],
		[{ to: 7, device: 7, callerId: 7, note: 7 }, ['callerId', 'device', 'note', 'to']],
		[{ to: '+4930123401', extra: 1 }, ['']],
		[{ to: '+4930123401', To: 'x', userId: 'guest' }, ['']],
	])('of a wrong shape is 400 with the names of its fields: %j', async (body, fields) => {
		expect(await fieldsOf('POST', '/call', body)).toEqual(fields)
	})

	it('with an unknown field names it in the message', async () => {
		const { body } = await demo.request<FieldErrors>('POST', '/call', { to: '+4930123401', userId: 'guest' })
		expect(body.detail).toContain('userId')
	})

	it.each(['{"to":"+4930123401","__proto__":{"device":"x"}}', '{"__proto__":{"to":"+4930123401"}}', '{"constructor":{"prototype":{"polluted":1}},"to":"+4930123401"}', '{"to":"+4930123401","toString":1}', '{"to":{"__proto__":null}}'])('cannot reach a prototype: %s is refused', async (body) => {
		const before = test.freeSwitch.originates.length
		const answer = await demo.request<FieldErrors>('POST', '/call', body)
		expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request'])
		expect(({} as Record<string, unknown>).polluted).toBeUndefined()
		expect(test.freeSwitch.originates.length).toBe(before)
	})

	it('may be nested as deeply as 64 KiB allow, and is refused all the same', async () => {
		for (const [open, close] of [['[', ']'], ['{"to":', '}']] as const) {
			const depth = Math.floor(64_000 / (open.length + close.length))
			const body = `{"to":${open.repeat(depth - 5)}1${close.repeat(depth - 5)}}`
			expect(await demo.request('POST', '/call', body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
			expect(await demo.request('POST', '/admin/config', body.replace('to', 'callerIds'))).toMatchObject({ status: 400 })
		}
	})
})

describe('a query', () => {
	it.each<[string, string[]]>([
		['/call-history?limit=0', ['limit']],
		['/call-history?limit=1&limit=2', ['limit']],
		['/call-history?limit[]=1&status=x', ['status.0']],
		['/call-history?status=ended,x&outcome=y', ['outcome.0', 'status.1']],
		['/call-history?direction=both', ['direction']],
		['/call-history?from=yesterday&to=2026-13-01T00:00:00Z', ['from', 'to']],
		['/call-status/9d5a3a0e-6d1b-4c0e-9a55-1d1f1c6f9b11?version=-1&wait=26', ['version', 'wait']],
		['/call-status/9d5a3a0e-6d1b-4c0e-9a55-1d1f1c6f9b11?version=1e3&wait=0x1', ['version', 'wait']],
	])('of a wrong shape is 400 with the names of its fields: %s', async (path, fields) => {
		expect(await fieldsOf('GET', path)).toEqual(fields)
	})

	it('with prototype keys or nothing known in it is taken as if it were empty', async () => {
		expect((await demo.get('/call-history?__proto__=1&constructor=2&x[y]=3&&=&%00=1')).status).toBe(200)
	})
})

describe('whatever is sent', () => {
	it('2,000 requests of any method, path, header and body end in an answer of the contract and no fault of ours', async () => {
		const uuid = fc.uuid()
		const path = fc.oneof(
			fc.constantFrom('/call', '/me', '/call-history', '/admin/config', '/heartbeat', '/openapi.json', '/'),
			uuid.map((id) => `/call/${id}`),
			uuid.map((id) => `/call-status/${id}?version=1&wait=0`),
			fc.webPath(),
			fc.tuple(fc.constantFrom('/call-history?', '/call-status/x?', '/call/'), fc.webQueryParameters()).map((parts) => parts.join('')),
			fc.record({ cursor: fc.oneof(fc.base64String({ maxLength: 40 }), fc.tuple(fc.constantFrom('2026-01-01T00:00:00.000Z', '-271821-04-20T00:00:00.000Z', '+275760-09-13T00:00:00.000Z', '1'), fc.oneof(uuid, fc.constant('-'.repeat(36)))).map((pair) => Buffer.from(JSON.stringify(pair)).toString('base64url'))) })
				.map(({ cursor }) => `/call-history?cursor=${encodeURIComponent(cursor)}`),
			fc.constantFrom('0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '2026-01-01T00:00:00+23:59').map((at) => `/call-history?from=${encodeURIComponent(at)}&to=${encodeURIComponent(at)}`),
		)
		const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.constantFrom('\0', '\ud800', '+4930123404', '112', '__proto__', '${system(id)}'))
		const body = fc.oneof(
			fc.constant(undefined),
			fc.jsonValue(),
			fc.string({ unit: 'binary' }),
			fc.record({ to: text, note: text, callerId: text, device: fc.oneof(text, uuid) }, { requiredKeys: [] }),
			fc.record({ devices: fc.array(fc.record({ id: uuid, kind: fc.constantFrom('sip', 'phone', 'x'), label: text, address: text, isDefault: fc.boolean() }, { requiredKeys: ['kind', 'label', 'address'] }), { maxLength: 3 }) }),
			fc.record({ homeCountry: text, allowedGroups: fc.array(text), callerIds: fc.array(fc.record({ number: fc.constantFrom('+4930123456', 'x'), label: text })), sipDomain: text, gateways: fc.array(text), maxConcurrent: fc.double() }, { requiredKeys: [] }),
		)
		const headers = fc.dictionary(fc.constantFrom('Content-Type', 'X-Requested-With', 'Idempotency-Key', 'Accept', 'X-Request-Id', 'AA-REQUEST-ID', 'Cookie', 'Last-Event-ID', 'If-None-Match', 'Range', 'EX-APP-ID'), fc.stringMatching(/^[\u0020-\u007e]{0,20}$/), { maxKeys: 2 })
		const method = fc.constantFrom('GET', 'POST', 'POST', 'PUT', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS')
		await fc.assert(fc.asyncProperty(method, path, headers, body, async (verb, address, extra, content) => {
			const sent = verb === 'GET' || verb === 'HEAD' || content === undefined ? undefined : typeof content === 'string' ? Buffer.from(content) : JSON.stringify(content)
			const response = await fetch(`${test.url}${address}`, { method: verb, redirect: 'manual', headers: { ...signedHeaders(), ...extra }, ...(sent === undefined ? {} : { body: sent }) })
			const answer = await response.text()
			expect([response.status, answer].join(' ')).toMatch(/^(?:200|202|400|401|403|404|405|409|413|415|422|429|503) /)
			expect(response.headers.get('cache-control')).toBe('no-store')
			if (!response.ok && answer !== '') {
				expect(JSON.parse(answer)).toMatchObject({ status: response.status, requestId: response.headers.get('x-request-id') })
			}
		}), { numRuns: 2000 })
		expect((await demo.get('/heartbeat')).status).toBe(200)
	})
})

function signedHeaders(): Record<string, string> {
	return {
		'EX-APP-ID': 'sipcall',
		'EX-APP-VERSION': '0.1.0',
		'AUTHORIZATION-APP-API': Buffer.from(`demo:${APP_SECRET}`).toString('base64'),
		'X-Requested-With': 'XMLHttpRequest',
		'Content-Type': 'application/json',
	}
}
