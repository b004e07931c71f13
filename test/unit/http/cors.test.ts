// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Express } from 'express'

import express from 'express'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { cors } from '../../../lib/http/middlewares/cors.ts'

const LISTED = 'https://app.example'

function appWith(origins: readonly string[]): Express {
	const app = express()
	app.use(cors('/api/v1', origins))
	app.use((_request, response) => {
		response.status(418).json({})
	})
	return app
}

const app = appWith([LISTED, 'http://localhost:3000'])

function accessHeaders(headers: Record<string, string>): string[] {
	return Object.keys(headers).filter((name) => name.startsWith('access-control-'))
}

describe('the token API for pages of other origins', () => {
	it.each([LISTED, 'http://localhost:3000'])('lets %s read the answer, never with cookies', async (origin) => {
		const { status, headers } = await request(app).get('/api/v1/me').set('Origin', origin)
		expect(status).toBe(418)
		expect(headers).toMatchObject({ 'access-control-allow-origin': origin, 'access-control-expose-headers': expect.stringContaining('Retry-After'), vary: 'Origin' })
		expect(headers).not.toHaveProperty('access-control-allow-credentials')
	})

	it('answers the question before a request with 204 and what may be sent', async () => {
		const { status, headers, text } = await request(app).options('/api/v1/call').set('Origin', LISTED).set('Access-Control-Request-Method', 'POST').set('Access-Control-Request-Headers', 'authorization,content-type,idempotency-key')
		expect([status, text]).toEqual([204, ''])
		expect(headers['access-control-allow-methods']).toBe('GET, POST, PUT, DELETE')
		expect(headers['access-control-allow-headers']?.toLowerCase()).toMatch(/authorization.*content-type.*idempotency-key/)
		expect(headers['access-control-max-age']).toBe('600')
		expect(headers).not.toHaveProperty('access-control-allow-credentials')
	})

	it.each([
		'null',
		'*',
		'https://evil.example',
		'https://app.example.evil.example',
		'https://app.example:8443',
		'http://app.example',
		'HTTPS://APP.EXAMPLE',
		'https://app.example/',
		`${LISTED}, https://evil.example`,
	])('says nothing to the origin %s', async (origin) => {
		for (const method of ['get', 'options'] as const) {
			const { status, headers } = await request(app)[method]('/api/v1/me').set('Origin', origin).set('Access-Control-Request-Method', 'GET')
			expect(status).toBe(418)
			expect(accessHeaders(headers)).toEqual([])
			expect(headers.vary).toBe('Origin')
		}
	})

	it.each(['/me', '/', '/api/v1', '/api/v10/me', '/x/api/v1/me', '/API/V1/me', '/heartbeat'])('opens nothing at %s', async (path) => {
		const { status, headers } = await request(app).options(path).set('Origin', LISTED).set('Access-Control-Request-Method', 'GET')
		expect(status).toBe(418)
		expect(accessHeaders(headers)).toEqual([])
	})

	it('leaves an OPTIONS that asks for nothing, and a request without an origin, to others', async () => {
		expect((await request(app).options('/api/v1/me').set('Origin', LISTED)).status).toBe(418)
		expect(accessHeaders((await request(app).get('/api/v1/me')).headers)).toEqual([])
	})

	it('is open to nobody when no origin is listed', async () => {
		const { headers } = await request(appWith([])).options('/api/v1/me').set('Origin', LISTED).set('Access-Control-Request-Method', 'GET')
		expect(accessHeaders(headers)).toEqual([])
		expect(headers).not.toHaveProperty('vary')
	})
})
