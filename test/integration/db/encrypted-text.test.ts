// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'
import type { Device } from '../../../lib/calls/device.ts'
import type { TestDatabase } from '../../support/database.ts'

import { randomBytes, randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConnectionKeys } from '../../../lib/db/connection-keys.ts'
import { decryptColumn, ENCRYPTED_TABLES } from '../../../lib/db/encrypted-columns.ts'
import { migrate, openDatabase } from '../../../lib/db/orm.ts'
import { DeviceRepository } from '../../../lib/db/repositories/device-repository.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { createTestDatabase } from '../../support/database.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const TEXTS = ['Desk of Erika', '', '?', 'what? $1 \\? %s', 'line\nbreak', '\'quoted\' "twice"', '🎵 e\u0301']

let database: TestDatabase
let orm: MikroORM
let keys: KeyRing
let client: Client

beforeEach(async () => {
	database = await createTestDatabase()
	keys = new KeyRing([randomBytes(32)])
	orm = await openDatabase({ url: database.url, keys, logger: new RecordedLog() })
	client = new Client({ connectionString: database.url })
	await client.connect()
	await client.query(new ConnectionKeys(keys).statement())
})

afterEach(async () => {
	await client.end()
	await orm.close(true)
	await database.drop()
})

const phone = (label: string, address: string): Device => ({ id: randomUUID(), kind: 'phone', label, address, isDefault: false, verified: true })

describe('an encrypted text', () => {
	let devices: DeviceRepository

	beforeEach(async () => {
		await migrate(orm, keys)
		devices = new DeviceRepository({ orm })
	})

	it.each(TEXTS)('comes back as it was: %j', async (text) => {
		await devices.replace('anna', [phone(text, '+49301234567')])
		expect(await devices.of('anna')).toMatchObject([{ label: text, address: '+49301234567' }])
		expect(await devices.ofMany(['anna'])).toEqual(new Map([['anna', await devices.of('anna')]]))
	})

	it.each([
		['another row', 'update devices target set address = other.address from devices other where target.user_id = \'anna\' and other.user_id = \'ben\''],
		['another column of its row', 'update devices set address = label where user_id = \'anna\''],
	])('that somebody moved from %s is refused instead of read', async (_where, move) => {
		await devices.replace('anna', [phone('Desk', '+49301234567')])
		await devices.replace('ben', [phone('Desk', '+49309999999')])
		await client.query(move)
		await expect(devices.of('anna')).rejects.toThrow('An encrypted text stands elsewhere than where it was written')
		expect(await devices.of('ben')).toMatchObject([{ address: '+49309999999' }])
	})
})

describe('texts from before they were bound to their place', () => {
	const ids = [randomUUID(), randomUUID()]
	const insert = 'insert into devices (id, user_id, kind, label, address, is_default, verified, position) values ($1, $2, \'phone\', sipcall_encrypt($3), sipcall_encrypt(\'+49301234567\'), false, true, 0)'

	beforeEach(async () => {
		await orm.migrator.up({ to: '0016-audit-checkpoints' })
		await client.query('insert into encryption_keys (kid, probe) values ($1, sipcall_encrypt(\'sipcall\'))', [keys.activeKid])
		await client.query(insert, [ids[0], 'anna', 'Desk of Erika'])
		await client.query(insert, [ids[1], 'ben', 'Desk'])
		await client.query('insert into settings (key, value, updated_at) values (\'oauth\', to_jsonb(sipcall_encrypt(\'{}\')), now()), (\'gateways\', \'["trunk"]\', now()), (\'callerIds\', \'["+49301234567"]\', now())')
	})

	it('are bound by the update', async () => {
		await migrate(orm, keys)
		expect(await new DeviceRepository({ orm }).of('anna')).toMatchObject([{ label: 'Desk of Erika', address: '+49301234567' }])
		const settings = ENCRYPTED_TABLES.find(({ name }) => name === 'settings')
		const { rows } = await client.query(`select key, ${settings?.columns.map((column) => decryptColumn(settings, column)).join('')} as text from settings order by key`)
		expect(rows).toEqual([{ key: 'callerIds', text: '["+49301234567"]' }, { key: 'gateways', text: null }, { key: 'oauth', text: '{}' }])
		expect((await client.query('select value from settings where key = \'gateways\'')).rows).toEqual([{ value: ['trunk'] }])
	})

	it('stay as they are where they cannot be read, and keep nothing else from being bound', async () => {
		const damaged = `${keys.activeKid}:${randomBytes(80).toString('base64')}`
		await client.query('update devices set label = $1 where user_id = \'ben\'', [damaged])
		await migrate(orm, keys)
		expect((await client.query('select label from devices where user_id = \'ben\'')).rows).toEqual([{ label: damaged }])
		expect(await new DeviceRepository({ orm }).of('anna')).toMatchObject([{ label: 'Desk of Erika' }])
	})

	it('are not touched when their key is not loaded, which is told by its name', async () => {
		const other = new KeyRing([randomBytes(32)])
		const stranger = await openDatabase({ url: database.url, keys: other, logger: new RecordedLog() })
		try {
			await expect(migrate(stranger, other)).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining(`needs the encryption key ${keys.activeKid}`) as string })
			expect((await orm.migrator.getExecuted()).at(-1)?.name).toBe('0016-audit-checkpoints')
		} finally {
			await stranger.close(true)
		}
	})
})
