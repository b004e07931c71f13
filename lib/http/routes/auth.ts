// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Route } from '../route.ts'

import { z } from 'zod'
import { route } from '../route.ts'

interface Grant {
	accessToken: string
	tokenType: 'Bearer'
	expiresInSec: number
	refreshToken: string
	user: { id: string, displayName: string, roles: ('user' | 'admin')[] }
}

export interface AuthRoutesOptions {
	signIn: {
		login: (redirectUri?: string) => Promise<{ authorizeUrl: string, state: string }>
		exchange: (proof: { code: string, state?: string | undefined, redirectUri?: string | undefined }) => Promise<Grant>
		refresh: (refreshToken: string) => Promise<Grant>
		revoke: (refreshToken: string) => Promise<void>
	}
	/** Throws when too many have tried within a minute: each refused code slows Nextcloud down for everybody here. */
	guard: (step: 'login' | 'exchange') => Promise<void>
}

/** Random text of Nextcloud's or ours, as RFC 6749 appendix A allows it. */
const opaque = z.string().regex(/^[\u0020-\u007e]{1,1024}$/, 'Use 1 to 1024 printable ASCII characters')
/** Of a web page, a loopback address or an app's own scheme (RFC 8252 section 7). Only Nextcloud ever goes there. */
const redirectUri = z.url().max(2000)

const AuthSchema = z.strictObject({
	code: opaque.describe('From Nextcloud, at the end of its sign-in page'),
	state: opaque.optional().describe('As it came with the code; needed for a sign-in that was begun with /auth/login'),
	redirectUri: redirectUri.optional().describe('As it was given to /auth/login'),
}).meta({ id: 'AuthRequest' })

const RefreshTokenSchema = z.strictObject({ refreshToken: opaque }).meta({ id: 'RefreshTokenRequest' })

const GrantSchema = z.object({
	accessToken: z.string().describe('A JWT, for the header Authorization: Bearer on paths beneath /api/v1'),
	tokenType: z.literal('Bearer'),
	expiresInSec: z.int(),
	refreshToken: z.string().describe('Serves once; showing it again ends the sign-in'),
	user: z.object({ id: z.string(), displayName: z.string(), roles: z.array(z.enum(['user', 'admin'])) }),
}).meta({ id: 'Grant' })

const LoginQuerySchema = z.object({ redirectUri: redirectUri.optional().describe('Where the client waits for the code; Nextcloud takes the one that its admin has registered') })

const LoginSchema = z.object({
	authorizeUrl: z.url().describe('To be opened in the user’s browser'),
	state: z.string().describe('Comes back with the code; the client compares it'),
}).meta({ id: 'Login' })

const RevokedSchema = z.object({ revoked: z.literal(true) }).meta({ id: 'Revoked' })

const OF_BODIES = ['csrf', 'unsupported_media_type', 'payload_too_large']

/** Signing in from outside Nextcloud: the routes of those who have proven nothing yet. */
export function authRoutes({ signIn, guard }: AuthRoutesOptions): Route[] {
	return [
		route({
			method: 'get',
			path: '/auth/login',
			right: 'public',
			summary: 'Begin a sign-in at Nextcloud',
			query: LoginQuerySchema,
			answer: { status: 200, schema: LoginSchema },
			refusals: ['rate_limited', 'oauth_not_configured', 'nextcloud_unavailable'],
			handle: async ({ query }) => {
				await guard('login')
				return { status: 200, body: await signIn.login(query.redirectUri) }
			},
		}),
		route({
			method: 'post',
			path: '/auth',
			right: 'public',
			summary: 'Exchange a code of Nextcloud for tokens',
			body: AuthSchema,
			answer: { status: 200, schema: GrantSchema },
			refusals: [...OF_BODIES, 'invalid_grant', 'rate_limited', 'oauth_not_configured', 'nextcloud_unavailable', 'shutting_down'],
			handle: async ({ body }) => {
				await guard('exchange')
				return { status: 200, body: await signIn.exchange(body) }
			},
		}),
		route({
			method: 'post',
			path: '/auth/refresh',
			right: 'public',
			summary: 'New tokens for a refresh token, which is then used up',
			body: RefreshTokenSchema,
			answer: { status: 200, schema: GrantSchema },
			refusals: [...OF_BODIES, 'invalid_grant', 'nextcloud_unavailable', 'shutting_down'],
			handle: async ({ body }) => ({ status: 200, body: await signIn.refresh(body.refreshToken) }),
		}),
		route({
			method: 'post',
			path: '/auth/revoke',
			right: 'public',
			summary: 'End a sign-in, with all its tokens; unknown tokens are answered the same (RFC 7009)',
			body: RefreshTokenSchema,
			answer: { status: 200, schema: RevokedSchema },
			refusals: [...OF_BODIES, 'shutting_down'],
			handle: async ({ body }) => {
				await signIn.revoke(body.refreshToken)
				return { status: 200, body: { revoked: true } }
			},
		}),
	]
}
