// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What users choose for themselves, and what follows from it.

import type { ExplanationJson, MeJson } from '../../../lib/http/schemas.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'

const OFFICE = '+4930999900'
const SALES = '+4930999911'
const DEFAULTS = { country: null, askBeforeEveryCall: false, callerId: null, notifications: { missed: true, failed: true } }

let test: TestApp
let demo: ApiClient

beforeAll(async () => {
	test = await startTestApp({ freeSwitch: { speed: 1 }, overrides: { sweepMs: 50, settleMs: 60 } })
	demo = await test.prepare({ allowedCountries: ['DE', 'AT'], callerIds: [{ number: OFFICE, label: 'Office' }, { number: SALES, label: 'Sales' }, { number: '+4930999922', label: 'Others', groups: ['nobody'] }] })
})

afterAll(() => test.stop())

beforeEach(() => choose(DEFAULTS))

async function choose(preferences: Record<string, unknown>): Promise<MeJson> {
	const { status, body } = await demo.request<MeJson>('PUT', '/me', { preferences })
	expect(status).toBe(200)
	return body
}

async function explain(to: string): Promise<ExplanationJson> {
	return (await demo.request<ExplanationJson>('POST', '/numbers/explain', { to })).body
}

describe('preferences', () => {
	it('are kept one by one, and nobody else’s', async () => {
		expect((await demo.get<MeJson>('/me')).body.preferences).toEqual(DEFAULTS)
		expect((await choose({ askBeforeEveryCall: true })).preferences).toEqual({ ...DEFAULTS, askBeforeEveryCall: true })
		expect((await choose({ notifications: { failed: false } })).preferences).toEqual({ ...DEFAULTS, askBeforeEveryCall: true, notifications: { missed: true, failed: false } })
		expect((await demo.get<MeJson>('/me')).body.devices).toHaveLength(1)
		expect((await test.as('guest').get<MeJson>('/me')).body.preferences).toEqual(DEFAULTS)
	})

	it('stay whole when two pages change them at once', async () => {
		await Promise.all([choose({ askBeforeEveryCall: true }), choose({ country: 'AT' }), choose({ notifications: { missed: false } })])
		expect((await demo.get<MeJson>('/me')).body.preferences).toEqual({ ...DEFAULTS, askBeforeEveryCall: true, country: 'AT', notifications: { missed: false, failed: true } })
	})

	it.each<[string, unknown, number, string, string]>([
		['a country that is none', { country: 'XX' }, 400, 'invalid_request', 'preferences.country'],
		['what is no preference', { colour: 'red' }, 400, 'invalid_request', 'preferences'],
		['a number that is not granted', { callerId: '+4930999922' }, 422, 'caller_id_not_allowed', 'preferences.callerId'],
		['what is no number', { callerId: '030' }, 400, 'invalid_request', 'preferences.callerId'],
	])('refuse %s, and change nothing', async (_what, preferences, status, code, field) => {
		expect(await demo.request('PUT', '/me', { preferences: { ...preferences as object, askBeforeEveryCall: true } })).toMatchObject({ status, body: { code, errors: [{ field }] } })
		expect((await demo.get<MeJson>('/me')).body.preferences).toEqual(DEFAULTS)
	})

	it('are encrypted where they lie, exported with the user’s data, and purged with them', async () => {
		await choose({ callerId: SALES, country: 'AT' })
		const [row] = await test.database.query<{ row: string }>('select p::text as row from user_preferences p where user_id = \'demo\'')
		expect(row?.row).not.toMatch(/999911|AT"|callerId/)
		test.nextcloud.exAppUrl = test.url
		await test.nextcloud.disable()
		await test.nextcloud.enable()
		expect(JSON.parse((await test.nextcloud.occ('sipcall:export', ['demo'])).output)).toMatchObject({ preferences: { callerId: SALES, country: 'AT' } })
		await test.as('guest').request('PUT', '/me', { preferences: { country: 'AT' } })
		expect(await test.database.query('select from user_preferences where user_id = \'guest\'')).toHaveLength(1)
		await test.nextcloud.occ('sipcall:user:purge', ['guest'], { yes: true })
		expect(await test.database.query('select from user_preferences where user_id = \'guest\'')).toHaveLength(0)
	})
})

describe('a country of one’s own', () => {
	it('reads numbers in national form: typed, explained, filtered by, and those of phones', async () => {
		expect(await choose({ country: 'AT' })).toMatchObject({ country: 'AT', homeCountry: 'DE' })
		expect(await explain('01 5138200')).toMatchObject({ e164: '+4315138200', country: 'AT', allowed: true })
		const { body } = await demo.call('01 5138200')
		expect(body.to).toBe('+4315138200')
		await demo.hangUp(body.uuid)
		await demo.untilEnded(body.uuid)
		expect((await demo.get<{ items: unknown[] }>('/call-history?number=015138200')).body.items).toHaveLength(1)
		const { body: me } = await demo.request<MeJson>('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1000' }, { kind: 'phone', label: 'Home', address: '01 5138201' }] })
		expect(me.devices[1]?.address).toBe('+4315138201')
		await choose({ country: null })
		expect(await explain('030 123456')).toMatchObject({ e164: '+4930123456' })
		expect((await demo.get<{ items: unknown[] }>('/call-history?number=015138200')).body.items ?? []).toHaveLength(0)
	})

	it('reads whom a call is transferred to', async () => {
		await choose({ country: 'AT' })
		const { body } = await demo.call('+4930123400')
		await demo.until(body.uuid, ({ status }) => status === 'connected')
		const { status } = await demo.request('POST', `/call/${body.uuid}/transfer`, { to: '01 5138200' })
		expect(status).toBe(202)
		await test.freeSwitch.until(() => test.freeSwitch.commands.some(({ command }) => command.includes('+4315138200')))
		await demo.hangUp(body.uuid)
		await demo.untilEnded(body.uuid)
	})

	it('allows nothing that the home country does not, and hides no emergency number of it', async () => {
		await demo.request('POST', '/admin/config', { allowedCountries: null })
		await choose({ country: 'AT' })
		expect(await explain('01 5138200')).toMatchObject({ e164: '+4315138200', allowed: false, refusal: { code: 'destination_not_allowed', rule: { id: 'allowedCountries' } } })
		await demo.request('POST', '/admin/config', { homeCountry: 'AU' })
		// A number for emergencies in Australia alone, by text.
		expect(await explain('106')).toMatchObject({ allowed: false, refusal: { code: 'emergency_number' } })
		await demo.request('POST', '/admin/config', { homeCountry: 'DE', allowedCountries: ['DE', 'AT', 'AU'] })
		await choose({ country: 'AU' })
		expect(await explain('106')).toMatchObject({ allowed: false, refusal: { code: 'emergency_number' } })
		expect((await demo.call('106')).body).toMatchObject({ code: 'emergency_number' })
	})
})

describe('a caller ID of one’s own', () => {
	it('is shown where a call names none, and a call may still name another one', async () => {
		expect(await explain('+4930123456')).toMatchObject({ callerId: OFFICE })
		await choose({ callerId: SALES })
		expect(await explain('+4930123456')).toMatchObject({ callerId: SALES })
		for (const [wish, shown] of [[{}, SALES], [{ callerId: OFFICE }, OFFICE]] as const) {
			const { body } = await demo.call('+4930123417', wish)
			expect(body.callerId).toBe(shown)
			await demo.untilEnded(body.uuid)
		}
	})

	it('gives way to the first one, without a refusal, once it is taken from the user', async () => {
		await choose({ callerId: SALES })
		await demo.request('POST', '/admin/config', { callerIds: [{ number: OFFICE, label: 'Office' }] })
		expect(await explain('+4930123456')).toMatchObject({ allowed: true, callerId: OFFICE })
	})
})

describe('notifications', () => {
	it('are sent for the kinds that the user wants', async () => {
		const fail = async () => {
			const { body } = await demo.call('+4930123407')
			await demo.untilEnded(body.uuid)
			return body.uuid
		}
		const told = () => test.nextcloud.notifications('demo').map((notification) => notification.object_id)
		await choose({ notifications: { failed: false } })
		const untold = await fail()
		await choose({ notifications: { failed: true } })
		const second = await fail()
		while (!told().includes(second)) {
			await new Promise(setImmediate)
		}
		expect(told()).not.toContain(untold)
	})
})

describe('missed calls', () => {
	it('are counted until they were looked at; looking back in time brings none back', async () => {
		const [call] = (await demo.get<{ items: { uuid: string }[] }>('/call-history?limit=1')).body.items
		for (const [outcome, at] of [['no_answer', '2026-11-20T10:00:00Z'], ['busy', '2026-11-21T10:00:00Z'], ['completed', '2026-11-21T11:00:00Z']]) {
			await test.database.query(`insert into calls (uuid, version, user_id, to_number, to_index, raw_to, device_id, device_label, direction, status, outcome, created_at, on_hold, legs, job_uuid, changed_at)
				select gen_random_uuid(), 1, 'demo', to_number, to_index, raw_to, device_id, device_label, 'inbound', 'ended', '${outcome}', '${at}', false, legs, gen_random_uuid(), changed_at from calls where uuid = '${call?.uuid}'`)
		}
		const seen = async (seenMissedAt: string) => (await demo.request<MeJson>('PUT', '/me', { seenMissedAt })).body.missedUnseen
		expect((await demo.get<MeJson>('/me')).body.missedUnseen).toBe(2)
		expect(await seen('2026-11-20T12:00:00.000Z')).toBe(1)
		expect(await seen('2026-11-19T12:00:00.000Z')).toBe(1)
		expect(await seen('2999-01-01T00:00:00.000Z')).toBe(0)
		// A time to come counts as now: what is missed later is counted.
		const [row] = await test.database.query<{ seen: Date }>('select seen_missed_at as seen from user_preferences where user_id = \'demo\'')
		expect(new Date(row?.seen ?? 0).getTime()).toBeLessThanOrEqual(Date.now())
		expect(await demo.request('PUT', '/me', { seenMissedAt: 'yesterday' })).toMatchObject({ status: 400, body: { errors: [{ field: 'seenMissedAt' }] } })
	})
})
