// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A short piece of `make chaos`, and the judge itself: one that never found anything would prove nothing.

import type { Plan, PlannedCall } from './plan.ts'
import type { RunRecord } from './run.ts'
import type { TrueCall } from './truth.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { STORIES } from '../stand-ins/freeswitch/index.ts'
import { breakBuild, BREAKS } from './builds.ts'
import { judge } from './checker.ts'
import { Environment } from './environment.ts'
import { makePlan } from './plan.ts'
import { execute } from './run.ts'

const SLOW_MACHINE_MS = 300_000
const USER = 'user00'

function plannedCall(index: number, change: Partial<PlannedCall> = {}): PlannedCall {
	return {
		number: `+49307654${String(index).padStart(3, '0')}`,
		userId: USER,
		sends: [{ atMs: 0, replica: 0 }],
		story: STORIES.answer_until_hangup,
		hangup: { by: 'callee', afterMs: 200 },
		...change,
	}
}

function planOf(calls: PlannedCall[], change: Partial<Plan> = {}): Plan {
	return { seed: 1, calls, faults: [], mixSeed: 1, probe: { userId: 'user39', replica: 1 }, ...change }
}

/** The first connection for commands breaks when the switch has taken an originate, and before it has said so. */
const LOST_REPLY = planOf([plannedCall(1, { hangup: { by: 'callee', afterMs: 2_500 } })], {
	faults: [{ when: { at: 'step', replica: 0, part: 'switch', direction: 'down', step: 'reply to originate', edge: 'before', nth: 1 }, fault: { do: 'cut', replica: 0, part: 'switch' } }],
})

/** A user with two calls a day wants six, over both replicas. */
const TOO_MANY = planOf(Array.from({ length: 6 }, (_, index) => plannedCall(10 + index, {
	userId: 'scarce0',
	sends: [{ atMs: index * 50, replica: index % 2 === 0 ? 0 : 1 }],
})), { seed: 2, shortage: 'calls a day', callsPerDay: 2 })

describe('a plan', () => {
	it('is the same for the same seed, and another one for the next', () => {
		expect(makePlan(7)).toEqual(makePlan(7))
		expect(makePlan(7)).not.toEqual(makePlan(8))
	})
})

describe('two replicas', () => {
	let environment: Environment

	beforeAll(async () => {
		environment = await Environment.start()
	}, SLOW_MACHINE_MS)

	afterAll(() => environment.stop())

	it.each([
		['a reply to an originate that is lost', LOST_REPLY],
		['more calls than a user has in a day', TOO_MANY],
		['the faults of seed 3', makePlan(3, { mostCalls: 12 })],
	])('keep every promise with %s', async (_, plan) => {
		const record = await execute(environment, plan)
		expect(judge(record, environment.truth.calls)).toEqual([])
	}, SLOW_MACHINE_MS)
})

describe('a broken build', () => {
	it.each(BREAKS)('can be made of the product as it is: $name', async (broken) => {
		await (await breakBuild(broken)).remove()
	})

	it.each([
		['an originate is written again when its reply was lost', LOST_REPLY, 'once'],
		['each replica counts the limits in its own memory', TOO_MANY, 'limits'],
	])('is caught: %s', async (name, plan, promise) => {
		const broken = BREAKS.find((one) => one.name === name)
		expect(broken).toBeDefined()
		const build = broken === undefined ? undefined : await breakBuild(broken)
		const environment = await Environment.start({ root: build?.root ?? '' })
		try {
			const record = await execute(environment, plan)
			expect(judge(record, environment.truth.calls).map((found) => found.promise)).toContain(promise)
		} finally {
			await environment.stop()
			await build?.remove()
		}
	}, SLOW_MACHINE_MS)
})

describe('the judge', () => {
	const call = plannedCall(1)
	const uuid = '11111111-1111-4111-8111-111111111111'

	/** A call of which everything is well: placed, answered, and hung up by the person called after two seconds. */
	function wellKept(): { record: RunRecord, call: TrueCall } {
		const record = {
			plan: planOf([call]),
			faults: { gaps: [], lost: [], kills: [], records: [], redisFaults: 0 },
			requests: [{ call, key: 'key', kind: 'call', replica: 0, sentAt: 0, answeredAt: 50, status: 202, code: undefined, uuid }],
			booked: [{ uuid, status: 'ended', outcome: 'completed', ended_by: 'callee', talk_ms: 2_000, transfer: null, hangup_requested_at: null }],
			keys: new Map([['key', uuid]]),
			unbooked: [],
			probe: '202',
			beganAt: 0,
			upAt: 5_000,
			quietAt: 5_100,
			openAt: new Map<string, number>(),
			left: [],
			crashes: [],
		} as unknown as RunRecord
		return {
			record,
			call: {
				uuid,
				number: call.number,
				writtenAt: [40],
				taken: 1,
				legs: [
					{ uuid: 'a', role: 'user', node: 0, createdAt: 60, answeredAt: 100, endedAt: 2_201, cause: 'NORMAL_CLEARING', isByParty: false },
					{ uuid: 'b', role: 'destination', node: 0, createdAt: 110, answeredAt: 200, endedAt: 2_200, cause: 'NORMAL_CLEARING', isByParty: true },
				],
			},
		}
	}

	const judged = (change: (kept: ReturnType<typeof wellKept>) => void) => {
		const kept = wellKept()
		change(kept)
		return judge(kept.record, new Map([[uuid, kept.call]])).map(({ promise }) => promise)
	}
	const hungUp = (answeredAt: number) => ({ call, key: 'key', kind: 'hang up' as const, replica: 0 as const, sentAt: answeredAt - 1, answeredAt, status: 202, code: undefined, uuid })

	it('finds nothing where everything is well', () => {
		expect(judged(() => {})).toEqual([])
	})

	it.each<[name: string, promise: string, change: (kept: ReturnType<typeof wellKept>) => void]>([
		['an originate that was written twice', 'once', ({ call: { writtenAt } }) => writtenAt.push(90)],
		['one whose row was not committed when it was written', 'once', ({ record }) => record.unbooked.push(uuid)],
		['a key that stands for another call than it was answered with', 'once', ({ record }) => record.keys.set('key', 'another')],
		['an accepted call that is not in the books', 'kept', ({ record }) => record.booked.splice(0)],
		['a call that is open for longer than 20 s after its legs', 'ended', ({ record }) => record.openAt.set(uuid, 25_100)],
		['a leg that is left', 'ended', ({ record }) => {
			record.quietAt = undefined
		}],
		['a user who cannot call any more', 'free', ({ record }) => {
			record.probe = '409 already_in_call'
		}],
		['another outcome than on the switch', 'true', ({ record: { booked: [row] } }) => Object.assign(row ?? {}, { outcome: 'failed' })],
		['somebody else who has hung up', 'true', ({ record: { booked: [row] } }) => Object.assign(row ?? {}, { ended_by: 'user' })],
		['talk that is too long', 'true', ({ record: { booked: [row] } }) => Object.assign(row ?? {}, { talk_ms: 20_000 })],
		['a conversation that nobody has had', 'true', ({ call: { legs } }) => delete legs[1]?.answeredAt],
		['an originate after the answer to a hang-up', 'hangUp', ({ record }) => record.requests.push(hungUp(30))],
		['a leg that lives after the answer to a hang-up', 'hangUp', ({ record, call: { legs } }) => {
			record.requests.push(hungUp(100))
			Object.assign(legs[1] ?? {}, { endedAt: 70_000 })
		}],
		['a replica that ended by itself', 'alive', ({ record }) => record.crashes.push('replica 0 ended by itself: 1')],
	])('finds %s', (_, promise, change) => {
		expect(judged(change)).toContain(promise)
	})

	it('lets pass what nobody could tell: the end of a call while nobody listened', () => {
		expect(judged(({ record }) => {
			Object.assign(record.booked[0] ?? {}, { ended_by: 'system', talk_ms: 4_000 })
			record.faults.gaps.push({ from: 2_100, to: 3_000, why: 'replica 0: killed' })
		})).toEqual([])
	})
})
