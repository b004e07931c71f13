// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { KnownUser, OAuthProvider, SignInEvent } from '../../../lib/identity/ports.ts'
import type { Grant } from '../../../lib/identity/sign-in.ts'

import { randomBytes, randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { SipCallError } from '../../../lib/errors.ts'
import { AccessTokens } from '../../../lib/identity/jwt.ts'
import { SignIn } from '../../../lib/identity/sign-in.ts'
import { TokenVerifier } from '../../../lib/identity/token-verifier.ts'
import { createLogger } from '../../../lib/logger.ts'
import { MemorySignInStore } from './memory-sign-in-store.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const TOKEN = /^[A-Za-z0-9_-]{43}$/

const alice: KnownUser = { id: 'alice', displayName: 'Alice Example', isAdmin: false }

/** Nextcloud: codes are `code-<user>-<anything>`, each serves once. */
class FakeProvider implements OAuthProvider {
	readonly asked: [code: string, redirectUri: string | undefined][] = []
	failure: SipCallError | undefined

	async authorizeUrl(state: string, redirectUri: string | undefined): Promise<string> {
		if (this.failure !== undefined) {
			throw this.failure
		}
		return `https://cloud.example/authorize?state=${state}&redirect_uri=${redirectUri ?? ''}`
	}

	async identify(code: string, redirectUri: string | undefined): Promise<KnownUser> {
		this.asked.push([code, redirectUri])
		if (this.failure !== undefined) {
			throw this.failure
		}
		const id = /^code-(\w+)/.exec(code)?.[1]
		if (id === undefined) {
			throw new SipCallError('invalid_grant', 'no such code')
		}
		return { ...alice, id }
	}
}

let nowMs: number
let store: MemorySignInStore
let events: SignInEvent[]
let provider: FakeProvider
let users: Map<string, KnownUser>
let usersFailure: SipCallError | undefined
let isActive: boolean
let signIn: SignIn
let verifier: TokenVerifier

beforeEach(() => {
	nowMs = Date.parse('2026-11-22T09:30:00.000Z')
	events = []
	store = new MemorySignInStore()
	provider = new FakeProvider()
	users = new Map([['alice', alice]])
	usersFailure = undefined
	isActive = true
	const now = () => new Date(nowMs)
	const tokens = new AccessTokens({ keys: [randomBytes(32)], algorithm: 'HS256', lifetimeSec: 900, now, newUuid: randomUUID })
	const directory = {
		async get(userId: string): Promise<KnownUser> {
			const user = users.get(userId)
			if (usersFailure !== undefined || user === undefined) {
				throw usersFailure ?? new SipCallError('forbidden', 'gone')
			}
			return user
		},
	}
	signIn = new SignIn({ provider, store, users: directory, tokens, now, newUuid: randomUUID, onEvent: (event) => events.push(event), logger: createLogger({ level: 'error', silent: true }) })
	verifier = new TokenVerifier({ tokens, store, isActive: async () => isActive, now })
})

async function codeOf(work: Promise<unknown>): Promise<string> {
	return work.then(() => 'no error', (error: unknown) => error instanceof SipCallError ? error.code : String(error))
}

function enter(userId = 'alice'): Promise<Grant> {
	return signIn.exchange({ code: `code-${userId}` })
}

const unavailable = () => new SipCallError('nextcloud_unavailable', 'away')

describe('the beginning of a sign-in', () => {
	it('is an address with a state of 32 random bytes, another one each time', async () => {
		const { authorizeUrl, state } = await signIn.login('sipcall://back')
		expect(state).toMatch(TOKEN)
		expect(authorizeUrl).toBe(`https://cloud.example/authorize?state=${state}&redirect_uri=sipcall://back`)
		expect((await signIn.login()).state).not.toBe(state)
	})

	it('stores no state that somebody could use', async () => {
		const { state } = await signIn.login()
		expect(store.states.size).toBe(1)
		expect(JSON.stringify([...store.states])).not.toContain(state)
	})

	it('stores nothing when no client is set up', async () => {
		provider.failure = new SipCallError('oauth_not_configured', 'none')
		expect(await codeOf(signIn.login())).toBe('oauth_not_configured')
		expect(store.states.size).toBe(0)
	})
})

describe('a code', () => {
	it('becomes tokens for 15 minutes, and the user with its roles', async () => {
		const grant = await enter()
		expect(grant).toEqual({ accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/), tokenType: 'Bearer', expiresInSec: 900, refreshToken: expect.stringMatching(TOKEN), user: { id: 'alice', displayName: 'Alice Example', roles: ['user'] } })
		expect(await verifier.verify(grant.accessToken)).toEqual({ userId: 'alice' })
		expect(JSON.stringify([...store.tokens])).not.toContain(grant.refreshToken)
	})

	it('is taken without a state', async () => {
		expect((await signIn.exchange({ code: 'code-alice', redirectUri: 'sipcall://back' })).user.id).toBe('alice')
		expect(provider.asked).toEqual([['code-alice', 'sipcall://back']])
	})

	it('is taken with the state that was given out, once', async () => {
		const { state } = await signIn.login('sipcall://back')
		expect((await signIn.exchange({ code: 'code-alice', state })).user.id).toBe('alice')
		expect(await codeOf(signIn.exchange({ code: 'code-alice-2', state }))).toBe('invalid_grant')
		// The redirectUri of the beginning is sent on, and the second code never reached Nextcloud.
		expect(provider.asked).toEqual([['code-alice', 'sipcall://back']])
	})

	it('is taken for one of ten who bring the same state at once', async () => {
		const { state } = await signIn.login()
		const codes = await Promise.all(Array.from({ length: 10 }, (_, index) => codeOf(signIn.exchange({ code: `code-alice-${index}`, state }))))
		expect(codes.filter((code) => code === 'no error')).toHaveLength(1)
		expect(codes.filter((code) => code === 'invalid_grant')).toHaveLength(9)
	})

	it.each(['', 'x', 'A'.repeat(43), '\'; drop table oauth_states --'])('is refused with the state %j, which was never given out, and is kept from Nextcloud', async (state) => {
		await signIn.login()
		expect(await codeOf(signIn.exchange({ code: 'code-alice', state }))).toBe('invalid_grant')
		expect(provider.asked).toEqual([])
	})

	it('is refused with a stored hash for a state', async () => {
		await signIn.login()
		const [hash = ''] = store.states.keys()
		expect(await codeOf(signIn.exchange({ code: 'code-alice', state: hash }))).toBe('invalid_grant')
	})

	it('is taken within 10 minutes of its state, and refused from then on', async () => {
		const [a, b] = [await signIn.login(), await signIn.login()]
		nowMs += 10 * MINUTE_MS - 1
		expect(await codeOf(signIn.exchange({ code: 'code-alice', state: a.state }))).toBe('no error')
		nowMs += 1
		expect(await codeOf(signIn.exchange({ code: 'code-alice', state: b.state }))).toBe('invalid_grant')
	})

	it('is refused with another redirectUri than at the beginning, which Nextcloud would not notice', async () => {
		const { state } = await signIn.login('sipcall://back')
		expect(await codeOf(signIn.exchange({ code: 'code-alice', state, redirectUri: 'http://evil.example/' }))).toBe('invalid_grant')
		expect(provider.asked).toEqual([])
	})

	it('that Nextcloud refuses leaves nothing behind', async () => {
		expect(await codeOf(signIn.exchange({ code: 'wrong' }))).toBe('invalid_grant')
		provider.failure = unavailable()
		expect(await codeOf(enter())).toBe('nextcloud_unavailable')
		expect([store.signIns.size, store.tokens.size]).toEqual([0, 0])
	})

	it('begins a sign-in of its own each time: one that ends leaves the other alone', async () => {
		const [a, b] = [await enter(), await enter()]
		await signIn.revoke(a.refreshToken)
		expect(await verifier.verify(a.accessToken)).toBeUndefined()
		expect(await verifier.verify(b.accessToken)).toEqual({ userId: 'alice' })
	})
})

describe('a refresh token', () => {
	it('becomes new tokens, and the roles as they are now', async () => {
		const first = await enter()
		users.set('alice', { ...alice, displayName: 'Alice Changed', isAdmin: true })
		const second = await signIn.refresh(first.refreshToken)
		expect(second).toMatchObject({ tokenType: 'Bearer', expiresInSec: 900, user: { id: 'alice', displayName: 'Alice Changed', roles: ['user', 'admin'] } })
		expect(second.refreshToken).toMatch(TOKEN)
		expect(new Set([first.refreshToken, second.refreshToken, first.accessToken, second.accessToken]).size).toBe(4)
		expect(await verifier.verify(second.accessToken)).toEqual({ userId: 'alice' })
	})

	it('that was used ends the whole sign-in: the newest tokens of both kinds are refused', async () => {
		const first = await enter()
		const second = await signIn.refresh(first.refreshToken)
		const third = await signIn.refresh(second.refreshToken)
		expect(await codeOf(signIn.refresh(first.refreshToken))).toBe('invalid_grant')
		expect(await codeOf(signIn.refresh(third.refreshToken))).toBe('invalid_grant')
		expect(await codeOf(signIn.refresh(second.refreshToken))).toBe('invalid_grant')
		expect(await Promise.all([first, second, third].map(({ accessToken }) => verifier.verify(accessToken)))).toEqual([undefined, undefined, undefined])
	})

	it('that was used ends the sign-in also while Nextcloud is away', async () => {
		const first = await enter()
		const second = await signIn.refresh(first.refreshToken)
		usersFailure = unavailable()
		expect(await codeOf(signIn.refresh(first.refreshToken))).toBe('invalid_grant')
		usersFailure = undefined
		expect(await codeOf(signIn.refresh(second.refreshToken))).toBe('invalid_grant')
	})

	it('that two show at once serves one of them, and then none', async () => {
		const { refreshToken } = await enter()
		const results = await Promise.allSettled([signIn.refresh(refreshToken), signIn.refresh(refreshToken)])
		const winners = results.flatMap((result) => result.status === 'fulfilled' ? [result.value] : [])
		expect(winners).toHaveLength(1)
		expect(await codeOf(signIn.refresh(winners[0]?.refreshToken ?? ''))).toBe('invalid_grant')
		expect(await verifier.verify(winners[0]?.accessToken ?? '')).toBeUndefined()
	})

	it('lasts 30 days unused, and each use begins them anew', async () => {
		let { refreshToken } = await enter()
		for (let month = 0; month < 3; month++) {
			nowMs += 30 * DAY_MS - 1
			refreshToken = (await signIn.refresh(refreshToken)).refreshToken
		}
		nowMs += 30 * DAY_MS
		expect(await codeOf(signIn.refresh(refreshToken))).toBe('invalid_grant')
	})

	it('stays good when Nextcloud cannot be asked', async () => {
		const { refreshToken } = await enter()
		usersFailure = unavailable()
		expect(await codeOf(signIn.refresh(refreshToken))).toBe('nextcloud_unavailable')
		usersFailure = undefined
		expect(await codeOf(signIn.refresh(refreshToken))).toBe('no error')
	})

	it('of a user who is gone or disabled ends all sign-ins of that user', async () => {
		const [a, b, other] = [await enter(), await enter(), await enter('bob')]
		users.set('bob', { ...alice, id: 'bob' }).delete('alice')
		expect(await codeOf(signIn.refresh(a.refreshToken))).toBe('invalid_grant')
		users.set('alice', alice)
		expect(await codeOf(signIn.refresh(b.refreshToken))).toBe('invalid_grant')
		expect(await codeOf(signIn.refresh(other.refreshToken))).toBe('no error')
	})

	it.each(['', 'x', 'A'.repeat(43)])('%j, which nobody was given, is refused', async (token) => {
		await enter()
		expect(await codeOf(signIn.refresh(token))).toBe('invalid_grant')
	})

	it('is not an access token, nor the other way round', async () => {
		const { accessToken, refreshToken } = await enter()
		expect(await codeOf(signIn.refresh(accessToken))).toBe('invalid_grant')
		expect(await verifier.verify(refreshToken)).toBeUndefined()
	})
})

describe('a revocation', () => {
	it('ends the sign-in at once, the access token included, and may be repeated', async () => {
		const { accessToken, refreshToken } = await enter()
		await signIn.revoke(refreshToken)
		expect(await verifier.verify(accessToken)).toBeUndefined()
		expect(await codeOf(signIn.refresh(refreshToken))).toBe('invalid_grant')
		await signIn.revoke(refreshToken)
	})

	it('by a token that was used before ends the sign-in too', async () => {
		const first = await enter()
		const second = await signIn.refresh(first.refreshToken)
		await signIn.revoke(first.refreshToken)
		expect(await codeOf(signIn.refresh(second.refreshToken))).toBe('invalid_grant')
	})

	it('of a token that nobody knows is no error', async () => {
		await signIn.revoke('unknown')
	})
})

describe('an access token of a sign-in', () => {
	it('is refused after 15 minutes', async () => {
		const { accessToken } = await enter()
		nowMs += 15 * MINUTE_MS - 1
		expect(await verifier.verify(accessToken)).toEqual({ userId: 'alice' })
		nowMs += 1
		expect(await verifier.verify(accessToken)).toBeUndefined()
	})

	it('is refused while Nextcloud does not let its user in', async () => {
		const { accessToken } = await enter()
		isActive = false
		expect(await verifier.verify(accessToken)).toBeUndefined()
		isActive = true
		expect(await verifier.verify(accessToken)).toEqual({ userId: 'alice' })
	})
})

describe('what an admin may want to know of later', () => {
	it('is told once for each sign-in, its end, and a token that is shown twice', async () => {
		const first = await enter()
		await signIn.revoke(first.refreshToken)
		await signIn.revoke(first.refreshToken)
		expect(events.map(({ type, userId }) => [type, userId])).toEqual([['signed_in', 'alice'], ['signed_out', 'alice']])
		expect(events[1]?.signInId).toBe(events[0]?.signInId)
		const second = await enter()
		await signIn.refresh(second.refreshToken)
		await codeOf(signIn.refresh(second.refreshToken))
		await codeOf(signIn.refresh(second.refreshToken))
		expect(events.slice(2).map(({ type }) => type)).toEqual(['signed_in', 'token_reused'])
	})
})
