// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Ends that are told late: by the switch's clock, which may be any, and of legs that nobody has heard of.

import type { LegReport } from '../../../lib/calls/call-events.ts'
import type { Call, LegEnd } from '../../../lib/calls/call.ts'

import { describe, expect, it } from 'vitest'
import { applyRecord } from '../../../lib/calls/leg-record.ts'
import { newCall, playCall } from '../../support/replay-call.ts'

const [A, B] = ['leg-a', 'leg-b']
const placed = newCall({ aUuid: A, bUuid: B, jobUuid: undefined })
const at = (sec: number) => new Date(placed.createdAt.getTime() + sec * 1_000)
const END: LegEnd = { cause: { name: 'NORMAL_CLEARING', q850: 16 }, verdict: 'cleared', hungUpBy: 'party', talkMs: 8_000 }

const talking = playCall(placed, [
	{ type: 'leg', legUuid: A, at: at(1), answeredAt: at(2) },
	{ type: 'leg', legUuid: B, at: at(3), answeredAt: at(4) },
]).call
const guessed = playCall(talking, [{ type: 'leg_gone', legUuid: A, at: at(60) }, { type: 'leg_gone', legUuid: B, at: at(60) }]).call

function record(call: Call, report: Partial<LegReport>, role?: 'user' | 'destination'): Call | string {
	const outcome = applyRecord(call, { report: { type: 'leg', legUuid: B, at: at(900), endedAt: at(12), end: END, ...report }, ...(role === undefined ? {} : { role }) })
	return 'call' in outcome ? outcome.call : outcome.ignored
}

const legOf = (call: Call | string, uuid = B) => typeof call === 'string' ? call : call.legs.find((leg) => leg.uuid === uuid)

describe('the time of an end that is told late', () => {
	it.each([
		['the switch’s, where the clocks agree', guessed, at(12), at(12)],
		['not before the leg was answered: its clock is slow', guessed, at(-3_600), at(4)],
		['not after the leg was found to be gone: its clock is fast', guessed, at(800), at(60)],
		['not after it was told, while the call is open', talking, at(3_600), at(900)],
		['not before the call was placed, of a leg that nobody has heard of', placed, at(-3_600), at(0)],
	])('is %s', (_what, call, told, is) => {
		expect(legOf(record(call, { endedAt: told }))).toMatchObject({ endedAt: is })
	})

	it('takes the leg’s other times along, in their distance, but not to before the call', () => {
		const shifted = record(placed, { at: at(20), endedAt: at(3_620), answeredAt: at(3_612), ringingAt: at(3_605), createdAt: at(3_580) })
		expect(legOf(shifted)).toMatchObject({ createdAt: at(0), ringingAt: at(5), answeredAt: at(12), endedAt: at(20) })
	})

	it('is that of the telling where none is known', () => {
		const { endedAt: _unknown, ...report }: LegReport = { type: 'leg', legUuid: B, at: at(50), end: END, endedAt: at(0) }
		const outcome = applyRecord(guessed, { report })
		expect('call' in outcome && legOf(outcome.call)).toMatchObject({ endedAt: at(50) })
	})
})

describe('a leg that nobody has heard of', () => {
	it('takes the place of the one that is missed, in its role alone', () => {
		const onlyUser = playCall(placed, [{ type: 'leg', legUuid: A, at: at(20), end: { ...END, bridgedMs: 7_000 } }]).call
		expect(onlyUser.status).toBe('ended')
		const corrected = record(onlyUser, { legUuid: 'of-the-switch' }, 'destination')
		expect(legOf(corrected, 'of-the-switch')).toMatchObject({ role: 'destination', end: END })
		expect(record(onlyUser, { legUuid: 'of-the-switch' }, 'user')).toBe('call_has_ended')
		expect(record(onlyUser, { legUuid: 'of-the-switch' })).toBe('call_has_ended')
	})

	it('is nobody’s where all ends are known', () => {
		const known = playCall(talking, [{ type: 'leg', legUuid: B, at: at(12), end: END }, { type: 'leg', legUuid: A, at: at(12), end: END }]).call
		expect(record(known, { legUuid: 'of-the-switch' }, 'destination')).toBe('call_has_ended')
	})
})
