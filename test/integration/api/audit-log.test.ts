// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Everything that is audited, through the whole sidecar, and what an admin sees of it.

import type { OAuthClient } from '../../stand-ins/nextcloud/oauth.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'
import { until } from '../../support/until.ts'

interface Item {
	seq: number
	at: string
	actor: { kind: string, id?: string, ref?: string }
	action: string
	target?: { id?: string, ref: string }
	detail: Record<string, unknown>
}

interface Page {
	items: Item[]
	nextCursor: string | null
}

const DENIED = '+431234567'
const OFFICE = '+4930987654'
const MOBILE = '+4915123456701'
const SECRET = 'a secret of the switch'

let test: TestApp
let demo: ApiClient
let guest: ApiClient
let storage: string
let client: OAuthClient

beforeAll(async () => {
	storage = await mkdtemp(path.join(tmpdir(), 'sipcall-audit-'))
	test = await startTestApp({
		environment: { APP_PERSISTENT_STORAGE: storage, NEXTCLOUD_OAUTH_CLIENT_ID: 'client-id', NEXTCLOUD_OAUTH_CLIENT_SECRET: 'client-secret' },
		overrides: { sweepMs: 50 },
	})
	client = test.nextcloud.oauth.addClient('sipcall://back')
	Object.assign(client, { clientId: 'client-id', clientSecret: 'client-secret' })
	demo = await test.prepare({ lockAfterRefusals: { count: 2, windowMin: 10, lockMin: 15 } })
	guest = test.as('guest')
	test.nextcloud.exAppUrl = test.url
	await test.nextcloud.disable()
	await test.nextcloud.enable()
})

afterAll(async () => {
	await test.stop()
	await rm(storage, { recursive: true })
})

async function page(query = ''): Promise<Page> {
	const { status, body, text } = await demo.get<Page>(`/admin/audit-log?${query}`)
	expect([status, text]).toEqual([200, expect.any(String)])
	return body
}

/** Oldest first; what is written behind a click comes a moment later. */
async function entries(action: string, count: number): Promise<Item[]> {
	const { items } = await until(() => page(`action=${action}&limit=200`), (found) => found.items.length >= count)
	return items.toReversed()
}

async function verified(): Promise<string> {
	return (await test.nextcloud.occ('sipcall:audit:verify')).output
}

async function auth(step: string, body: unknown): Promise<{ accessToken: string, refreshToken: string }> {
	const response = await fetch(`${test.url}/api/v1${step}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
	return await response.json() as { accessToken: string, refreshToken: string }
}

async function signIn(): Promise<string> {
	const user = test.nextcloud.users.get('guest')
	if (user === undefined) {
		throw new Error('There is no guest')
	}
	return (await auth('/auth', { code: new URL(test.nextcloud.oauth.grant(client, user, 's')).searchParams.get('code') })).refreshToken
}

describe('the audit log', () => {
	it('has each change of settings, with values where neither numbers nor secrets can be in them', async () => {
		expect(await demo.request('POST', '/admin/config', { maxCallSec: 1800, callerIds: [{ number: OFFICE, label: 'Office' }], freeswitch: { host: test.freeSwitch.host, port: test.freeSwitch.port, user: null, password: SECRET } })).toMatchObject({ status: 200 })
		const last = (await entries('settings.changed', 2)).at(-1)
		expect(last).toMatchObject({ actor: { kind: 'admin', id: 'demo' }, detail: { changes: [{ key: 'maxCallSec', old: 3600, new: 1800 }, { key: 'callerIds' }, { key: 'freeswitch' }] } })
		const before = await page()
		expect(await demo.request('POST', '/admin/config', { maxCallSec: 1800 })).toMatchObject({ status: 200 })
		expect(await demo.request('POST', '/admin/config', { maxCallSec: 0 })).toMatchObject({ status: 400 })
		expect(await page()).toEqual(before)
		expect(await demo.request('POST', '/admin/config', { freeswitch: { host: test.freeSwitch.host, port: test.freeSwitch.port, user: null, password: test.freeSwitch.password } })).toMatchObject({ status: 200 })
	})

	it('has a change that Nextcloud would not take, and that it failed', async () => {
		test.nextcloud.setAvailable(false)
		expect(await demo.request('POST', '/admin/config', { maxCallSec: 7 })).toMatchObject({ status: 503 })
		test.nextcloud.setAvailable(true)
		const last = (await entries('settings.changed', 5)).slice(-2)
		expect(last.map(({ detail }) => detail)).toEqual([{ changes: [{ key: 'maxCallSec', old: 1800, new: 7 }] }, { changes: [{ key: 'maxCallSec', old: 1800, new: 7 }], failed: 'nextcloud_unavailable' }])
	})

	it('has what was taken over from Nextcloud’s form', async () => {
		expect(test.nextcloud.saveSetting('demo', 'calling_settings', 'callsPerMinute', '77')).toBe(200)
		await test.nextcloud.disable()
		await test.nextcloud.enable()
		expect((await entries('settings.taken_over', 1)).at(-1)).toMatchObject({ actor: { kind: 'nextcloud' }, detail: { changes: [{ key: 'callsPerMinute', old: 1000, new: 77 }] } })
	})

	it('has what is decided for a user, and nothing when nothing changes', async () => {
		const { body } = await guest.request<{ devices: { id: string }[] }>('PUT', '/me', { devices: [{ kind: 'phone', label: 'Mobile', address: MOBILE }] })
		const id = body.devices[0]?.id
		expect(await demo.request('PUT', '/admin/users/guest', { permission: true, devices: [{ id, verified: true }] })).toMatchObject({ status: 200 })
		expect(await demo.request('PUT', '/admin/users/guest', { permission: true })).toMatchObject({ status: 200 })
		expect(await entries('user.changed', 1)).toMatchObject([{ actor: { id: 'demo' }, target: { id: 'guest' }, detail: { mayCall: { old: null, new: true }, phones: [{ id, verified: true }] } }])
	})

	it('has emergency numbers and suspicious calls that were refused, and the lock, but no number', async () => {
		expect(await guest.call('112')).toMatchObject({ status: 422, body: { code: 'emergency_number' } })
		expect(await entries('call.emergency_refused', 1)).toMatchObject([{ actor: { kind: 'user', id: 'guest' }, detail: { code: 'emergency_number', country: 'DE' } }])
		expect((await guest.call(DENIED)).status).toBe(422)
		expect((await guest.call(DENIED)).status).toBe(422)
		expect((await guest.call('not a number')).status).toBeGreaterThan(399)
		expect(await entries('call.refused', 2)).toMatchObject([1, 2].map(() => ({ actor: { id: 'guest' }, detail: { code: 'destination_not_allowed', rule: 'allowedCountries', country: 'AT' } })))
		expect(await entries('user.locked', 1)).toMatchObject([{ actor: { kind: 'system' }, target: { id: 'guest' }, detail: { until: expect.any(String) } }])
		expect(await demo.request('PUT', '/admin/users/guest', { lock: null })).toMatchObject({ status: 200 })
		expect((await entries('user.changed', 2)).at(-1)).toMatchObject({ detail: { lock: { old: { by: 'refusals' }, new: null } } })
	})

	it('has a call that an admin has ended, by whom and whose', async () => {
		const placed = await guest.call('+4930123400', { note: 'A note of the guest' })
		expect(placed.text).toContain('uuid')
		const { uuid } = placed.body
		await guest.until(uuid, ({ status }) => status === 'connected')
		expect(await demo.request('DELETE', `/admin/call/${uuid}`)).toMatchObject({ status: 202 })
		expect(await entries('call.ended', 1)).toMatchObject([{ actor: { id: 'demo' }, target: { id: 'guest' }, detail: { call: uuid } }])
		await guest.untilEnded(uuid)
	})

	it('has a phone that was verified by a code', async () => {
		const { body } = await guest.request<{ devices: { id: string }[] }>('PUT', '/me', { devices: [{ kind: 'phone', label: 'Mobile', address: '+4915123456702' }] })
		const id = body.devices[0]?.id ?? ''
		expect(await guest.request('POST', `/me/devices/${id}/verify`, {})).toMatchObject({ status: 202 })
		await test.freeSwitch.until(() => test.freeSwitch.heard.length > 0)
		const code = test.freeSwitch.heard.at(-1)?.texts[0]
		expect(await guest.request('POST', `/me/devices/${id}/confirm`, { code })).toMatchObject({ status: 200 })
		expect(await entries('phone.verified', 1)).toMatchObject([{ actor: { id: 'guest' }, detail: { device: id } }])
	})

	it('has sign-ins, sign-outs and tokens that were shown twice', async () => {
		const one = await signIn()
		await auth('/auth/revoke', { refreshToken: one })
		const two = await signIn()
		await auth('/auth/refresh', { refreshToken: two })
		await auth('/auth/refresh', { refreshToken: two })
		const [first, second] = await entries('client.signed_in', 2)
		expect([first, second]).toMatchObject([1, 2].map(() => ({ actor: { kind: 'user', id: 'guest' } })))
		expect(await entries('client.signed_out', 1)).toMatchObject([{ actor: { id: 'guest' }, detail: first?.detail }])
		expect(await entries('client.token_reused', 1)).toMatchObject([{ actor: { kind: 'system' }, target: { id: 'guest' }, detail: second?.detail }])
	})

	it('has exports, backups and restores, and no restore makes it shorter', async () => {
		await test.nextcloud.occ('sipcall:export', ['guest'])
		const { output } = await test.nextcloud.occ('sipcall:backup')
		const name = /\nMade (\S+) /.exec(output)?.[1] ?? ''
		await demo.request('POST', '/admin/config', { maxCallSec: 900 })
		const before = await page()
		expect((await test.nextcloud.occ('sipcall:restore', [name])).output).toMatch(/Restored/)
		expect((await test.nextcloud.occ('sipcall:restore', ['sipcall-20260102T030405678Z-manual.backup'])).output).toMatch(/Error/)
		expect(await entries('user.exported', 1)).toMatchObject([{ actor: { kind: 'console' }, target: { id: 'guest' } }])
		expect(await entries('backup.made', 1)).toMatchObject([{ actor: { kind: 'console' } }])
		expect((await entries('backup.restored', 3)).map(({ detail }) => detail)).toEqual([{ name, force: false }, { name: expect.any(String), force: false }, { name: expect.any(String), force: false, failed: 'not_found' }])
		const { items } = await page('limit=200')
		expect(items.map(({ seq }) => seq)).toEqual(expect.arrayContaining(before.items.map(({ seq }) => seq)))
	})

	it('is read page by page, by action and by time; an unknown cursor or action is refused', async () => {
		const all = (await page('limit=200')).items
		const read: Item[] = []
		for (let cursor = ''; ;) {
			const { items, nextCursor } = await page(`limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`)
			read.push(...items)
			if (nextCursor === null) {
				break
			}
			cursor = nextCursor
		}
		expect(read).toEqual(all)
		expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => all.length - index))
		expect((await page(`to=${encodeURIComponent(all.at(-1)?.at ?? '')}`)).items).toEqual([])
		for (const query of ['cursor=nonsense', 'action=nothing', 'limit=0', 'limit=201', 'from=yesterday']) {
			expect(await demo.get(`/admin/audit-log?${query}`)).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
		}
	})

	it('is narrowed by who did it and to whom it was done, also in the file, whose entry names nobody', async () => {
		const all = (await page('limit=200')).items
		const seqs = (items: Item[]) => items.map(({ seq }) => seq)
		const by = async (query: string) => seqs((await page(`limit=200&${query}`)).items)
		const ofGuest = all.filter(({ actor }) => actor.id === 'guest')
		const toGuest = all.filter(({ target }) => target?.id === 'guest')
		expect(ofGuest.length).toBeGreaterThan(3)
		expect(await by('actor=guest')).toEqual(seqs(ofGuest))
		expect(await by('target=guest')).toEqual(seqs(toGuest))
		expect(await by('actor=demo&target=guest')).toEqual(seqs(toGuest.filter(({ actor }) => actor.id === 'demo')))
		expect(await by('actor=demo&target=guest&action=call.ended')).toHaveLength(1)
		const ref = ofGuest[0]?.actor.ref ?? ''
		expect(await by(`actor=${ref.slice(0, 8)}`)).toEqual(seqs(ofGuest))
		expect(await by('actor=nobody')).toEqual([])
		const csv = await demo.request('GET', '/admin/audit-log?actor=guest', undefined, { Accept: 'text/csv' })
		expect(csv.text.trimEnd().split('\r\n')).toHaveLength(ofGuest.length + 1)
		expect((await entries('audit.exported', 1)).at(-1)?.detail).toEqual({ actor: [ref] })
		for (const query of ['actor=', 'target=%00', `actor=${'a'.repeat(257)}`]) {
			expect(await demo.get(`/admin/audit-log?${query}`)).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
		}
	})

	it('holds no number, no secret, no note and no name of a user', async () => {
		const rows = await test.database.query<{ row: string }>('select l::text as row from audit_log l')
		const everything = rows.map(({ row }) => row).join('\n')
		for (const digits of [DENIED, OFFICE, MOBILE, '+4930123400', '+4915123456702'].map((number) => number.slice(3))) {
			expect(everything).not.toContain(digits)
		}
		expect(everything).not.toMatch(/\+\d{3}|112\b.*emergency|the-switch-secret|secret of|client-secret|A note|"(?:demo|guest)"|\b(?:demo|guest)\b/)
	})

	it('is in order by occ, and still after its user was purged; then nobody knows who that was', async () => {
		expect(await verified()).toMatch(/^All \d+ entries are in order\. The seal of the last one begins with [0-9a-f]{16}\.\n$/)
		expect((await test.nextcloud.occ('sipcall:user:purge', ['guest'], { yes: true })).output).toMatch(/^Deleted/)
		expect(await verified()).toMatch(/^All \d+ entries/)
		const { items: [purged] } = await page('action=user.purged')
		expect(purged).toMatchObject({ actor: { kind: 'console' }, target: { ref: expect.any(String) }, detail: { calls: 1, devices: 1 } })
		expect((await page('limit=200')).items.some(({ actor, target }) => actor.id === 'guest' || target?.id === 'guest')).toBe(false)
		expect((await page('action=user.locked')).items[0]?.target).toEqual(purged?.target)
	})

	it('refuses an admin’s change that it cannot take, and calls go on', async () => {
		await test.database.query('alter table audit_log add constraint full_disk check (false) not valid')
		expect(await demo.request('POST', '/admin/config', { maxCallSec: 60 })).toMatchObject({ status: 503, body: { code: 'storage_unavailable' } })
		expect(await demo.request('PUT', '/admin/users/demo', { permission: false })).toMatchObject({ status: 503 })
		expect((await demo.get('/admin/config')).body.maxCallSec).not.toBe(60)
		expect(await demo.call('112')).toMatchObject({ status: 422 })
		const { status, body } = await demo.call('+4930123417')
		expect(status).toBe(202)
		await demo.untilEnded(body.uuid)
		await test.database.query('alter table audit_log drop constraint full_disk')
	})

	it('names the first entry that is not in order', async () => {
		await test.database.query('grant update on audit_log to current_user; alter table audit_log disable trigger user; update audit_log set action = \'user.locked\' where seq = 3')
		expect(await verified()).toMatch(/^Error: The audit log is broken at entry 3\. .* The 2 entries before it are in order\.\n$/)
	})
})
