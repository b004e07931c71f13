// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What was erased does not come back, by whatever way older data do: through the whole sidecar.

import type { RunningApp } from '../../../lib/app.ts'
import type { ReceiptJson } from '../../../lib/http/receipts.ts'
import type { CallJson, MeJson } from '../../../lib/http/schemas.ts'
import type { TestApp } from '../../support/app.ts'
import type { TestDatabase } from '../../support/database.ts'

import { createHash, createHmac, randomBytes } from 'node:crypto'
import { appendFile, copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startApp } from '../../../lib/app.ts'
import { loadConfig } from '../../../lib/config.ts'
import { openDatabase } from '../../../lib/db/orm.ts'
import { AuditRepository } from '../../../lib/db/repositories/audit-repository.ts'
import { JournalRepository } from '../../../lib/db/repositories/journal-repository.ts'
import { JournalFile } from '../../../lib/privacy/journal-file.ts'
import { ApiClient, startTestApp } from '../../support/app.ts'
import { createTestDatabase } from '../../support/database.ts'
import { keptLog } from '../../support/kept-log.ts'
import { keysOf, storedText } from '../../support/stored-text.ts'
import { until } from '../../support/until.ts'

const MOBILE = '+4915123456701'
const TYPED = '0151 / 23 45 67 01'
const OTHER = '+4930123402'
/** Rings, is answered, and talks on until somebody hangs up. */
const ENDLESS = '+4930123400'
const USERS = ['demo', 'guest', 'third']

let test: TestApp
let volume: string
const undo: (() => Promise<unknown>)[] = []

beforeEach(async () => {
	volume = await mkdtemp(path.join(tmpdir(), 'sipcall-journal-'))
	undo.push(() => rm(volume, { recursive: true }))
	test = await startTestApp({ freeSwitch: { speed: 20 }, environment: { APP_PERSISTENT_STORAGE: volume }, overrides: { sweepMs: 50, settleMs: 0, retentionMs: 50 } })
	undo.push(() => test.stop())
	test.nextcloud.users.add({ id: 'third', displayName: 'Third', groups: [] })
	await test.prepare({ deviceVerification: { phone: 'none', sip: 'none' } })
	for (const userId of USERS) {
		await test.as(userId).request('PUT', '/me', { devices: [{ kind: 'sip', label: `Desk of ${userId}`, address: '1000' }] })
	}
})

afterEach(async () => {
	for (const step of undo.splice(0).toReversed()) {
		await step()
	}
})

const journalFile = (folder = volume) => path.join(folder, 'erasures.journal')
const journalText = (folder = volume) => readFile(journalFile(folder), 'utf8')
const idsIn = (text: string) => [...text.matchAll(/"id":"([^"]+)"/g)].map(([, id]) => id)

async function called(userId: string, to: string, wish: Record<string, unknown> = {}): Promise<CallJson> {
	const client = test.as(userId)
	const { status, text, body } = await client.call(to, wish)
	expect([status, text]).toEqual([202, expect.any(String)])
	await client.hangUp(body.uuid)
	return client.untilEnded(body.uuid)
}

async function erase(userId: string, body: Record<string, unknown>, at = '/privacy/delete'): Promise<ReceiptJson> {
	const answer = await test.as(userId).request<ReceiptJson>('POST', at, { ...body, confirm: true })
	expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
	return answer.body
}

const eraseAsAdmin = (body: Record<string, unknown>) => erase('demo', body, '/admin/privacy/delete')
const history = async (userId: string) => (await test.as(userId).get<{ items: CallJson[] }>('/call-history')).body.items
const audit = async (action: string) => (await test.as('demo').get<{ items: { detail: object }[] }>(`/admin/audit-log?action=${action}`)).body.items

/** All that is stored, in clear and without what people put between digits. */
async function stored(database: TestDatabase = test.database): Promise<string> {
	return (await storedText(database.url, keysOf(test.environment))).replaceAll(/[ /().-]/g, '')
}

async function expectWholeAuditLog(): Promise<void> {
	test.nextcloud.exAppUrl = test.url
	await test.nextcloud.disable()
	await test.nextcloud.enable()
	expect((await test.nextcloud.occ('sipcall:audit:verify')).output).toMatch(/ are in order\. The seal/)
}

/** Everything that can hold a number: calls of three users, a transfer, a phone, a typed number, notes and a key. */
async function fillWithNumber(): Promise<void> {
	await test.as('guest').request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk of guest', address: '1000' }, { kind: 'phone', label: 'Mobile of Erika', address: MOBILE }] })
	for (const userId of USERS) {
		await called(userId, TYPED, { note: `Erika for ${userId}`, key: `${userId} ${MOBILE}` })
		await called(userId, OTHER, { note: `Kept by ${userId}` })
	}
	const { body } = await test.as('demo').call(ENDLESS)
	await test.as('demo').until(body.uuid, ({ status }) => status === 'connected')
	expect(await test.as('demo').request('POST', `/call/${body.uuid}/transfer`, { to: MOBILE })).toMatchObject({ status: 202 })
	await test.as('demo').untilEnded(body.uuid)
}

const traces = () => ['23456701', 'Erika', keysOf(test.environment).blindIndex('number', MOBILE), keysOf(test.environment).blindIndex('phone', MOBILE)]

/** Puts the data back as somebody does who restores a copy of the database past SIPCall: they do not know of what came later. */
async function putBack(name: string): Promise<void> {
	await rename(journalFile(), `${journalFile()}.away`)
	await test.database.query('delete from erasure_journal')
	await test.app.backups.restore(name)
	await rm(journalFile())
}

async function bringJournalBack(): Promise<void> {
	await rename(`${journalFile()}.away`, journalFile())
	await test.restart()
}

describe('a number that was erased for everybody', () => {
	it('does not come back with an older backup, in no table and no spelling; all else does', async () => {
		await fillWithNumber()
		const { name } = await test.app.backups.create()
		const receipt = await eraseAsAdmin({ number: MOBILE })
		expect(receipt.counts).toMatchObject({ calls: 3, transfers: 1, devices: 1 })
		await test.app.backups.restore(name)

		const left = await stored()
		for (const trace of traces()) {
			expect(left).not.toContain(trace)
		}
		expect(await audit('data.erased_again')).toMatchObject([{ actor: { kind: 'system' }, detail: { receipt: receipt.receiptId, scope: 'number', calls: 3, transfers: 1, devices: 1 } }])
		for (const userId of USERS) {
			expect((await history(userId)).filter(({ to }) => to === OTHER)).toMatchObject([{ note: `Kept by ${userId}` }])
			expect((await history(userId)).filter(({ erased }) => erased === true)).not.toEqual([])
		}
		expect((await test.as('guest').get<MeJson>('/me')).body.devices).toMatchObject([{ label: 'Desk of guest', isDefault: true }])
		await expectWholeAuditLog()
	})

	it('does come back when the journal is not there, so that the other tests prove something', async () => {
		await fillWithNumber()
		const { name } = await test.app.backups.create()
		await eraseAsAdmin({ number: MOBILE })
		await putBack(name)
		for (const trace of traces().slice(0, 3)) {
			expect(await stored()).toContain(trace)
		}
	})

	it('goes from data that somebody else has put back, at the next start; later calls to it stay', async () => {
		const before = await called('guest', MOBILE)
		const { name } = await test.app.backups.create()
		await eraseAsAdmin({ number: MOBILE })
		await putBack(name)
		const later = await called('guest', MOBILE)
		expect(later.to).toBe(MOBILE)
		await test.as('third').request('PUT', '/me', { devices: [{ kind: 'phone', label: 'Erika', address: MOBILE }] })
		await bringJournalBack()
		expect(await history('guest')).toMatchObject([{ uuid: later.uuid, to: MOBILE }, { uuid: before.uuid, to: '', erased: true }])
		expect((await test.as('third').get<MeJson>('/me')).body.devices).toMatchObject([{ address: MOBILE }])
	})

	it('is called again later, and that call comes back with a backup of later', async () => {
		await eraseAsAdmin({ number: MOBILE })
		await test.as('third').request('PUT', '/me', { devices: [{ kind: 'phone', label: 'Erika', address: MOBILE }] })
		const later = await called('guest', MOBILE, { note: 'Erika again' })
		const { name } = await test.app.backups.create()
		await test.app.backups.restore(name)
		expect(await history('guest')).toMatchObject([{ uuid: later.uuid, to: MOBILE, note: 'Erika again' }])
		expect((await test.as('third').get<MeJson>('/me')).body.devices).toMatchObject([{ address: MOBILE }])
		expect(await audit('data.erased_again')).toEqual([])
	})

	it('goes from the calls of one user alone where only she erased it', async () => {
		const own = await called('guest', MOBILE)
		const others = await called('third', MOBILE)
		const { name } = await test.app.backups.create()
		await erase('guest', { scope: 'number', number: MOBILE })
		await test.app.backups.restore(name)
		expect(await history('guest')).toMatchObject([{ uuid: own.uuid, to: '', erased: true }])
		expect(await history('third')).toMatchObject([{ uuid: others.uuid, to: MOBILE }])
	})

	it('goes from a masked call as well, for as long as limits find it there', async () => {
		const { uuid } = await called('guest', MOBILE)
		await test.as('demo').request('POST', '/admin/config', { retention: { callsDays: 90, maskAfterDays: 0, auditDays: 730 } })
		// The next run of retention masks it.
		await until(() => history('guest'), ([call]) => call?.masked === true)
		const { name } = await test.app.backups.create()
		await eraseAsAdmin({ number: MOBILE })
		await test.app.backups.restore(name)
		expect(await history('guest')).toMatchObject([{ uuid, to: '', erased: true }])
	})

	it('goes from a call whose text is damaged, and from those beside it', async () => {
		const [damaged, whole] = [await called('guest', MOBILE), await called('third', MOBILE)]
		await test.database.query(`update calls set to_number = left(to_number, 9) || 'AAAA' where uuid = '${damaged.uuid}'`)
		const { name } = await test.app.backups.create()
		await eraseAsAdmin({ number: MOBILE })
		await test.app.backups.restore(name)
		expect(await history('guest')).toMatchObject([{ uuid: damaged.uuid, to: '', erased: true }])
		expect(await history('third')).toMatchObject([{ uuid: whole.uuid, to: '', erased: true }])
	})
})

describe('a user whom an administrator has erased', () => {
	it('does not come back with an older backup, nor by a copy of the whole database', async () => {
		await called('guest', OTHER, { note: 'Written by the guest' })
		const kept = await called('third', OTHER)
		await test.as('guest').request('PUT', '/me', { preferences: { country: 'FR' } })
		await test.as('demo').request('PUT', '/admin/users/guest', { limits: { callsPerDay: 3 } })
		const { name } = await test.app.backups.create()
		await eraseAsAdmin({ userId: 'guest' })
		await test.app.backups.restore(name)
		expect(await stored()).not.toMatch(/guest/i)
		expect(await history('third')).toMatchObject([{ uuid: kept.uuid, to: OTHER }])
		await expectWholeAuditLog()

		await putBack(name)
		// A copy of the whole database holds also what our backups leave out.
		await test.database.query('insert into audit_subjects (user_id, reference, created_at) values (\'guest\', \'0123456789abcdef0123456789abcdef\', \'2026-01-01\') on conflict (user_id) do update set created_at = excluded.created_at')
		await test.database.query('insert into sign_ins (id, user_id, created_at, expires_at) values (gen_random_uuid(), \'guest\', \'2026-01-01\', \'2099-01-01\')')
		expect(await stored()).toMatch(/guest/)
		await bringJournalBack()
		expect(await stored()).not.toMatch(/guest/i)
	})

	it('and has come back stays with what is new of her', async () => {
		await called('guest', OTHER)
		const { name } = await test.app.backups.create()
		await eraseAsAdmin({ userId: 'guest' })
		await putBack(name)
		await test.as('guest').request('PUT', '/me', { devices: [{ kind: 'sip', label: 'A new desk', address: '1001' }], preferences: { country: 'FR' } })
		const later = await called('guest', OTHER)
		const reference = () => test.database.query('select reference from audit_subjects where user_id = \'guest\'')
		const [known] = await reference()
		await bringJournalBack()
		expect(await history('guest')).toMatchObject([{ uuid: later.uuid }])
		expect(await reference()).toEqual([known])
		expect((await test.as('guest').get('/me')).body).toMatchObject({ devices: [{ label: 'A new desk' }], preferences: { country: 'FR' } })
	})
})

describe('what users erase of themselves', () => {
	it('goes again, and what it has cost is counted once', async () => {
		const { uuid } = await called('guest', OTHER)
		await test.database.query(`update calls set cost_micros = 5000000, reserved_micros = 6000000, currency = 'EUR' where uuid = '${uuid}'`)
		const { name } = await test.app.backups.create()
		await erase('guest', { scope: 'all' })
		const counted = () => test.database.query('select (select sum(micros)::text from spent_before) as spent, (select count(*)::int from erased_calls) as limits, (select sum(calls)::int from call_sums) as calls, (select sum(cost_micros)::text from call_sums) as cost')
		const before = await counted()
		expect(before).toEqual([{ spent: '5000000', limits: 1, calls: 1, cost: '5000000' }])
		await test.app.backups.restore(name)
		expect(await history('guest')).toEqual([])
		expect((await test.as('guest').get<MeJson>('/me')).body.devices).toEqual([])
		expect(await counted()).toEqual(before)

		await test.database.query('delete from erasure_journal')
		await test.restart()
		expect(await audit('data.erased_again')).toMatchObject([{ detail: { calls: 1, devices: 1 } }])
	})
})

describe('the journal', () => {
	it('holds no number, no user and no hash that could be tried out without its key, and is its owner’s alone', async () => {
		await fillWithNumber()
		const receipts = [await erase('guest', { scope: 'number', number: MOBILE }), await eraseAsAdmin({ number: MOBILE }), await erase('third', { scope: 'calls' }), await eraseAsAdmin({ userId: 'guest' })]
		const text = await journalText()
		expect(idsIn(text)).toEqual(receipts.map(({ receiptId }) => receiptId))
		const keys = keysOf(test.environment)
		const values = [MOBILE, MOBILE.slice(1), `0${MOBILE.slice(3)}`, 'guest', 'third']
		const plain = ['sha256', 'sha1', 'md5'].flatMap((algorithm) => values.map((value) => createHash(algorithm).update(value).digest('hex')))
		const ofIndexes = [keys.blindIndex('number', MOBILE), keys.blindIndex('user', 'guest'), createHmac('sha256', Buffer.from(test.environment.DATABASE_ENCRYPTION_KEY ?? '', 'base64')).update(`number\n${MOBILE}`).digest('hex')]
		for (const trace of [...values.slice(0, 3), '23456701', 'guest', 'third', 'Erika', ...plain, ...ofIndexes]) {
			expect(text).not.toContain(trace)
		}
		expect((await stat(journalFile())).mode & 0o777).toBe(0o600)
		expect(await test.database.query('select line from erasure_journal order by at')).toEqual(text.split('\n').filter((line) => line.includes('"id"')).map((line) => ({ line })))
	})

	it('is written before anything is erased: what was cut off in between is erased at the next start, also when nobody knows of the wish', async () => {
		const { uuid } = await called('guest', MOBILE, { note: 'Erika' })
		await test.database.query('alter table erasure_receipts add constraint full_disk check (false) not valid')
		expect(await test.as('demo').request('POST', '/admin/privacy/delete', { number: MOBILE, confirm: true })).toMatchObject({ status: 500 })
		expect(await history('guest')).toMatchObject([{ uuid, to: MOBILE }])
		expect(idsIn(await journalText())).toHaveLength(1)
		expect(await test.database.query('select from erasure_journal')).toEqual([])
		await test.database.query('alter table erasure_receipts drop constraint full_disk')
		await test.database.query('delete from erasures')
		await test.restart()
		expect(await history('guest')).toMatchObject([{ uuid, to: '', erased: true }])
		expect(await stored()).not.toMatch(/23456701|Erika/)
	})

	it('leaves what is begun to whoever has begun it: one receipt, with what was erased', async () => {
		await called('guest', MOBILE)
		await test.database.query('alter table erasure_receipts add constraint full_disk check (false) not valid')
		expect(await test.as('demo').request('POST', '/admin/privacy/delete', { number: MOBILE, confirm: true })).toMatchObject({ status: 500 })
		await test.database.query('alter table erasure_receipts drop constraint full_disk')
		await test.restart()
		const receipts = await until(() => test.database.query<{ calls: string }>('select counts ->> \'calls\' as calls from erasure_receipts'), (found) => found.length > 0)
		expect(receipts).toEqual([{ calls: '1' }])
		expect(await audit('data.erased_again')).toEqual([])
		const { name } = await test.app.backups.create()
		await test.app.backups.restore(name)
		expect(await audit('data.erased_again')).toEqual([])
	})

	it('erases nothing, and changes nothing, when the volume cannot take the line; the erasure is noted', async () => {
		const { uuid } = await called('guest', MOBILE)
		await rm(journalFile(), { force: true })
		await mkdir(journalFile())
		const answer = await test.as('demo').request('POST', '/admin/privacy/delete', { number: MOBILE, confirm: true })
		expect(answer).toMatchObject({ status: 503, body: { code: 'storage_unavailable', detail: expect.stringContaining('noted') } })
		expect(await history('guest')).toMatchObject([{ uuid, to: MOBILE }])
		await test.restart()
		expect(await history('guest')).toMatchObject([{ uuid, to: MOBILE }])
		await rm(journalFile(), { recursive: true })
		await test.restart()
		await until(() => history('guest'), ([call]) => call?.erased === true)
		expect(idsIn(await journalText())).toHaveLength(1)
	})

	it('replayed twice does what it did once', async () => {
		await fillWithNumber()
		const { name } = await test.app.backups.create()
		await eraseAsAdmin({ number: MOBILE })
		await test.app.backups.restore(name)
		const [before, entries] = [await history('third'), await audit('data.erased_again')]
		await test.restart()
		expect(await history('third')).toEqual(before)
		await test.database.query('delete from erasure_journal')
		await test.restart()
		expect(await history('third')).toEqual(before)
		expect(await audit('data.erased_again')).toEqual(entries)
		await test.app.backups.restore(name)
		expect(await stored()).not.toMatch(/23456701|Erika/)
	})

	it.each([
		['a digit is another one', (line: string) => line.replace(/"number":"(.)/, (_all, digit: string) => `"number":"${digit === '0' ? '1' : '0'}`)],
		['the time is another one', (line: string) => line.replace(/"at":"2/, '"at":"1')],
		['a part is gone', (line: string) => line.slice(0, -20)],
	])('with a line of which %s stops a restore by its number, loses nothing, and keeps nobody from calling', async (_what, damage) => {
		const before = await called('guest', MOBILE)
		const { name } = await test.app.backups.create()
		await eraseAsAdmin({ number: MOBILE })
		await erase('third', { scope: 'calls' })
		const whole = await journalText()
		const damaged = whole.split('\n').map((line, index) => index === 1 ? damage(line) : line).join('\n')
		expect(damaged).not.toBe(whole)
		await writeFile(journalFile(), damaged)
		await expect(test.app.backups.restore(name)).rejects.toMatchObject({ code: 'wrong_state', message: expect.stringMatching(/erasures\.journal is damaged \(line 2\).*Nothing was changed/) as string })
		expect((await test.as('demo').get<{ parts: unknown[] }>('/admin/health')).body.parts).toContainEqual(expect.objectContaining({ id: 'records', code: 'journal_damaged', values: { lines: '2' } }))
		expect(await history('guest')).toMatchObject([{ uuid: before.uuid, to: '', erased: true }])
		await test.restart()
		expect(await journalText()).toContain(damaged)
		await called('guest', OTHER)
		await writeFile(journalFile(), whole)
		await test.app.backups.restore(name)
		expect(await history('guest')).toMatchObject([{ uuid: before.uuid, to: '', erased: true }])
	})

	it('that was moved away is written anew from what the database knows', async () => {
		const before = await called('guest', MOBILE)
		const { name } = await test.app.backups.create()
		await eraseAsAdmin({ number: MOBILE })
		const whole = await journalText()
		await rm(journalFile())
		await test.restart()
		expect(await journalText()).toBe(whole)
		await rm(journalFile())
		await test.app.backups.restore(name)
		expect(await history('guest')).toMatchObject([{ uuid: before.uuid, to: '', erased: true }])
	})

	it('goes on behind a line that a power cut left half written', async () => {
		await eraseAsAdmin({ number: MOBILE })
		const whole = await journalText()
		await appendFile(journalFile(), '{"at":"2026-11-2')
		const { receiptId } = await eraseAsAdmin({ number: OTHER })
		const text = await journalText()
		expect(text.startsWith(whole)).toBe(true)
		expect(text.slice(whole.length)).toMatch(/^\{.+\}\n$/)
		expect(JSON.parse(text.slice(whole.length))).toMatchObject({ id: receiptId })
	})
})

describe('another machine', () => {
	/** A new and empty database; the volume keeps what the test leaves on it. */
	async function moveToNewDatabase(): Promise<TestDatabase> {
		const database = await createTestDatabase()
		undo.unshift(() => database.drop())
		test.environment.DATABASE_URL = database.url
		return database
	}

	function changeKey(): void {
		const { environment } = test
		environment.DATABASE_ENCRYPTION_KEYS_PREVIOUS = JSON.stringify([environment.DATABASE_ENCRYPTION_KEY, ...JSON.parse(environment.DATABASE_ENCRYPTION_KEYS_PREVIOUS ?? '[]') as string[]])
		environment.DATABASE_ENCRYPTION_KEY = randomBytes(32).toString('base64')
	}

	it('knows from the volume what was erased, also when the key of that time is gone', async () => {
		await called('guest', MOBILE, { note: 'Erika' })
		const { name } = await test.app.backups.create()
		const first = test.environment.DATABASE_ENCRYPTION_KEY ?? ''
		changeKey()
		await test.restart()
		await eraseAsAdmin({ number: MOBILE })
		changeKey()
		await test.restart()
		// The backup needs the first key; the one of the erasure is nowhere any more.
		test.environment.DATABASE_ENCRYPTION_KEYS_PREVIOUS = JSON.stringify([first])
		const database = await moveToNewDatabase()
		await test.restart()
		await test.app.backups.restore(name)
		expect(await history('guest')).toMatchObject([{ to: '', erased: true }])
		expect(await database.query('select from erasure_journal')).toHaveLength(1)
	})

	it('without the journal refuses a backup from before its own begins, and says which file is missing', async () => {
		await called('guest', MOBILE)
		const { name } = await test.app.backups.create()
		await eraseAsAdmin({ number: MOBILE })
		const text = await journalText()
		await rm(journalFile())
		await moveToNewDatabase()
		await test.restart()
		await expect(test.app.backups.restore(name)).rejects.toMatchObject({ code: 'wrong_state', message: expect.stringMatching(/before the erasure journal of this volume begins.*erasures\.journal.*--force.*Nothing was changed/) as string })
		await writeFile(journalFile(), text)
		await test.app.backups.restore(name)
		expect(await history('guest')).toMatchObject([{ to: '', erased: true }])
		await rm(journalFile())
		await test.restart()
		expect(idsIn(await journalText())).toEqual(idsIn(text))
	})

	it('finds a number also in data whose hashes were made with another key', async () => {
		await test.as('third').request('PUT', '/me', { devices: [{ kind: 'phone', label: 'Erika', address: MOBILE }] })
		await called('guest', MOBILE)
		const { name } = await test.app.backups.create()
		changeKey()
		await moveToNewDatabase()
		await test.restart()
		await eraseAsAdmin({ number: MOBILE })
		await test.app.backups.restore(name, { force: true })
		expect(await history('guest')).toMatchObject([{ to: '', erased: true }])
		expect((await test.as('third').get<MeJson>('/me')).body.devices).toEqual([])
	})

	it('on the same database learns of the others’ erasures before it restores', async () => {
		await called('guest', MOBILE)
		const { name } = await test.app.backups.create()
		const elsewhere = await mkdtemp(path.join(tmpdir(), 'sipcall-journal-'))
		undo.push(() => rm(elsewhere, { recursive: true }))
		await mkdir(path.join(elsewhere, 'backups'))
		await copyFile(path.join(volume, 'backups', name), path.join(elsewhere, 'backups', name))
		const second: RunningApp = await startApp({ ...loadConfig({ ...test.environment, APP_PERSISTENT_STORAGE: elsewhere }), listen: { host: '127.0.0.1', port: 0 } }, keptLog())
		undo.push(() => second.stop())
		await second.ready
		const { receiptId } = await eraseAsAdmin({ number: MOBILE })
		expect(await journalText(elsewhere)).not.toContain(receiptId)
		// A backup is restored while one server runs.
		await test.app.stop()
		await vi.waitFor(() => second.backups.restore(name), 10_000)
		expect(await journalText(elsewhere)).toContain(receiptId)
		expect((await new ApiClient(second.url, 'guest').get<{ items: CallJson[] }>('/call-history')).body.items).toMatchObject([{ to: '', erased: true }])
	})
})

describe('an entry', () => {
	it('goes from the volume and the database when no backup can be older, and then an older backup is refused', async () => {
		const { name } = await test.app.backups.create()
		const first = await eraseAsAdmin({ number: MOBILE })
		const second = await eraseAsAdmin({ number: OTHER })
		const keys = keysOf(test.environment)
		const logger = keptLog()
		const orm = await openDatabase({ url: test.database.url, keys, logger })
		undo.push(() => orm.close(true))
		const journal = new JournalRepository({ orm, keys, audit: new AuditRepository({ orm, keys }), file: new JournalFile(volume), now: () => new Date(), logger })
		await journal.tidy(new Date(first.deletedAt))
		expect(idsIn(await journalText())).toEqual([first.receiptId, second.receiptId])
		await journal.tidy(new Date(second.deletedAt))
		expect(idsIn(await journalText())).toEqual([second.receiptId])
		expect(await test.database.query('select id from erasure_journal')).toEqual([{ id: second.receiptId }])
		await expect(test.app.backups.restore(name)).rejects.toMatchObject({ code: 'wrong_state', message: expect.stringContaining(second.deletedAt) as string })
	})
})
