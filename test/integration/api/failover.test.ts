// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Which refusals lead to the next gateway. The switch of these tests tries it after the same causes as a real one.

import type { ScenarioName } from '../../stand-ins/freeswitch/stories.ts'
import type { TelnyxStandIn } from '../../stand-ins/telnyx/index.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { API_KEY, startTelnyx } from '../../stand-ins/telnyx/index.ts'
import { startTestApp } from '../../support/app.ts'

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

	it('ends when the person called has declined: the second one, on which the switch is, is taken back', async () => {
		scenario = ['reject_603', 'gateway_silent']
		const { body } = await demo.call('+4930123400')
		expect(await demo.untilEnded(body.uuid)).toMatchObject({ outcome: 'rejected', endedBy: 'callee', leg: 'destination', cause: { name: 'CALL_REJECTED', sip: 603 }, reason: { code: 'declined' } })
		expect(test.freeSwitch.channels()).toEqual([])
	})

	it('is refused by the company when both gateways are', async () => {
		scenario = ['company_refuses_403']
		const { body } = await demo.call('+4930123400')
		expect(await demo.untilEnded(body.uuid)).toMatchObject({ outcome: 'failed', cause: { carrier: 'D51' } })
		expect(await tried(body.uuid)).toEqual(['trunk', 'backup'])
	})
})
