// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'
import type { SignInStore } from '../../../lib/identity/ports.ts'
import type { TestDatabase } from '../../support/database.ts'

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate, openDatabase } from '../../../lib/db/orm.ts'
import { SignInRepository } from '../../../lib/db/repositories/sign-in-repository.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { createTestDatabase } from '../../support/database.ts'
import { keptLog } from '../../support/kept-log.ts'
import { begin, describeSignInStore, hash, rotate } from '../../unit/identity/sign-in-store-contract.ts'

const NOW = new Date('2026-11-22T09:30:00.000Z')

let database: TestDatabase
let orm: MikroORM
let store: SignInStore

beforeAll(async () => {
	database = await createTestDatabase()
	const keys = new KeyRing([randomBytes(32)])
	orm = await openDatabase({ url: database.url, keys, logger: keptLog() })
	await migrate(orm, keys)
	store = new SignInRepository({ orm })
})

afterAll(async () => {
	await orm.close(true)
	await database.drop()
})

describeSignInStore('PostgreSQL', () => store)

describe('sign-ins in PostgreSQL', () => {
	const rows = async (table: string) => (await orm.em.getConnection().execute<{ rows: number }[]>(`select count(*)::int as rows from ${table}`))[0]?.rows

	it('that eight show the same token for at once let one win, and leave no token behind', async () => {
		for (let round = 0; round < 10; round++) {
			const { id, token } = await begin(store)
			const results = await Promise.all(Array.from({ length: 8 }, () => rotate(store, token)))
			const outcomes = results.map(({ outcome }) => outcome)
			expect(outcomes.filter((outcome) => outcome === 'rotated')).toHaveLength(1)
			expect(outcomes.filter((outcome) => outcome === 'reused')).toHaveLength(1)
			expect(outcomes.filter((outcome) => outcome === 'unknown')).toHaveLength(6)
			expect(await Promise.all(results.map(({ next }) => store.findToken(next, NOW)))).toEqual(Array.from({ length: 8 }, () => undefined))
			expect(await store.isAlive(id, NOW)).toBe(false)
		}
	})

	it('whose newest token is renewed while an old one is shown end, whoever comes first', async () => {
		for (let round = 0; round < 20; round++) {
			const { id, token } = await begin(store)
			const { next } = await rotate(store, token)
			const results = await Promise.all(round % 2 === 0 ? [rotate(store, next), rotate(store, token)] : [rotate(store, token), rotate(store, next)])
			expect(results.map(({ outcome }) => outcome)).toContain('reused')
			expect(await Promise.all(results.map((result) => store.findToken(result.next, NOW)))).toEqual([undefined, undefined])
			expect(await store.isAlive(id, NOW)).toBe(false)
		}
	})

	it('that are ended while their token is renewed stay ended', async () => {
		for (let round = 0; round < 20; round++) {
			const { id, token } = await begin(store, 'erin')
			const [{ next }] = await Promise.all([rotate(store, token), round % 2 === 0 ? store.endByToken(token) : store.endAllOf('erin')])
			expect(await store.findToken(next, NOW)).toBeUndefined()
			expect(await store.isAlive(id, NOW)).toBe(false)
		}
	})

	it('that cannot get their next token keep the one they have: both or neither', async () => {
		const [a, b] = [await begin(store), await begin(store)]
		await expect(store.rotate({ tokenHash: a.token, nextHash: b.token, at: NOW, expiresAt: NOW })).rejects.toThrow()
		expect(await store.findToken(a.token, NOW)).toMatchObject({ isUsed: false })
	})

	it('leave no row behind once everything is expired', async () => {
		await begin(store)
		await store.addState({ hash: hash(), redirectUri: undefined, expiresAt: NOW })
		await store.forgetExpired(new Date('2027-01-01T00:00:00.000Z'))
		expect(await Promise.all(['oauth_states', 'sign_ins', 'refresh_tokens'].map(rows))).toEqual([0, 0, 0])
	})
})
