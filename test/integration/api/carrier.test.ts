// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the phone company says, in calls of a real sidecar.

import type { TelnyxStandIn } from '../../stand-ins/telnyx/index.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { API_KEY, startTelnyx, telnyxData } from '../../stand-ins/telnyx/index.ts'
import { startTestApp } from '../../support/app.ts'

interface Refused {
	code: string
	refusal: { rule: { id: string }, fixableBy: string }
}

let telnyx: TelnyxStandIn
let test: TestApp
let demo: ApiClient

beforeAll(async () => {
	telnyx = await startTelnyx()
	test = await startTestApp({ overrides: { health: { freshMs: 0 } }, environment: { SIP_PROVIDER: 'telnyx', SIP_PROVIDER_API_KEY: API_KEY, SIP_PROVIDER_BASE_URL: telnyx.url } })
	demo = await test.prepare({ allowedCountries: ['DE', 'FR', 'AT'] })
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
