// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call } from '../../../lib/calls/call.ts'

import { describe, expect, it } from 'vitest'
import { costOf, settleCost } from '../../../lib/calls/call-cost.ts'
import { presentCall } from '../../../lib/http/presenters.ts'
import { newCall } from '../../support/replay-call.ts'

const RATE = { prefix: '+49', perMinute: { micros: '60000', currency: 'EUR' } }

function ended(change: Partial<Call> = {}): Call {
	const call: Call = { ...newCall({ aUuid: 'a', bUuid: 'b', jobUuid: undefined }), status: 'ended', outcome: 'completed', rate: RATE, reservedMicros: '3600000', ...change }
	settleCost(call)
	return call
}

describe('what a call has cost', () => {
	it('is pending until it has ended, and final by the second then', () => {
		const { costMicros: _none, ...open } = ended()
		expect(costOf({ ...open, status: 'connected' })).toEqual({ state: 'pending' })
		expect(costOf(ended({ talkMs: 90_000 }))).toEqual({ state: 'final', cost: { micros: '90000', currency: 'EUR' } })
	})

	it('is nothing for a call that nobody answered, where a rate is known', () => {
		expect(costOf(ended({ outcome: 'no_answer' }))).toEqual({ state: 'final', cost: { micros: '0', currency: 'EUR' } })
	})

	it.each<[string, Partial<Call>]>([
		['no rate covers the number', { rate: undefined as never, ownRate: RATE }],
		['the call was transferred, and goes on unheard', { transfer: 'done', talkMs: 1000 }],
		['the end of a leg was missed', { legs: [{ uuid: 'a', role: 'user', createdAt: new Date(0) }] }],
	])('is unknown, and never nothing, where %s', (_why, change) => {
		const call = ended(change)
		if (change.rate === undefined && 'rate' in change) {
			delete call.rate
		}
		expect(costOf(call)).toEqual({ state: 'unknown' })
		expect(presentCall(call)).toMatchObject({ cost: null, costState: 'unknown' })
		// Against a limit on spending the worst is taken for true.
		expect(BigInt(call.costMicros ?? 0)).toBeGreaterThanOrEqual(0n)
	})

	it('is told of no call to the user', () => {
		expect(presentCall(ended({ direction: 'inbound' }))).not.toHaveProperty('costState')
	})
})
