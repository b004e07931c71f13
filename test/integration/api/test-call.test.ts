// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// An admin has an own phone rung, with the scripted switch in the place of a real one.

import type { TestCallJson } from '../../../lib/http/health-schemas.ts'
import type { MeJson } from '../../../lib/http/schemas.ts'
import type { Answer, ApiClient, TestApp } from '../../support/app.ts'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'
import { until } from '../../support/until.ts'

interface Problem {
	code: string
	retryAfterSec?: number
}

const NUMBER = '+4915123456701'
const DESK = { kind: 'sip', label: 'Desk', address: '1000' }
const MOBILE = { kind: 'phone', label: 'Mobile', address: NUMBER }

let test: TestApp
let demo: ApiClient
let desk: string
let mobile: string

beforeAll(async () => {
	test = await startTestApp({ freeSwitch: { speed: 1, pace: { phoneRings: Infinity } } })
})

afterAll(() => test.stop())

beforeEach(async () => {
	test.freeSwitch.onCommand = undefined
	for (const { uuid } of test.freeSwitch.channels()) {
		test.freeSwitch.hangUp(uuid)
	}
	await test.restart()
	demo = await test.prepare({ deviceVerification: { phone: 'none', sip: 'none' }, deniedPrefixes: [], rates: [], dailySpendLimit: null, callerIds: [] })
	const { body } = await demo.request<MeJson>('PUT', '/me', { devices: [DESK, MOBILE] })
	desk = body.devices[0]?.id ?? ''
	mobile = body.devices[1]?.id ?? ''
})

function start<Body = TestCallJson>(device = desk, client = demo): Promise<Answer<Body>> {
	return client.request<Body>('POST', '/admin/test-call', { device })
}

async function untilStep(id: string, condition: (call: TestCallJson) => boolean): Promise<TestCallJson> {
	return (await until(() => demo.get<TestCallJson>(`/admin/test-call/${id}`), ({ body }) => condition(body))).body
}

const has = (step: string) => ({ steps }: TestCallJson) => steps.some(({ id }) => id === step)
const isOver = ({ passed }: TestCallJson) => passed !== undefined

async function ringing(): Promise<string> {
	await test.freeSwitch.until(() => test.freeSwitch.channels().length === 1)
	return test.freeSwitch.channels()[0]?.uuid ?? ''
}

describe('a test call', () => {
	it('rings, is answered and ends: each step with its milliseconds, in no history and on no line', async () => {
		const { status, body } = await start()
		expect([status, body.passed]).toEqual([202, undefined])
		const leg = await ringing()
		await untilStep(body.id, has('ringing'))
		test.freeSwitch.answer(leg)
		await untilStep(body.id, has('answered'))
		expect(test.freeSwitch.channels()).toMatchObject([{ number: '1000', variables: { sipcall_test: 'true' } }])
		test.freeSwitch.hangUp(leg)
		const over = await untilStep(body.id, isOver)
		expect(over).toMatchObject({ passed: true, cause: { name: 'NORMAL_CLEARING', q850: 16 } })
		expect(over.steps.map(({ id }) => id)).toEqual(['accepted', 'ringing', 'answered', 'ended'])
		expect(over.steps.map(({ ms }) => ms)).toEqual(over.steps.map(({ ms }) => ms).toSorted((a, b) => a - b))
		expect((await demo.get<{ items: unknown[] }>('/call-history')).body.items).toEqual([])
		const log = await demo.get<{ items: { action: string, detail: unknown }[] }>('/admin/audit-log')
		expect(log.body.items.find(({ action }) => action === 'call.tested')).toMatchObject({ detail: { device: desk } })
	})

	it('is written once, and ended by the switch 15 s after the pick-up whatever becomes of SIPCall', async () => {
		const before = test.freeSwitch.originates.length
		const { body } = await start()
		await ringing()
		expect(test.freeSwitch.originates.slice(before)).toHaveLength(1)
		expect(test.freeSwitch.commands.at(-1)?.command ?? '').toContain('sched_hangup:+15^')
		test.freeSwitch.hangUp(await ringing(), 'USER_BUSY')
		expect(await untilStep(body.id, isOver)).toMatchObject({ passed: false, cause: { name: 'USER_BUSY', sip: 486 }, reason: { code: 'own_phone_busy' } })
	})

	it('that is declined says so', async () => {
		const { body } = await start()
		test.freeSwitch.hangUp(await ringing())
		expect(await untilStep(body.id, isOver)).toMatchObject({ passed: false, reason: { code: 'own_phone_declined', fixableBy: 'user' } })
	})

	it('to a phone that is not registered says so', async () => {
		const { body } = await demo.request<MeJson>('PUT', '/me', { devices: [{ ...DESK, address: '1909' }] })
		const call = (await start(body.devices[0]?.id)).body
		const over = await untilStep(call.id, isOver)
		expect(over).toMatchObject({ passed: false, reason: { fixableBy: 'user' } })
	})

	it.each([
		['deny', { passed: false, cause: { name: 'FACILITY_REJECTED' }, reason: { fixableBy: 'admin' } }],
	] as const)('whose originate meets with %s is over', async (fault, outcome) => {
		test.freeSwitch.onCommand = (command) => command.startsWith('bgapi originate') ? fault : undefined
		const { body } = await start()
		expect(await untilStep(body.id, isOver)).toMatchObject(outcome)
	})

	it('whose reply is lost goes on by its events', async () => {
		test.freeSwitch.onCommand = (command) => command.startsWith('bgapi originate') ? 'drop' : undefined
		const { body } = await start()
		await ringing()
		test.freeSwitch.onCommand = undefined
		expect((await untilStep(body.id, has('ringing'))).passed).toBeUndefined()
		test.freeSwitch.hangUp(await ringing())
		await untilStep(body.id, isOver)
	})

	it('goes on alone: a second one is refused', async () => {
		const { body } = await start()
		expect(await start<Problem>()).toMatchObject({ status: 409, body: { code: 'already_in_call' } })
		test.freeSwitch.hangUp(await ringing())
		await untilStep(body.id, isOver)
		const again = await start()
		expect(again.status).toBe(202)
		test.freeSwitch.hangUp(await ringing())
		await untilStep(again.body.id, isOver)
	})

	it('of somebody else’s phone, and by somebody else, is not there', async () => {
		const { body: guest } = await test.as('guest').request<MeJson>('PUT', '/me', { devices: [DESK] })
		expect(await start<Problem>(guest.devices[0]?.id)).toMatchObject({ status: 404, body: { code: 'not_found' } })
		expect(await demo.get('/admin/test-call/4a1f4f6e-3c1e-4f0e-9a0c-5f0a2c6f7b11')).toMatchObject({ status: 404 })
		expect((await start(desk, test.as('guest'))).status).toBe(403)
	})
})

describe('a test call to a phone number', () => {
	it('goes through the first gateway with the first caller ID, and what it costs counts', async () => {
		const euro = (micros: string) => ({ micros, currency: 'EUR' })
		await demo.request('POST', '/admin/config', { callerIds: [{ number: '+4930999999', label: 'Desk' }], rates: [{ prefix: '+49', perMinute: euro('60000') }], dailySpendLimit: euro('100000000') })
		const { status, body } = await start(mobile)
		expect(status).toBe(202)
		const leg = await ringing()
		expect(test.freeSwitch.channels()).toMatchObject([{ number: NUMBER, gateway: 'trunk', variables: { origination_caller_id_number: '+4930999999' } }])
		test.freeSwitch.hangUp(leg)
		await untilStep(body.id, isOver)
		expect((await demo.get<{ limits: { kind: string }[] }>('/me')).status).toBe(200)
		const [row] = await test.database.query<{ spent: string }>('select sum(micros::bigint)::text as spent from spent_before')
		expect(row?.spent).toBe('15000')
	})

	it.each([
		['a denied prefix', { deniedPrefixes: ['+49151'] }, 422, 'destination_not_allowed'],
		['a phone that is not verified', { deviceVerification: { phone: 'code', sip: 'none' } }, 422, 'no_device'],
		['an admin who may not call', { allowedGroups: ['nobody'] }, 403, 'calling_not_permitted'],
	])('is refused for %s, and nothing rings', async (_what, settings, status, code) => {
		await demo.request('POST', '/admin/config', settings)
		const before = test.freeSwitch.originates.length
		expect(await start<Problem>(mobile)).toMatchObject({ status, body: { code } })
		expect(test.freeSwitch.originates).toHaveLength(before)
	})
})

describe('without FreeSWITCH', () => {
	it('a test call is refused, and says why', async () => {
		test.freeSwitch.onCommand = (command) => command.startsWith('auth') ? 'drop-unheard' : undefined
		test.freeSwitch.dropConnections()
		await demo.untilCalling('down')
		expect(await start<Problem>()).toMatchObject({ status: 503, body: { code: 'switch_unavailable' } })
	})
})
