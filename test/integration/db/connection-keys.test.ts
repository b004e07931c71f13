// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'
import type { TestDatabase } from '../../support/database.ts'

import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runBound } from '../../../lib/db/bound-query.ts'
import { ConnectionKeys } from '../../../lib/db/connection-keys.ts'
import { openDatabase } from '../../../lib/db/orm.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { createTestDatabase } from '../../support/database.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const POOL = 3

describe('the keys on the connections', () => {
	let database: TestDatabase
	let orm: MikroORM
	let keys: KeyRing
	let connectionKeys: ConnectionKeys

	beforeEach(async () => {
		database = await createTestDatabase({ hasSchema: true })
		keys = new KeyRing([randomBytes(32)])
		connectionKeys = new ConnectionKeys(keys)
		orm = await openDatabase({ url: database.url, keys, connectionKeys, logger: new RecordedLog(), poolSize: POOL })
	})

	afterEach(async () => {
		await orm.close(true)
		await database.drop()
	})

	const encrypt = async (em = orm.em.fork()) => (await runBound<{ text: string }>(em, 'select sipcall_encrypt(\'x\') as text'))[0]?.text ?? ''
	const decrypt = async (text: string, em = orm.em.fork()) => (await runBound<{ plain: string }>(em, 'select sipcall_decrypt($1) as plain', [text]))[0]?.plain

	/** A transaction that goes on until it is told to end. */
	async function hold(): Promise<{ encrypt: () => Promise<string>, end: () => Promise<unknown> }> {
		const over = Promise.withResolvers<void>()
		const begun = Promise.withResolvers<() => Promise<string>>()
		const done = orm.em.fork().transactional(async (em) => {
			await encrypt(em)
			begun.resolve(() => encrypt(em))
			await over.promise
		})
		return { encrypt: await begun.promise, end: () => {
			over.resolve()
			return done
		} }
	}

	it('are the present ones on every connection that is taken after a change, in use before or new', async () => {
		await encrypt()
		const kid = keys.add(randomBytes(32))
		keys.activate(kid)
		const held = await Promise.all(Array.from({ length: POOL }, hold))
		const texts = await Promise.all(held.map((one) => one.encrypt()))
		await Promise.all(held.map(({ end }) => end()))
		expect(texts.map((text) => text.slice(0, 8))).toEqual(Array.from({ length: POOL }, () => kid))
		expect(await Promise.all(texts.map((text) => decrypt(text)))).toEqual(Array.from({ length: POOL }, () => 'x'))
	})

	it('have settled when nobody uses a connection any more that does not know them, and what it writes meanwhile is under the earlier one', async () => {
		const earlier = keys.activeKid
		const { encrypt: write, end } = await hold()
		let hasSettled = false
		const kid = keys.add(randomBytes(32))
		const settled = connectionKeys.settled().then(() => {
			hasSettled = true
		})
		keys.activate(kid)
		expect((await encrypt()).slice(0, 8)).toBe(kid)
		const text = await write()
		expect(text.slice(0, 8)).toBe(earlier)
		expect(hasSettled).toBe(false)
		await end()
		await settled
		expect(await decrypt(text)).toBe('x')
	})
})
