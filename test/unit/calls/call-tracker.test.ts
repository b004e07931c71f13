// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What reaches a replica of a call that another one has placed, while the store is left alone for a moment.

import type { Call } from '../../../lib/calls/call.ts'
import type { CallStore, CallSwitch, EventSpool } from '../../../lib/calls/ports.ts'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CallFeed } from '../../../lib/calls/call-feed.ts'
import { CallTracker } from '../../../lib/calls/call-tracker.ts'
import { RecordedLog } from '../../support/recorded-log.ts'
import { newCall } from '../../support/replay-call.ts'

const A = '00000000-0000-4000-8000-00000000000a'
const AT = new Date('2026-11-22T12:00:00.000Z')
const BUSY = { cause: { name: 'USER_BUSY', q850: 17 }, verdict: 'busy', hungUpBy: 'party', talkMs: 0 } as const

let stored: Call
let ended: Call[]
let isAway: boolean
let tracker: CallTracker
let look: CallSwitch['look']

/** A store with this one call in it. */
function storeOf(): Partial<CallStore> {
	const orAway = <Value>(value: () => Value) => isAway ? Promise.reject(new Error('The database is left alone')) : Promise.resolve(value())
	return {
		find: () => orAway(() => stored),
		findOpen: () => orAway(() => stored.status === 'ended' ? [] : [stored]),
		handedOver: () => orAway(() => []),
		change: (_uuid, change) => orAway(() => {
			const outcome = change(stored)
			const changed = 'call' in outcome
			stored = changed ? outcome.call : stored
			return { call: stored, changed }
		}),
	}
}

beforeEach(() => {
	vi.useFakeTimers()
	stored = newCall({ aUuid: A, bUuid: undefined, jobUuid: undefined })
	ended = []
	isAway = false
	look = () => Promise.reject(new Error('asked'))
	const spool: EventSpool = { append: async () => {}, clear: async () => {}, takeLeft: async () => {} }
	tracker = new CallTracker({
		store: storeOf() as CallStore,
		feed: new CallFeed(),
		callSwitch: { isReady: () => true, look: (...args) => look(...args), kill: async () => {} } as Partial<CallSwitch> as CallSwitch,
		clock: { now: () => AT },
		logger: new RecordedLog(),
		spool,
		isPassing: () => true,
		onEnded: (call) => ended.push(call),
		onLateEnd: () => {},
	})
})

afterEach(async () => {
	const stopped = tracker.stop()
	await vi.advanceTimersByTimeAsync(3_000)
	await stopped
	vi.useRealTimers()
})

describe('a call of another replica', () => {
	const end = () => tracker.notice({ type: 'leg', callUuid: stored.uuid, role: 'user', report: { type: 'leg', legUuid: A, at: AT, end: BUSY, endedAt: AT } })

	beforeEach(async () => {
		const call = stored
		// Not there yet when this replica looks for the first time.
		stored = { ...call, status: 'ended' }
		await tracker.start()
		stored = call
	})

	it('that cannot be read when it is told of is read again within a second or two', async () => {
		isAway = true
		await tracker.learn(stored.uuid, stored.userId, false)
		end()
		await vi.advanceTimersByTimeAsync(3_000)
		expect(ended).toEqual([])
		isAway = false
		await vi.advanceTimersByTimeAsync(2_000)
		expect(ended).toMatchObject([{ uuid: stored.uuid, outcome: 'busy', endedBy: 'user' }])
	})

	it('that was missed while the store was away is found soon after that, and not only with the next look at all of them', async () => {
		end()
		isAway = true
		await tracker.reconcile()
		await vi.advanceTimersByTimeAsync(2_000)
		expect(ended).toEqual([])
		isAway = false
		await vi.advanceTimersByTimeAsync(2_000)
		expect(ended).toMatchObject([{ uuid: stored.uuid, outcome: 'busy', endedBy: 'user' }])
	})

	it('of which nothing was told at all is found with the open calls, and what the switch has said of it counts', async () => {
		end()
		await vi.advanceTimersByTimeAsync(14_000)
		expect(ended).toEqual([])
		isAway = true
		await vi.advanceTimersByTimeAsync(14_000)
		isAway = false
		await vi.advanceTimersByTimeAsync(12_000)
		expect(ended).toMatchObject([{ uuid: stored.uuid, outcome: 'busy', endedBy: 'user' }])
	})
})

describe('a call that ends while nobody hears the switch', () => {
	it('is asked for once more when that is over while an earlier question is still under way', async () => {
		await tracker.start()
		const answer = Promise.withResolvers<undefined>()
		let exists = true
		look = async () => {
			const report = exists ? { type: 'leg', legUuid: A, at: AT, createdAt: AT, answeredAt: AT } as const : undefined
			await (exists ? answer.promise : undefined)
			return report
		}
		// The connection for commands is back, then that for events.
		void tracker.reconcile()
		await vi.advanceTimersByTimeAsync(100)
		exists = false
		void tracker.reconcile()
		await vi.advanceTimersByTimeAsync(100)
		answer.resolve(undefined)
		await vi.advanceTimersByTimeAsync(5_000)
		expect(ended).toMatchObject([{ uuid: stored.uuid }])
	})
})
