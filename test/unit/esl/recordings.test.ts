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
import { EXPECTED_ENDS } from '../../support/expected-ends.ts'
import { callEventsOf, newCall, playCall, switchEventsOf, verdictOfCall } from '../../support/replay-call.ts'

const folder = process.env.SIPCALL_RECORDINGS ?? fileURLToPath(new URL('../../fixtures/freeswitch', import.meta.url))
const names = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.server.txt')).map((file) => file.slice(0, -'.server.txt'.length)) : []
/** Recordings that hold a call of two legs or its refusal. */
const calls = names.map((name) => readRecording(name, folder)).filter((recording) => recording.aUuid !== undefined)

function legsOf(recording: Recording): Legs {
	return { aUuid: recording.aUuid ?? '', bUuid: recording.bUuid, jobUuid: recording.jobUuid }
}

function check(recording: Recording, events: readonly CallEvent[]): void {
	const { call, statuses } = playCall(newCall(legsOf(recording)), events)
	const expected = EXPECTED_ENDS[recording.name]
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
		expect(calls.map(({ name }) => name).filter((name) => EXPECTED_ENDS[name] === undefined && !withoutEnd.includes(name))).toEqual([])
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
