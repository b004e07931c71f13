// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Which refusals lead to the next gateway. The switch of these tests tries it after the same causes as a real one.

import type { ScenarioName } from '../../stand-ins/freeswitch/stories.ts'
import type { TelnyxStandIn } from '../../stand-ins/telnyx/index.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { API_KEY, startTelnyx } from '../../stand-ins/telnyx/index.ts'
import { startTestApp } from '../../support/app.ts'
import { until } from '../../support/until.ts'

describe('a call over two gateways', () => {
	let telnyx: TelnyxStandIn
	let test: TestApp
	let demo: ApiClient
	let scenario: readonly ScenarioName[] = []

	beforeAll(async () => {
		telnyx = await startTelnyx()
		test = await startTestApp({
			freeSwitch: { scenario: () => scenario },
			overrides: { sweepMs: 50 },
			environment: { SIP_PROVIDER: 'telnyx', SIP_PROVIDER_API_KEY: API_KEY, SIP_PROVIDER_BASE_URL: telnyx.url },
		})
		demo = await test.prepare({ gateways: ['trunk', 'backup'] })
	})

	afterAll(async () => {
		await test.stop()
		await telnyx.stop()
	})

	/** The gateways to which a leg was sent. */
	async function tried(uuid: string): Promise<unknown[]> {
		const { body } = await demo.get<{ type: string, leg: string, detail?: { gateway: string } }[]>(`/call/${uuid}/events`)
		return body.filter(({ type, leg }) => type === 'leg_created' && leg === 'destination').map(({ detail }) => detail?.gateway)
	}

	it.each([
		['the company’s own 403', 'company_refuses_403'],
		['the company’s own 404', 'company_refuses_404'],
		['a 403 before anything has rung', 'reject_403'],
		['a number that the first one does not know', 'not_found_404'],
		['a gateway that is not available', 'unavailable_503'],
	] as const)('goes on to the second one after %s', async (_what, first) => {
		scenario = [first, 'answer_callee_hangs_up']
		const { body } = await demo.call('+4930123400')
		expect(await demo.untilEnded(body.uuid)).toMatchObject({ outcome: 'completed', endedBy: 'callee' })
		expect(await tried(body.uuid)).toEqual(['trunk', 'backup'])
	})

	it.each(['busy', 'no_answer_480', 'no_answer_480_q850'] as const)('ends after the first one when the person called is %s', async (first) => {
		scenario = [first, 'answer_callee_hangs_up']
		const { body } = await demo.call('+4930123400')
		expect((await demo.untilEnded(body.uuid)).outcome).toBe(first === 'busy' ? 'busy' : 'no_answer')
		expect(await tried(body.uuid)).toEqual(['trunk'])
	})

	it('is refused by the company when both gateways are', async () => {
		scenario = ['company_refuses_403']
		const { body } = await demo.call('+4930123400')
		expect(await demo.untilEnded(body.uuid)).toMatchObject({ outcome: 'failed', cause: { carrier: 'D51' } })
		expect(await tried(body.uuid)).toEqual(['trunk', 'backup'])
	})
})

describe('a person who has declined', () => {
	let test: TestApp
	let demo: ApiClient

	beforeAll(async () => {
		// The second leg would ring for a minute.
		test = await startTestApp({ freeSwitch: { speed: 1, scenario: () => ['reject_603', 'no_answer_timeout'] } })
		demo = await test.prepare({ gateways: ['trunk', 'backup'] })
	})

	afterAll(() => test.stop())

	it('is not rung again: the call is taken back from the second gateway, on which the switch is', async () => {
		const { body } = await demo.call('+4930123400')
		expect(await demo.untilEnded(body.uuid)).toMatchObject({ outcome: 'rejected', endedBy: 'callee', leg: 'destination', cause: { name: 'CALL_REJECTED', sip: 603 }, reason: { code: 'declined' } })
		const user = test.freeSwitch.originates.at(-1)?.aVariables.origination_uuid ?? ''
		expect(test.freeSwitch.commands.map(({ command }) => command)).toContain(`api uuid_kill ${user}`)
		await test.freeSwitch.until(() => test.freeSwitch.channels().length === 0)
	})
})

describe('a gateway that is down', () => {
	let test: TestApp
	let demo: ApiClient

	beforeAll(async () => {
		test = await startTestApp({ freeSwitch: { gateways: { trunk: 'UP', backup: 'UP' }, gatewayLooks: { trunk: { pingSec: 25 }, backup: { pingSec: 25 } } } })
		demo = await test.prepare({ gateways: ['trunk', 'backup'] })
	})

	afterEach(async () => {
		test.freeSwitch.setGateway('trunk', 'UP')
		test.freeSwitch.setGateway('backup', 'UP')
		await untilFirst('trunk')
	})

	afterAll(() => test.stop())

	/** Until the sidecar would try this one first. */
	async function untilFirst(gateway: string): Promise<void> {
		await until(() => demo.request<{ gateway: string }>('POST', '/numbers/explain', { to: '+4930123400' }), ({ body }) => body.gateway === gateway)
	}

	it('is tried last as soon as the switch tells, and first again when it is up', async () => {
		test.freeSwitch.setGateway('trunk', 'DOWN')
		await untilFirst('backup')
		const { body } = await demo.call('+4930123401')
		expect(await demo.untilEnded(body.uuid)).toMatchObject({ outcome: 'completed' })
		expect(test.freeSwitch.originates.at(-1)?.legs.map(({ gateway }) => gateway)).toEqual(['backup', 'trunk'])
		test.freeSwitch.setGateway('trunk', 'UP')
		await untilFirst('trunk')
	})

	it('is found when the sidecar starts after it went down', async () => {
		test.freeSwitch.setGateway('trunk', 'DOWN')
		await test.restart()
		demo = test.as('demo')
		await untilFirst('backup')
	})

	it('refuses a call before it is stored when it is the last one, and takes it when one is up', async () => {
		test.freeSwitch.setGateway('trunk', 'DOWN')
		test.freeSwitch.setGateway('backup', 'DOWN')
		// Until both events have arrived.
		let answer = await demo.call('+4930123401')
		while (answer.status === 202) {
			await demo.untilEnded(answer.body.uuid)
			answer = await demo.call('+4930123401')
		}
		expect(answer).toMatchObject({ status: 503, body: { code: 'trunk_unavailable', retryAfterSec: 15 } })
		expect(answer.headers.get('retry-after')).toBe('15')
		const { body: history } = await demo.get<{ items: { uuid: string }[] }>('/call-history')
		const refusedAt = history.items.length
		expect((await demo.call('+4930123401')).status).toBe(503)
		expect((await demo.get<{ items: unknown[] }>('/call-history')).body.items).toHaveLength(refusedAt)
		test.freeSwitch.setGateway('backup', 'UP')
		await untilFirst('backup')
		expect((await demo.call('+4930123401')).status).toBe(202)
	})
})
