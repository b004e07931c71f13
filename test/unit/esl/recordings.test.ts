// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Every recorded call of a real FreeSWITCH, through decoder, parser and transition, to the end that the recordings'
// description names.

import type { CallEvent } from '../../../lib/calls/call-events.ts'
import type { Recording } from '../../stand-ins/freeswitch/replay.ts'
import type { Legs } from '../../support/replay-call.ts'

import fc from 'fast-check'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { FOLLOWERS } from '../../../lib/calls/call-state.ts'
import { readRecording } from '../../stand-ins/freeswitch/replay.ts'
import { callEventsOf, newCall, playCall, switchEventsOf, verdictOfCall } from '../../support/replay-call.ts'

interface Expected {
	outcome: string
	endedBy: string
	leg: 'user' | 'destination'
	cause: [name: string, q850: number, sip?: number]
	reason?: string
	fixableBy?: string
	/** Whole seconds of talk, by the B leg's billmsec. */
	talkSec?: number
	/** The statuses it passes between queued and ended. */
	via: string
}

const TALK = 'calling_user dialing ringing connected'
const NORMAL: Expected['cause'] = ['NORMAL_CLEARING', 16]
const CALLEE_HANGS_UP: Expected = { outcome: 'completed', endedBy: 'callee', leg: 'destination', cause: NORMAL, talkSec: 5, via: TALK }
const KILLED: Expected = { outcome: 'completed', endedBy: 'system', leg: 'destination', cause: NORMAL, talkSec: 2, via: TALK }
const BUSY: Expected = { outcome: 'busy', endedBy: 'callee', leg: 'destination', cause: ['USER_BUSY', 17, 486], reason: 'busy', fixableBy: 'nobody', via: 'calling_user dialing ringing' }
const USER: Pick<Expected, 'leg' | 'via'> = { leg: 'user', via: 'calling_user' }

/** By the outcome table of the recordings' description; names that are not shipped stand ready for other folders. */
const EXPECTED: Record<string, Expected> = {
	c2c_b_hangs_up: CALLEE_HANGS_UP,
	c2c_b_hangs_up_json: CALLEE_HANGS_UP,
	c2c_b_hangs_up_all_plain: CALLEE_HANGS_UP,
	c2c_b_hangs_up_all_json: CALLEE_HANGS_UP,
	c2c_b_early183: CALLEE_HANGS_UP,
	a_user_registered: CALLEE_HANGS_UP,
	filters: CALLEE_HANGS_UP,
	filters_by_variable: CALLEE_HANGS_UP,
	two_step_park_bridge: CALLEE_HANGS_UP,
	transfer_style_bridge: CALLEE_HANGS_UP,
	c2c_a_hangs_up: { ...CALLEE_HANGS_UP, endedBy: 'user', talkSec: 4 },
	c2c_a_hangs_up_json: { ...CALLEE_HANGS_UP, endedBy: 'user', talkSec: 4 },
	c2c_uuid_kill_a: KILLED,
	c2c_uuid_kill_a_json: KILLED,
	c2c_uuid_kill_b_cause: { ...KILLED, cause: ['CALL_REJECTED', 21] },
	c2c_kill_while_a_rings: { ...USER, outcome: 'cancelled', endedBy: 'system', cause: NORMAL },
	c2c_kill_while_b_rings: { outcome: 'cancelled', endedBy: 'system', leg: 'destination', cause: ['ORIGINATOR_CANCEL', 487], via: 'calling_user dialing ringing' },
	c2c_b_busy: BUSY,
	c2c_b_busy_json: BUSY,
	c2c_b_busy_continue_on_fail: BUSY,
	c2c_b_404: { outcome: 'failed', endedBy: 'system', leg: 'destination', cause: ['UNALLOCATED_NUMBER', 1, 404], reason: 'number_not_in_service', fixableBy: 'user', via: 'calling_user dialing' },
	c2c_b_403: { outcome: 'rejected', endedBy: 'callee', leg: 'destination', cause: ['CALL_REJECTED', 21, 403], reason: 'declined', fixableBy: 'nobody', via: 'calling_user dialing' },
	c2c_b_603: { outcome: 'rejected', endedBy: 'callee', leg: 'destination', cause: ['CALL_REJECTED', 21, 603], reason: 'declined', fixableBy: 'nobody', via: 'calling_user dialing ringing' },
	c2c_b_503: { outcome: 'failed', endedBy: 'system', leg: 'destination', cause: ['NORMAL_TEMPORARY_FAILURE', 41, 503], reason: 'network_congestion', fixableBy: 'carrier', via: 'calling_user dialing' },
	c2c_gateway_down: { outcome: 'failed', endedBy: 'system', leg: 'destination', cause: ['NORMAL_TEMPORARY_FAILURE', 41, 503], reason: 'network_congestion', fixableBy: 'carrier', via: 'calling_user dialing' },
	c2c_b_noanswer_480: { outcome: 'no_answer', endedBy: 'system', leg: 'destination', cause: ['NO_USER_RESPONSE', 18, 480], reason: 'no_answer', fixableBy: 'nobody', via: 'calling_user dialing ringing' },
	c2c_b_noanswer_480_q850: { outcome: 'no_answer', endedBy: 'system', leg: 'destination', cause: ['NO_ANSWER', 19, 480], reason: 'no_answer', fixableBy: 'nobody', via: 'calling_user dialing ringing' },
	c2c_b_noanswer_timeout: { outcome: 'no_answer', endedBy: 'system', leg: 'destination', cause: ['NO_ANSWER', 19], reason: 'no_answer', fixableBy: 'nobody', via: 'calling_user dialing ringing' },
	c2c_b_early183_then_404: { outcome: 'failed', endedBy: 'system', leg: 'destination', cause: ['UNALLOCATED_NUMBER', 1, 404], reason: 'number_not_in_service', fixableBy: 'user', via: 'calling_user dialing ringing' },
	a_busy: { ...USER, outcome: 'busy', endedBy: 'user', cause: ['USER_BUSY', 17, 486], reason: 'own_phone_busy', fixableBy: 'user' },
	a_never_answers: { ...USER, outcome: 'no_answer', endedBy: 'system', cause: ['NO_ANSWER', 19], reason: 'own_phone_not_answered', fixableBy: 'user' },
	a_desk_offline: { ...USER, outcome: 'failed', endedBy: 'system', cause: ['NORMAL_TEMPORARY_FAILURE', 41, 503], reason: 'own_phone_unreachable', fixableBy: 'user' },
	a_user_not_registered: { leg: 'user', via: '', outcome: 'failed', endedBy: 'system', cause: ['USER_NOT_REGISTERED', 806], reason: 'own_phone_not_registered', fixableBy: 'user' },
	gateway_pinged_down: { leg: 'user', via: '', outcome: 'failed', endedBy: 'system', cause: ['GATEWAY_DOWN', 809], reason: 'trunk_down', fixableBy: 'admin' },
	a_is_loopback: { outcome: 'failed', endedBy: 'system', leg: 'destination', cause: ['INCOMPATIBLE_DESTINATION', 88], reason: 'codec_mismatch', fixableBy: 'admin', via: 'calling_user dialing ringing' },
	sched_and_limits: { outcome: 'completed', endedBy: 'policy', leg: 'destination', cause: ['ALLOTTED_TIMEOUT', 802], reason: 'max_duration', fixableBy: 'admin', talkSec: 2, via: 'calling_user dialing connected' },
	zz_shutdown: { outcome: 'failed', endedBy: 'system', leg: 'destination', cause: ['SYSTEM_SHUTDOWN', 701], reason: 'phone_system_restarted', fixableBy: 'nobody', via: 'calling_user dialing' },
}

const folder = process.env.SIPCALL_RECORDINGS ?? fileURLToPath(new URL('../../fixtures/freeswitch', import.meta.url))
const names = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.server.txt')).map((file) => file.slice(0, -'.server.txt'.length)) : []
/** Recordings that hold a call of two legs or its refusal. */
const calls = names.map((name) => readRecording(name, folder)).filter((recording) => recording.aUuid !== undefined)

function legsOf(recording: Recording): Legs {
	return { aUuid: recording.aUuid ?? '', bUuid: recording.bUuid, jobUuid: recording.jobUuid }
}

function check(recording: Recording, events: readonly CallEvent[]): void {
	const { call, statuses } = playCall(newCall(legsOf(recording)), events)
	const expected = EXPECTED[recording.name]
	for (const [index, status] of statuses.slice(1).entries()) {
		expect(FOLLOWERS[statuses[index] ?? 'ended']).toContain(status)
	}
	if (expected === undefined) {
		return
	}
	const [name, q850, sip] = expected.cause
	expect(verdictOfCall(call)).toEqual({
		status: 'ended',
		outcome: expected.outcome,
		endedBy: expected.endedBy,
		leg: expected.leg,
		cause: { name, q850, ...(sip === undefined ? {} : { sip }) },
		reason: expected.reason,
		fixableBy: expected.fixableBy,
	})
	expect(call.talkMs === undefined ? undefined : Math.round(call.talkMs / 1000)).toBe(expected.talkSec)
}

/**
 * Another order that a switch could have sent: within each leg (and the job) the order stays, between them anything
 * goes that the legs' own causes allow (the B leg begins after the A leg's answer).
 */
function interleave(events: readonly CallEvent[], legs: Legs, picks: readonly number[]): CallEvent[] {
	// Without a B leg only the job's place among the A leg's reports is open, once the A leg exists.
	const bStart = events.findIndex((event) => event.type === 'leg' && event.legUuid === legs.bUuid)
	const start = bStart === -1 ? Math.min(1, events.length) : bStart
	const queues = [
		events.slice(start).filter((event) => event.type === 'leg' && event.legUuid === legs.aUuid),
		events.slice(start).filter((event) => event.type === 'leg' && event.legUuid === legs.bUuid),
		events.slice(start).filter((event) => event.type !== 'leg'),
	]
	// Whichever leg's reports come first, the B leg exists before the A leg can end.
	const [first] = queues[1]?.splice(0, 1) ?? []
	const mixed = [...events.slice(0, start), ...(first === undefined ? [] : [first])]
	for (let step = 0; queues.some((queue) => queue.length > 0); step++) {
		const left = queues.filter((queue) => queue.length > 0)
		const next = left[(picks[step % picks.length] ?? 0) % left.length]?.shift()
		if (next !== undefined) {
			mixed.push(next)
		}
	}
	return mixed
}

describe('recordings of a real FreeSWITCH', () => {
	it('are there', () => {
		expect(calls.length).toBeGreaterThan(0)
	})

	it.runIf(process.env.SIPCALL_RECORDINGS === undefined)('are all told by the table of expected ends', () => {
		// Recordings without an end of their own: the client left before, or it only tries commands.
		const withoutEnd = ['api_originate_blocks', 'bgapi_job_uuid', 'call_commands', 'call_transfer_a', 'originate_invalid', 'origination_uuid_cases']
		expect(calls.map(({ name }) => name).filter((name) => EXPECTED[name] === undefined && !withoutEnd.includes(name))).toEqual([])
	})

	describe.each(calls.map((recording) => [recording.name, recording] as const))('%s', (_name, recording) => {
		const legs = legsOf(recording)
		const events = callEventsOf(switchEventsOf(recording.server), legs)

		it('ends as the switch described it', () => {
			check(recording, events)
		})

		it('ends the same when the bytes come 7 at a time', () => {
			expect(callEventsOf(switchEventsOf(recording.server, 7), legs)).toEqual(events)
		})

		it('ends the same when every event comes twice', () => {
			const once = playCall(newCall(legs), events)
			const twice = playCall(newCall(legs), events.flatMap((event) => [event, event]))
			expect(twice.call).toEqual(once.call)
			check(recording, events.flatMap((event) => [event, event]))
		})

		it('ends the same when the whole call is told twice, and nothing changes after the end', () => {
			const once = playCall(newCall(legs), events)
			if (once.call.status === 'ended') {
				const again = playCall(once.call, events)
				expect(again.call).toEqual(once.call)
				expect(again.ignoredAfterEnd).toBe(events.length)
			}
		})

		it('ends the same in every order of the legs', () => {
			const once = playCall(newCall(legs), events)
			fc.assert(fc.property(fc.array(fc.nat(2), { minLength: 20, maxLength: 40 }), (picks) => {
				const mixed = playCall(newCall(legs), interleave(events, legs, picks))
				expect(verdictOfCall(mixed.call)).toEqual(verdictOfCall(once.call))
				expect(mixed.call.talkMs).toBe(once.call.talkMs)
			}), { numRuns: 200 })
		})
	})
})
