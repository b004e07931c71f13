// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a test call does where nobody tells how it went, and where it must not begin. Its course is in the integration tests.

import type { Device } from '../../../lib/calls/device.ts'
import type { Quota, QuotaRefusal } from '../../../lib/calls/ports.ts'
import type { TestCallPlan } from '../../../lib/calls/test-calls.ts'

import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { GatewayWatch } from '../../../lib/calls/gateway-watch.ts'
import { TestCalls } from '../../../lib/calls/test-calls.ts'
import { SipCallError } from '../../../lib/errors.ts'
import { DEFAULT_SETTINGS } from '../../../lib/policy/settings.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const ALICE = { id: 'alice', groups: ['admin'] }
const DESK: Device = { id: randomUUID(), kind: 'sip', label: 'Desk', address: '1000', isDefault: true, verified: false }

let rung: TestCallPlan[]
let counted: number
let call: () => Promise<void>
let audit: () => Promise<void>

beforeEach(() => {
	vi.useFakeTimers()
	rung = []
	counted = 0
	call = async () => {}
	audit = async () => {}
})

afterEach(() => {
	vi.useRealTimers()
})

function testCalls(): TestCalls {
	return new TestCalls({
		gateways: new GatewayWatch({ nodes: () => [], gateways: () => [], logger: new RecordedLog() }),
		carrierCountries: () => undefined,
		switch: {
			reserve: () => ({ node: 'pbx:8021', turn: async () => false, answered: () => {}, release: () => {} }),
			callForTest: async (plan) => {
				rung.push(plan)
				await call()
			},
		},
		calls: { facts: () => Promise.reject(new Error('An extension asks for no facts')), noteSpent: () => Promise.reject(new Error('An extension costs nothing')) },
		limiter: {
			consume: async <Kind extends Quota>(_userId: string, [quota]: readonly Kind[]): Promise<QuotaRefusal<Kind> | undefined> => ++counted > (quota?.max ?? 0) && quota !== undefined ? { quota, retryAfterSec: 60 } : undefined,
		},
		settings: () => DEFAULT_SETTINGS,
		devices: async () => [DESK],
		audit: () => audit(),
		clock: { now: () => new Date() },
		newUuid: randomUUID,
		logger: new RecordedLog(),
	})
}

describe('a test call', () => {
	it('of which nobody tells the end is given up after ringing, 15 s of talk and 15 s more', async () => {
		call = () => Promise.reject(new Error('The line was cut'))
		const calls = testCalls()
		const { id } = await calls.start(ALICE, DESK.id)
		await vi.advanceTimersByTimeAsync((DEFAULT_SETTINGS.ringTimeoutSec + 30) * 1000 - 1)
		expect(calls.find('alice', id).passed).toBeUndefined()
		await vi.advanceTimersByTimeAsync(1)
		expect(calls.find('alice', id)).toMatchObject({ passed: false, reason: { code: 'phone_system_restarted' } })
		await calls.start(ALICE, DESK.id)
		expect(rung).toHaveLength(2)
	})

	it('is made at most 20 times an hour', async () => {
		const calls = testCalls()
		for (let at = 0; at < 20; at++) {
			await calls.start(ALICE, DESK.id)
			await vi.advanceTimersByTimeAsync(120_000)
		}
		await expect(calls.start(ALICE, DESK.id)).rejects.toMatchObject({ code: 'rate_limited', retryAfterSec: 60 })
		expect(rung).toHaveLength(20)
	})

	it('does not begin when it cannot be written down', async () => {
		audit = () => Promise.reject(new SipCallError('storage_unavailable', 'The audit log cannot be written'))
		const calls = testCalls()
		await expect(calls.start(ALICE, DESK.id)).rejects.toMatchObject({ code: 'storage_unavailable' })
		expect(rung).toEqual([])
	})

	it('of somebody else is not there', async () => {
		const calls = testCalls()
		const { id } = await calls.start(ALICE, DESK.id)
		expect(() => calls.find('bob', id)).toThrow('There is no such test call')
		calls.stop()
	})
})
