// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A call record says of its leg what the leg's last event says, in every form in which mod_json_cdr sends or keeps it.

import type { WireEvent } from '../../../lib/esl/wire-event.ts'

import { describe, expect, it } from 'vitest'
import { parseCdr } from '../../../lib/esl/cdr-parser.ts'
import { parseEvent } from '../../../lib/esl/event-parser.ts'
import { urlEncode } from '../../stand-ins/freeswitch/cdr.ts'
import { wireEventsOf } from '../../support/replay-call.ts'

const RECORDINGS = ['c2c_b_hangs_up', 'c2c_a_hangs_up', 'c2c_b_busy', 'c2c_b_403', 'c2c_b_noanswer_timeout', 'c2c_b_early183', 'c2c_uuid_kill_a', 'c2c_gateway_down', 'a_never_answers']
const ends = RECORDINGS.flatMap((name) => wireEventsOf(name).filter((event) => event['Event-Name'] === 'CHANNEL_HANGUP_COMPLETE').map((event) => ({ name, event })))

/** Its times stand in their variables; the event came a few microseconds after the end. */
const endOf = (event: WireEvent) => new Date(Math.floor(Number(event.variable_end_uepoch) / 1000))

function cdrOf(event: WireEvent, { isEncoded = true, ...more }: { isEncoded?: boolean, [name: string]: unknown } = {}): string {
	const variables = Object.entries(event).flatMap(([name, value]) => name.startsWith('variable_') && value !== '' ? [[name.slice('variable_'.length), isEncoded ? urlEncode(value) : value]] : [])
	return JSON.stringify({ 'core-uuid': event['Core-UUID'], variables: { ...Object.fromEntries(variables) as Record<string, string>, ...more }, callflow: [] })
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
const FORMS: [string, (event: WireEvent) => string][] = [
	['posted', (event) => cdrOf(event)],
	['posted without encoded values', (event) => cdrOf(event, { isEncoded: false })],
	['posted in base64', (event) => `cdr=${base64(cdrOf(event))}`],
	['kept', (event) => `${cdrOf(event)}\n`],
	['kept in base64', (event) => `${base64(cdrOf(event))}\n`],
]

describe('a call record', () => {
	it.each(FORMS)('that is %s tells of every recorded end what the event has told', (_form, write) => {
		expect(ends.length).toBeGreaterThan(12)
		for (const { name, event } of ends) {
			const endedAt = endOf(event)
			const told = parseEvent({ ...event, 'Event-Date-Timestamp': event.variable_end_uepoch ?? '' }, endedAt)
			const now = new Date(endedAt.getTime() + 86_400_000)
			const record = parseCdr(Buffer.from(write(event)), now)
			expect(told?.type, name).toBe('leg')
			expect({ type: 'leg', ...record }).toEqual({
				...told,
				report: { ...(told?.type === 'leg' ? told.report : {}), at: now, endedAt, createdAt: new Date(Math.floor(Number(event.variable_start_uepoch) / 1000)) },
			})
		}
	})

	const [{ event: answered } = { event: {} as WireEvent }] = ends
	const read = (more: Record<string, unknown>, now = endOf(answered)) => parseCdr(Buffer.from(cdrOf(answered, more)), now)

	it('names the call and the role by our variables, and is of a stranger without them', () => {
		expect(read({ sipcall_call: 'call-7', sipcall_leg: 'b' })).toMatchObject({ callUuid: 'call-7', role: 'destination' })
		expect(read({})).not.toHaveProperty('callUuid')
	})

	it('is not from the future: what the switch’s clock has after now is now', () => {
		const now = new Date(endOf(answered).getTime() - 5_000)
		expect(read({}, now)?.report).toMatchObject({ at: now, endedAt: now })
	})

	it.each([
		['without an end', { end_uepoch: '0' }],
		['with an end that is no number', { end_uepoch: 'never' }],
		['with an end beyond the calendar', { end_uepoch: `9${'0'.repeat(40)}` }],
	])('%s ended when it came', (_what, more) => {
		const report = read(more)?.report
		expect(report?.end).toBeDefined()
		expect(report?.endedAt ?? report?.at).toEqual(endOf(answered))
	})

	it('is read although a name in it is in Latin-1', () => {
		const bytes = Buffer.from(cdrOf(answered, { caller_id_name: 'M@ller' }))
		bytes[bytes.indexOf('M@ller') + 1] = 0xFC
		expect(parseCdr(bytes, new Date())?.report.legUuid).toBe(answered.variable_uuid)
	})

	it('that is percent-encoded as a whole is not read: a name could put words into it', () => {
		const forged = JSON.stringify({ variables: { uuid: 'x', hangup_cause: 'NORMAL_CLEARING', billmsec: '60000', sip_from_display: 'x%22,%22billmsec%22:%229' } })
		expect(JSON.parse(decodeURIComponent(urlEncode(forged)))).toMatchObject({ variables: { billmsec: '9' } })
		for (const body of [`cdr=${urlEncode(forged)}`, `${urlEncode(forged)}\n`]) {
			expect(parseCdr(Buffer.from(body), new Date())).toBeUndefined()
		}
		for (const body of [forged, `cdr=${base64(forged)}`]) {
			expect(parseCdr(Buffer.from(body), new Date())?.report.end?.talkMs).toBe(60_000)
		}
	})

	it.each(['', 'cdr=', 'null', '[]', '7', '{}', '{"variables":null}', '{"variables":[]}', '{"variables":{}}', '{"variables":{"uuid":""}}', '{"variables":{"uuid":7}}', '{"variables":{"uuid":"x"', '%', '%7B', '%FF%FE', '\0', 'cdr=====', '<xml/>'])('is not %j', (text) => {
		expect(parseCdr(Buffer.from(text), new Date())).toBeUndefined()
	})
})
