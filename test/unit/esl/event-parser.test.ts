// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { LegReport } from '../../../lib/calls/call-events.ts'
import type { WireEvent } from '../../../lib/esl/wire-event.ts'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseChannelDump, parseEvent, parseJobFailure, SUBSCRIPTION } from '../../../lib/esl/event-parser.ts'
import { FrameDecoder } from '../../../lib/esl/frame-decoder.ts'
import { readWireEvent } from '../../../lib/esl/wire-event.ts'
import { readRecording } from '../../stand-ins/freeswitch/replay.ts'
import { callEventsOf, newCall, playCall } from '../../support/replay-call.ts'

const NOW = new Date('2026-11-22T12:00:00.000Z')
const UUID = '11111111-1111-4111-8111-111111111111'
const DAY_MS = 86_400_000
/** Of PostgreSQL's integer. */
const MAX_INTEGER = 2 ** 31

function ofLeg(event: WireEvent): LegReport {
	const parsed = parseEvent({ 'Unique-ID': UUID, ...event }, NOW)
	if (parsed?.type !== 'leg') {
		throw new TypeError('No report of a leg')
	}
	return parsed.report
}

function micros(date: number): string {
	return `${date}000`
}

describe('a switch whose clock is wrong', () => {
	const { server, aUuid = '', bUuid, jobUuid } = readRecording('c2c_b_hangs_up_all_json')
	const wire = new FrameDecoder().push(server).map(readWireEvent).filter((event) => event !== undefined)
	const legs = { aUuid, bUuid, jobUuid }

	/** The recorded call on a switch whose clock is off, heard when it happened. */
	function play(skewMs: number) {
		const events = wire.map((event) => {
			const skewed = Object.entries(event).map(([name, value]) => /-Time$|Timestamp$|uepoch$/.test(name) && Number(value) > 0
				? [name, String(BigInt(value) + BigInt(skewMs) * 1000n)]
				: [name, value])
			return parseEvent(Object.fromEntries(skewed) as WireEvent, new Date(Math.round(Number(event['Event-Date-Timestamp']) / 1000)))
		})
		return playCall(newCall(legs), callEventsOf(events.filter((event) => event !== undefined), legs))
	}

	it.each([
		['90 s ahead', 90_000],
		['90 s behind', -90_000],
		['3 days ahead', 3 * DAY_MS],
		['3 days behind', -3 * DAY_MS],
	])('tells the same call when it is %s', (_what, skewMs) => {
		const { call, statuses } = play(skewMs)
		expect(call).toEqual(play(0).call)
		expect(statuses).toEqual(['queued', 'calling_user', 'dialing', 'ringing', 'connected', 'ended'])
	})

	it('gives times on our own clock that stand in the order of the call and as far apart as on the switch', () => {
		const { call } = play(3 * DAY_MS)
		const [ringing, answered, ended] = [call.ringingAt, call.answeredAt, call.endedAt].map((date) => date?.getTime() ?? Number.NaN)
		const end = wire.find((event) => event['Event-Name'] === 'CHANNEL_HANGUP_COMPLETE' && event['Unique-ID'] === bUuid)
		const of = (name: string) => Number(end?.[`Caller-Channel-${name}-Time`]) / 1000
		expect((answered ?? 0) - (ringing ?? 0)).toBeCloseTo(of('Answered') - of('Progress'), -1)
		expect(call.talkMs).toBe(Number(end?.variable_billmsec))
		expect((ended ?? 0) - (answered ?? 0)).toBeGreaterThanOrEqual(call.talkMs ?? Number.NaN)
		expect(call.userAnsweredAt?.getTime()).toBeLessThan(ringing ?? Number.NaN)
	})

	it('never puts a time of the past into the future', () => {
		expect(ofLeg({ 'Event-Name': 'CHANNEL_ANSWER', 'Event-Date-Timestamp': micros(1_000_000), 'Caller-Channel-Answered-Time': micros(5_000_000) }).answeredAt).toEqual(NOW)
	})
})

describe('each event of the subscription', () => {
	const REPORTS: Record<string, Partial<LegReport>> = {
		CHANNEL_CREATE: {},
		CHANNEL_PROGRESS: { ringingAt: NOW },
		CHANNEL_PROGRESS_MEDIA: { ringingAt: NOW },
		CHANNEL_ANSWER: { answeredAt: NOW },
		CHANNEL_HOLD: { held: true },
		CHANNEL_UNHOLD: { held: false },
		CHANNEL_HANGUP_COMPLETE: { end: { cause: { name: 'NONE', q850: 0 }, verdict: 'switch_stopped', hungUpBy: 'switch', talkMs: 0 } },
	}

	it.each(SUBSCRIPTION.filter((name) => name.startsWith('CHANNEL_')))('%s is a report even when nothing else stands in it', (name) => {
		expect(parseEvent({ 'Event-Name': name, 'Unique-ID': UUID }, NOW)).toEqual({ type: 'leg', report: { type: 'leg', legUuid: UUID, at: NOW, ...REPORTS[name] } })
		expect(Object.keys(REPORTS)).toContain(name)
	})

	it('of a channel is nothing without Unique-ID', () => {
		expect(parseEvent({ 'Event-Name': 'CHANNEL_ANSWER' }, NOW)).toBeUndefined()
		expect(parseEvent({ 'Event-Name': 'CHANNEL_ANSWER', 'Unique-ID': '' }, NOW)).toBeUndefined()
	})

	it('BACKGROUND_JOB is the end of a job, trimmed', () => {
		expect(parseEvent({ 'Event-Name': 'BACKGROUND_JOB', 'Job-UUID': UUID, _body: '-ERR USER_BUSY\n' }, NOW)).toEqual({ type: 'job', jobUuid: UUID, at: NOW, text: '-ERR USER_BUSY' })
		expect(parseEvent({ 'Event-Name': 'BACKGROUND_JOB', 'Job-UUID': UUID }, NOW)).toMatchObject({ text: '' })
		expect(parseEvent({ 'Event-Name': 'BACKGROUND_JOB' }, NOW)).toBeUndefined()
	})

	it('HEARTBEAT tells the switch’s limits, as recorded', () => {
		const [beat] = new FrameDecoder().push(readRecording('heartbeat_json').server).map(readWireEvent).filter((event) => event !== undefined)
		expect(parseEvent(beat ?? {}, NOW)).toEqual({ type: 'heartbeat', coreUuid: beat?.['Core-UUID'], sessionsPerSec: 1000, maxSessions: 5000, sessions: 1 })
		expect(parseEvent({ 'Event-Name': 'HEARTBEAT', 'Max-Sessions': 'many', 'Session-Count': '' }, NOW)).toEqual({ type: 'heartbeat', coreUuid: '' })
	})

	it('SHUTDOWN is told', () => {
		expect(parseEvent({ 'Event-Name': 'SHUTDOWN' }, NOW)).toEqual({ type: 'shutdown' })
	})

	it.each(['CHANNEL_DESTROY', 'CHANNEL_STATE', 'CUSTOM', '', 'channel_answer'])('"%s" is not one of them and tells nothing', (name) => {
		expect(parseEvent({ 'Event-Name': name, 'Unique-ID': UUID }, NOW)).toBeUndefined()
	})
})

describe('a report', () => {
	it('repeats what happened before, so that a lost event is made good', () => {
		expect(ofLeg({
			'Event-Name': 'CHANNEL_HANGUP_COMPLETE',
			'Event-Date-Timestamp': micros(10_000),
			'Caller-Channel-Progress-Time': '0',
			'Caller-Channel-Progress-Media-Time': micros(4_000),
			'Caller-Channel-Answered-Time': micros(7_000),
		})).toMatchObject({ ringingAt: new Date(NOW.getTime() - 6_000), answeredAt: new Date(NOW.getTime() - 3_000), at: NOW })
	})

	it('takes the earlier of 180 and 183', () => {
		for (const [progress, media] of [[3_000, 5_000], [5_000, 3_000]] as const) {
			expect(ofLeg({ 'Event-Name': 'CHANNEL_ANSWER', 'Event-Date-Timestamp': micros(10_000), 'Caller-Channel-Progress-Time': micros(progress), 'Caller-Channel-Progress-Media-Time': micros(media) }).ringingAt)
				.toEqual(new Date(NOW.getTime() - 7_000))
		}
	})

	it.each([
		['a', 'user'],
		['b', 'destination'],
	])('names our own call and the role of leg %s', (leg, role) => {
		expect(parseEvent({ 'Event-Name': 'CHANNEL_CREATE', 'Unique-ID': 'x', variable_sipcall_call: 'call', variable_sipcall_leg: leg }, NOW)).toMatchObject({ callUuid: 'call', role })
	})

	it.each([
		['recv_bye', 'party'],
		['recv_cancel', 'party'],
		['recv_refuse', 'party'],
		['send_bye', 'switch'],
		['send_cancel', 'switch'],
		['', 'switch'],
	])('of an end with %s says that the %s hung up', (disposition, by) => {
		expect(ofLeg({ 'Event-Name': 'CHANNEL_HANGUP_COMPLETE', variable_sip_hangup_disposition: disposition }).end?.hungUpBy).toBe(by)
	})

	it('of an A leg’s end tells how the B leg went, also when B’s own events were lost', () => {
		const end = { 'Event-Name': 'CHANNEL_HANGUP_COMPLETE', variable_hangup_cause: 'NORMAL_CLEARING' }
		expect(ofLeg({ ...end, variable_originate_disposition: 'NO_ANSWER' }).end?.onward).toEqual({ cause: { name: 'NO_ANSWER', q850: 19 }, verdict: 'no_answer' })
		expect(ofLeg({ ...end, variable_last_bridge_hangup_cause: 'USER_BUSY' }).end?.onward?.verdict).toBe('busy')
		expect(ofLeg({ ...end, variable_originate_disposition: 'failure' }).end?.onward).toBeUndefined()
		const bridged = { ...end, variable_originate_disposition: 'SUCCESS', variable_bridge_uepoch: micros(2_000), variable_end_uepoch: micros(7_500) }
		expect(ofLeg(bridged).end).toMatchObject({ bridgedMs: 5_500 })
		expect(ofLeg(bridged).end?.onward).toBeUndefined()
	})

	it.each([
		[{ variable_sip_term_status: '486' }, 486],
		[{ variable_proto_specific_hangup_cause: 'sip:603' }, 603],
		[{ variable_sip_term_status: '200' }, undefined],
		[{ variable_sip_term_status: '' }, undefined],
		[{ variable_sip_term_status: 'busy' }, undefined],
		[{ variable_sip_term_status: '486.5' }, undefined],
		[{ variable_proto_specific_hangup_cause: 'q850:17' }, undefined],
	])('has the SIP status of %j', (variables, sip) => {
		expect(ofLeg({ 'Event-Name': 'CHANNEL_HANGUP_COMPLETE', variable_hangup_cause: 'USER_BUSY', ...variables }).end?.cause).toEqual({ name: 'USER_BUSY', q850: 17, ...(sip === undefined ? {} : { sip }) })
	})
})

describe('the text of a job', () => {
	it.each([
		['-ERR USER_BUSY', 'USER_BUSY', 17, 'busy'],
		['-ERR NO_ANSWER', 'NO_ANSWER', 19, 'no_answer'],
		['-ERR USER_NOT_REGISTERED', 'USER_NOT_REGISTERED', 806, 'not_registered'],
		['-ERR GATEWAY_DOWN', 'GATEWAY_DOWN', 809, 'gateway_down'],
		['-ERR DESTINATION_OUT_OF_ORDER', 'DESTINATION_OUT_OF_ORDER', 27, 'switch_refused'],
		['-ERR NORMAL_CLEARING', 'NORMAL_CLEARING', 16, 'cleared'],
		['-ERR ALLOTTED_TIMEOUT', 'ALLOTTED_TIMEOUT', 802, 'no_answer'],
		['-ERR NO_SUCH_CAUSE', 'NORMAL_UNSPECIFIED', 31, 'misconfigured'],
		['-ERR no reply', 'NORMAL_UNSPECIFIED', 31, 'misconfigured'],
		['-USAGE: <call url> <exten>|&<application_name>(<app_args>)', 'NORMAL_UNSPECIFIED', 31, 'misconfigured'],
		['', 'NORMAL_UNSPECIFIED', 31, 'misconfigured'],
	])('"%s" is the cause %s (%i): %s', (text, name, q850, verdict) => {
		expect(parseJobFailure(text)).toEqual({ cause: { name, q850 }, verdict })
	})

	it('+OK is no failure, whatever follows', () => {
		expect(parseJobFailure(`+OK ${UUID}`)).toBeUndefined()
		expect(parseJobFailure('+OK')).toBeUndefined()
	})
})

describe('uuid_dump', () => {
	const dump = readRecording('call_commands').frames.find(({ body }) => body.startsWith('{"Event-Name":"CHANNEL_DATA"'))?.body ?? ''

	it('as recorded tells when the leg was answered', () => {
		const channel = JSON.parse(dump) as Record<string, string>
		const report = parseChannelDump(dump, channel['Unique-ID'] ?? '', NOW)
		const agoMs = Math.round((Number(channel['Event-Date-Timestamp']) - Number(channel['Caller-Channel-Answered-Time'])) / 1000)
		expect(agoMs).toBeGreaterThan(0)
		expect(report).toMatchObject({ type: 'leg', legUuid: channel['Unique-ID'], at: NOW, answeredAt: new Date(NOW.getTime() - agoMs) })
		expect(report?.end).toBeUndefined()
	})

	it.each([['HELD', true], ['ACTIVE', false], ['UNHELD', false], ['RINGING', undefined], ['HANGUP', undefined]] as const)('of a channel in state %s tells that it is held: %s', (state, held) => {
		const channel = JSON.parse(dump) as Record<string, string>
		expect(parseChannelDump(JSON.stringify({ ...channel, 'Channel-Call-State': state }), UUID, NOW)?.held).toBe(held)
	})

	it.each(['-ERR No such channel!\n', '', 'null', '[]', '[{}]', '7', '"x"', dump.slice(0, 4_000)])('of no channel is nothing: %.30s', (text) => {
		expect(parseChannelDump(text, UUID, NOW)).toBeUndefined()
	})

	it('is a report of the leg that was asked for and of no other', () => {
		expect(parseChannelDump('{"Unique-ID":"another"}', UUID, NOW)).toEqual({ type: 'leg', legUuid: UUID, at: NOW })
	})
})

describe('hostile values', () => {
	const text = fc.oneof(
		fc.constantFrom('NaN', 'Infinity', '-Infinity', '-1', '1e308', '9'.repeat(400), '0x10', '', ' ', '__proto__', 'constructor', 'toString', '9007199254740993000', '1.5', '9007199254740991', '2147483648', '2147483648000'),
		fc.string({ unit: 'binary', maxLength: 30 }),
	)
	const names = ['Event-Date-Timestamp', 'Caller-Channel-Progress-Time', 'Caller-Channel-Progress-Media-Time', 'Caller-Channel-Answered-Time', 'Hangup-Cause', 'variable_hangup_cause', 'variable_sip_term_status', 'variable_proto_specific_hangup_cause', 'variable_billmsec', 'variable_bridge_uepoch', 'variable_end_uepoch', 'variable_originate_disposition', 'variable_last_bridge_hangup_cause', 'Session-Per-Sec', 'Job-UUID', '_body', 'variable_sipcall_leg']

	it('give finite times and numbers, or none, for 10,000 events', () => {
		fc.assert(fc.property(fc.constantFrom(...SUBSCRIPTION), fc.dictionary(fc.constantFrom(...names), text), (name, event) => {
			const parsed = parseEvent({ ...event, 'Event-Name': name, 'Unique-ID': UUID }, NOW)
			// A time or a number that is none becomes null, a function or undefined vanishes: then this is not the same any more.
			expect(JSON.parse(JSON.stringify(parsed ?? null), (key, value: unknown) => key.toLowerCase().endsWith('at') ? new Date(String(value)) : value)).toEqual(parsed ?? null)
			if (parsed?.type === 'leg') {
				const { ringingAt = NOW, answeredAt = NOW, end } = parsed.report
				expect(ringingAt.getTime()).toBeLessThanOrEqual(NOW.getTime())
				expect(answeredAt.getTime()).toBeLessThanOrEqual(NOW.getTime())
				for (const lengthMs of [end?.talkMs ?? 0, end?.bridgedMs ?? 0]) {
					expect(lengthMs).toBeGreaterThanOrEqual(0)
					expect(lengthMs).toBeLessThan(MAX_INTEGER)
				}
				expect(typeof (end?.verdict ?? '')).toBe('string')
			}
		}), { numRuns: 10_000 })
	})

	it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', 'NO_SUCH_CAUSE', ''])('such as the cause "%s" are kept under the number of NORMAL_UNSPECIFIED', (name) => {
		expect(ofLeg({ 'Event-Name': 'CHANNEL_HANGUP_COMPLETE', variable_hangup_cause: name }).end).toMatchObject({ cause: { name, q850: 31 }, verdict: 'failed' })
	})
})

describe('what becomes of a gateway', () => {
	it('is told by a real switch as it went down and came up again', () => {
		const { server } = readRecording('gateway_pinged_down')
		const wire = new FrameDecoder().push(server).map(readWireEvent).filter((event) => event !== undefined)
		expect(wire.map((event) => parseEvent(event, NOW)).filter((event) => event?.type === 'gateway')).toEqual([
			{ type: 'gateway', name: 'pinged', isUp: true },
			{ type: 'gateway', name: 'pinged', isUp: false },
			{ type: 'gateway', name: 'pinged', isUp: true },
		])
	})

	it.each<[string, WireEvent]>([
		['of another kind', { 'Event-Name': 'CUSTOM', 'Event-Subclass': 'sofia::register', Gateway: 'trunk', 'Ping-Status': 'UP' }],
		['without a name', { 'Event-Name': 'CUSTOM', 'Event-Subclass': 'sofia::gateway_state', 'Ping-Status': 'UP' }],
		['without a state', { 'Event-Name': 'CUSTOM', 'Event-Subclass': 'sofia::gateway_state', Gateway: 'trunk' }],
	])('is not told by an event %s', (_what, event) => {
		expect(parseEvent(event, NOW)).toBeUndefined()
	})
})
