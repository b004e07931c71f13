// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What users do with their own data, through the whole sidecar, and what is left in the database.

import type { ReceiptJson } from '../../../lib/http/receipts.ts'
import type { CallJson, MeJson } from '../../../lib/http/schemas.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'
import { keysOf, storedText } from '../../support/stored-text.ts'

const NUMBER = '+4930123401'
const OTHER = '+4930123402'
/** Rings, is answered, and talks on until somebody hangs up. */
const ENDLESS = '+4930123400'

let test: TestApp
let demo: ApiClient
let guest: ApiClient

beforeEach(async () => {
	test = await startTestApp({ overrides: { sweepMs: 50 } })
	demo = await test.prepare()
	guest = test.as('guest')
	await guest.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk of the guest', address: '1000' }] })
})

afterEach(() => test.stop())

/** With the default speed of tests a call that nobody ends is over at once. */
async function startRealTime(): Promise<void> {
	await test.stop()
	test = await startTestApp({ freeSwitch: { speed: 20 }, overrides: { sweepMs: 50, settleMs: 0 } })
	demo = await test.prepare()
}

async function called(client: ApiClient, to: string, wish: Record<string, unknown> = {}): Promise<CallJson> {
	const { status, text, body } = await client.call(to, wish)
	expect([status, text]).toEqual([202, expect.any(String)])
	return client.untilEnded(body.uuid)
}

async function erase(client: ApiClient, body: Record<string, unknown>): Promise<ReceiptJson> {
	const answer = await client.request<ReceiptJson>('POST', '/privacy/delete', { ...body, confirm: true })
	expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
	return answer.body
}

async function history(client: ApiClient, query = ''): Promise<CallJson[]> {
	return (await client.get<{ items: CallJson[] }>(`/call-history?${query}`)).body.items
}

const stored = () => storedText(test.database.url, keysOf(test.environment))

describe('a number that is erased', () => {
	it('is gone from all of the user’s calls, which keep date, duration and cost; not from anybody else’s', async () => {
		const own = await called(guest, `${NUMBER} ext. 12`, { note: 'Ask for Erika', key: 'one' })
		await guest.request('PUT', `/call/${own.uuid}`, { tags: ['sales'] })
		const kept = await called(guest, OTHER, { note: 'Kept' })
		const others = await called(demo, NUMBER)
		expect(await guest.request('POST', '/privacy/preview', { scope: 'number', number: '030 123401' })).toMatchObject({ status: 200, body: { counts: { calls: 1, transfers: 0, devices: 0, signIns: 0, rules: 0 } } })
		const receipt = await erase(guest, { scope: 'number', number: '030 / 12 34 01' })
		expect(receipt).toEqual({ receiptId: expect.any(String), deletedAt: expect.stringMatching(/Z$/), scope: 'number', by: 'user', counts: { calls: 1, transfers: 0, devices: 0, signIns: 0, rules: 0 }, signature: expect.any(String) })

		const { body } = await guest.get<CallJson>(`/call-status/${own.uuid}`)
		expect(body).toEqual({ ...omit(own, 'extension', 'note'), to: '', toDisplay: '', erased: true, tags: [], version: own.version + 2 })
		expect(await history(guest, `number=${encodeURIComponent(NUMBER)}`)).toEqual([])
		expect(await history(guest, 'tag=sales')).toEqual([])
		expect((await history(guest)).map(({ to, note }) => [to, note])).toEqual([[OTHER, 'Kept'], ['', undefined]])
		expect(await history(demo, `number=${encodeURIComponent(NUMBER)}`)).toMatchObject([{ uuid: others.uuid, to: NUMBER }])
		const csv = (await guest.request('GET', '/call-history', undefined, { Accept: 'text/csv' })).text
		expect(csv).toContain(own.uuid)
		expect(csv).toContain(kept.to)
		expect(csv).not.toContain('123401')
		expect((await guest.get<CallJson[]>(`/call/${own.uuid}/events`)).status).toBe(200)
		expect(await guest.request('PUT', `/call/${own.uuid}`, { note: 'Erika again' })).toMatchObject({ status: 409, body: { code: 'wrong_state', detail: expect.stringContaining('erased') } })
		expect(await erase(guest, { scope: 'number', number: NUMBER })).toMatchObject({ counts: { calls: 0 } })
	})

	it('is nowhere in the database, neither in clear nor as an index nor as a hash that could be tried out', async () => {
		await called(guest, NUMBER, { note: 'Ask for Erika', key: `call ${NUMBER}` })
		const wish = { to: NUMBER, deviceId: undefined, callerId: undefined, note: 'Ask for Erika' }
		const [keys, hash] = [keysOf(test.environment), createHash('sha256').update(JSON.stringify(wish)).digest('hex')]
		const traces = ['123401', 'Erika', keys.blindIndex('number', NUMBER), keys.blindIndex('body', hash)]
		const before = await stored()
		expect(before).not.toContain(hash)
		for (const trace of traces) {
			expect(before).toContain(trace)
		}
		await erase(guest, { scope: 'number', number: NUMBER })
		const after = await stored()
		for (const trace of traces) {
			expect(after).not.toContain(trace)
		}
	})

	it('is also gone where somebody was transferred to it', async () => {
		await startRealTime()
		const { body } = await demo.call(ENDLESS)
		await demo.until(body.uuid, ({ status }) => status === 'connected')
		expect(await demo.request('POST', `/call/${body.uuid}/transfer`, { to: '+4930555001' })).toMatchObject({ status: 202 })
		await demo.untilEnded(body.uuid)
		const index = keysOf(test.environment).blindIndex('number', '+4930555001')
		expect(await stored()).toContain(index)
		expect(await erase(demo, { scope: 'number', number: '+4930555001' })).toMatchObject({ counts: { calls: 0, transfers: 1 } })
		expect(await stored()).not.toContain(index)
	})

	it.each([
		['a scope that is none', { scope: 'everything' }, 'scope'],
		['no confirmation', { scope: 'calls', confirm: undefined }, 'confirm'],
		['a refusal in its place', { scope: 'calls', confirm: false }, 'confirm'],
		['a number that belongs to another scope', { scope: 'calls', number: NUMBER }, ''],
		['no number', { scope: 'number' }, 'number'],
	])('is not erased by %s', async (_what, body, field) => {
		await called(guest, NUMBER)
		const answer = await guest.request<{ errors: { field: string }[] }>('POST', '/privacy/delete', { confirm: true, ...body })
		expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ field }] } })
		expect(await guest.request('POST', '/privacy/delete', { scope: 'number', number: 'Erika', confirm: true })).toMatchObject({ status: 422, body: { code: 'invalid_number', errors: [{ field: 'number' }] } })
		expect(await history(guest)).toMatchObject([{ to: NUMBER }])
	})
})

describe('a user who erases herself', () => {
	it('loses her calls alone, or everything; nobody else loses anything', async () => {
		await called(guest, NUMBER, { note: 'Ask for Erika', key: 'one' })
		const others = await called(demo, NUMBER, { note: 'Of somebody else' })
		expect(await erase(guest, { scope: 'calls' })).toMatchObject({ scope: 'calls', counts: { calls: 1, devices: 0 } })
		expect(await history(guest)).toEqual([])
		expect((await guest.get<MeJson>('/me')).body.devices).toHaveLength(1)
		expect(await guest.request('POST', '/privacy/preview', { scope: 'all' })).toMatchObject({ body: { counts: { calls: 0, devices: 1, signIns: 0, rules: 0 } } })
		expect(await erase(guest, { scope: 'all' })).toMatchObject({ scope: 'all', counts: { calls: 0, devices: 1 } })
		expect((await guest.get<MeJson>('/me')).body.devices).toEqual([])
		const left = await stored()
		expect(left).not.toMatch(/Erika|Desk of the guest/)
		// Who she is in the audit log: the only place.
		expect(left.split('\n').filter((line) => /\bguest\b/.test(line))).toEqual(['audit_subjects.user_id: guest'])
		expect(await history(demo)).toMatchObject([{ uuid: others.uuid, to: NUMBER, note: 'Of somebody else' }])
	})

	it('keeps what an administrator has decided for her', async () => {
		await demo.request('PUT', '/admin/users/guest', { permission: false, limits: { callsPerDay: 3 }, lock: { until: '2099-01-01T00:00:00.000Z' } })
		expect(await erase(guest, { scope: 'all' })).toMatchObject({ counts: { rules: 0 } })
		expect(await guest.call(NUMBER)).toMatchObject({ status: 403 })
		const { items } = (await demo.get<{ items: object[] }>('/admin/users?search=guest')).body
		expect(items).toMatchObject([{ permission: false, limits: { callsPerDay: 3 }, lock: { by: 'admin' } }])
	})

	it('gets no call back that counted, neither of an hour nor of different numbers nor of money', async () => {
		const eur = (micros: string) => ({ micros, currency: 'EUR' })
		await demo.request('POST', '/admin/config', { callsPerHour: 3, maxDistinctPerDay: 2, rates: [{ prefix: '+49', perMinute: eur('0'), perCall: eur('1000000') }], dailySpendLimit: eur('100000000') })
		await called(guest, NUMBER)
		await called(guest, OTHER)
		await erase(guest, { scope: 'number', number: NUMBER })
		expect(await guest.call('+4930123403')).toMatchObject({ status: 429, body: { refusal: { rule: { id: 'maxDistinctPerDay' } } } })
		await erase(guest, { scope: 'calls' })
		await erase(guest, { scope: 'all' })
		await guest.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1000' }] })
		expect(await guest.call('+4930123403')).toMatchObject({ status: 429, body: { refusal: { rule: { id: 'maxDistinctPerDay' } } } })
		await demo.request('POST', '/admin/config', { maxDistinctPerDay: null })
		await called(guest, '+4930123403')
		expect(await guest.call('+4930123403')).toMatchObject({ status: 429, body: { refusal: { rule: { id: 'callsPerHour' } } } })
		await demo.request('POST', '/admin/config', { callsPerHour: 1000, dailySpendLimit: eur('2500000') })
		expect(await guest.call('+4930123403')).toMatchObject({ status: 429, body: { refusal: { rule: { id: 'dailySpendLimit' } } } })
	})

	it.each([
		['number', { scope: 'number', number: NUMBER }],
		['calls', { scope: 'calls' }],
		['all', { scope: 'all' }],
	])('never calls again by a key of a call that was erased (%s)', async (_scope, wish) => {
		await called(guest, NUMBER, { key: 'click 1' })
		await erase(guest, wish)
		await guest.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1000' }] })
		const before = test.freeSwitch.originates.length
		for (const to of [NUMBER, OTHER]) {
			expect(await guest.get('/call-history?idempotencyKey=click%201')).toMatchObject({ status: 200, body: { items: [] } })
			expect(await guest.call(to, { key: 'click 1' })).toMatchObject({ status: 410, body: { code: 'call_erased' } })
		}
		expect(test.freeSwitch.originates.length).toBe(before)
		// Keys are each user's own.
		expect(await demo.call(OTHER, { key: 'click 1' })).toMatchObject({ status: 202 })
	})

	it.each([
		['number', { scope: 'number', number: ENDLESS }],
		['calls', { scope: 'calls' }],
	])('has a call that is up hung up first (%s)', async (_scope, wish) => {
		await startRealTime()
		const { body } = await demo.call(ENDLESS)
		await demo.until(body.uuid, ({ status }) => status === 'connected')
		expect(await erase(demo, wish)).toMatchObject({ counts: { calls: 1 } })
		await test.freeSwitch.until(() => test.freeSwitch.channels().length === 0)
		const { status, body: call } = await demo.get<CallJson>(`/call-status/${body.uuid}`)
		expect(wish.scope === 'calls' ? { status } : call).toMatchObject(wish.scope === 'calls' ? { status: 404 } : { to: '', erased: true, status: 'ended', endedBy: 'system', outcome: 'completed' })
		expect(await stored()).not.toContain(keysOf(test.environment).blindIndex('number', ENDLESS))
	})
})

describe('an export', () => {
	it('is all that is held of a user as one file, and nobody else’s, and is written to the audit log', async () => {
		const own = await called(guest, NUMBER, { note: 'Ask for Erika' })
		const erased = await called(guest, OTHER)
		await called(demo, '+4930123403')
		const receipt = await erase(guest, { scope: 'number', number: OTHER })
		const answer = await guest.get<{ devices: unknown[], calls: CallJson[], receipts: unknown[] }>('/privacy/export')
		expect([...answer.headers]).toEqual(expect.arrayContaining([['content-disposition', 'attachment; filename="sipcall-data.json"'], ['cache-control', 'no-store'], ['content-type', 'application/json; charset=utf-8']]))
		expect(answer.body).toMatchObject({ schema: 1, userId: 'guest', rule: { mayCall: null }, devices: [{ address: '1000' }], signIns: [], receipts: [receipt] })
		expect(answer.body.calls).toMatchObject([{ uuid: erased.uuid, to: '' }, { uuid: own.uuid, to: NUMBER, note: 'Ask for Erika', events: expect.any(Array) }])
		expect(answer.text).not.toMatch(/demo|123403/)
		const { items } = (await demo.get<{ items: object[] }>('/admin/audit-log?action=user.exported')).body
		expect(items).toMatchObject([{ actor: { kind: 'user', id: 'guest' }, target: { id: 'guest' } }])
	})

	it('does not begin when it cannot be audited', async () => {
		await test.database.query('alter table audit_log add constraint full_disk check (false) not valid')
		expect(await guest.get('/privacy/export')).toMatchObject({ status: 503, body: { code: 'storage_unavailable' } })
	})
})

describe('the profile', () => {
	it('tells how long calls are kept and whether statistics name people', async () => {
		expect((await guest.get<MeJson>('/me')).body).toMatchObject({ retention: { callsDays: 90, maskAfterDays: 30 }, statistics: 'pseudonymous' })
		await demo.request('POST', '/admin/config', { retention: { callsDays: 20, maskAfterDays: 10, auditDays: 730 }, statistics: 'named' })
		expect((await guest.get<MeJson>('/me')).body).toMatchObject({ retention: { callsDays: 20, maskAfterDays: 10 }, statistics: 'named' })
	})
})

function omit<Value extends object, Key extends keyof Value>(value: Value, ...keys: Key[]): Omit<Value, Key> {
	return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key as Key))) as Omit<Value, Key>
}
