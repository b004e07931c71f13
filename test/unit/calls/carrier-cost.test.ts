// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call, Leg } from '../../../lib/calls/call.ts'
import type { Records } from '../../../lib/calls/carrier-cost.ts'
import type { CostRecord, TrunkProvider } from '../../../lib/calls/trunk-provider.ts'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { costOf } from '../../../lib/calls/call-cost.ts'
import { forgone, lookAt, missed, nextLookAt, windowsOf } from '../../../lib/calls/carrier-cost.ts'
import { CarrierCosts } from '../../../lib/calls/carrier-costs.ts'
import { RecordedLog } from '../../support/recorded-log.ts'
import { newCall } from '../../support/replay-call.ts'

const START = Date.parse('2026-11-28T10:00:00.000Z')
const MINUTE = 60_000
const LOOKS = [1, 5, 15, 60, 360, 1440]
const RATE = { prefix: '+49', perMinute: { micros: '60000', currency: 'USD' } }
const usd = (micros: number | bigint) => ({ micros: String(micros), currency: 'USD' })

function leg(uuid: string, change: Partial<Leg> = {}): Leg {
	return { uuid, role: 'destination', gateway: 'trunk', createdAt: new Date(START), ...change }
}

function ended(change: Partial<Call> = {}, legs: Leg[] = [leg('b')]): Call {
	return {
		...newCall({ aUuid: 'a', bUuid: 'b', jobUuid: undefined }),
		status: 'ended',
		outcome: 'completed',
		createdAt: new Date(START),
		endedAt: new Date(START),
		carrierCost: { state: 'pending', looks: 0 },
		...change,
		legs: [{ uuid: 'a', role: 'user' }, ...legs],
	}
}

function books(...entries: [id: string, sipCallId: string, micros?: number][]): Records {
	return new Map(entries.map(([id, sipCallId, micros]) => [id, { id, sipCallId, cost: micros === undefined ? undefined : usd(micros) }]))
}

/** The call after looks of which each one finds these records. */
function looked(call: Call, ...finds: Records[]): Call {
	return finds.reduce((known, records) => {
		const outcome = lookAt(known, records)
		return 'ignored' in outcome ? known : outcome.call
	}, call)
}

const NOTHING = books()

describe('what the company says of a call’s cost', () => {
	it('is looked for after 1, 5, 15 and 60 minutes, 6 and 24 hours, and then no more', () => {
		let call = ended()
		const waits: (number | undefined)[] = []
		for (let look = 0; look <= LOOKS.length; look++) {
			const at = nextLookAt(call)
			waits.push(at === undefined ? undefined : (at.getTime() - START) / MINUTE)
			call = looked(call, NOTHING)
		}
		expect(waits).toEqual([...LOOKS, undefined])
		expect(nextLookAt(ended({ status: 'connected' }))).toBeUndefined()
	})

	it('is pending until it is known, and unknown, never nothing, when it is never said', () => {
		expect(costOf(ended())).toEqual({ state: 'pending' })
		expect(costOf(looked(ended(), books(['1', 'b'])))).toEqual({ state: 'pending' })
		expect(costOf(looked(ended(), ...LOOKS.map(() => NOTHING)))).toEqual({ state: 'unknown' })
		expect(costOf(looked(ended(), books(['1', 'b', 0])))).toEqual({ state: 'final', cost: usd(0) })
	})

	it('is the sum of all legs that reached the company, once each is rated, with the own phone where that is behind the trunk', () => {
		const down = leg('b', { end: { cause: { name: 'GATEWAY_DOWN', q850: 809 }, verdict: 'gateway_down', hungUpBy: 'switch', talkMs: 0 } })
		const call = ended({}, [down, leg('c'), leg('d'), { uuid: 'e', role: 'destination', gateway: 'last' }])
		expect(costOf(looked(call, books(['1', 'c', 5])))).toEqual({ state: 'pending' })
		expect(costOf(looked(call, books(['1', 'c', 5], ['2', 'd', 7], ['3', 'a', 9], ['4', 'x', 100])))).toEqual({ state: 'final', cost: usd(12) })
		const withOwn = { ...call, legs: [leg('a', { role: 'user' }), ...call.legs.slice(1)] }
		expect(costOf(looked(withOwn, books(['1', 'c', 5], ['2', 'd', 7])))).toEqual({ state: 'pending' })
		expect(costOf(looked(withOwn, books(['1', 'c', 5], ['2', 'd', 7], ['3', 'a', 9], ['4', 'x', 100])))).toEqual({ state: 'final', cost: usd(21) })
	})

	it('is priced anew, and stays when it is not told again', () => {
		const call = looked(ended(), books(['1', 'b', 5]), books(['1', 'b', 6]))
		expect(costOf(call)).toEqual({ state: 'final', cost: usd(6) })
		expect(costOf(looked(call, NOTHING, NOTHING, NOTHING, NOTHING))).toEqual({ state: 'final', cost: usd(6) })
	})

	it('is not known of a transferred call, whose other legs are nobody’s here, nor of one in two currencies', () => {
		expect(costOf(looked(ended({ transfer: 'done' }), books(['1', 'b', 5])))).toEqual({ state: 'pending' })
		const two: Records = new Map([['1', { id: '1', sipCallId: 'b', cost: usd(5) }], ['2', { id: '2', sipCallId: 'b', cost: { micros: '5', currency: 'EUR' } }]])
		expect(costOf(looked(ended(), two))).toEqual({ state: 'pending' })
	})

	it('is not waited for a day where nobody was dialled: then the rates say it', () => {
		const call = ended({ rate: RATE, reservedMicros: '3600000', costMicros: '0' }, [])
		expect(costOf(looked(call, NOTHING))).toEqual({ state: 'pending' })
		expect(costOf(looked(call, NOTHING, NOTHING))).toEqual({ state: 'final', cost: usd(0) })
	})

	it('is not what the rates would have it be where it was never said, also when nobody can be asked any more', () => {
		const call = ended({ rate: RATE, reservedMicros: '3600000', costMicros: '60000', talkMs: 60_000 })
		expect(costOf(looked(call, ...LOOKS.map(() => NOTHING)))).toEqual({ state: 'unknown' })
		const given = forgone(call)
		expect('call' in given ? costOf(given.call) : undefined).toEqual({ state: 'unknown' })
		expect('call' in given ? nextLookAt(given.call) : call).toBeUndefined()
		const told = forgone(looked(call, books(['1', 'b', 5])))
		expect('call' in told ? costOf(told.call) : undefined).toEqual({ state: 'final', cost: usd(5) })
	})

	it('counts for the limits in place of the rates’ sum, unless it is in another currency', () => {
		const rated = { rate: RATE, reservedMicros: '3600000', costMicros: '60000' }
		expect(looked(ended(rated), books(['1', 'b', 5])).costMicros).toBe('5')
		expect(looked(ended(), books(['1', 'b', 5])).costMicros).toBe('5')
		const euros = looked(ended({ ...rated, rate: { ...RATE, perMinute: { micros: '60000', currency: 'EUR' } } }), books(['1', 'b', 5]))
		expect(euros.costMicros).toBe('60000')
		expect(costOf(euros)).toEqual({ state: 'final', cost: usd(5) })
		// Masked: the rate is gone, and its currency with it.
		expect(looked(ended({ reservedMicros: '3600000', costMicros: '60000' }), books(['1', 'b', 5])).costMicros).toBe('60000')
	})

	it('changes the call’s version only with what is told of it', () => {
		const call = looked(ended(), NOTHING)
		expect([call.version, call.carrierCost?.looks]).toEqual([ended().version, 1])
		expect(looked(call, books(['1', 'b', 5]), books(['1', 'b', 5])).version).toBe(ended().version + 1)
	})

	it('of a company that cannot be asked is asked for again, for two days', () => {
		expect(missed(ended(), new Date(START + 47 * 60 * MINUTE))).toHaveProperty('ignored')
		expect(missed(ended(), new Date(START + 48 * 60 * MINUTE))).toMatchObject({ call: { carrierCost: { state: 'unknown' } } })
	})
})

/** One leg in the company's books: when its record comes, when it is priced, and when and how it is priced anew. */
const entry = fc.record({
	comesMin: fc.constantFrom(0, 2, 10, 70, 700, 1440, Infinity),
	ratedMin: fc.constantFrom(0, 3, 30, 400, Infinity),
	micros: fc.nat(1_000_000),
	again: fc.option(fc.record({ min: fc.constantFrom(1, 20, 300, 1400), micros: fc.nat(1_000_000) }), { nil: undefined }),
	isTwice: fc.boolean(),
	splits: fc.integer({ min: 1, max: 2 }),
})
type Entry = typeof entry extends fc.Arbitrary<infer Value> ? Value : never

function recordsAt(uuid: string, { comesMin, ratedMin, micros, again, isTwice, splits }: Entry, min: number): CostRecord[] {
	const price = again !== undefined && min >= again.min ? again.micros : micros
	const records = min < comesMin ? [] : Array.from({ length: splits }, (_none, at) => ({ id: `${uuid}/${at}`, sipCallId: uuid, cost: min < ratedMin ? undefined : usd(price) }))
	return isTwice ? [...records, ...records] : records
}

describe('the costs of many calls', () => {
	it('that are final add up to what the company says, under late, doubled, missing and newly priced records; the others have none', async () => {
		await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.array(entry, { minLength: 1, maxLength: 3 }), fc.nat(3000)), { minLength: 1, maxLength: 12 }), async (plans) => {
			const calls = new Map(plans.map(([entries, startMin], at) => {
				const moment = new Date(START + startMin * MINUTE)
				return [`call-${at}`, { ...ended({ createdAt: moment, endedAt: moment }, entries.map((_entry, number) => leg(`${at}.${number}`))), uuid: `call-${at}` }]
			}))
			let now = START
			const all = (): CostRecord[] => plans.flatMap(([entries, startMin], at) => entries.flatMap((one, number) => recordsAt(`${at}.${number}`, one, (now - START) / MINUTE - startMin)))
			const company: TrunkProvider = {
				kind: 'company',
				displayName: 'Company',
				async* costs() {
					yield* all()
				},
			}
			const costs = new CarrierCosts({
				store: {
					findCostsDue: async (at) => [...calls.values()].filter((call) => (nextLookAt(call) ?? Infinity) <= at),
					change: async (uuid, change) => {
						const before = calls.get(uuid) as Call
						const outcome = change(before)
						calls.set(uuid, 'ignored' in outcome ? before : outcome.call)
						return { call: calls.get(uuid) as Call, changed: !('ignored' in outcome) }
					},
				},
				provider: () => company,
				tell: () => {},
				clock: { now: () => new Date(now) },
				logger: new RecordedLog(),
			})
			// Each call at its own six moments.
			const moments = [...new Set(plans.flatMap(([, startMin]) => LOOKS.map((wait) => startMin + wait)))].sort((a, b) => a - b)
			for (const moment of moments) {
				now = START + moment * MINUTE
				await costs.run()
			}
			let [sum, books] = [0n, 0n]
			for (const [at, [entries]] of plans.entries()) {
				const cost = costOf(calls.get(`call-${at}`) as Call)
				const last = entries.flatMap((one, number) => [...new Map(recordsAt(`${at}.${number}`, one, 1440).map((record) => [record.id, record])).values()])
				const isWhole = entries.every((one) => Math.max(one.comesMin, one.ratedMin) <= 1440)
				expect(cost?.state).toBe(isWhole ? 'final' : 'unknown')
				expect(cost !== undefined && 'cost' in cost).toBe(isWhole)
				if (cost?.state === 'final') {
					sum += BigInt(cost.cost.micros)
					books += last.reduce((total, record) => total + BigInt(record.cost?.micros ?? 0), 0n)
				}
			}
			expect(sum).toBe(books)
		}), { numRuns: 200 })
	})

	it('are asked for in few times, and not in the whole day for two calls at its ends', () => {
		const at = (min: number) => ended({ createdAt: new Date(START + min * MINUTE), endedAt: new Date(START + (min + 2) * MINUTE) })
		expect(windowsOf([at(0), at(1400), at(20)]).map(({ from, to, calls }) => [(from.getTime() - START) / MINUTE, (to.getTime() - START) / MINUTE, calls.length])).toEqual([[-10, 32, 2], [1390, 1412, 1]])
		expect(windowsOf([])).toEqual([])
	})
})
