// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ErrorRequestHandler, Express } from 'express'

import express from 'express'
import request from 'supertest'
import { beforeEach, describe, expect, it } from 'vitest'
import { SipCallError } from '../../../lib/errors.ts'
import { openApiDocument } from '../../../lib/http/openapi.ts'
import { problemOf } from '../../../lib/http/problem.ts'
import { handlerOf } from '../../../lib/http/route.ts'
import { authRoutes } from '../../../lib/http/routes/auth.ts'

const GRANT = { accessToken: 'a.b.c', tokenType: 'Bearer' as const, expiresInSec: 900, refreshToken: 'r', user: { id: 'alice', displayName: 'Alice Example', roles: ['user' as const] } }

let asked: unknown[]
let failure: SipCallError | undefined
let app: Express

const routes = authRoutes({
	guard: async () => {},
	signIn: {
		login: (redirectUri) => answer(['login', redirectUri], { authorizeUrl: 'https://cloud.example/authorize', state: 's' }),
		exchange: (proof) => answer(['exchange', proof], GRANT),
		refresh: (token) => answer(['refresh', token], GRANT),
		revoke: (token) => answer(['revoke', token], undefined),
	},
})

beforeEach(() => {
	asked = []
	failure = undefined
	app = express()
	app.set('query parser', 'simple')
	app.use(express.json())
	for (const route of routes) {
		app[route.method](route.path, handlerOf(route, () => ({ userId: '', proof: 'none' }), async () => {}, new AbortController().signal))
	}
	const problems: ErrorRequestHandler = (error: unknown, _request, response, next) => {
		if (response.headersSent) {
			next(error)
			return
		}
		const problem = error instanceof SipCallError ? problemOf(error, 'id') : { status: 500, error: String(error) }
		response.status(problem.status).json(problem)
	}
	app.use(problems)
})

describe('the routes of those who sign in', () => {
	it('are four, and public', () => {
		expect(routes.map(({ method, path, right }) => `${method} ${path} ${right}`)).toEqual(['get /auth/login public', 'post /auth public', 'post /auth/refresh public', 'post /auth/revoke public'])
	})

	it('stand in the API’s description without a proof', () => {
		const { paths } = openApiDocument(routes, '1.0.0') as { paths: Record<string, Record<string, { security: unknown[] }>> }
		expect(Object.values(paths).flatMap((path) => Object.values(path)).map(({ security }) => security)).toEqual([[], [], [], []])
	})

	it('begin a sign-in, with a redirectUri or without', async () => {
		expect((await request(app).get('/auth/login')).body).toEqual({ authorizeUrl: 'https://cloud.example/authorize', state: 's' })
		await request(app).get('/auth/login').query({ redirectUri: 'sipcall://back' }).expect(200)
		expect(asked).toEqual([['login', undefined], ['login', 'sipcall://back']])
	})

	it('answer a code with tokens', async () => {
		const { status, body } = await request(app).post('/auth').send({ code: 'c', state: 's', redirectUri: 'http://127.0.0.1:9031/callback' })
		expect([status, body]).toEqual([200, GRANT])
		expect(asked).toEqual([['exchange', { code: 'c', state: 's', redirectUri: 'http://127.0.0.1:9031/callback' }]])
	})

	it('renew and revoke by a refresh token', async () => {
		expect((await request(app).post('/auth/refresh').send({ refreshToken: 'r' })).body).toEqual(GRANT)
		expect((await request(app).post('/auth/revoke').send({ refreshToken: 'r' })).body).toEqual({ revoked: true })
		expect(asked).toEqual([['refresh', 'r'], ['revoke', 'r']])
	})

	it.each([
		['post', '/auth', {}],
		['post', '/auth', { code: '' }],
		['post', '/auth', { code: 7 }],
		['post', '/auth', { code: ['c'] }],
		['post', '/auth', { code: 'c', state: '' }],
		['post', '/auth', { code: 'c\n' }],
		['post', '/auth', { code: 'c'.repeat(1025) }],
		['post', '/auth', { code: 'c', redirectUri: 'nowhere' }],
		['post', '/auth', { code: 'c', userId: 'admin' }],
		['post', '/auth/refresh', {}],
		['post', '/auth/refresh', { refreshToken: null }],
		['post', '/auth/refresh', { refreshToken: 'r', userId: 'admin' }],
		['post', '/auth/revoke', { refreshToken: 'ä' }],
		['get', '/auth/login?redirectUri=nowhere', undefined],
		['get', '/auth/login?redirectUri=a:b&redirectUri=c:d', undefined],
	] as const)('do not take %s %s with %j', async (method, path, body) => {
		const answered = await request(app)[method](path).send(body)
		expect([answered.status, answered.body.code]).toEqual([400, 'invalid_request'])
		expect(asked).toEqual([])
	})

	it('do not read a body that a foreign page’s form can send', async () => {
		const { status } = await request(app).post('/auth').type('form').send({ code: 'c' })
		expect([status, asked]).toEqual([400, []])
	})

	it.each([['invalid_grant', 401], ['oauth_not_configured', 503], ['nextcloud_unavailable', 503]] as const)('tell %s with %i', async (code, status) => {
		failure = new SipCallError(code, 'why')
		const answered = await request(app).post('/auth').send({ code: 'c' })
		expect([answered.status, answered.body.code]).toEqual([status, code])
	})
})

async function answer<Value>(call: unknown, value: Value): Promise<Value> {
	asked.push(call)
	if (failure !== undefined) {
		throw failure
	}
	return value
}
