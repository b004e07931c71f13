// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What goes into a backup comes out of it.

import type { BackupDatabase } from '../../support/backup-database.ts'

import fc from 'fast-check'
import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readHeader, verifyBackup } from '../../../lib/db/backup/read-backup.ts'
import { checkRestore, restoreBackup } from '../../../lib/db/backup/restore-backup.ts'
import { NOT_IN_BACKUPS } from '../../../lib/db/backup/tables.ts'
import { writeBackup } from '../../../lib/db/backup/write-backup.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { addRows, createBackupDatabase, ODD_TEXTS } from '../../support/backup-database.ts'

const AT = new Date('2026-11-22T09:30:00.123Z')
const force = { force: false }

let folder: string
let source: BackupDatabase
let target: BackupDatabase

beforeAll(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'sipcall-backup-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

beforeEach(async () => {
	source = await createBackupDatabase()
	target = await createBackupDatabase(source.keys)
})

afterEach(async () => {
	await source.drop()
	await target.drop()
})

async function backup(): Promise<string> {
	const file = path.join(folder, randomUUID())
	await writeBackup({ file, url: source.access.url, appVersion: '0.1.0', at: AT })
	return file
}

describe('a backup', () => {
	it('brings every column of every table back, whatever stands in it', async () => {
		for (const text of ODD_TEXTS) {
			await addRows(source.client, { uuid: randomUUID(), text, json: { [text]: [text, null, 1.10, 1e30, true] }, at: '2026-03-29T01:59:59.999+01' })
		}
		await addRows(source.client, { uuid: randomUUID(), text: 'json null', json: null, at: 'infinity', id: 9_007_199_254_740_993n })
		await addRows(source.client, { uuid: randomUUID(), text: 'long ago', json: 'null', at: '0044-03-15 12:00:00.001+00 BC' })
		const withoutCause = randomUUID()
		await addRows(source.client, { uuid: withoutCause, text: 'sql null', json: {}, at: '2026-03-29T01:59:59.999+01' })
		await source.client.query('update calls set cause = null where uuid = $1', [withoutCause])
		const file = await backup()
		await restoreBackup(file, target.access, force)
		const content = await source.content()
		expect(await target.content()).toEqual(content)

		const { rows: nulls } = await target.client.query<{ user_id: string, sql: boolean }>('select user_id, cause is null as sql from calls where user_id like \'%null\'')
		expect(nulls.map((row) => [row.user_id, row.sql])).toEqual(expect.arrayContaining([['json null', false], ['sql null', true]]))
		// That no column was left out above is asked of the catalogue: this fails for a column that addRows() does not know.
		const { rows: columns } = await target.client.query<{ table: string, column: string }>(
			'select table_name as table, column_name as column from information_schema.columns where table_schema = current_schema() and table_name <> all($1)',
			[NOT_IN_BACKUPS],
		)
		for (const { table, column } of columns) {
			const { rows: [filled] } = await target.client.query<{ count: number }>(`select count("${column}")::int as count from "${table}"`)
			expect([table, column, (filled?.count ?? 0) > 0]).toEqual([table, column, true])
		}
	})

	it('brings any text and any JSON back, in any number of rows', async () => {
		const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0'))
		const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => !/\\u0000|\\ud[89a-f]/i.test(JSON.stringify(value)))
		const at = fc.date({ min: new Date('0100-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true }).map((date) => date.toISOString())
		await fc.assert(fc.asyncProperty(fc.uniqueArray(fc.record({ uuid: fc.uuid(), text, json, at }), { maxLength: 8, selector: ({ uuid }) => uuid }), async (list) => {
			await source.client.query('truncate calls, devices restart identity cascade')
			for (const row of list) {
				await addRows(source.client, row)
			}
			await restoreBackup(await backup(), target.access, force)
			expect(await target.content()).toEqual(await source.content())
		}), { numRuns: 25 })
	})

	it('holds more rows than one batch takes, and replaces what was there', async () => {
		const uuid = randomUUID()
		await addRows(source.client, { uuid, text: 'one', json: [], at: '2026-01-01' })
		await source.client.query('insert into call_events (call_uuid, at, type, detail) select $1, now(), \'e\' || n, to_jsonb(repeat(\'x\', n)) from generate_series(1, 3210) n', [uuid])
		await addRows(target.client, { uuid: randomUUID(), text: 'goes', json: [], at: '2026-01-01' })
		await restoreBackup(await backup(), target.access, force)
		expect(await target.content()).toEqual(await source.content())
	})

	it('goes on counting where the counting was, and never back', async () => {
		const uuid = randomUUID()
		const addEvent = 'insert into call_events (call_uuid, at, type) values ($1, now(), \'x\') returning id'
		await addRows(source.client, { uuid, text: 'x', json: [], at: '2026-01-01' })
		await source.client.query('alter table call_events alter column id restart with 9007199254740993')
		await source.client.query(addEvent, [uuid])
		await source.client.query('delete from call_events where id > 1')
		const file = await backup()
		await restoreBackup(file, target.access, force)
		expect((await target.client.query(addEvent, [uuid])).rows).toEqual([{ id: '9007199254740994' }])
		await restoreBackup(file, target.access, force)
		expect((await target.client.query(addEvent, [uuid])).rows).toEqual([{ id: '9007199254740995' }])
	})

	it('holds a table that a later version adds, behind the tables that it refers to', async () => {
		for (const { client } of [source, target]) {
			await client.query('create table "a new ""table" (serial serial primary key, call uuid references calls, amount numeric, bytes bytea, list text[], twice numeric generated always as (amount * 2) stored)')
		}
		const uuid = randomUUID()
		await addRows(source.client, { uuid, text: 'x', json: [], at: '2026-01-01' })
		await source.client.query('insert into "a new ""table" (call, amount, bytes, list) values ($1, 0.10000000000000000000000001, \'\\x00ff\', array[\'a,"\', null])', [uuid])
		await restoreBackup(await backup(), target.access, force)
		const read = 'select t::text from "a new ""table" t'
		expect((await target.client.query(read)).rows).toEqual((await source.client.query(read)).rows)
	})

	it('is refused a place in the order when its rows refer to each other: such a table needs a thought', async () => {
		await source.client.query('create table circle (id int primary key, next int references circle)')
		await expect(backup()).rejects.toThrow('circle')
	})

	it('restores no rows through a trigger, and leaves the trigger as it was', async () => {
		for (const { client } of [source, target]) {
			await client.query('create function refuse() returns trigger language plpgsql as $$ begin raise \'no\'; end $$')
			await client.query('create trigger guard before insert or truncate on devices execute function refuse()')
		}
		await source.client.query('alter table devices disable trigger guard')
		await addRows(source.client, { uuid: randomUUID(), text: 'x', json: [], at: '2026-01-01' })
		await restoreBackup(await backup(), target.access, force)
		expect(await target.content()).toEqual(await source.content())
		await expect(target.client.query('truncate devices')).rejects.toThrow('no')
	})

	it('tells in its first line what it needs, and no key', async () => {
		const file = await backup()
		const header = await readHeader(file)
		expect(header).toMatchObject({ format: 1, app: 'sipcall', appVersion: '0.1.0', createdAt: AT.toISOString(), kids: source.access.kids })
		expect(header.migrations).toEqual(expect.arrayContaining(['0001-calls', '0002-sign-in']))
		expect(header.tables.map(({ name }) => name).sort()).toEqual(Object.keys(await source.content()))
		const everything = gunzipSync(readFileSync(file)).toString()
		for (const { passphrase } of source.keys.storageKeys) {
			expect(everything).not.toContain(passphrase)
		}
	})

	it('is readable by its owner alone', async () => {
		expect((await stat(await backup())).mode & 0o777).toBe(0o600)
	})

	it('shows one moment: what is written meanwhile is in it as a whole or not at all', async () => {
		const uuid = randomUUID()
		await addRows(source.client, { uuid, text: 'x', json: [], at: '2026-01-01' })
		let isDone = false
		const writing = (async () => {
			while (!isDone) {
				const next = randomUUID()
				await source.client.query('begin')
				await addRows(source.client, { uuid: next, text: next, json: [], at: '2026-01-01' })
				await source.client.query('commit')
			}
		})()
		const file = await backup().finally(() => {
			isDone = true
		})
		await writing
		await restoreBackup(file, target.access, force)
		const { calls = [], call_events: events = [], devices = [] } = await target.content()
		expect([events.length, devices.length]).toEqual([calls.length, calls.length])
	})

	it('leaves sign-ins and what else belongs to the present as they are', async () => {
		await target.client.query('insert into app_state (enabled) values (true)')
		await target.client.query('insert into sign_ins (id, user_id, created_at, expires_at) values ($1, \'demo\', now(), now())', [randomUUID()])
		await source.client.query('insert into sign_ins (id, user_id, created_at, expires_at) values ($1, \'ended since\', now(), now())', [randomUUID()])
		await restoreBackup(await backup(), target.access, force)
		expect((await target.client.query('select user_id from sign_ins')).rows).toEqual([{ user_id: 'demo' }])
		expect((await target.client.query('select enabled from app_state')).rows).toEqual([{ enabled: true }])
	})
})

describe('a restore is refused, and changes nothing,', () => {
	let file: string
	let before: Record<string, string[]>

	beforeEach(async () => {
		await addRows(source.client, { uuid: randomUUID(), text: 'new', json: [], at: '2026-01-01' })
		await addRows(target.client, { uuid: randomUUID(), text: 'old', json: [], at: '2026-01-01' })
		file = await backup()
		before = await target.content()
	})

	async function refusal(access = target.access): Promise<string> {
		const error: unknown = await restoreBackup(file, access, force).catch((reason: unknown) => reason)
		expect(error).toMatchObject({ code: 'wrong_state' })
		expect(await checkRestore(await verifyBackup(file), access, force).catch((reason: unknown) => reason)).toEqual(error)
		expect(await target.content()).toEqual(before)
		return error instanceof Error ? error.message : ''
	}

	it('when the backup was made by a newer SIPCall', async () => {
		await source.client.query('insert into schema_migrations (name, executed_at) values (\'9999-future\', now())')
		file = await backup()
		expect(await refusal()).toContain('newer SIPCall, 0.1.0 (migration 9999-future is unknown here)')
	})

	it('when the backup was made by an older SIPCall', async () => {
		await source.client.query('delete from schema_migrations where name = \'0002-sign-in\'')
		file = await backup()
		expect(await refusal()).toContain('older SIPCall, 0.1.0. Install that version')
	})

	it('when a key is not loaded, which is named', async () => {
		const stranger = new KeyRing([randomBytes(32)]).storageKeys.map(({ kid }) => kid)
		expect(await refusal({ ...target.access, kids: stranger })).toContain(source.access.kids[0])
	})

	it('when the database holds other tables', async () => {
		await target.client.query('create table stranger (id int)')
		expect(await refusal()).toContain('a database of its own')
	})

	it('while calls are open, unless that is forced', async () => {
		await target.client.query('update calls set status = \'dialing\', outcome = null')
		before = await target.content()
		expect(await refusal()).toContain('A call is open')
		await restoreBackup(file, target.access, { force: true })
		expect(await target.content()).toEqual(await source.content())
	})

	it('when a row cannot be stored in the middle of it', async () => {
		await target.client.query('alter table devices add constraint no_such check (label <> \'new\')')
		const numbers = await target.client.query('select last_value, is_called from call_events_id_seq')
		await expect(restoreBackup(file, target.access, force)).rejects.toMatchObject({ code: '23514' })
		expect(await target.content()).toEqual(before)
		expect((await target.client.query('select last_value, is_called from call_events_id_seq')).rows).toEqual(numbers.rows)
	})

	it('when the commit itself fails: the counting goes on where it was', async () => {
		await addRows(source.client, { uuid: randomUUID(), text: 'new', json: [], at: '2026-01-01' })
		await source.client.query('alter table call_events alter column id restart with 5000')
		file = await backup()
		await target.client.query('alter table devices add constraint once unique (label) deferrable initially deferred')
		await expect(restoreBackup(file, target.access, force)).rejects.toMatchObject({ code: '23505' })
		expect(await target.content()).toEqual(before)
		expect((await target.client.query('select last_value from call_events_id_seq')).rows).toEqual([{ last_value: '1' }])
	})

	it('when its connection is cut in the middle of it', async () => {
		// After the truncation and the first rows, the insert of the devices ends its own connection.
		await target.client.query('create function cut() returns boolean language sql volatile as $$ select pg_terminate_backend(pg_backend_pid()) $$')
		await target.client.query('alter table devices add constraint cut check (cut()) not valid')
		await expect(restoreBackup(file, target.access, force)).rejects.toThrow()
		await target.client.query('alter table devices drop constraint cut')
		expect(await target.content()).toEqual(before)
	})

	it('when somebody else holds a table', async () => {
		await target.client.query('begin')
		await target.client.query('lock table devices in access share mode')
		const error: unknown = await restoreBackup(file, target.access, { force: false, lockTimeoutMs: 50 }).catch((reason: unknown) => reason)
		await target.client.query('rollback')
		expect(error).toMatchObject({ code: '55P03' })
		expect(await target.content()).toEqual(before)
	})
})
