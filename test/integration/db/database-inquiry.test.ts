// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'
import type { TestDatabase } from '../../support/database.ts'

import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DatabaseInquiry } from '../../../lib/db/database-inquiry.ts'
import { openDatabase } from '../../../lib/db/orm.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { createTestDatabase } from '../../support/database.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

let database: TestDatabase
let orm: MikroORM | undefined

beforeEach(async () => {
	database = await createTestDatabase()
})

afterEach(async () => {
	await orm?.close(true)
	await database.drop()
})

/** A new connection, which takes the database's settings as they are now. */
async function inquiry(): Promise<DatabaseInquiry> {
	orm = await openDatabase({ url: database.url, keys: new KeyRing([randomBytes(32)]), logger: new RecordedLog(), poolSize: 1 })
	return new DatabaseInquiry({ orm })
}

async function set(setting: string): Promise<void> {
	const [row] = await database.query<{ name: string }>('select current_database() as name')
	await database.query(`alter database "${row?.name}" set ${setting}`)
}

describe('the database’s own word', () => {
	it('is that the embedded one logs no statement and takes changes', async () => {
		expect(await (await inquiry()).look()).toEqual({ isReadOnly: false, loggingSettings: [], nowMs: expect.any(Number) as number })
	})

	it('names a setting by which parameters get into its log, the key among them', async () => {
		await set('log_parameter_max_length_on_error = 100')
		expect((await (await inquiry()).look()).loggingSettings).toEqual(['log_parameter_max_length_on_error'])
	})

	it('names auto_explain where that writes queries down', async () => {
		const asked = await inquiry()
		// For the database only a superuser may set it.
		await orm?.em.getConnection().execute('set auto_explain.log_min_duration = 0')
		expect((await asked.look()).loggingSettings).toEqual(['auto_explain.log_min_duration'])
	})

	it('says that it takes no changes', async () => {
		await set('default_transaction_read_only = on')
		expect((await (await inquiry()).look()).isReadOnly).toBe(true)
	})
})
