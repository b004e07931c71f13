// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Erasure on behalf of others, receipts, and erasures that are cut off in the middle.

import type { ReceiptJson } from '../../../lib/http/receipts.ts'
import type { ReceiptsJson, RetentionJson } from '../../../lib/http/routes/admin-privacy.ts'
import type { CallJson, MeJson } from '../../../lib/http/schemas.ts'
import type { ErasureWish } from '../../../lib/privacy/erasure.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encrypted } from '../../../lib/db/encrypted-text.ts'
import { startTestApp } from '../../support/app.ts'
import { keysOf, storedText } from '../../support/stored-text.ts'
import { until } from '../../support/until.ts'

const NUMBER = '+4930123401'
const MOBILE = '+4915123456701'
const DAY_MS = 24 * 60 * 60 * 1000

let test: TestApp
let demo: ApiClient
let guest: ApiClient
let storage: string
let now: Date | undefined

beforeEach(async () => {
	now = undefined
	storage = await mkdtemp(path.join(tmpdir(), 'sipcall-erasure-'))
	test = await startTestApp({ environment: { APP_PERSISTENT_STORAGE: storage }, overrides: { sweepMs: 50, clock: { now: () => now ?? new Date() } } })
	demo = await test.prepare()
	guest = test.as('guest')
	await guest.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1000' }] })
	test.nextcloud.exAppUrl = test.url
	await test.nextcloud.disable()
	await test.nextcloud.enable()
})

afterEach(async () => {
	await test.stop()
	await rm(storage, { recursive: true })
})

async function called(client: ApiClient, to: string, wish: Record<string, unknown> = {}): Promise<CallJson> {
	const { status, text, body } = await client.call(to, wish)
	expect([status, text]).toEqual([202, expect.any(String)])
	return client.untilEnded(body.uuid)
}

async function erase(client: ApiClient, at: string, body: Record<string, unknown>): Promise<ReceiptJson> {
	const answer = await client.request<ReceiptJson>('POST', at, { ...body, confirm: true })
	expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
	return answer.body
}

const eraseAsAdmin = (body: Record<string, unknown>) => erase(demo, '/admin/privacy/delete', body)
const receipts = async (query = '') => (await demo.get<ReceiptsJson>(`/admin/privacy/receipts?${query}`)).body
const stored = () => storedText(test.database.url, keysOf(test.environment))

/** A wish as it stands in the database while it is carried out. */
async function noted(wish: ErasureWish): Promise<string> {
	const client = new Client({ connectionString: test.database.url })
	await client.connect()
	const [key] = keysOf(test.environment).storageKeys
	await client.query('select set_config($1, $2, false), set_config(\'sipcall.kid\', $3, false)', [`sipcall.key_${key?.kid}`, key?.passphrase, key?.kid])
	const id = randomUUID()
	await client.query(`insert into erasures (id, begun_at, wish) values ($1::uuid, now(), ${encrypted('$2', '$1::uuid', 'wish')})`, [id, JSON.stringify(wish)])
	await client.end()
	return id
}

describe('an administrator', () => {
	it('erases a third party’s number everywhere: in everybody’s calls, and the phones that have it', async () => {
		await demo.request('POST', '/admin/config', { deviceVerification: { phone: 'none', sip: 'none' } })
		await guest.request('PUT', '/me', { devices: [{ kind: 'phone', label: 'Mobile of Erika', address: MOBILE, isDefault: true }, { kind: 'sip', label: 'Desk', address: '1000' }] })
		await called(demo, MOBILE, { note: 'Erika' })
		await called(guest, NUMBER)
		const { devices } = (await guest.get<MeJson>('/me')).body
		const viaDesk = await called(guest, MOBILE, { device: devices[1]?.id })
		expect(await demo.request('POST', '/admin/privacy/preview', { number: '0151 23456701' })).toMatchObject({ status: 200, body: { counts: { calls: 2, devices: 1 } } })
		expect(await stored()).toContain(MOBILE)
		expect(await eraseAsAdmin({ number: '0151 23456701' })).toMatchObject({ scope: 'number', by: 'admin', counts: { calls: 2, devices: 1, signIns: 0, rules: 0 } })
		const left = await stored()
		for (const trace of [MOBILE, 'Erika', keysOf(test.environment).blindIndex('number', MOBILE)]) {
			expect(left).not.toContain(trace)
		}
		expect((await guest.get<CallJson>(`/call-status/${viaDesk.uuid}`)).body).toMatchObject({ erased: true, to: '' })
		// The other phone rings from now on.
		expect((await guest.get<MeJson>('/me')).body.devices).toMatchObject([{ address: '1000', isDefault: true }])
		expect((await guest.get<{ items: CallJson[] }>(`/call-history?number=${encodeURIComponent(NUMBER)}`)).body.items).toHaveLength(1)
	})

	it('erases a user, in any spelling of the id, with what was decided for her; nobody can tell then who that was', async () => {
		await called(guest, NUMBER)
		const others = await called(demo, NUMBER)
		await demo.request('PUT', '/admin/users/guest', { limits: { callsPerDay: 3 } })
		expect(await demo.request('POST', '/admin/privacy/preview', { userId: 'GUEST' })).toMatchObject({ body: { counts: { calls: 1, devices: 1, rules: 1 } } })
		const receipt = await eraseAsAdmin({ userId: 'GUEST' })
		expect(receipt).toMatchObject({ scope: 'all', by: 'admin', counts: { calls: 1, devices: 1, rules: 1 } })
		expect(await stored()).not.toMatch(/\bguest\b/i)
		expect((await demo.get<CallJson>(`/call-status/${others.uuid}`)).body.to).toBe(NUMBER)
		// Hers no more, since nobody knows that she was it.
		expect(await guest.get(`/privacy/receipt/${receipt.receiptId}`)).toMatchObject({ status: 404, body: { code: 'not_found' } })
		expect(await demo.get(`/privacy/receipt/${receipt.receiptId}`)).toMatchObject({ status: 200, body: { receipt, valid: true } })
		const { items } = (await demo.get<{ items: object[] }>('/admin/audit-log?action=user.purged')).body
		expect(items).toMatchObject([{ actor: { kind: 'admin', id: 'demo' }, target: { ref: expect.any(String) }, detail: { receipt: receipt.receiptId, scope: 'all', calls: 1 } }])
	})

	it('does not get out of the audit log by erasing herself', async () => {
		expect(await eraseAsAdmin({ userId: 'demo' })).toMatchObject({ by: 'admin', counts: { devices: 1 } })
		const { items } = (await demo.get<{ items: { actor: { id?: string } }[] }>('/admin/audit-log')).body
		expect(items.filter(({ actor }) => actor.id === 'demo')).not.toEqual([])
	})

	it.each([
		['neither a user nor a number', {}, ''],
		['both', { userId: 'guest', number: NUMBER }, ''],
		['no confirmation', { userId: 'guest', confirm: false }, 'confirm'],
	])('erases nothing by %s', async (_what, body, field) => {
		expect(await demo.request('POST', '/admin/privacy/delete', { confirm: true, ...body })).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ field }] } })
		expect((await guest.get<MeJson>('/me')).body.devices).toHaveLength(1)
	})

	it('sees what the next run of retention does, with the saved days and with others', async () => {
		const [a, b] = [await called(demo, NUMBER), await called(guest, '+4930123402')]
		await erase(guest, '/privacy/delete', { scope: 'number', number: '+4930123402' })
		now = new Date(Math.max(Date.parse(a.endedAt ?? ''), Date.parse(b.endedAt ?? '')) + 31 * DAY_MS)
		const look = async (query = '') => (await demo.get<RetentionJson>(`/admin/privacy/retention?${query}`)).body
		const entries = expect.any(Number)
		expect(await look()).toEqual({ callsDays: 90, maskAfterDays: 30, auditDays: 730, next: { delete: 0, mask: 1, auditEntries: 0 }, kept: { full: 1, masked: 0, erased: 1, auditEntries: entries } })
		expect(await look('maskAfterDays=60')).toMatchObject({ maskAfterDays: 60, next: { delete: 0, mask: 0 } })
		expect(await look('callsDays=7')).toMatchObject({ callsDays: 7, next: { delete: 2, mask: 0 } })
		expect(await demo.get('/admin/privacy/retention?callsDays=-1')).toMatchObject({ status: 400 })
	})
})

describe('a receipt', () => {
	it('is there for whoever erased, for administrators and for nobody else; a changed one is not valid', async () => {
		const receipt = await erase(guest, '/privacy/delete', { scope: 'all' })
		const address = `/privacy/receipt/${receipt.receiptId}`
		expect(await guest.get(address)).toMatchObject({ status: 200, body: { receipt, valid: true } })
		expect(await demo.get(address)).toMatchObject({ status: 200, body: { receipt, valid: true } })
		const others = await erase(demo, '/privacy/delete', { scope: 'number', number: NUMBER })
		expect(await guest.get(`/privacy/receipt/${others.receiptId}`)).toMatchObject({ status: 404 })
		await test.database.query(`delete from erasure_receipts where id = '${others.receiptId}'`)
		expect(await guest.get(`/privacy/receipt/${randomUUID()}`)).toMatchObject({ status: 404 })
		const columns = { deleted_at: 'deleted_at + interval \'1 ms\'', scope: '\'calls\'', by: '\'admin\'', counts: 'counts || \'{"calls": 7}\'', subject: 'subject || \'0\'', signature: 'left(signature, -1) || case when right(signature, 1) = \'0\' then \'1\' else \'0\' end' }
		for (const [column, forged] of Object.entries(columns)) {
			await test.database.query(`alter table erasure_receipts add column kept text; update erasure_receipts set kept = ${column}::text, ${column} = ${forged}`)
			expect((await receipts()).items).toMatchObject([{ receiptId: receipt.receiptId, valid: false }])
			await test.database.query(`update erasure_receipts set ${column} = kept::${{ deleted_at: 'timestamptz', counts: 'jsonb' }[column] ?? 'text'}; alter table erasure_receipts drop column kept`)
			expect((await receipts()).items).toMatchObject([{ valid: true }])
		}
	})

	it('is left by every erasure, also at the console, and all are listed page by page', async () => {
		const made = [
			await erase(guest, '/privacy/delete', { scope: 'calls' }),
			await erase(guest, '/privacy/delete', { scope: 'number', number: NUMBER }),
			await eraseAsAdmin({ number: NUMBER }),
		]
		const { output } = await test.nextcloud.occ('sipcall:user:purge', ['guest'], { yes: true })
		const last = /Receipt ([0-9a-f-]{36})\.\n$/.exec(output)?.[1]
		const { items, nextCursor } = await receipts('limit=3')
		expect(items.map(({ receiptId, scope, by, valid }) => [receiptId, scope, by, valid])).toEqual([[last, 'all', 'console', true], [made[2]?.receiptId, 'number', 'admin', true], [made[1]?.receiptId, 'number', 'user', true]])
		expect(await receipts(`limit=3&cursor=${nextCursor}`)).toMatchObject({ items: [{ receiptId: made[0]?.receiptId, scope: 'calls' }], nextCursor: null })
		expect(await demo.get('/admin/privacy/receipts?cursor=nonsense')).toMatchObject({ status: 400 })
		expect((await demo.get<{ items: object[] }>('/admin/audit-log?action=data.erased')).body.items).toMatchObject([{ actor: { kind: 'admin' } }, { actor: { kind: 'user' } }, { actor: { kind: 'user' } }])
		expect(JSON.stringify((await demo.get('/admin/audit-log?limit=200')).body)).not.toContain('123401')
	})
})

describe('an erasure that is cut off', () => {
	it('is finished after the start, once, and leaves the number nowhere', async () => {
		const call = await called(guest, NUMBER, { note: 'Ask for Erika' })
		const id = await noted({ target: { scope: 'number', userId: 'guest', number: NUMBER }, actor: { kind: 'user', userId: 'guest' } })
		const userId = await noted({ target: { scope: 'all', userId: 'demo' }, actor: { kind: 'system' } })
		expect(await test.database.query('select from erasures')).toHaveLength(2)
		await test.restart()
		;[demo, guest] = [test.as('demo'), test.as('guest')]
		const { items } = await until(receipts, (list) => list.items.length === 2)
		expect(items).toMatchObject([{ receiptId: userId, scope: 'all', by: 'system', valid: true }, { receiptId: id, scope: 'number', by: 'user', counts: { calls: 1 }, valid: true }])
		expect(await test.database.query('select from erasures')).toEqual([])
		expect((await guest.get<CallJson>(`/call-status/${call.uuid}`)).body).toMatchObject({ erased: true })
		expect(await stored()).not.toMatch(/123401|Erika/)
		await test.restart()
		demo = test.as('demo')
		expect((await receipts()).items).toHaveLength(2)
	})

	it('keeps the wish in a form that nobody can read without the keys', async () => {
		await noted({ target: { scope: 'number', userId: 'guest', number: NUMBER }, actor: { kind: 'user', userId: 'guest' } })
		const [row] = await test.database.query<{ row: string }>('select e::text as row from erasures e')
		expect(row?.row).not.toMatch(/123401|guest/)
	})

	it('deletes all or nothing, says that it is noted, and is done later', async () => {
		await called(guest, NUMBER)
		await test.database.query('alter table erasure_receipts add constraint full_disk check (false) not valid')
		expect(await guest.request('POST', '/privacy/delete', { scope: 'all', confirm: true })).toMatchObject({ status: 500 })
		expect((await guest.get<{ items: CallJson[] }>('/call-history')).body.items).toHaveLength(1)
		expect((await demo.get<{ items: object[] }>('/admin/audit-log?action=data.erased')).body.items).toEqual([])
		await test.database.query('alter table erasure_receipts drop constraint full_disk')
		await test.restart()
		;[demo, guest] = [test.as('demo'), test.as('guest')]
		await until(receipts, (list) => list.items.length === 1)
		expect((await guest.get<{ items: CallJson[] }>('/call-history')).body.items).toEqual([])
	})
})

describe('a restore', () => {
	it('erases again what its users have erased since the backup, and only that', async () => {
		await called(guest, NUMBER, { key: 'one' })
		const kept = await called(demo, NUMBER)
		const name = /\nMade (\S+) /.exec((await test.nextcloud.occ('sipcall:backup')).output)?.[1] ?? ''
		const receipt = await erase(guest, '/privacy/delete', { scope: 'all' })
		expect((await test.nextcloud.occ('sipcall:restore', [name])).output).toMatch(/Restored/)
		expect((await guest.get<{ items: CallJson[] }>('/call-history')).body.items).toEqual([])
		expect((await guest.get<MeJson>('/me')).body.devices).toEqual([])
		expect((await demo.get<CallJson>(`/call-status/${kept.uuid}`)).body.to).toBe(NUMBER)
		expect(await guest.get(`/privacy/receipt/${receipt.receiptId}`)).toMatchObject({ body: { valid: true } })
		await guest.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1000' }] })
		expect(await guest.call(NUMBER, { key: 'one' })).toMatchObject({ status: 410 })
	})
})
