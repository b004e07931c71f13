// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'
import type { Call } from '../../../lib/calls/call.ts'
import type { TestDatabase } from '../../support/database.ts'

import { randomBytes, randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { migrate, openDatabase } from '../../../lib/db/orm.ts'
import { CallRepository } from '../../../lib/db/repositories/call-repository.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { createTestDatabase } from '../../support/database.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const POOL = 2

let database: TestDatabase
let orm: MikroORM
let keys: KeyRing

beforeEach(async () => {
	database = await createTestDatabase()
	keys = new KeyRing([randomBytes(32)])
	orm = await openDatabase({ url: database.url, keys, logger: new RecordedLog(), poolSize: POOL })
	await migrate(orm, keys)
})

afterEach(async () => {
	vi.restoreAllMocks()
	await orm.close(true)
	await database.drop()
})

describe('the pool', () => {
	it('has its places back after connections were lost in the middle of transactions', async () => {
		for (let lost = 0; lost < 3 * POOL; lost++) {
			await expect(orm.em.fork().transactional(async (em) => {
				const [row] = await em.execute<{ pid: number }[]>('select pg_backend_pid() as pid')
				await database.query(`select pg_terminate_backend(${row?.pid ?? 0})`)
				await em.execute('select 1')
			})).rejects.toThrow()
		}
		// All places at once: each must be there.
		const answers = await Promise.all(Array.from({ length: POOL }, () => orm.em.fork().transactional((em) => em.execute<{ one: number }[]>('select 1 as one'))))
		expect(answers).toEqual(Array.from({ length: POOL }, () => [{ one: 1 }]))
	})
})

describe('placing a call', () => {
	const at = new Date('2026-11-24T12:00:00.000Z')
	const request = (userId: string) => ({
		userId,
		idempotencyKey: undefined,
		bodyHash: 'hash',
		at,
		question: { userId, number: '+4930123456', country: 'DE', at, dayFrom: at, monthFrom: at, isSpendLimited: false },
	})
	const callOf = (userId: string): Call => ({
		uuid: randomUUID(),
		version: 1,
		userId,
		to: '+4930123456',
		rawTo: '030 123456',
		device: { id: randomUUID(), label: 'Desk' },
		tags: [],
		direction: 'outbound',
		status: 'queued',
		createdAt: at,
		onHold: false,
		legs: [{ uuid: randomUUID(), role: 'user' }, { uuid: randomUUID(), role: 'destination', gateway: 'trunk' }],
		jobUuid: randomUUID(),
	})

	it('that had to wait for more than 10 s is refused: the phone would ring for nobody', async () => {
		const store = new CallRepository({ orm, keys, clock: { now: () => at } })
		const now = performance.now.bind(performance)
		let lateMs = 0
		vi.spyOn(performance, 'now').mockImplementation(() => now() + lateMs)
		const first = Promise.withResolvers<Call>()
		const begun = Promise.withResolvers<void>()
		const slow = store.place(request('anna'), () => {
			begun.resolve()
			return first.promise
		})
		const waiting = store.place(request('ben'), async () => callOf('ben'))
		await begun.promise
		lateMs = 10_001
		first.resolve(callOf('anna'))
		expect((await slow).isNew).toBe(true)
		await expect(waiting).rejects.toMatchObject({ code: 'storage_unavailable', retryAfterSec: 5 })
		expect((await store.place(request('ben'), async () => callOf('ben'))).isNew).toBe(true)
		expect((await store.findOpen()).map(({ userId }) => userId).toSorted()).toEqual(['anna', 'ben'])
	})
})
