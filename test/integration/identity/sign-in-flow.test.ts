// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The parts put together as the sidecar does it: PostgreSQL, and a Nextcloud that answers as the recorded one.

import type { MikroORM } from '@mikro-orm/postgresql'
import type { Identity } from '../../../lib/identity/index.ts'
import type { TestDatabase } from '../../support/database.ts'

import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { migrate, openDatabase } from '../../../lib/db/orm.ts'
import { SignInRepository } from '../../../lib/db/repositories/sign-in-repository.ts'
import { createIdentity } from '../../../lib/identity/index.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { createTestDatabase } from '../../support/database.ts'
import { keptLog } from '../../support/kept-log.ts'
import { CLIENT, OAuthServer } from '../../unit/identity/oauth-server.ts'

const logger = keptLog()
const jwtKeys: [Buffer] = [randomBytes(64)]

let database: TestDatabase
let orm: MikroORM
let nextcloud: OAuthServer
let nowMs: number

function startIdentity(keys: [Buffer, ...Buffer[]] = jwtKeys): Identity {
	return createIdentity({
		store: new SignInRepository({ orm }),
		users: { get: async (id) => ({ id, displayName: 'Alice Example', isAdmin: true }) },
		isActive: async () => true,
		oauth: { client: () => CLIENT, nextcloudUrl: nextcloud.url, publicUrl: async () => 'https://cloud.example' },
		jwt: { keys, algorithm: 'HS256', expiryMin: 15 },
		now: () => new Date(nowMs),
		newUuid: randomUUID,
		onEvent: () => {},
		logger,
	})
}

beforeAll(async () => {
	database = await createTestDatabase()
	const keys = new KeyRing([randomBytes(32)])
	orm = await openDatabase({ url: database.url, keys, logger })
	await migrate(orm, keys)
	nextcloud = await OAuthServer.start()
})

afterAll(async () => {
	await nextcloud.stop()
	await orm.close(true)
	await database.drop()
})

beforeEach(() => {
	nowMs = Date.parse('2026-11-22T09:30:00.000Z')
	nextcloud.codes.add('code')
})

describe('a sign-in from outside Nextcloud', () => {
	it('goes from the address through code, tokens and renewal to its end', async () => {
		const { signIn, verifier } = startIdentity()
		const { authorizeUrl, state } = await signIn.login('sipcall://back')
		expect(new URL(authorizeUrl).searchParams.get('state')).toBe(state)

		const first = await signIn.exchange({ code: 'code', state, redirectUri: 'sipcall://back' })
		expect(first.user).toEqual({ id: 'alice', displayName: 'Alice Example', roles: ['user'] })
		expect(nextcloud.isTokenGood).toBe(false)
		expect(await verifier.verify(first.accessToken)).toEqual({ userId: 'alice' })

		nowMs += 20 * 60_000
		expect(await verifier.verify(first.accessToken)).toBeUndefined()
		const second = await signIn.refresh(first.refreshToken)
		expect(second.user.roles).toEqual(['user', 'admin'])
		expect(await verifier.verify(second.accessToken)).toEqual({ userId: 'alice' })

		await signIn.revoke(second.refreshToken)
		expect(await verifier.verify(second.accessToken)).toBeUndefined()
		await expect(signIn.refresh(second.refreshToken)).rejects.toMatchObject({ code: 'invalid_grant' })
	})

	it('outlives a restart of the sidecar, and a second sidecar knows it as well', async () => {
		const first = await startIdentity().signIn.exchange({ code: 'code' })
		const [a, b] = [startIdentity(), startIdentity()]
		expect(await a.verifier.verify(first.accessToken)).toEqual({ userId: 'alice' })
		const second = await a.signIn.refresh(first.refreshToken)
		await expect(b.signIn.refresh(first.refreshToken)).rejects.toMatchObject({ code: 'invalid_grant' })
		expect(await a.verifier.verify(second.accessToken)).toBeUndefined()
	})

	it('outlives a change of the signing key: at once with the old key kept, else after one renewal', async () => {
		const grant = await startIdentity().signIn.exchange({ code: 'code' })
		const newKey = randomBytes(64)
		expect(await startIdentity([newKey, ...jwtKeys]).verifier.verify(grant.accessToken)).toEqual({ userId: 'alice' })
		const { signIn, verifier } = startIdentity([newKey])
		expect(await verifier.verify(grant.accessToken)).toBeUndefined()
		expect(await verifier.verify((await signIn.refresh(grant.refreshToken)).accessToken)).toEqual({ userId: 'alice' })
	})

	it('leaves no token, code or state readable in the database', async () => {
		const { signIn } = startIdentity()
		const { state } = await signIn.login()
		const grant = await signIn.exchange({ code: 'code' })
		const renewed = await signIn.refresh(grant.refreshToken)
		const rows = await Promise.all(['oauth_states', 'sign_ins', 'refresh_tokens'].map((table) => orm.em.getConnection().execute(`select * from ${table}`)))
		const stored = JSON.stringify(rows)
		expect(stored).toContain('alice')
		for (const secret of [state, grant.refreshToken, renewed.refreshToken, grant.accessToken, renewed.accessToken]) {
			expect(stored).not.toContain(secret)
		}
	})
})
