// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CallEvent, LegReport } from '../../../lib/calls/call-events.ts'
import type { Call, CallStatus, LegEnd, Verdict } from '../../../lib/calls/call.ts'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FOLLOWERS, transition } from '../../../lib/calls/call-state.ts'
import { withLeg } from '../../../lib/calls/call.ts'
import { newCall, playCall, verdictOfCall } from '../../support/replay-call.ts'

const A = 'leg-a'
const B = ['leg-b1', 'leg-b2', 'leg-b3']
const START_MS = Date.parse('2026-11-22T12:00:00.000Z')
const ORDER: CallStatus[] = ['queued', 'calling_user', 'dialing', 'ringing', 'connected', 'ended']

function callWith(gateways: number): Call {
	const call = newCall({ aUuid: A, bUuid: undefined, jobUuid: undefined })
	return { ...call, legs: [...call.legs, ...B.slice(0, gateways).map((uuid, index) => ({ uuid, role: 'destination' as const, gateway: `trunk${index}` }))] }
}

function at(sec: number): Date {
	return new Date(START_MS + sec * 1_000)
}

function end(verdict: Verdict, values: Partial<LegEnd> = {}): LegEnd {
	return { cause: { name: verdict.toUpperCase(), q850: 31 }, verdict, hungUpBy: 'switch', talkMs: 0, ...values }
}

/** Freezes everything inside, so that a change in place throws. */
function frozen<Value>(value: Value): Value {
	if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
		Object.values(value).forEach(frozen)
		Object.freeze(value)
	}
	return value
}

describe('the table of statuses', () => {
	it('lets a call only move to the right, over as many steps as it likes, and ends in one status', () => {
		expect(Object.keys(FOLLOWERS)).toEqual(ORDER)
		for (const [index, status] of ORDER.entries()) {
			expect(FOLLOWERS[status]).toEqual(ORDER.slice(index + 1))
		}
	})
})

describe('the node of a call', () => {
	const placed = { ...callWith(1), node: 'one:8021' }
	const ofA: CallEvent = { type: 'leg', legUuid: A, at: at(1), answeredAt: at(1), node: 'one:8021' }

	it('is where its living legs are, also when nothing else is new', () => {
		const { call } = playCall(frozen(placed), [ofA])
		const moved = transition(frozen(call), { ...ofA, node: 'two:8021' })
		expect(moved).toMatchObject({ call: { node: 'two:8021', version: call.version + 1 }, log: [] })
		expect(transition(frozen({ ...call, node: 'two:8021' }), { ...ofA, node: 'two:8021' })).toEqual({ ignored: 'nothing_new' })
	})

	it('is not changed by a leg that ends, or has ended, and not by a report that names none', () => {
		const ended: CallEvent = { ...ofA, node: 'two:8021', end: end('cleared') }
		const { call } = playCall(frozen(placed), [ofA, { type: 'leg', legUuid: 'leg-b1', at: at(2), answeredAt: at(2), node: 'one:8021' }, { ...ended }])
		expect(call).toMatchObject({ node: 'one:8021', status: 'connected' })
		expect(transition(frozen(call), { ...ofA, node: 'two:8021' })).toEqual({ ignored: 'nothing_new' })
		expect(playCall(frozen(placed), [{ type: 'leg', legUuid: A, at: at(1) }]).call.node).toBe('one:8021')
	})
})

describe('a call', () => {
	const story: [CallEvent, CallStatus, string[]][] = [
		[{ type: 'leg', legUuid: A, at: at(1) }, 'calling_user', ['leg_created']],
		[{ type: 'leg', legUuid: A, at: at(2), ringingAt: at(2) }, 'calling_user', ['leg_ringing']],
		[{ type: 'leg', legUuid: A, at: at(3), answeredAt: at(3) }, 'dialing', ['leg_answered']],
		[{ type: 'leg', legUuid: 'leg-b1', at: at(4) }, 'dialing', ['leg_created']],
		[{ type: 'leg', legUuid: 'leg-b1', at: at(5), ringingAt: at(5) }, 'ringing', ['leg_ringing']],
		[{ type: 'leg', legUuid: 'leg-b1', at: at(6), answeredAt: at(6) }, 'connected', ['leg_answered']],
		[{ type: 'leg', legUuid: A, at: at(7), held: true }, 'connected', ['held']],
		[{ type: 'leg', legUuid: A, at: at(8), held: false }, 'connected', ['unheld']],
		[{ type: 'leg', legUuid: 'leg-b1', at: at(9), end: end('cleared', { talkMs: 3_000, hungUpBy: 'party' }) }, 'connected', ['leg_ended']],
		[{ type: 'leg', legUuid: A, at: at(9), end: end('cleared') }, 'ended', ['leg_ended', 'ended']],
	]

	it('goes through its 6 statuses, one line of history for each thing that happens', () => {
		let call = frozen(callWith(1))
		for (const [event, status, lines] of story) {
			const next = transition(call, event)
			expect('call' in next && [next.call.status, next.call.version, next.log.map(({ type }) => type)]).toEqual([status, call.version + 1, lines])
			call = 'call' in next ? frozen(next.call) : call
		}
		expect(call).toMatchObject({ outcome: 'completed', endedBy: 'callee', talkMs: 3_000, userAnsweredAt: at(3), ringingAt: at(5), answeredAt: at(6), endedAt: at(9), onHold: false })
	})

	it('takes what earlier reports missed from the last one', () => {
		const { call } = playCall(callWith(1), [
			{ type: 'leg', legUuid: 'leg-b1', at: at(9), ringingAt: at(5), answeredAt: at(6), end: end('cleared', { talkMs: 3_000 }) },
			{ type: 'leg', legUuid: A, at: at(9), ringingAt: at(2), answeredAt: at(3), end: end('cleared', { hungUpBy: 'party' }) },
		])
		expect(call).toMatchObject({ status: 'ended', outcome: 'completed', endedBy: 'user', talkMs: 3_000, ringingAt: at(5), answeredAt: at(6) })
	})

	it.each([
		['a leg that is not its own', { type: 'leg', legUuid: 'another', at: at(1) }, 'unknown_leg'],
		['the loss of a leg that is not its own', { type: 'leg_gone', legUuid: 'another', at: at(1) }, 'unknown_leg'],
		['a report that tells nothing new', { type: 'leg', legUuid: A, at: at(2) }, 'nothing_new'],
	] as const)('ignores %s', (_what, event, ignored) => {
		const call = frozen(playCall(callWith(1), [{ type: 'leg', legUuid: A, at: at(1) }]).call)
		expect(transition(call, event)).toEqual({ ignored })
	})

	it('ends with the refusal of its originate only when no own leg is alive', () => {
		const failed: CallEvent = { type: 'originate_failed', at: at(2), cause: { name: 'GATEWAY_DOWN', q850: 809 }, verdict: 'gateway_down' }
		expect(playCall(callWith(1), [failed]).call).toMatchObject({ status: 'ended', outcome: 'failed', leg: 'user', cause: { name: 'GATEWAY_DOWN' } })
		const alive = playCall(callWith(1), [{ type: 'leg', legUuid: A, at: at(1) }, failed])
		expect(alive.call.status).toBe('calling_user')
		expect(playCall(alive.call, [{ type: 'leg', legUuid: A, at: at(3), end: end('busy', { hungUpBy: 'party' }) }]).call).toMatchObject({ status: 'ended', outcome: 'busy', endedBy: 'user' })
	})

	it('waits for the end of a B leg that was alive when the A leg ended', () => {
		const events: CallEvent[] = [{ type: 'leg', legUuid: A, at: at(1), answeredAt: at(1) }, { type: 'leg', legUuid: 'leg-b1', at: at(2) }, { type: 'leg', legUuid: A, at: at(3), end: end('cleared') }]
		const waiting = playCall(callWith(1), events).call
		expect(waiting.status).toBe('dialing')
		expect(playCall(waiting, [{ type: 'leg_gone', legUuid: 'leg-b1', at: at(4) }]).call.status).toBe('ended')
	})
})

describe('hold', () => {
	it('is what the user’s own leg says; the destination’s own hold is its affair', () => {
		const talking = playCall(callWith(1), [{ type: 'leg', legUuid: A, at: at(1), answeredAt: at(1) }, { type: 'leg', legUuid: 'leg-b1', at: at(2), answeredAt: at(2) }]).call
		expect(transition(frozen(talking), { type: 'leg', legUuid: 'leg-b1', at: at(3), held: true })).toEqual({ ignored: 'nothing_new' })
		expect(playCall(talking, [{ type: 'leg', legUuid: A, at: at(3), held: true }]).call.onHold).toBe(true)
	})
})

describe('a transfer', () => {
	const talking = frozen(playCall(callWith(1), [{ type: 'leg', legUuid: A, at: at(1), answeredAt: at(1) }, { type: 'leg', legUuid: 'leg-b1', at: at(2), answeredAt: at(2) }]).call)
	const asked: CallEvent = { type: 'transfer_asked', at: at(10) }
	const done: CallEvent = { type: 'transfer_answered', at: at(10), isDone: true }
	const refused: CallEvent = { type: 'transfer_answered', at: at(10), isDone: false }
	const userEnds: CallEvent = { type: 'leg', legUuid: A, at: at(11), end: end('cleared') }
	const transferred = { status: 'ended', outcome: 'completed', endedBy: 'user', leg: 'user', talkMs: 9_000, reason: { code: 'transferred' } }

	it.each([['before', [asked, done, userEnds]], ['after', [asked, userEnds]]] as const)('is the end of the call for the user when the switch’s answer comes %s the end of the own leg, or never', (_when, events) => {
		expect(playCall(talking, [...events]).call).toMatchObject(transferred)
	})

	it('ends with the own leg also when that one’s end was not heard', () => {
		expect(playCall(talking, [asked, done, { type: 'leg_gone', legUuid: A, at: at(11) }]).call).toMatchObject(transferred)
	})

	it('that the switch refused leaves everything as it was', () => {
		const call = playCall(talking, [asked, refused]).call
		expect({ ...call, version: talking.version }).toEqual(talking)
		expect(playCall(call, [userEnds]).call.status).toBe('connected')
	})

	it('is none when somebody hung up before the switch had done it', () => {
		const byCallee = playCall(talking, [asked, { type: 'leg', legUuid: 'leg-b1', at: at(11), end: end('cleared', { hungUpBy: 'party', talkMs: 9_000 }) }, userEnds]).call
		expect(byCallee).toMatchObject({ outcome: 'completed', endedBy: 'callee' })
		const byUser = playCall(talking, [asked, { ...userEnds, end: end('cleared', { hungUpBy: 'party' }) }]).call
		expect(byUser.status).toBe('connected')
		const wished = playCall(talking, [asked, { type: 'hangup_requested', at: at(10), by: 'user' }, userEnds]).call
		expect(wished.status).toBe('connected')
	})

	it('is asked for only while two people talk, and once', () => {
		expect(transition(frozen(playCall(talking, [asked]).call), asked)).toEqual({ ignored: 'nothing_new' })
		expect(transition(frozen(callWith(1)), asked)).toEqual({ ignored: 'nothing_new' })
		expect(transition(frozen(playCall(talking, [{ type: 'hangup_requested', at: at(9), by: 'user' }]).call), asked)).toEqual({ ignored: 'nothing_new' })
		expect(transition(talking, done)).toEqual({ ignored: 'nothing_new' })
	})
})

describe('failover', () => {
	const first: CallEvent[] = [
		{ type: 'leg', legUuid: A, at: at(1), answeredAt: at(1) },
		{ type: 'leg', legUuid: 'leg-b1', at: at(2) },
		{ type: 'leg', legUuid: 'leg-b1', at: at(3), end: end('congestion', { hungUpBy: 'party' }) },
	]

	it('goes on after the first gateway failed, and the second one’s answer is the call’s', () => {
		const { call, statuses } = playCall(callWith(2), [
			...first,
			{ type: 'leg', legUuid: 'leg-b2', at: at(4), ringingAt: at(4) },
			{ type: 'leg', legUuid: 'leg-b2', at: at(5), answeredAt: at(5) },
			{ type: 'leg', legUuid: 'leg-b2', at: at(9), end: end('cleared', { hungUpBy: 'party', talkMs: 4_000 }) },
			{ type: 'leg', legUuid: A, at: at(9), end: end('cleared') },
		])
		expect(statuses).toEqual(['queued', 'dialing', 'ringing', 'connected', 'ended'])
		expect(call).toMatchObject({ outcome: 'completed', endedBy: 'callee', talkMs: 4_000, cause: { name: 'CLEARED' }, ringingAt: at(4) })
		expect(call.reason).toBeUndefined()
	})

	it('that fails as well ends with what the last gateway said', () => {
		const { call } = playCall(callWith(2), [...first, { type: 'leg', legUuid: 'leg-b2', at: at(5), end: end('busy', { hungUpBy: 'party' }) }, { type: 'leg', legUuid: A, at: at(5), end: end('busy') }])
		expect(call).toMatchObject({ outcome: 'busy', endedBy: 'callee', leg: 'destination', reason: { code: 'busy' } })
	})

	it('that the switch did not try ends with what the first gateway said', () => {
		expect(playCall(callWith(2), [...first, { type: 'leg', legUuid: A, at: at(5), end: end('congestion') }]).call).toMatchObject({ outcome: 'failed', reason: { code: 'network_congestion', fixableBy: 'carrier' } })
	})
})

const verdict = fc.constantFrom<Verdict>('cleared', 'busy', 'no_answer', 'rejected', 'cancelled', 'congestion', 'unknown_number', 'not_registered', 'switch_stopped', 'max_duration', 'media_lost')
const legEnd = fc.record({ verdict, hungUpBy: fc.constantFrom<'party' | 'switch'>('party', 'switch'), talkMs: fc.constantFrom(0, 0, 4_200) }).map(({ verdict: said, ...values }) => end(said, values))

describe('any sequence of events', () => {
	const when = fc.nat(50).map(at)
	const legUuid = fc.constantFrom(A, ...B, 'another')
	const event: fc.Arbitrary<CallEvent> = fc.oneof(
		{ weight: 8, arbitrary: fc.record({ type: fc.constant('leg' as const), legUuid, at: when, ringingAt: when, answeredAt: when, held: fc.boolean(), end: legEnd }, { requiredKeys: ['type', 'legUuid', 'at'] }) },
		fc.record({ type: fc.constant('leg_gone' as const), legUuid, at: when }),
		fc.record({ type: fc.constant('originate_done' as const), at: when }),
		fc.record({ type: fc.constant('originate_failed' as const), at: when, cause: fc.constant({ name: 'USER_BUSY', q850: 17 }), verdict }),
		fc.record({ type: fc.constant('hangup_requested' as const), at: when, by: fc.constantFrom<'user' | 'policy' | 'admin'>('user', 'policy', 'admin') }),
		fc.record({ type: fc.constant('transfer_asked' as const), at: when }),
		fc.record({ type: fc.constant('transfer_answered' as const), at: when, isDone: fc.boolean() }),
	)

	it('moves to the right only, never leaves the end, counts each change and repeats none, for 5,000 sequences', () => {
		let ended = 0
		fc.assert(fc.property(fc.integer({ min: 1, max: 3 }), fc.array(event, { maxLength: 25 }), (gateways, events) => {
			let call = frozen(callWith(gateways))
			for (const next of events) {
				const outcome = transition(call, frozen(next))
				if ('ignored' in outcome) {
					expect(outcome.ignored === 'call_has_ended').toBe(call.status === 'ended')
					continue
				}
				// A call that has ended only hears the end of a leg of which nobody had told it, and who had wanted its end.
				expect(call.status !== 'ended' || (next.type === 'hangup_requested' && call.endedBy === 'system' && outcome.call.endedBy !== 'system') || (next.type === 'leg' && next.end !== undefined && call.legs.some(({ uuid, end: known }) => uuid === next.legUuid && known === undefined))).toBe(true)
				expect(outcome.call.status === call.status || FOLLOWERS[call.status].includes(outcome.call.status)).toBe(true)
				expect(outcome.call.version).toBe(call.version + 1)
				expect(outcome.log.length).toBeGreaterThan(0)
				for (const [index, leg] of call.legs.entries()) {
					expect(outcome.call.legs[index]).toMatchObject(leg)
				}
				call = frozen(outcome.call)
				expect(transition(call, next)).toHaveProperty('ignored')
			}
			ended += Number(call.status === 'ended')
			expect([call.outcome, call.endedBy, call.endedAt, call.cause].every((value) => (value !== undefined) === (call.status === 'ended'))).toBe(true)
			expect(call.talkMs !== undefined).toBe(call.outcome === 'completed')
		}), { numRuns: 5_000 })
		expect(ended).toBeGreaterThan(500)
	})

	/** A call as a switch tells it, one queue for each thread of the switch. */
	const told = fc.record({
		failing: fc.array(legEnd.map((last): LegEnd => ({ ...last, talkMs: 0 })), { maxLength: 2 }),
		last: legEnd,
		userEnd: legEnd,
		rings: fc.boolean(),
		requested: fc.option(fc.constantFrom<'user' | 'policy'>('user', 'policy'), { nil: undefined }),
	}).map(({ failing, last, userEnd, rings, requested }) => {
		const ofLeg = (uuid: string, ending: LegEnd): CallEvent[] => [
			{ type: 'leg', legUuid: uuid, at: at(5) },
			...(rings ? [{ type: 'leg' as const, legUuid: uuid, at: at(6), ringingAt: at(6) }] : []),
			...(ending.talkMs > 0 ? [{ type: 'leg' as const, legUuid: uuid, at: at(7), answeredAt: at(7) }] : []),
			{ type: 'leg', legUuid: uuid, at: at(12), end: ending },
		]
		const ends = [...failing, last]
		return {
			gateways: ends.length,
			before: [{ type: 'leg', legUuid: A, at: at(1) }, { type: 'leg', legUuid: A, at: at(2), answeredAt: at(2) }] as CallEvent[],
			destination: ends.map((ending, index) => ofLeg(B[index] ?? '', ending)),
			job: [{ type: 'originate_done', at: at(3) }] as CallEvent[],
			request: (requested === undefined ? [] : [{ type: 'hangup_requested', at: at(9), by: requested }]) as CallEvent[],
			user: { type: 'leg', legUuid: A, at: at(12), end: userEnd } as CallEvent,
		}
	})

	it('that keeps the order of each leg tells the same end, in 5,000 calls of up to 3 gateways', () => {
		fc.assert(fc.property(told, fc.infiniteStream(fc.nat(100)), (story, picks) => {
			const { gateways, before, destination, job, request, user } = story
			const inOrder = playCall(callWith(gateways), [...before, ...job, ...destination.flat(), ...request, user]).call
			// The A leg's thread makes the B legs, and our own wish reaches the switch before it ends anything.
			const queues = [...destination.map((events) => [...events]), [...job], [...request]]
			const mixed = [...before]
			let isUserOver = false
			while (!isUserOver || queues.some((queue) => queue.length > 0)) {
				const mayEnd: boolean = !isUserOver && queues.at(-1)?.length === 0 && destination.every((events) => mixed.includes(events[0] ?? user))
				const left: CallEvent[][] = [...queues.filter((queue) => queue.length > 0), ...(mayEnd ? [[user]] : [])]
				const next: CallEvent | undefined = left[(picks.next().value ?? 0) % left.length]?.shift()
				isUserOver ||= next === user
				mixed.push(...(next === undefined ? [] : [next]))
			}
			const other = playCall(callWith(gateways), mixed).call
			expect(other.status).toBe('ended')
			expect({ ...verdictOfCall(other), talkMs: other.talkMs }).toEqual({ ...verdictOfCall(inOrder), talkMs: inOrder.talkMs })
		}), { numRuns: 5_000 })
	})

	it('some of which were lost, with each leg’s record at any place and any number of times, tells the same end, in 2,000 calls', () => {
		fc.assert(fc.property(told, fc.infiniteStream(fc.nat(1_000)), (story, picks) => {
			const pick = (count: number) => (picks.next().value ?? 0) % count
			const { gateways, before, destination, job, request, user } = story
			const inOrder = playCall(callWith(gateways), [...before, ...job, ...destination.flat(), ...request, user]).call
			// What is lost of a leg, its end with it, the switch answers for with “no such channel”.
			const legs = [[...before, user], ...destination]
			const heard = legs.map((events) => {
				const last = wholeOf(events, at(12))
				const gone: CallEvent = { type: 'leg_gone', legUuid: last.legUuid, at: at(60) }
				return [...events.slice(0, -1).filter(() => pick(3) > 0), pick(2) === 0 ? gone : last]
			})
			const records = legs.flatMap((events) => Array.from({ length: 1 + pick(3) }, () => [{ ...wholeOf(events, at(900)), endedAt: at(12) }]))
			const queues = [...heard, ...records, [...job]]
			const mixed = [...request]
			for (let left = queues; left.length > 0; left = left.filter((queue) => queue.length > 0)) {
				const next = left[pick(left.length)]?.shift()
				mixed.push(...(next === undefined ? [] : [next]))
			}
			const other = playCall(callWith(gateways), mixed).call
			expect(other.status).toBe('ended')
			expect({ ...verdictOfCall(other), talkMs: other.talkMs, endedAt: other.endedAt }).toEqual({ ...verdictOfCall(inOrder), talkMs: inOrder.talkMs, endedAt: at(12) })
		}), { numRuns: 2_000 })
	})

	/** All that the events of a leg have told: the switch repeats it with the last one. */
	function wholeOf(events: readonly CallEvent[], toldAt: Date): LegReport {
		return { ...Object.assign({}, ...events) as LegReport, at: toldAt }
	}
})

describe('a call that ended unheard', () => {
	const talking: CallEvent[] = [
		{ type: 'leg', legUuid: A, at: at(1), answeredAt: at(1) },
		{ type: 'leg', legUuid: 'leg-b1', at: at(2), answeredAt: at(2) },
	]
	const gone: CallEvent[] = [{ type: 'leg_gone', legUuid: A, at: at(60) }, { type: 'leg_gone', legUuid: 'leg-b1', at: at(61) }]
	const rate = { prefix: '+49', perMinute: { micros: '60000', currency: 'EUR' }, perCall: { micros: '0', currency: 'EUR' } }
	const endOf = (legUuid: string, sec: number, values: Partial<LegEnd>): CallEvent => ({ type: 'leg', legUuid, at: at(900), endedAt: at(sec), end: end('cleared', values) })
	const guessed = () => playCall({ ...callWith(1), rate, reservedMicros: '9000000' }, [...talking, ...gone]).call

	it('is put down to whoever wanted it, also when the legs’ ends were stored before the wish', () => {
		const over = (legUuid: string, hungUpBy: LegEnd['hungUpBy'] = 'switch'): CallEvent => ({ type: 'leg', legUuid, at: at(5), answeredAt: at(1), end: end('cleared', { hungUpBy, talkMs: 4_000 }) })
		const wish: CallEvent = { type: 'hangup_requested', at: at(60), by: 'user' }
		const { call: late } = playCall(frozen(callWith(1)), [over('leg-b1'), over(A), wish])
		const { call: inTime } = playCall(frozen(callWith(1)), [{ ...wish, at: at(5) }, over('leg-b1'), over(A)])
		expect(late).toMatchObject({ status: 'ended', outcome: 'completed', endedBy: 'user', talkMs: 4_000, endedAt: at(5) })
		expect(late).toEqual(inTime)
		expect(transition(frozen(late), wish)).toEqual({ ignored: 'call_has_ended' })
		// Who has hung up has ended it, whoever wanted the same a moment later.
		const { call: byCallee } = playCall(frozen(callWith(1)), [over('leg-b1', 'party'), over(A)])
		expect(transition(frozen(byCallee), wish)).toEqual({ ignored: 'call_has_ended' })
	})

	it('is told anew by the true ends: who ended it, how long was talked, what it has cost, and when', () => {
		expect(guessed()).toMatchObject({ status: 'ended', outcome: 'completed', endedBy: 'system', reason: { code: 'phone_system_restarted' }, talkMs: 59_000, costMicros: '59000', endedAt: at(61) })
		const ends = [endOf('leg-b1', 12, { talkMs: 10_000, hungUpBy: 'party' }), endOf(A, 13, { talkMs: 12_000 })]
		for (const order of [ends, ends.toReversed()]) {
			const { call } = playCall(guessed(), order)
			expect(call).toMatchObject({ status: 'ended', outcome: 'completed', endedBy: 'callee', talkMs: 10_000, costMicros: '10000', endedAt: at(13), version: guessed().version + 2 })
			expect(call).not.toHaveProperty('reason')
			expect(transition(call, endOf('leg-b1', 13, {}))).toEqual({ ignored: 'call_has_ended' })
		}
	})

	it('ends with the one leg that talked, also when the record of the other never comes', () => {
		expect(playCall(guessed(), [endOf('leg-b1', 12, { talkMs: 10_000 })]).call.endedAt).toEqual(at(12))
		const unanswered = playCall(callWith(1), [{ type: 'leg', legUuid: A, at: at(1), answeredAt: at(1) }, { type: 'leg', legUuid: 'leg-b1', at: at(2) }, ...gone]).call
		// How long the user waited then, nobody knows.
		expect(playCall(unanswered, [endOf('leg-b1', 12, {})]).call.endedAt).toEqual(at(60))
		expect(playCall(unanswered, [endOf(A, 12, {})]).call.endedAt).toEqual(at(12))
	})

	it('keeps what was spent where the company has said it, and where the price was erased with the number', () => {
		const told = { ...guessed(), costMicros: '123', carrierCost: { state: 'final' as const, cost: { micros: '123', currency: 'EUR' }, looks: 1 } }
		const { rate: _erased, ...erased } = guessed()
		const late = endOf('leg-b1', 12, { talkMs: 10_000 })
		expect(playCall(told, [late]).call).toMatchObject({ talkMs: 10_000, costMicros: '123' })
		expect(playCall(erased, [late]).call).toMatchObject({ talkMs: 10_000, costMicros: '59000' })
	})

	it('learns when it was answered, and by whom it was ended, from the one leg of which nothing was heard', () => {
		const unheard = playCall(callWith(1), [{ type: 'leg', legUuid: A, at: at(20), answeredAt: at(1), end: end('cleared', { bridgedMs: 7_000 }) }]).call
		expect(unheard).toMatchObject({ outcome: 'completed', endedBy: 'system', answeredAt: at(13), talkMs: 7_000 })
		const { call } = playCall(unheard, [{ type: 'leg', legUuid: 'leg-b1', at: at(900), ringingAt: at(4), answeredAt: at(12), endedAt: at(20), end: end('cleared', { talkMs: 8_000, hungUpBy: 'party' }) }])
		expect(call).toMatchObject({ outcome: 'completed', endedBy: 'callee', ringingAt: at(4), answeredAt: at(12), talkMs: 8_000, endedAt: at(20) })
	})

	it('of those who were transferred is left as it is by whatever becomes of them', () => {
		const transferred = playCall(callWith(1), [...talking, { type: 'transfer_asked', at: at(10) }, { type: 'transfer_answered', at: at(10), isDone: true }, { type: 'leg', legUuid: A, at: at(11), end: end('cleared') }]).call
		expect(transition(frozen(transferred), endOf('leg-b1', 500, { talkMs: 498_000, hungUpBy: 'party' }))).toEqual({ ignored: 'call_has_ended' })
	})

	it('is never changed by the end of a leg that was known, nor by one that only looked', () => {
		const known = frozen(playCall(callWith(1), [...talking, endOf('leg-b1', 12, { talkMs: 10_000 }), endOf(A, 12, {})]).call)
		expect(transition(known, endOf('leg-b1', 500, { talkMs: 500_000 }))).toEqual({ ignored: 'call_has_ended' })
		expect(transition(frozen(guessed()), { type: 'leg', legUuid: A, at: at(70), ringingAt: at(1) })).toEqual({ ignored: 'call_has_ended' })
	})
})

describe('a second leg of the user', () => {
	const SECOND = 'leg-a2'

	function play(events: CallEvent[]): Call {
		return events.reduce((call, event) => {
			const change = transition(event.type === 'leg' && event.legUuid === SECOND ? withLeg(call, SECOND, 'user') : call, event)
			return 'ignored' in change ? call : change.call
		}, callWith(1))
	}

	const bothRing: CallEvent[] = [
		{ type: 'leg', legUuid: A, at: at(1), ringingAt: at(1) },
		{ type: 'leg', legUuid: SECOND, at: at(1), ringingAt: at(1) },
	]

	it('goes on when one of the two is answered and the switch stops the other', () => {
		const call = play([
			...bothRing,
			{ type: 'leg', legUuid: SECOND, at: at(3), answeredAt: at(3) },
			{ type: 'leg', legUuid: A, at: at(3), end: end('cancelled') },
			{ type: 'leg', legUuid: 'leg-b1', at: at(4), ringingAt: at(4) },
		])
		expect(call).toMatchObject({ status: 'ringing', userAnsweredAt: at(3) })
		expect(call.legs.map(({ uuid }) => uuid)).toEqual([A, 'leg-b1', SECOND])
	})

	it('has not ended while one of the two still rings', () => {
		const call = play([...bothRing, { type: 'leg', legUuid: A, at: at(3), end: end('busy', { hungUpBy: 'party' }) }])
		expect(call.status).toBe('calling_user')
	})

	it('takes the place of a leg that never came to be, and is added only once', () => {
		const call = withLeg(callWith(1), SECOND, 'user')
		expect(call.legs.map(({ uuid }) => uuid)).toEqual([SECOND, 'leg-b1'])
		expect(withLeg(call, SECOND, 'user')).toBe(call)
	})

	it('cannot make the call grow without end', () => {
		let call = play(bothRing)
		for (let index = 0; index < 100; index++) {
			call = withLeg(call, `leg-${index}`, 'user')
			call = { ...call, legs: call.legs.map((leg) => ({ ...leg, createdAt: at(1) })) }
		}
		expect(call.legs.length).toBeLessThan(40)
	})
})
