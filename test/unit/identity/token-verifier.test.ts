// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { randomBytes, randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { AccessTokens } from '../../../lib/identity/jwt.ts'
import { TokenVerifier } from '../../../lib/identity/token-verifier.ts'

const now = () => new Date('2026-11-22T09:30:00.000Z')

function tokensWithOwnKey(): AccessTokens {
	return new AccessTokens({ keys: [randomBytes(32)], algorithm: 'HS256', lifetimeSec: 900, now, newUuid: randomUUID })
}

describe('the verifier of access tokens', () => {
	let asked: string[]
	let isAlive: boolean
	let isActive: boolean
	let tokens: AccessTokens
	let verifier: TokenVerifier

	beforeEach(() => {
		asked = []
		isAlive = true
		isActive = true
		tokens = tokensWithOwnKey()
		verifier = new TokenVerifier({
			tokens,
			store: {
				isAlive: async (signInId) => {
					asked.push(signInId)
					return isAlive
				},
			},
			isActive: async (userId) => {
				asked.push(userId)
				return isActive
			},
			now,
		})
	})

	it('asks first for the sign-in and then for the user', async () => {
		expect(await verifier.verify(tokens.sign('alice', 'sign-in'))).toEqual({ userId: 'alice' })
		expect(asked).toEqual(['sign-in', 'alice'])
	})

	it('asks neither the database nor Nextcloud about a forged token', async () => {
		expect(await verifier.verify(tokensWithOwnKey().sign('alice', 'sign-in'))).toBeUndefined()
		expect(asked).toEqual([])
	})

	it('does not ask Nextcloud about a sign-in that has ended', async () => {
		isAlive = false
		expect(await verifier.verify(tokens.sign('alice', 'sign-in'))).toBeUndefined()
		expect(asked).toEqual(['sign-in'])
	})

	it('refuses a user whom Nextcloud does not let in', async () => {
		isActive = false
		expect(await verifier.verify(tokens.sign('alice', 'sign-in'))).toBeUndefined()
	})
})
