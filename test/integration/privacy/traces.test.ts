// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What lies on the disk and stands in the logs of a SIPCall with its own PostgreSQL and Redis, after everything that
// could leave a number, a name or a note there.

import type { KeysJson } from '../../../lib/http/routes/admin-keys.ts'
import type { CallJson, MeJson } from '../../../lib/http/schemas.ts'
import type { TestApp } from '../../support/app.ts'
import type { Sidecar } from '../../support/sidecar.ts'

import { Redis } from 'ioredis'
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadEncryptionKeys } from '../../../lib/privacy/key-file.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { ApiClient, startTestApp } from '../../support/app.ts'
import { onServer } from '../../support/database-server.ts'
import { findFreePort } from '../../support/free-port.ts'
import { spawnSidecar, untilUp } from '../../support/sidecar.ts'
import { indexOf, numberSpellings, search, textSpellings } from '../../support/spellings.ts'
import { storedText } from '../../support/stored-text.ts'

const LOOK_MS = 20

/** Long enough that no number stands anywhere by chance. */
const NUMBERS = {
	called: '+493091827364500',
	busy: '+493082736459117',
	transferred: '+493073645918222',
	refused: '+393912847560',
	sought: '+493064591827333',
	misplaced: '+493059182736444',
	notPlaced: '+493018273645955',
	phone: '+498998761234500',
	callerId: '+493045918273666',
	denied: '+498998761234577',
	contact: '+494036459182777',
}
const TEXTS = {
	note: 'Rückruf wegen Quastenflosser',
	changedNote: 'Besprochen mit Mirabellenbaum',
	failedNote: 'Unstorable Wolpertinger',
	tag: 'Zwetschgenrabatt',
	label: 'Zirbelstube oben',
	phoneLabel: 'Handapparat Firlefanz',
	reason: 'Verdacht auf Kuddelmuddel',
	typed: 'Donnerlittchen Schabernack',
	contactName: 'Sieglinde Krautwickel',
}

let storage: string
let test: TestApp
let sidecar: Sidecar
let output = ''

const as = (userId: string) => new ApiClient(sidecar.url, userId)
const databaseUrl = () => `postgresql://sipcall@${encodeURIComponent(path.join(storage, 'postgresql-16.socket'))}:5432/sipcall`
const keys = async () => new KeyRing(await loadEncryptionKeys(storage))

async function start(): Promise<void> {
	sidecar?.process.kill('SIGKILL')
	await sidecar?.exited
	sidecar = spawnSidecar({ ...test.environment, DATABASE_URL: '', REDIS_URL: '', DATABASE_ENCRYPTION_KEY: '', APP_PERSISTENT_STORAGE: storage, LOG_LEVEL: 'debug' }, await findFreePort())
	await untilUp(sidecar)
	await untilCalling()
}

async function untilCalling(): Promise<void> {
	for (let calling: string | undefined; calling !== 'ok'; await delay(LOOK_MS)) {
		calling = (await as('guest').get<Partial<MeJson>>('/me')).body.service?.calling
	}
}

/** The sidecar's whole output is kept, of PostgreSQL's and Redis's own log lines too. */
async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
	sidecar.process.kill(signal)
	await sidecar.exited
	output += sidecar.output()
}

async function ended(call: CallJson): Promise<CallJson> {
	await as('demo').hangUp(call.uuid)
	return as('demo').untilEnded(call.uuid)
}

/** Runs something while the database refuses what a rule forbids: the row's values stand in PostgreSQL's error. */
async function whileRefused(table: string, rule: string, work: () => Promise<number>): Promise<void> {
	await onServer(databaseUrl(), `alter table ${table} add constraint refused check (${rule}) not valid`)
	expect(await work()).toBeGreaterThanOrEqual(500)
	await onServer(databaseUrl(), `alter table ${table} drop constraint refused`)
}

/** Every statement that writes to a table of ours is kept beside the data, and so is looked through with them. */
async function keepStatements(): Promise<void> {
	await onServer(databaseUrl(), `create table statements (text text);
		create function keep_statement() returns trigger language plpgsql security definer as $$ begin insert into statements values (current_query()); return null; end $$`)
	const tables = await onServer<{ name: string }>(databaseUrl(), 'select table_name as name from information_schema.tables where table_schema = \'public\' and table_name <> \'statements\'')
	await onServer(databaseUrl(), tables.map(({ name }) => `create trigger keep_statement after insert or update or delete on ${name} for each statement execute function keep_statement()`).join('; '))
}

/** Where each of these stands: files of the volume, and the sidecar's output. */
async function places(sought: Record<string, Buffer[]>, only?: string): Promise<string[]> {
	const index = indexOf(sought)
	const files = (await readdir(storage, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile() && (only === undefined || entry.name === only))
	const found: string[] = []
	for (const { parentPath, name } of files) {
		const file = path.join(parentPath, name)
		found.push(...search(await readFile(file), index).map((what) => `${what} in ${path.relative(storage, file)}`))
	}
	return [...found, ...search(Buffer.from(output), index).map((what) => `${what} in the log`)]
}

function wanted() {
	return {
		...Object.fromEntries(Object.entries(NUMBERS).map(([name, number]) => [name, numberSpellings(number)])),
		...Object.fromEntries(Object.entries(TEXTS).map(([name, text]) => [name, textSpellings(text)])),
	}
}

/** What Redis holds, as a file on the volume. */
async function dumpRedis(): Promise<number> {
	const redis = new Redis(path.join(storage, 'redis.socket', 'redis.sock'))
	try {
		await redis.config('SET', 'rdbcompression', 'no')
		await redis.save()
		return await redis.dbsize()
	} finally {
		redis.disconnect()
	}
}

beforeAll(async () => {
	storage = await mkdtemp(path.join(tmpdir(), 'sipcall-traces-'))
	// Under root the servers run as somebody else, who has to pass.
	await chmod(storage, 0o711)
	test = await startTestApp({ freeSwitch: { speed: 20 } })
	test.nextcloud.addressBooks.put('demo', 'one.vcf', `BEGIN:VCARD\r\nVERSION:3.0\r\nUID:one\r\nFN:${TEXTS.contactName}\r\nTEL;TYPE=CELL:${NUMBERS.contact}\r\nEND:VCARD\r\n`)
	await start()
}, 120_000)

afterAll(async () => {
	sidecar?.process.kill('SIGKILL')
	await sidecar?.exited
	await test?.stop()
	// The servers that a killed sidecar leaves end by themselves only when the next one starts.
	await rm(storage, { recursive: true, force: true, maxRetries: 20 })
})

describe('a number, a name or a note', () => {
	it('is in no file of the volume and in no line of a log, in whatever spelling, after calls, failed statements, crashes and a change of the key', async () => {
		await keepStatements()
		const demo = as('demo')
		const done = async (status: number, answer: Promise<{ status: number, text: string }>) => {
			const { status: is, text } = await answer
			expect([is, is === status ? '' : text]).toEqual([status, ''])
		}
		await done(200, demo.request('POST', '/admin/config', { homeCountry: 'DE', allowedGroups: null, gateways: ['trunk'], callsPerMinute: 1000, maxConcurrentPerUser: 3, deniedPrefixes: [NUMBERS.denied], callerIds: [{ number: NUMBERS.callerId, label: 'Office' }] }))
		await done(200, demo.request('PUT', '/me', { devices: [{ kind: 'sip', label: TEXTS.label, address: '1000' }, { kind: 'phone', label: TEXTS.phoneLabel, address: NUMBERS.phone }] }))
		await done(200, demo.request('PUT', '/admin/users/guest', { lock: { until: '2099-01-01T00:00:00.000Z', reason: TEXTS.reason } }))

		// Calls, and what is written to them.
		const { body: call } = await demo.call(NUMBERS.called, { note: TEXTS.note, callerId: NUMBERS.callerId, key: 'first' })
		await demo.until(call.uuid, ({ status }) => status === 'connected')
		await done(200, demo.request('PUT', `/call/${call.uuid}`, { note: TEXTS.changedNote, tags: [TEXTS.tag] }))
		await done(202, demo.request('POST', `/call/${call.uuid}/transfer`, { to: NUMBERS.transferred }))
		await demo.untilEnded(call.uuid)
		const { body: busy } = await demo.call(`${NUMBERS.busy},,12#`)
		await demo.untilEnded(busy.uuid)
		const { devices } = (await demo.get<MeJson>('/me')).body
		await done(202, demo.request('POST', `/me/devices/${devices.find(({ kind }) => kind === 'phone')?.id}/verify`, {}))

		// What was refused, looked for, or put where it does not belong.
		await done(422, demo.call(NUMBERS.refused))
		await done(422, demo.call(TEXTS.typed))
		await done(400, demo.request('POST', '/call', `{"to":"${NUMBERS.misplaced}","note":"${TEXTS.typed}"`))
		await done(200, demo.get(`/call-history?number=${encodeURIComponent(NUMBERS.sought)}&tag=${TEXTS.tag}`))
		await done(400, demo.get(`/call-status/${encodeURIComponent(NUMBERS.misplaced)}`))
		await done(404, demo.get(`/${encodeURIComponent(`${NUMBERS.misplaced} ${TEXTS.typed}`)}`))
		await done(200, demo.get(`/contacts?search=${encodeURIComponent(TEXTS.contactName)}`))
		await done(200, demo.get(`/contacts?number=${encodeURIComponent(NUMBERS.contact)}`))

		// Statements that fail.
		await whileRefused('calls', 'note is null', async () => (await demo.request('PUT', `/call/${busy.uuid}`, { note: TEXTS.failedNote })).status)
		await whileRefused('calls', 'false', async () => (await demo.call(NUMBERS.notPlaced, { note: TEXTS.failedNote })).status)
		await whileRefused('devices', 'false', async () => (await demo.request('PUT', '/me', { devices: [{ kind: 'phone', label: TEXTS.phoneLabel, address: NUMBERS.phone }] })).status)

		// PostgreSQL is killed beside a call that goes on, then the sidecar.
		const { body: open } = await demo.call(NUMBERS.called, { note: TEXTS.note })
		await demo.until(open.uuid, ({ status }) => status === 'connected')
		process.kill(Number((await readFile(path.join(storage, 'postgresql-16', 'postmaster.pid'), 'utf8')).split('\n')[0]), 'SIGKILL')
		await untilCalling()
		await end('SIGKILL')
		await start()
		expect((await ended(open)).outcome).toBe('completed')

		// A change of the key.
		const { body: changed } = await as('demo').request<KeysJson>('POST', '/admin/keys/rotate', {})
		for (let left = 1; left > 0; await delay(LOOK_MS)) {
			const { body } = await as('demo').get<KeysJson>('/admin/keys')
			left = body.state === 'idle' ? body.rows.left : 1
		}
		expect(await as('demo').get<CallJson>(`/call-status/${open.uuid}`)).toMatchObject({ body: { to: NUMBERS.called, note: TEXTS.note } })
		const [row] = await onServer<{ count: number }>(databaseUrl(), 'select count(*)::int as count from statements')
		expect(row?.count).toBeGreaterThan(50)
		// Its counters have gone with its crash: the next attempt begins new ones.
		await done(422, as('demo').call(NUMBERS.refused))
		expect(await dumpRedis()).toBeGreaterThan(0)
		await end('SIGTERM')

		const found = await places({ ...wanted(), 'the active key’s id': [Buffer.from(`${changed.activeKid}:`)] })
		expect(found.filter((place) => !place.startsWith('the active key’s id'))).toEqual([])
		// It has been looked where the rows are, in the log of changes, in Redis and in the log.
		for (const folder of ['base', 'pg_wal']) {
			expect(found.join('\n')).toContain(` in postgresql-16/${folder}/`)
		}
		expect(await places({ start: [Buffer.from('SIPCall is up')] })).toContain('start as SIPCall is up in the log')
		expect((await readdir(path.join(storage, 'redis'))).includes('dump.rdb')).toBe(true)
	}, 300_000)

	it('would have been found', async () => {
		const file = path.join(storage, 'planted')
		try {
			for (const planted of [NUMBERS.called, '0049 30 91 82 73 64 500', Buffer.from(`x${NUMBERS.called}y`).toString('base64'), TEXTS.note, Buffer.from(`{"note":"${TEXTS.note}"}`, 'utf16le')]) {
				await writeFile(file, planted)
				expect((await places(wanted(), 'planted')).filter((place) => place.endsWith(' in planted'))).not.toEqual([])
			}
		} finally {
			await rm(file)
		}
	})

	it('is nowhere any more after it was erased, also for whoever has the keys', async () => {
		await start()
		const before = await storedText(databaseUrl(), await keys())
		for (const known of [NUMBERS.called, NUMBERS.busy, NUMBERS.phone, TEXTS.changedNote, TEXTS.tag, TEXTS.label]) {
			expect([known, before.includes(known)]).toEqual([known, true])
		}
		expect(await as('demo').request('POST', '/privacy/delete', { scope: 'all', confirm: true })).toMatchObject({ status: 200 })
		await onServer(databaseUrl(), 'drop table statements cascade')
		const ring = await keys()
		const after = await storedText(databaseUrl(), ring)
		const own = Object.entries({ ...NUMBERS, ...TEXTS }).filter(([name]) => name !== 'callerId' && name !== 'reason')
		for (const [name, text] of own) {
			expect([name, after.includes(text)]).toEqual([name, false])
		}
		for (const number of Object.values(NUMBERS)) {
			expect(after).not.toContain(ring.blindIndex('number', number))
		}
		await as('demo').request('POST', '/admin/audit-log/verify', {})
		let verified: { state?: string } = {}
		for (; verified.state !== 'done'; await delay(LOOK_MS)) {
			verified = (await as('demo').get<{ state: string }>('/admin/audit-log/verify')).body
		}
		expect(verified).toEqual({ state: 'done', entries: expect.any(Number) as number, seal: expect.any(String) as string, startedAt: expect.any(String) as string, checkedAt: expect.any(String) as string })
		await dumpRedis()
		await end('SIGTERM')
		expect(await places(wanted())).toEqual([])
	}, 120_000)
})
