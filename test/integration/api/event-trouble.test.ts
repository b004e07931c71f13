// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Calls of which the switch tells too much, too little, or too late.

import type { CallJson } from '../../../lib/http/schemas.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTestApp } from '../../support/app.ts'
import { until } from '../../support/until.ts'

describe.each([false, true])('a call whose events come twice: %s', (doubleEvents) => {
	let test: TestApp
	let demo: ApiClient

	beforeEach(async () => {
		test = await startTestApp({ freeSwitch: { speed: 1, doubleEvents }, overrides: { sweepMs: 20 } })
		demo = await test.prepare()
	})
	afterEach(async () => {
		vi.restoreAllMocks()
		await test.stop()
	})

	const legUuid = (leg: 'a' | 'b') => test.freeSwitch.channels().find((channel) => channel.leg === leg)?.uuid ?? ''
	const steps = async (uuid: string) => (await demo.get<{ type: string, leg?: string }[]>(`/call/${uuid}/events`)).body.map(({ type, leg }) => [type, leg].filter(Boolean).join(' '))
	const status = async (uuid: string) => (await demo.get<CallJson>(`/call-status/${uuid}`)).body

	async function connected(): Promise<string> {
		const { body } = await demo.call('+4930123400')
		await demo.until(body.uuid, ({ status: now }) => now === 'connected')
		return body.uuid
	}

	/** The monotonic clock runs fifty times as fast: what the sidecar waits for comes soon. */
	function letTimeFly(): void {
		const now = performance.now.bind(performance)
		const start = now()
		vi.spyOn(performance, 'now').mockImplementation(() => start + (now() - start) * 50)
	}

	it('has each step once', async () => {
		const uuid = await connected()
		test.freeSwitch.hangUp(legUuid('b'))
		await demo.untilEnded(uuid)
		await test.freeSwitch.until(() => test.freeSwitch.channels().length === 0)
		expect((await steps(uuid)).toSorted()).toEqual(['ended', 'leg_answered destination', 'leg_answered user', 'leg_created destination', 'leg_created user', 'leg_ended destination', 'leg_ended user', 'leg_ringing destination', 'leg_ringing user', 'queued'])
	})

	it('misses nothing when only the last event of each leg is heard', async () => {
		test.freeSwitch.onEvent = (name) => name === 'CHANNEL_HANGUP_COMPLETE' ? undefined : 'lost'
		const { body: { uuid } } = await demo.call('+4930123400')
		await test.freeSwitch.until(() => test.freeSwitch.channels().some(({ leg, state }) => leg === 'b' && state === 'answered'))
		test.freeSwitch.hangUp(legUuid('b'))
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'callee', userAnsweredAt: expect.any(String), answeredAt: expect.any(String) })
	})

	it('of which nothing at all is heard is asked for, and ends', async () => {
		test.freeSwitch.onEvent = () => 'lost'
		const { body: { uuid } } = await demo.call('+4930123400')
		await test.freeSwitch.until(() => test.freeSwitch.channels().some(({ leg, state }) => leg === 'b' && state === 'answered'))
		letTimeFly()
		await demo.until(uuid, ({ status: now }) => now === 'connected')
		test.freeSwitch.hangUp(legUuid('a'))
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'system' })
	})

	it('whose ends come when it was given up for lost is told anew, with nobody’s record', async () => {
		const uuid = await connected()
		test.freeSwitch.onEvent = (name) => name === 'CHANNEL_HANGUP_COMPLETE' ? 'late' : undefined
		test.freeSwitch.hangUp(legUuid('b'))
		letTimeFly()
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'system', cause: { name: 'NONE' } })
		vi.restoreAllMocks()
		test.freeSwitch.tellLate()
		await until(() => steps(uuid), (told) => told.filter((step) => step === 'corrected').length >= 2)
		expect(await status(uuid)).toMatchObject({ status: 'ended', outcome: 'completed', endedBy: 'callee', cause: { name: 'NORMAL_CLEARING' } })
		expect((await steps(uuid)).filter((step) => step === 'corrected' || step === 'ended')).toHaveLength(3)
	})
})
