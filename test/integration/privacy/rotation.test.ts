// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A change of the encryption key while the sidecar serves: what is read, found, counted and proven stays so.

import type { KeysJson } from '../../../lib/http/routes/admin-keys.ts'
import type { CallJson } from '../../../lib/http/schemas.ts'
import type { TestApp } from '../../support/app.ts'
import type { Sidecar } from '../../support/sidecar.ts'

import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { startApp } from '../../../lib/app.ts'
import { loadConfig } from '../../../lib/config.ts'
import { decryptColumn, ENCRYPTED_TABLES, WRAPPED_COLUMNS } from '../../../lib/db/encrypted-columns.ts'
import { encrypted, EncryptedText } from '../../../lib/db/encrypted-text.ts'
import { migrate, openDatabase } from '../../../lib/db/orm.ts'
import { loadEncryptionKeys } from '../../../lib/privacy/key-file.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { ApiClient, startTestApp } from '../../support/app.ts'
import { copyCalls } from '../../support/copy-calls.ts'
import { findFreePort } from '../../support/free-port.ts'
import { RecordedLog } from '../../support/recorded-log.ts'
import { spawnSidecar, untilUp } from '../../support/sidecar.ts'
import { keysOf } from '../../support/stored-text.ts'

const NUMBER = '+4930123400'
const TAG = 'Invoices'
const ROWS = 2000
const LOOK_MS = 20

const undo: (() => Promise<unknown>)[] = []

afterEach(async () => {
	for (const step of undo.splice(0).toReversed()) {
		await step()
	}
})

/** `storage`: the key lies on the volume. */
async function start({ storage }: { storage?: string } = {}): Promise<TestApp> {
	const test = await startTestApp({
		environment: storage === undefined ? {} : { APP_PERSISTENT_STORAGE: storage, DATABASE_ENCRYPTION_KEY: '' },
		overrides: { rotation: { pauseMs: 1, waitMs: 50 }, health: { freshMs: 0 } },
	})
	undo.push(() => test.stop())
	return test
}

async function volume(): Promise<string> {
	const folder = await mkdtemp(path.join(tmpdir(), 'sipcall-rotation-'))
	undo.push(() => rm(folder, { recursive: true }))
	return folder
}

/** A row of every kind, and one call so often that a change takes many steps. */
async function fill(test: TestApp, rows = ROWS): Promise<{ demo: ApiClient, call: CallJson }> {
	const demo = await test.prepare({ callerIds: [{ number: '+4930123456', label: 'Office' }], oauth: { clientId: 'client', clientSecret: 'a secret of the settings' } })
	await demo.request('PUT', '/me', { preferences: { country: 'FR' } })
	await demo.request('PUT', '/admin/users/guest', { lock: { until: '2099-01-01T00:00:00.000Z', reason: 'Asked for by Erika' } })
	const { body } = await demo.call(`${NUMBER},,12#`, { note: 'Ask for Erika', callerId: '+4930123456' })
	await demo.hangUp(body.uuid)
	await demo.untilEnded(body.uuid)
	const { body: call } = await demo.request<CallJson>('PUT', `/call/${body.uuid}`, { tags: [TAG] })
	const keys = test.environment.DATABASE_ENCRYPTION_KEY === '' ? new KeyRing(await loadEncryptionKeys(test.environment.APP_PERSISTENT_STORAGE ?? '')) : keysOf(test.environment)
	await copyCalls(test.database.url, keys, { uuid: call.uuid, rows, set: { user_id: '\'many\'', created_at: 'call.created_at - at * interval \'1 second\'', transfer: 'null', reserved_micros: 'null', cost_micros: 'null' } })
	return { demo, call }
}

async function connect(test: TestApp, keys?: KeyRing): Promise<Client> {
	const client = new Client({ connectionString: test.database.url })
	client.on('error', () => {})
	await client.connect()
	undo.push(() => client.end())
	for (const { kid, passphrase } of keys?.storageKeys ?? []) {
		await client.query('select set_config($1, $2, false), set_config(\'sipcall.kid\', $3, false)', [`sipcall.key_${kid}`, passphrase, keys?.activeKid])
	}
	return client
}

/** Keeps every second call from being changed by anybody else: so long a change is in the middle. */
async function holdHalf(test: TestApp): Promise<{ held: number, release: () => Promise<unknown> }> {
	const client = await connect(test)
	await client.query('begin')
	const { rowCount } = await client.query('select from (select uuid, row_number() over (order by uuid) as place from calls where user_id = \'many\') as numbered join calls using (uuid) where place % 2 = 0 for update of calls')
	return { held: rowCount ?? 0, release: () => client.query('rollback') }
}

/** A process of its own, to be killed. */
async function spawned(environment: Record<string, string>): Promise<{ sidecar: Sidecar, demo: ApiClient }> {
	const sidecar = spawnSidecar(environment, await findFreePort())
	undo.push(async () => {
		sidecar.process.kill('SIGKILL')
		await sidecar.exited
	})
	await untilUp(sidecar)
	return { sidecar, demo: new ApiClient(sidecar.url, 'demo') }
}

/** A new key in the environment, and the one of before as an earlier one. */
function changeKey(environment: Record<string, string>): void {
	environment.DATABASE_ENCRYPTION_KEYS_PREVIOUS = JSON.stringify([environment.DATABASE_ENCRYPTION_KEY])
	environment.DATABASE_ENCRYPTION_KEY = randomBytes(32).toString('base64')
}

async function until(client: ApiClient, isSo: (keys: KeysJson) => boolean): Promise<KeysJson> {
	for (;;) {
		const { body, status, text } = await client.get<KeysJson>('/admin/keys')
		if (status !== 200) {
			throw new Error(text)
		}
		if (isSo(body)) {
			return body
		}
		await delay(LOOK_MS)
	}
}

const isDone = ({ rows, state }: KeysJson) => state === 'idle' && rows.left === 0

/** Everything that hangs on a key, as a user and an admin see it. */
async function readAll(demo: ApiClient, { uuid }: CallJson): Promise<unknown> {
	const read = async (where: string, pick: (body: never) => unknown = (body) => body) => {
		const { status, body } = await demo.get<never>(where)
		return [where, status, pick(body)]
	}
	const items = ({ items: found }: { items: CallJson[] }) => found.filter((call) => call.uuid === uuid)
	return Promise.all([
		read(`/call-status/${uuid}`),
		read(`/call-history?number=${encodeURIComponent(NUMBER)}&limit=200`, items),
		read(`/call-history?tag=${TAG}&limit=200`, items),
		read('/me', ({ devices, callerIds, preferences }: Record<string, unknown>) => ({ devices, callerIds, preferences })),
		read('/admin/users?search=guest', ({ items: found }: { items: { lock: unknown }[] }) => found.map(({ lock }) => lock)),
		read('/admin/privacy/receipts', ({ items: found }: { items: { valid: boolean }[] }) => found.map(({ valid }) => valid)),
	])
}

/** All that is decrypted by somebody with these keys, in one order. */
async function plaintexts(test: TestApp, keys: KeyRing): Promise<string[]> {
	const client = await connect(test, keys)
	const texts: string[] = []
	for (const table of ENCRYPTED_TABLES.filter(({ name }) => name !== 'erasures')) {
		const { name, columns, key } = table
		const { rows } = await client.query<{ text: string }>(`select concat_ws('|', ${columns.map((column) => decryptColumn(table, column)).join(', ')}) as text from ${name} order by ${key}`)
		texts.push(...rows.map(({ text }) => `${name} ${text}`))
	}
	return texts
}

describe('the list of what is encrypted', () => {
	it('has every column that holds something encrypted when everything has happened, and no other', async () => {
		const test = await start()
		await fill(test, 1)
		const client = await connect(test, keysOf(test.environment))
		await client.query(`insert into erasures (id, begun_at, wish) values ($1::uuid, now(), ${encrypted('\'{}\'', '$1::uuid', 'wish')})`, [randomUUID()])
		const { rows: columns } = await client.query<{ table: string, column: string }>('select table_name as table, column_name as column from information_schema.columns where table_schema = \'public\'')
		const found: string[] = []
		for (const { table, column } of columns) {
			const { rows } = await client.query(`select from "${table}" where "${column}"::text ~ '[0-9a-f]{8}:[A-Za-z0-9+/]{40,}=*"?$' limit 1`)
			if (rows.length > 0) {
				found.push(`${table}.${column}`)
			}
		}
		const listed = [...ENCRYPTED_TABLES.flatMap(({ name, columns: all }) => all.map((column) => `${name}.${column.name}`)), ...WRAPPED_COLUMNS.map(({ table, column }) => `${table}.${column}`), 'encryption_keys.probe']
		expect(found.toSorted()).toEqual(listed.toSorted())
	})

	it('has every column that an entity encrypts', async () => {
		const test = await start()
		const orm = await openDatabase({ url: test.database.url, keys: keysOf(test.environment), logger: new RecordedLog() })
		undo.push(() => orm.close(true))
		const ofEntities = [...orm.getMetadata().getAll().values()].flatMap(({ tableName, props }) => props.filter(({ customType }) => customType instanceof EncryptedText).flatMap(({ fieldNames }) => fieldNames.map((name) => `${tableName}.${name}`)))
		expect(ofEntities.length).toBeGreaterThan(5)
		expect(ENCRYPTED_TABLES.flatMap(({ name, columns }) => columns.map((column) => `${name}.${column.name}`))).toEqual(expect.arrayContaining(ofEntities))
	})
})

describe('a change of the key in the environment', () => {
	it('fails no request and hides no row: half way, at the end, and when the earlier key is gone', async () => {
		const test = await start()
		const { demo: before, call } = await fill(test)
		await before.request('POST', '/privacy/delete', { scope: 'number', number: '+4930555001', confirm: true })
		const expected = await readAll(before, call)
		const texts = await plaintexts(test, keysOf(test.environment))
		const { activeKid: earlier } = await until(before, isDone)
		const { held, release } = await holdHalf(test)
		const index = keysOf(test.environment).blindIndex('number', NUMBER)
		await test.app.stop()
		changeKey(test.environment)
		await test.restart()
		const demo = test.as('demo')

		const middle = await until(demo, ({ rows }) => rows.left === held)
		expect(middle).toMatchObject({ state: 'running', source: 'environment', activeKid: keysOf(test.environment).activeKid, earlier: [{ kid: earlier, loaded: true, rows: held }] })
		expect(await readAll(demo, call)).toEqual(expected)
		expect((await test.as('many').get<{ items: CallJson[] }>(`/call-history?number=${encodeURIComponent(NUMBER)}&limit=200`)).body.items).toHaveLength(200)
		const placed = await demo.call(NUMBER, { note: 'Placed meanwhile' })
		expect(placed.status).toBe(202)
		await demo.hangUp(placed.body.uuid)
		expect(await demo.untilEnded(placed.body.uuid)).toMatchObject({ note: 'Placed meanwhile', to: NUMBER })
		// An earlier key that rows need is not forgotten, and a second change must wait.
		expect(await test.database.query('select kid from encryption_keys order by kid')).toHaveLength(2)
		expect((await demo.request('POST', '/admin/keys/rotate', {})).status).toBe(409)

		await release()
		expect(await until(demo, isDone)).toMatchObject({ rows: { left: 0 }, unreadable: 0, earlier: [{ kid: earlier, loaded: true, rows: 0, backups: [] }] })
		await demo.request('POST', '/privacy/delete', { scope: 'calls', confirm: true }).then(({ status }) => expect(status).toBe(200))
		const { items: log } = (await demo.get<{ items: { action: string, detail: Record<string, unknown> }[] }>('/admin/audit-log')).body
		expect(log.map(({ action, detail }) => action.startsWith('key.') ? [action, detail] : [])).toEqual(expect.arrayContaining([
			['key.changed', { from: earlier, to: keysOf(test.environment).activeKid }],
			['key.retired', { kid: earlier }],
		]))
		expect((await demo.get<{ parts: { code: string, values: unknown }[] }>('/admin/health')).body.parts).toEqual(expect.arrayContaining([expect.objectContaining({ code: 'key_unneeded', values: { keys: earlier } })]))

		delete test.environment.DATABASE_ENCRYPTION_KEYS_PREVIOUS
		await test.restart()
		const last = test.as('demo')
		expect(await until(last, isDone)).toMatchObject({ earlier: [] })
		expect(await plaintexts(test, keysOf(test.environment))).toEqual(texts.toSpliced(texts.findIndex((text) => text.startsWith('calls ')), 1))
		// What was sealed and counted under the key that is gone is still proven and found.
		await last.request('POST', '/admin/audit-log/verify', {})
		await until(last, isDone)
		for (let state = ''; state !== 'done';) {
			const { body } = await last.get<{ state: string, broken?: unknown }>('/admin/audit-log/verify')
			expect(body.broken).toBeUndefined()
			state = body.state
		}
		expect((await last.get<{ items: { valid: boolean }[] }>('/admin/privacy/receipts')).body.items.map(({ valid }) => valid)).toEqual([true, true])
		expect(await test.database.query(`select count(*)::int as calls from calls where to_index = '${index}'`)).toEqual([{ calls: ROWS }])
		expect((await test.as('many').get<{ items: CallJson[] }>(`/call-history?number=${encodeURIComponent(NUMBER)}&limit=1`)).body.items).toMatchObject([{ to: NUMBER, note: 'Ask for Erika', tags: [TAG] }])
	}, 120_000)

	it('that took the earlier key away too early is refused by its id, and changes nothing', async () => {
		const test = await start()
		await fill(test, 10)
		const { activeKid } = keysOf(test.environment)
		await test.app.stop()
		const all = () => test.database.query<{ row: string }>('select calls::text as row from calls union all select encryption_keys::text from encryption_keys union all select index_key::text from index_key union all select seal_keys::text from seal_keys order by 1')
		const before = await all()
		for (const forget of ['', 'delete from encryption_keys; delete from index_key; delete from seal_keys']) {
			const keys = new KeyRing([randomBytes(32)])
			const orm = await openDatabase({ url: test.database.url, keys, logger: new RecordedLog() })
			undo.push(() => orm.close(true))
			await test.database.query(forget)
			await expect(migrate(orm, keys)).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringMatching(new RegExp(`key ${activeKid}, which is not loaded.*Nothing was changed`)) })
			expect(await all()).toEqual(forget === '' ? before : before.filter(({ row }) => row.includes('Desk') || row.length > 500))
		}
	})

	it('is resumed after kill -9 in the middle, by a start that knows both keys', async () => {
		const test = await start()
		await fill(test)
		const texts = await plaintexts(test, keysOf(test.environment))
		const { held, release } = await holdHalf(test)
		await test.app.stop()
		changeKey(test.environment)
		const first = await spawned(test.environment)
		await until(first.demo, ({ rows }) => rows.left === held)
		first.sidecar.process.kill('SIGKILL')
		await first.sidecar.exited
		await release()

		const second = await spawned(test.environment)
		await until(second.demo, isDone)
		expect(await plaintexts(test, keysOf(test.environment))).toEqual(texts)
		expect(first.sidecar.output() + second.sidecar.output()).not.toMatch(/Erika|123400|Desk/)
	}, 120_000)

	it('is left to the server that started last where two have different active keys', async () => {
		const test = await start()
		const { demo } = await fill(test, 50)
		const { activeKid } = await until(demo, isDone)
		const other = { ...test.environment }
		changeKey(other)
		// The first server knows the other's key, as an earlier one.
		test.environment.DATABASE_ENCRYPTION_KEYS_PREVIOUS = JSON.stringify([other.DATABASE_ENCRYPTION_KEY])
		await test.restart()
		const second = await startApp({ ...loadConfig(other), listen: { host: '127.0.0.1', port: 0 } }, new RecordedLog(), { rotation: { pauseMs: 1, waitMs: 50 } })
		undo.push(() => second.stop())
		await second.ready
		const { activeKid: newer } = await until(new ApiClient(second.url, 'demo'), isDone)
		expect(newer).not.toBe(activeKid)
		const first = test.as('demo')
		expect(await first.get<KeysJson>('/admin/keys')).toMatchObject({ body: { activeKid, newerElsewhere: true } })
		// What the first one writes is the second one's to bring along, and both read it.
		const { body } = await first.call(NUMBER, { note: 'Of the first' })
		await first.hangUp(body.uuid)
		await first.untilEnded(body.uuid)
		expect((await new ApiClient(second.url, 'demo').get<CallJson>(`/call-status/${body.uuid}`)).body).toMatchObject({ to: NUMBER, note: 'Of the first' })
	})

	it('leaves a row that cannot be decrypted as it is, tells of it, and does all others', async () => {
		const test = await start()
		const { demo } = await fill(test, 250)
		await until(demo, isDone)
		await test.app.stop()
		const { activeKid } = keysOf(test.environment)
		await test.database.query(`update calls set note = '${activeKid}:AAAA' where uuid in (select uuid from calls where user_id = 'many' order by uuid limit 1 offset 120)`)
		changeKey(test.environment)
		await test.restart()
		expect(await until(test.as('demo'), ({ state, unreadable }) => state === 'idle' && unreadable === 1)).toMatchObject({ rows: { left: 1 }, earlier: [{ kid: activeKid, rows: 1 }] })
		expect(await test.database.query(`select note from calls where note like '${activeKid}:%'`)).toEqual([{ note: `${activeKid}:AAAA` }])
		expect((await test.as('demo').get<{ parts: { code: string }[] }>('/admin/health')).body.parts.map(({ code }) => code)).toContain('rows_unreadable')
	})
})

describe('a change of the key on the volume', () => {
	it('needs no restart: nothing that is asked for meanwhile fails, and both keys lie there for their owner alone', async () => {
		const storage = await volume()
		const test = await start({ storage })
		const { demo, call } = await fill(test)
		const expected = await readAll(demo, call)
		const earlier = await readFile(path.join(storage, 'encryption.key'), 'utf8')
		const { activeKid } = await until(demo, isDone)
		const { release } = await holdHalf(test)

		let isChanged = false
		const asking = (async () => {
			for (let at = 0; !isChanged; at++) {
				expect(await readAll(demo, call)).toEqual(expected)
				const placed = await demo.call(NUMBER, { note: `Call ${at}`, key: randomUUID() })
				expect(placed).toMatchObject({ status: 202, body: { note: `Call ${at}` } })
				await demo.hangUp(placed.body.uuid)
				await demo.untilEnded(placed.body.uuid)
			}
		})()
		const answer = await demo.request<KeysJson>('POST', '/admin/keys/rotate', {})
		expect(answer).toMatchObject({ status: 202, body: { source: 'volume', state: 'running', earlier: [{ kid: activeKid }] } })
		expect(answer.body.activeKid).not.toBe(activeKid)
		await release()
		await until(demo, isDone)
		isChanged = true
		await asking

		const kept = `encryption-${activeKid}.key`
		expect((await readdir(storage)).filter((name) => name.startsWith('encryption')).toSorted()).toEqual([kept, 'encryption.key'].toSorted())
		expect(await readFile(path.join(storage, kept), 'utf8')).toBe(earlier)
		for (const name of [kept, 'encryption.key']) {
			expect((await stat(path.join(storage, name))).mode & 0o777).toBe(0o600)
		}
		await test.restart()
		expect(await readAll(test.as('demo'), call)).toEqual(expected)
		// Nothing needs the earlier one, and the file may go.
		await rm(path.join(storage, kept))
		await test.restart()
		expect(await readAll(test.as('demo'), call)).toEqual(expected)
		expect(await until(test.as('demo'), isDone)).toMatchObject({ activeKid: answer.body.activeKid, earlier: [] })
	}, 120_000)

	it('is told at the console line by line, and what still needs the earlier key', async () => {
		const storage = await volume()
		const test = await start({ storage })
		const { demo } = await fill(test, 50)
		const { activeKid } = await until(demo, isDone)
		await test.app.backups.create()
		test.nextcloud.exAppUrl = test.url
		await test.nextcloud.disable()
		expect(await test.nextcloud.enable()).toMatchObject({ exitCode: 0 })
		const { output } = await test.nextcloud.occ('sipcall:rotate-keys')
		const [backup] = await test.app.backups.list()
		expect(output).toMatch(/^The key [0-9a-f]{8} is active now\. .*\n(\[[#-]{20}\] .* rows\n)+The key [0-9a-f]{8} is active since .*; it comes from the volume\.\nAll \d+ rows are under it\.\n/)
		expect(output).toContain(`The earlier key ${activeKid} is still needed for: the backup ${backup?.name}.\n`)
		// The same lines, without a change.
		const { activeKid: now } = await until(demo, isDone)
		expect((await test.nextcloud.occ('sipcall:rotate-keys', [], { status: true })).output).toContain(`The key ${now} is active`)
		expect(await until(demo, isDone)).toMatchObject({ activeKid: now })
		// A backup of before is under the earlier key: it is restored, and brought under the active one.
		await test.app.backups.restore(backup?.name ?? '')
		expect(await until(demo, isDone)).toMatchObject({ activeKid: now, rows: { left: 0 } })
		expect((await demo.get<{ items: CallJson[] }>(`/call-history?number=${encodeURIComponent(NUMBER)}`)).body.items).toMatchObject([{ note: 'Ask for Erika' }])
	})

	it('is not what a key in the environment can have: that is told', async () => {
		const test = await start()
		await test.prepare()
		const refused = await test.as('demo').request('POST', '/admin/keys/rotate', {})
		expect(refused).toMatchObject({ status: 409, body: { code: 'wrong_state', detail: expect.stringContaining('DATABASE_ENCRYPTION_KEYS_PREVIOUS') } })
		expect(loadConfig(test.environment).encryptionKeys).toHaveLength(1)
	})
})
