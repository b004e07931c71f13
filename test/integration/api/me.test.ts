// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MeJson } from '../../../lib/http/schemas.ts'
import type { Answer, ApiClient, TestApp } from '../../support/app.ts'

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'

interface Problem {
	code: string
	errors?: { field: string, message: string }[]
}

type Wish = Record<string, unknown>

const DESK = { kind: 'sip', label: 'Desk', address: '1000' }
const MOBILE = { kind: 'phone', label: 'Mobile', address: '+49 1512 3456701' }

let test: TestApp
let demo: ApiClient
let guest: ApiClient

beforeAll(async () => {
	test = await startTestApp()
	demo = await test.prepare({ allowedGroups: null, allowedCountries: ['DE'] })
	guest = test.as('guest')
})

afterAll(() => test.stop())

beforeEach(async () => {
	await demo.request('POST', '/admin/config', { deviceVerification: { phone: 'code', sip: 'none' } })
	await put(demo, [])
})

function put(client: ApiClient, devices: Wish[]): Promise<Answer<MeJson>> {
	return client.request<MeJson>('PUT', '/me', { devices })
}

async function devicesOf(client: ApiClient): Promise<MeJson['devices']> {
	return (await client.get<MeJson>('/me')).body.devices
}

async function refusal(devices: Wish[]): Promise<[number, string, string[] | undefined]> {
	const { status, body } = await demo.request<Problem>('PUT', '/me', { devices })
	return [status, body.code, body.errors?.map(({ field }) => field)]
}

describe('PUT /me', () => {
	it('replaces the whole list, in the order in which it is given, and answers what GET answers', async () => {
		const first = await put(demo, [DESK, { ...DESK, label: 'Door', address: '1001' }])
		expect(first.status).toBe(200)
		expect(first.body.devices).toMatchObject([{ ...DESK, isDefault: true, verified: true }, { label: 'Door', isDefault: false }])
		const second = await put(demo, [{ ...DESK, label: 'Kitchen', address: '1002' }, DESK])
		expect(second.body.devices.map(({ label }) => label)).toEqual(['Kitchen', 'Desk'])
		expect((await demo.get<MeJson>('/me')).body).toEqual(second.body)
		expect((await put(demo, [])).body.devices).toEqual([])
	})

	it('keeps an id that is given, and gives a new one where none is', async () => {
		const [desk] = (await put(demo, [DESK])).body.devices
		const renamed = (await put(demo, [{ ...DESK, label: 'New', address: '1009', id: desk?.id }, { ...DESK, address: '1001' }])).body.devices
		expect(renamed[0]).toMatchObject({ id: desk?.id, label: 'New', address: '1009' })
		expect(renamed[1]?.id).toMatch(/^[0-9a-f-]{36}$/)
		expect(renamed[1]?.id).not.toBe(desk?.id)
	})

	it('changes nothing without a list of devices', async () => {
		const before = (await put(demo, [DESK])).body
		expect((await demo.request<MeJson>('PUT', '/me', {})).body).toEqual(before)
	})

	it('makes the wished one the default, else the first, and refuses two', async () => {
		expect((await put(demo, [DESK, { ...DESK, address: '1001', isDefault: true }])).body.devices.map(({ isDefault }) => isDefault)).toEqual([false, true])
		expect((await put(demo, [{ ...DESK, isDefault: false }, { ...DESK, address: '1001' }])).body.devices.map(({ isDefault }) => isDefault)).toEqual([true, false])
		const before = await devicesOf(demo)
		expect(await refusal([{ ...DESK, isDefault: true }, { ...DESK, address: '1001', isDefault: true }])).toEqual([400, 'invalid_request', ['devices']])
		expect(await devicesOf(demo)).toEqual(before)
	})

	it('refuses an id that is nobody’s or somebody else’s, and touches neither list', async () => {
		const [theirs] = (await put(guest, [{ ...DESK, address: '1005', label: 'Theirs' }])).body.devices
		const [mine] = (await put(demo, [DESK])).body.devices
		for (const id of [randomUUID(), theirs?.id]) {
			expect(await refusal([DESK, { ...DESK, address: '1001', id }])).toEqual([400, 'invalid_request', ['devices.1.id']])
		}
		expect(await devicesOf(demo)).toEqual([mine])
		expect(await devicesOf(guest)).toEqual([theirs])
	})

	it('refuses the same id or the same phone twice', async () => {
		const [desk] = (await put(demo, [DESK])).body.devices
		expect((await refusal([{ ...DESK, id: desk?.id }, { ...DESK, address: '1001', id: desk?.id }]))[0]).toBe(400)
		expect((await refusal([DESK, { ...DESK, label: 'Again' }]))[0]).toBe(400)
		expect((await refusal([MOBILE, { ...MOBILE, address: '0049 (0)1512/3456701' }]))[0]).toBe(400)
		expect(await devicesOf(demo)).toEqual([desk])
	})

	it.each(['1000', 'a', 'A.b_c+d-e', '0'.repeat(64)])('takes the extension %j', async (address) => {
		expect((await put(demo, [{ ...DESK, address }])).body.devices).toMatchObject([{ address }])
	})

	it.each(['', ' 1000', '1000\n', '1000@host', 'user/1000', '1000,1001', '1000|1001', '${domain}', '{x=y}1000', '[x]1000', '10:00', '*97', 'ü', '０', '0'.repeat(65), '\0', 1000, null])('refuses the extension %j', async (address) => {
		expect(await refusal([{ ...DESK, address }])).toEqual([400, 'invalid_request', ['devices.0.address']])
	})

	it.each<[Wish, string]>([
		[{ ...DESK, kind: 'fax' }, 'devices.0.kind'],
		[{ ...DESK, label: '' }, 'devices.0.label'],
		[{ ...DESK, label: 'x'.repeat(65) }, 'devices.0.label'],
		[{ ...DESK, label: 'a\u0007' }, 'devices.0.label'],
		[{ ...DESK, id: '1' }, 'devices.0.id'],
		[{ ...DESK, isDefault: 'yes' }, 'devices.0.isDefault'],
		[{ ...DESK, verified: true }, 'devices.0'],
	])('refuses %j', async (device, field) => {
		expect(await refusal([device])).toEqual([400, 'invalid_request', [field]])
	})

	it('takes 20 devices and no more', async () => {
		const many = Array.from({ length: 21 }, (_, position) => ({ ...DESK, address: String(1000 + position) }))
		expect((await put(demo, many.slice(0, 20))).body.devices).toHaveLength(20)
		expect((await refusal(many))[0]).toBe(400)
	})

	it('ends in one of the lists when ten are written at the same moment, and in no fault', async () => {
		const lists = Array.from({ length: 10 }, (_, position) => [{ ...DESK, address: `20${position}` }, { ...DESK, address: `30${position}` }])
		const answers = await Promise.all(lists.map((list) => put(demo, list)))
		expect(answers.map(({ status }) => status)).toEqual(lists.map(() => 200))
		const left = await devicesOf(demo)
		expect(lists.map((list) => list.map(({ address }) => address))).toContainEqual(left.map(({ address }) => address))
		expect(left.filter(({ isDefault }) => isDefault)).toHaveLength(1)
	})
})

describe('a phone behind the trunk as a device', () => {
	it('is kept as E.164, however it is typed, and is not verified by that', async () => {
		expect((await put(demo, [{ ...MOBILE, address: '01512 / 345 67 01' }])).body.devices).toMatchObject([{ kind: 'phone', address: '+4915123456701', verified: false }])
	})

	it.each([
		['+33 1 23 45 67 89', 'destination_not_allowed'],
		['+49 900 1 123456', 'destination_not_allowed'],
		['+1 268 464 1234', 'destination_not_allowed'],
		['+870 773 111 632', 'destination_not_allowed'],
		['112', 'invalid_number'],
		['hello', 'invalid_number'],
		['+4930123456,,1', 'invalid_number'],
		['+4930123456@host', 'invalid_number'],
	])('may not be %j, since ringing it costs money as well: %s, with the name of its field', async (address, code) => {
		expect(await refusal([DESK, { ...MOBILE, address }])).toEqual([422, code, ['devices.1.address']])
		expect(await devicesOf(demo)).toEqual([])
	})

	it('that is not verified rings for no call', async () => {
		const [mobile] = (await put(demo, [MOBILE])).body.devices
		const before = test.freeSwitch.originates.length
		expect(await demo.call('+4930123401')).toMatchObject({ status: 422, body: { code: 'no_device' } })
		expect(await demo.call('+4930123401', { device: mobile?.id })).toMatchObject({ status: 422, body: { code: 'no_device' } })
		expect(test.freeSwitch.originates.length).toBe(before)
	})

	it('needs no proof where the admin says so, and needs it again as soon as the admin says that', async () => {
		const [mobile] = (await put(demo, [MOBILE])).body.devices
		expect(mobile?.verified).toBe(false)
		await demo.request('POST', '/admin/config', { deviceVerification: { phone: 'none', sip: 'none' } })
		expect((await demo.get<{ devices: { verified: boolean }[] }>('/me')).body.devices[0]?.verified).toBe(true)
		await demo.request('POST', '/admin/config', { deviceVerification: { phone: 'code', sip: 'none' } })
		expect(await demo.call('+4930123401')).toMatchObject({ status: 422, body: { code: 'no_device' } })
	})

	it('loses its proof with another address and keeps it with another label', async () => {
		const [mobile] = (await put(demo, [MOBILE])).body.devices
		await test.database.query('update devices set verified = true where kind = \'phone\'')
		const [renamed] = (await put(demo, [{ ...MOBILE, id: mobile?.id, label: 'Private', address: '015123456701' }])).body.devices
		expect(renamed).toMatchObject({ id: mobile?.id, label: 'Private', verified: true })
		const [moved] = (await put(demo, [{ ...MOBILE, id: mobile?.id, address: '+49 1512 3456702' }])).body.devices
		expect(moved).toMatchObject({ id: mobile?.id, verified: false })
		const [back] = (await put(demo, [{ ...MOBILE, id: mobile?.id }])).body.devices
		expect(back).toMatchObject({ verified: false })
	})

	it('is not verified by having been another kind of device, or by a device of that address before', async () => {
		const [desk] = (await put(demo, [{ ...DESK, address: '+4915123456701' }])).body.devices
		expect(desk?.verified).toBe(true)
		expect((await put(demo, [{ ...MOBILE, id: desk?.id }])).body.devices).toMatchObject([{ kind: 'phone', verified: false }])
	})

	it('that the policy forbids by now rings for no call', async () => {
		await demo.request('POST', '/admin/config', { deviceVerification: { phone: 'none', sip: 'none' } })
		await put(demo, [MOBILE])
		await demo.request('POST', '/admin/config', { deniedPrefixes: ['+491512'] })
		expect(await demo.call('+4930123401')).toMatchObject({ status: 422, body: { code: 'destination_not_allowed' } })
		await demo.request('POST', '/admin/config', { deniedPrefixes: [] })
	})
})

describe('a call’s device', () => {
	it('is the wished one or the default one, and never somebody else’s', async () => {
		const [theirs] = (await put(guest, [{ ...DESK, address: '1005' }])).body.devices
		const [, second] = (await put(demo, [DESK, { ...DESK, label: 'Door', address: '1001' }])).body.devices
		expect(await demo.call('+4930123401', { device: theirs?.id })).toMatchObject({ status: 422, body: { code: 'no_device' } })
		const { body } = await demo.call('+4930123401', { device: second?.id })
		expect(body.device).toEqual({ id: second?.id, label: 'Door' })
		await demo.untilEnded(body.uuid)
		const byDefault = await demo.call('+4930123401')
		expect(byDefault.body.device.label).toBe('Desk')
		await demo.untilEnded(byDefault.body.uuid)
	})

	it('is missing without any: no_device', async () => {
		expect(await demo.call('+4930123401')).toMatchObject({ status: 422, body: { code: 'no_device' } })
	})
})

describe('GET /me', () => {
	it('tells the rights of an admin and of somebody else', async () => {
		expect((await demo.get<MeJson>('/me')).body).toMatchObject({ id: 'demo', roles: ['user', 'admin'], permissions: { call: true, admin: true }, country: 'DE', service: { calling: 'ok' } })
		expect((await guest.get<MeJson>('/me')).body).toMatchObject({ id: 'guest', roles: ['user'], permissions: { call: true, admin: false } })
		await demo.request('POST', '/admin/config', { allowedGroups: ['sales'] })
		expect((await guest.get<MeJson>('/me')).body.permissions.call).toBe(false)
		expect(await guest.call('+4930123401')).toMatchObject({ status: 403, body: { code: 'calling_not_permitted' } })
		await demo.request('POST', '/admin/config', { allowedGroups: null })
	})

	it('lists only the caller IDs that the user may show', async () => {
		await demo.request('POST', '/admin/config', { callerIds: [{ number: '+4930999901', label: 'Sales', groups: ['sales'] }, { number: '+4930999902', label: 'Office' }] })
		expect((await demo.get<MeJson>('/me')).body.callerIds.map(({ label }) => label)).toEqual(['Sales', 'Office'])
		expect((await guest.get<MeJson>('/me')).body.callerIds).toEqual([{ number: '+4930999902', label: 'Office' }])
		await demo.request('POST', '/admin/config', { callerIds: [] })
	})
})
