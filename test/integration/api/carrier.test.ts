// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the phone company says, in calls of a real sidecar.

import type { TelnyxStandIn } from '../../stand-ins/telnyx/index.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { API_KEY, startTelnyx, telnyxData } from '../../stand-ins/telnyx/index.ts'
import { startTestApp } from '../../support/app.ts'
import { until } from '../../support/until.ts'

interface Refused {
	code: string
	refusal: { rule: { id: string }, fixableBy: string }
}

const TOKEN = 'a-token-of-the-collector-0123456789abcdef'

let telnyx: TelnyxStandIn
let test: TestApp
let demo: ApiClient

/** How far the sidecar's clock is ahead of the real one. */
let aheadMs = 0

beforeAll(async () => {
	telnyx = await startTelnyx()
	test = await startTestApp({ overrides: { health: { freshMs: 0 }, costsMs: 20, clock: { now: () => new Date(Date.now() + aheadMs) } }, environment: { SIP_PROVIDER: 'telnyx', SIP_PROVIDER_API_KEY: API_KEY, SIP_PROVIDER_BASE_URL: telnyx.url } })
	demo = await test.prepare({ allowedCountries: ['DE', 'FR', 'AT'], metricsToken: TOKEN })
})

afterEach(async () => {
	telnyx.trouble = undefined
	Object.assign(telnyx.data, telnyxData())
	await test.restart()
	demo = test.as('demo')
	expect(telnyx.wrong).toEqual([])
})

afterAll(async () => {
	await test.stop()
	await telnyx.stop()
})

describe('a number that an administrator wants to know more of', () => {
	const lookUp = (to: string, client = demo) => client.request('POST', '/admin/numbers/lookup', { to })
	const asked = () => telnyx.asked.filter(({ name }) => name === 'lookup').length
	const switchOn = (lookup: boolean) => demo.request('POST', '/admin/config', { provider: { kind: 'telnyx', apiKey: API_KEY, baseUrl: telnyx.url, lookup } })

	it('is asked for only when that is switched on, because each costs money', async () => {
		expect(await lookUp('030 1234567')).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
		expect(asked()).toBe(0)
		expect(await switchOn(true)).toMatchObject({ status: 200, body: { provider: { lookup: true } } })
		expect(await lookUp('030 1234567')).toMatchObject({ status: 200, body: { e164: '+49301234567', facts: { country: 'DE', lineType: 'fixed', carrier: 'A company', isPorted: true } } })
		await lookUp('+49 30 1234567')
		expect(asked()).toBe(1)
		expect(await lookUp('hello')).toMatchObject({ status: 422, body: { code: 'invalid_number' } })
		expect(await lookUp('030 1234567', test.as('guest'))).toMatchObject({ status: 403 })
		telnyx.trouble = () => ({ kind: 'status', status: 401, code: '10009' })
		expect(await lookUp('030 1234568')).toMatchObject({ status: 200, body: { e164: '+49301234568', fault: 'key_refused' } })
		await demo.request('POST', '/admin/config', { provider: null })
	})
})

describe('a country that the phone company does not let through', () => {
	it('is refused before anything is dialled, as soon as it is known', async () => {
		await demo.get('/admin/health')
		const dialled = test.freeSwitch.originates.length
		const { status, body } = await demo.request<Refused>('POST', '/call', { to: '+4312345678' })
		expect(status).toBe(422)
		expect(body).toMatchObject({ code: 'destination_not_allowed', refusal: { rule: { id: 'carrier' }, fixableBy: 'admin' } })
		expect((await demo.request('POST', '/numbers/explain', { to: '+4312345678' })).body).toMatchObject({ allowed: false, refusal: { rule: { id: 'carrier' } } })
		expect(test.freeSwitch.originates).toHaveLength(dialled)
		expect((await demo.request('POST', '/numbers/explain', { to: '+33123456789' })).body).toMatchObject({ allowed: true })
	})

	it.each([
		['does not answer', { kind: 'silence' } as const],
		['answers nonsense', { kind: 'text', text: '{"data":{"whitelisted_destinations":7}}' } as const],
		['refuses the key', { kind: 'status', status: 401, code: '10009' } as const],
	])('is not known of one that %s: the call is placed at once', async (_what, trouble) => {
		telnyx.trouble = () => trouble
		const { status, body } = await demo.call('+4312345678')
		expect(status).toBe(202)
		await demo.hangUp(body.uuid)
		await demo.untilEnded(body.uuid)
	})
})

describe('what a call has cost', () => {
	/** A call that is over, and the uuid under which the phone company has its leg. */
	async function placed(): Promise<{ uuid: string, callId: string }> {
		const { body: { uuid } } = await demo.call('+4930901820', { key: randomUUID() })
		await demo.untilEnded(uuid)
		const callId = test.freeSwitch.originates.at(-1)?.legs[0]?.variables.sip_invite_call_id ?? ''
		return { uuid, callId }
	}

	function write(callId: string, cost: string | null): void {
		telnyx.data.records = [{ id: `record-of-${callId}`, record_type: 'sip-trunking', sip_call_id: callId, started_at: new Date(Date.now() + aheadMs).toISOString(), cost, currency: 'USD', cli: '+4930123456', cld: '+4930901820' }]
	}

	async function untilCost(uuid: string, state: string): Promise<unknown> {
		return (await until(() => demo.get<{ costState: string, cost: unknown }>(`/call-status/${uuid}`), ({ body }) => body.costState === state)).body.cost
	}

	it('is pending at its end, comes with the company’s record across a restart, and counts for the sums of money', async () => {
		const { uuid, callId } = await placed()
		expect(callId).toMatch(/^[0-9a-f-]{36}$/)
		expect((await demo.get(`/call-status/${uuid}`)).body).toMatchObject({ costState: 'pending', cost: null })
		write(callId, '0.0401')
		await test.restart()
		demo = test.as('demo')
		aheadMs += 61_000
		expect(await untilCost(uuid, 'final')).toEqual({ micros: '40100', currency: 'USD' })
		const history = await demo.get<{ items: { uuid: string, cost: unknown }[] }>('/call-history')
		expect(history.body.items.find((call) => call.uuid === uuid)?.cost).toEqual({ micros: '40100', currency: 'USD' })
		expect(await (await fetch(`${test.url}/metrics`, { headers: { Authorization: `Bearer ${TOKEN}` } })).text()).toContain('sipcall_call_cost_total{currency="USD"} 0.0401\n')
		expect((await demo.get('/admin/metrics')).body).toMatchObject({ totals: { cost: [{ micros: '40100', currency: 'USD' }] } })
		expect(telnyx.wrong).toEqual([])
	})

	it('stays pending while nothing is rated, and is unknown, never nothing, after a day', async () => {
		const { uuid, callId } = await placed()
		write(callId, null)
		for (const minutes of [1, 4, 10, 45, 300, 1080]) {
			expect((await demo.get(`/call-status/${uuid}`)).body).toMatchObject({ costState: 'pending' })
			const asked = telnyx.asked.length
			aheadMs += minutes * 60_000 + 1000
			while (telnyx.asked.length === asked) {
				await new Promise(setImmediate)
			}
		}
		expect(await untilCost(uuid, 'unknown')).toBeNull()
	})

	it('is not asked for of one without an interface: the rates say it', async () => {
		await demo.request('POST', '/admin/config', { provider: { kind: 'generic' }, rates: [{ prefix: '+49', perMinute: { micros: '60000', currency: 'USD' } }] })
		const { uuid } = await placed()
		expect((await demo.get(`/call-status/${uuid}`)).body).toMatchObject({ costState: 'final', cost: { currency: 'USD' } })
	})
})
