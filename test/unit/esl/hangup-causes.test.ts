// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Each hangup cause, from the wire event of a leg's end through parser and transition to what the person reads.

import type { CallEvent } from '../../../lib/calls/call-events.ts'
import type { Call, FixableBy, LegRole, Verdict } from '../../../lib/calls/call.ts'

import { describe, expect, it } from 'vitest'
import { parseEvent } from '../../../lib/esl/event-parser.ts'
import { causeOf, isCauseName, verdictOf } from '../../../lib/esl/hangup-causes.ts'
import { newCall, playCall } from '../../support/replay-call.ts'

const A = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa'
const B = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb'
const NOW = new Date('2026-11-22T12:00:00.000Z')

type Told = [outcome: string, reason?: string, fixableBy?: FixableBy]
interface Row {
	verdict: Verdict
	causes: [name: string, q850: number, sip?: number][]
	/** When the user's own leg ends so without having been answered. */
	user: Told
	/** When the destination's leg ends so without having been answered. */
	destination: Told
}

const OWN_UNREACHABLE: Told = ['failed', 'own_phone_unreachable', 'user']

const TABLE: Row[] = [
	{ verdict: 'cleared', causes: [['NORMAL_CLEARING', 16], ['SUCCESS', 142], ['BLIND_TRANSFER', 800], ['ATTENDED_TRANSFER', 801]], user: ['cancelled'], destination: ['cancelled'] },
	{ verdict: 'no_answer', causes: [['NO_ANSWER', 19], ['NO_ANSWER', 19, 480], ['NO_USER_RESPONSE', 18, 480], ['PROGRESS_TIMEOUT', 807], ['NO_PICKUP', 812], ['ALLOTTED_TIMEOUT', 802]], user: ['no_answer', 'own_phone_not_answered', 'user'], destination: ['no_answer', 'no_answer', 'nobody'] },
	{ verdict: 'busy', causes: [['USER_BUSY', 17, 486], ['BUSY_EVERYWHERE', 815, 600]], user: ['busy', 'own_phone_busy', 'user'], destination: ['busy', 'busy', 'nobody'] },
	{ verdict: 'unreachable', causes: [['RECOVERY_ON_TIMER_EXPIRE', 102], ['RECOVERY_ON_TIMER_EXPIRE', 102, 408], ['RECOVERY_ON_TIMER_EXPIRE', 102, 504]], user: OWN_UNREACHABLE, destination: ['failed', 'trunk_unreachable', 'admin'] },
	{ verdict: 'rejected', causes: [['CALL_REJECTED', 21], ['CALL_REJECTED', 21, 403], ['CALL_REJECTED', 21, 603], ['DECLINE', 816], ['UNWANTED', 819, 607], ['REJECT_ALL', 825]], user: ['rejected', 'own_phone_declined', 'user'], destination: ['rejected', 'declined', 'nobody'] },
	{ verdict: 'trunk_refused', causes: [['CALL_REJECTED', 21, 401], ['CALL_REJECTED', 21, 402], ['CALL_REJECTED', 21, 407]], user: ['failed', 'trunk_refused', 'admin'], destination: ['failed', 'trunk_refused', 'admin'] },
	{ verdict: 'cancelled', causes: [['ORIGINATOR_CANCEL', 487], ['ORIGINATOR_CANCEL', 487, 487], ['LOSE_RACE', 702], ['PICKED_OFF', 805], ['MANAGER_REQUEST', 703]], user: ['cancelled'], destination: ['cancelled'] },
	{ verdict: 'unknown_number', causes: [['UNALLOCATED_NUMBER', 1, 404], ['NO_ROUTE_DESTINATION', 3, 604], ['NO_ROUTE_TRANSIT_NET', 2], ['INVALID_NUMBER_FORMAT', 28, 484], ['DOES_NOT_EXIST_ANYWHERE', 817]], user: ['failed', 'own_phone_unknown', 'user'], destination: ['failed', 'number_not_in_service', 'user'] },
	{ verdict: 'number_changed', causes: [['NUMBER_CHANGED', 22, 410]], user: ['failed', 'own_phone_unknown', 'user'], destination: ['failed', 'number_changed', 'user'] },
	{ verdict: 'barred', causes: [['OUTGOING_CALL_BARRED', 52], ['FACILITY_NOT_SUBSCRIBED', 50], ['BEARERCAPABILITY_NOTAUTH', 57], ['INCOMING_CALL_BARRED', 54]], user: ['blocked', 'barred', 'admin'], destination: ['blocked', 'barred', 'admin'] },
	{ verdict: 'congestion', causes: [['NORMAL_TEMPORARY_FAILURE', 41, 503], ['SWITCH_CONGESTION', 42], ['NORMAL_CIRCUIT_CONGESTION', 34], ['NETWORK_OUT_OF_ORDER', 38, 502], ['DESTINATION_OUT_OF_ORDER', 27, 502], ['SERVICE_UNAVAILABLE', 63, 405], ['EXCHANGE_ROUTING_ERROR', 25, 483], ['REQUESTED_CHAN_UNAVAIL', 44]], user: OWN_UNREACHABLE, destination: ['failed', 'network_congestion', 'carrier'] },
	{ verdict: 'switch_refused', causes: [['DESTINATION_OUT_OF_ORDER', 27]], user: ['failed', 'switch_refused', 'admin'], destination: ['failed', 'switch_refused', 'admin'] },
	{ verdict: 'gateway_down', causes: [['GATEWAY_DOWN', 809]], user: ['failed', 'trunk_down', 'admin'], destination: ['failed', 'trunk_down', 'admin'] },
	{ verdict: 'misconfigured', causes: [['INVALID_GATEWAY', 808], ['INVALID_PROFILE', 811], ['INVALID_URL', 810], ['CHAN_NOT_IMPLEMENTED', 66]], user: ['failed', 'switch_misconfigured', 'admin'], destination: ['failed', 'trunk_misconfigured', 'admin'] },
	{ verdict: 'media', causes: [['INCOMPATIBLE_DESTINATION', 88, 488], ['BEARERCAPABILITY_NOTIMPL', 65], ['NOT_ACCEPTABLE', 818, 606]], user: ['failed', 'own_phone_codec_mismatch', 'admin'], destination: ['failed', 'codec_mismatch', 'admin'] },
	{ verdict: 'media_lost', causes: [['MEDIA_TIMEOUT', 804], ['SRTP_READ_ERROR', 813]], user: ['failed', 'connection_lost', 'nobody'], destination: ['failed', 'connection_lost', 'nobody'] },
	{ verdict: 'switch_stopped', causes: [['SYSTEM_SHUTDOWN', 701], ['CRASH', 700], ['NONE', 0]], user: ['failed', 'phone_system_restarted', 'nobody'], destination: ['failed', 'phone_system_restarted', 'nobody'] },
	{ verdict: 'caller_id_refused', causes: [['NO_IDENTITY', 820, 428], ['BAD_IDENTITY_INFO', 821, 429], ['UNSUPPORTED_CERTIFICATE', 822, 437], ['INVALID_IDENTITY', 823, 438], ['STALE_DATE', 824]], user: ['failed', 'caller_id_refused', 'admin'], destination: ['failed', 'caller_id_refused', 'admin'] },
	{ verdict: 'failed', causes: [['NORMAL_UNSPECIFIED', 31], ['INTERWORKING', 127], ['PROTOCOL_ERROR', 111], ['CHANNEL_UNACCEPTABLE', 6], ['NO_SUCH_CAUSE', 31]], user: ['failed', 'call_failed', 'nobody'], destination: ['failed', 'call_failed', 'nobody'] },
]

/** Outcome, leg and reason differ by leg for these; the table has them in a test of their own. */
const ABSENT = [['SUBSCRIBER_ABSENT', 20], ['USER_NOT_REGISTERED', 806]] as const

const ROWS = TABLE.flatMap(({ causes, ...row }) => causes.map(([name, q850, sip]) => ({ ...row, name, q850, sip, title: sip === undefined ? name : `${name} with SIP ${sip}` })))

function report(uuid: string, name: string, values: Readonly<Record<string, string>> = {}): CallEvent {
	const event = parseEvent({ 'Event-Name': name, 'Unique-ID': uuid, ...values }, NOW)
	if (event?.type !== 'leg') {
		throw new TypeError('No report of a leg')
	}
	return event.report
}

function end(uuid: string, cause: string, sip?: number, values: Readonly<Record<string, string>> = {}): CallEvent {
	return report(uuid, 'CHANNEL_HANGUP_COMPLETE', { variable_hangup_cause: cause, ...(sip === undefined ? {} : { variable_sip_term_status: String(sip) }), ...values })
}

function play(...events: CallEvent[]): Call {
	return playCall(newCall({ aUuid: A, bUuid: B, jobUuid: undefined }), events).call
}

/** FreeSWITCH ends an answered A leg as it likes when B was not reached. */
const aCleared = () => end(A, 'NORMAL_CLEARING', undefined, { variable_sip_hangup_disposition: 'send_bye' })

const bDialled = () => [report(A, 'CHANNEL_ANSWER'), report(B, 'CHANNEL_CREATE')]

function told(call: Call): unknown {
	return { status: call.status, outcome: call.outcome, leg: call.leg, cause: call.cause, reason: call.reason?.code, fixableBy: call.reason?.fixableBy }
}

function expected(leg: LegRole, end: Told, { name, q850, sip }: { name: string, q850: number, sip?: number | undefined }): unknown {
	const [outcome, reason, fixableBy] = end
	return { status: 'ended', outcome, leg, cause: { name, q850, ...(sip === undefined ? {} : { sip }) }, reason, fixableBy }
}

describe.each(ROWS)('$title', (row) => {
	it(`is number ${row.q850} and says: ${row.verdict}`, () => {
		const cause = causeOf(row.name, row.sip)
		expect(cause).toEqual({ name: row.name, q850: row.q850, ...(row.sip === undefined ? {} : { sip: row.sip }) })
		expect(verdictOf(cause, { progressed: false, answered: false })).toBe(row.verdict)
	})

	it(`of the user's own phone ends the call: ${row.user.join(', ')}`, () => {
		expect(told(play(report(A, 'CHANNEL_CREATE'), end(A, row.name, row.sip)))).toEqual(expected('user', row.user, row))
	})

	it(`of the destination ends the call: ${row.destination.join(', ')}`, () => {
		expect(told(play(...bDialled(), end(B, row.name, row.sip), aCleared()))).toEqual(expected('destination', row.destination, row))
	})

	it('of the destination after an answer ends a completed call', () => {
		const call = play(...bDialled(), report(B, 'CHANNEL_ANSWER'), end(B, row.name, row.sip, { variable_billmsec: '4200' }), aCleared())
		expect(call).toMatchObject({ status: 'ended', outcome: 'completed', leg: 'destination', talkMs: 4200, cause: { name: row.name } })
	})
})

describe.each(ABSENT)('%s', (name, q850) => {
	it('of the user’s own phone is a failure the user can mend', () => {
		expect(told(play(report(A, 'CHANNEL_CREATE'), end(A, name)))).toEqual(expected('user', ['failed', 'own_phone_not_registered', 'user'], { name, q850 }))
	})

	it('of the destination is no answer', () => {
		expect(told(play(...bDialled(), end(B, name), aCleared()))).toEqual(expected('destination', ['no_answer', 'device_not_reachable', 'nobody'], { name, q850 }))
	})
})

describe('a cause', () => {
	it('of the longest call length is the work of the policy, on whichever leg it is found', () => {
		for (const [a, b] of [['ALLOTTED_TIMEOUT', 'NORMAL_CLEARING'], ['NORMAL_CLEARING', 'ALLOTTED_TIMEOUT']] as const) {
			expect(play(...bDialled(), report(A, 'CHANNEL_ANSWER', { 'Caller-Channel-Answered-Time': '1' }), report(B, 'CHANNEL_ANSWER'), end(B, b, undefined, { 'Caller-Channel-Answered-Time': '1', variable_billmsec: '2000' }), end(A, a, undefined, { 'Caller-Channel-Answered-Time': '1' })))
				.toMatchObject({ outcome: 'completed', endedBy: 'policy', cause: { name: 'ALLOTTED_TIMEOUT', q850: 802 }, reason: { code: 'max_duration', fixableBy: 'admin' }, talkMs: 2000 })
		}
	})

	it('of a timer that runs out after ringing means that nobody picked up', () => {
		expect(play(...bDialled(), report(B, 'CHANNEL_PROGRESS'), end(B, 'RECOVERY_ON_TIMER_EXPIRE', undefined, { 'Caller-Channel-Progress-Time': '1' }), aCleared()))
			.toMatchObject({ outcome: 'no_answer', reason: { code: 'no_answer' } })
	})

	it('of the A leg never decides once B was called', () => {
		expect(play(...bDialled(), end(B, 'USER_BUSY', 486), end(A, 'NORMAL_TEMPORARY_FAILURE', 503))).toMatchObject({ outcome: 'busy', leg: 'destination' })
	})

	it('is known by its exact name only', () => {
		expect(['USER_BUSY', 'NONE'].every(isCauseName)).toBe(true)
		expect(['user_busy', '', 'constructor', '__proto__', 'USER_BUSY '].some(isCauseName)).toBe(false)
	})

	it.each([[200, undefined], [0, undefined], [100, undefined], [299, undefined], [300, 300], [699, 699], [700, undefined], [Number.NaN, undefined], [486.5, undefined], [Infinity, undefined]])('keeps SIP status %d as %d', (sip, kept) => {
		expect(causeOf('USER_BUSY', sip).sip).toBe(kept)
	})
})

describe('a verdict', () => {
	const ALL: Record<Verdict, string> = {
		...Object.fromEntries(TABLE.map(({ verdict, causes }) => [verdict, causes[0]?.[0] ?? ''])) as Record<Verdict, string>,
		not_registered: 'USER_NOT_REGISTERED',
		max_duration: 'ALLOTTED_TIMEOUT',
		// Of a call that FreeSWITCH never got.
		not_dialled: 'NETWORK_OUT_OF_ORDER',
		// The company's own: FreeSWITCH has no cause for them.
		trunk_limit: 'CALL_REJECTED',
		trunk_disabled: 'CALL_REJECTED',
		trunk_blocked: 'UNALLOCATED_NUMBER',
		no_route: 'NORMAL_TEMPORARY_FAILURE',
	}

	it('is reached by a cause, each of the 26', () => {
		expect(Object.keys(ALL)).toHaveLength(26)
	})

	it.each(Object.keys(ALL) as Verdict[])('%s has a sentence for each leg, unless the call was cancelled', (verdict) => {
		const cause = causeOf(ALL[verdict])
		const judged: CallEvent = { type: 'leg', legUuid: A, at: NOW, end: { cause, verdict, hungUpBy: 'switch', talkMs: 0 } }
		for (const call of [play(judged), play(...bDialled(), { ...judged, legUuid: B }, aCleared())]) {
			expect(call.status).toBe('ended')
			if (call.outcome === 'cancelled') {
				expect(call.reason).toBeUndefined()
			} else {
				expect(call.reason?.code).toMatch(/^[a-z]+(?:_[a-z]+)*$/)
				expect(call.reason?.message).toMatch(/^[A-Z].{15,160}\.$/)
				expect(['user', 'admin', 'carrier', 'nobody']).toContain(call.reason?.fixableBy)
			}
		}
	})
})
