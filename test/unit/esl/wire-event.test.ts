// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { SwitchEvent } from '../../../lib/esl/event-parser.ts'
import type { EslFrame } from '../../../lib/esl/frame-decoder.ts'
import type { WireEvent } from '../../../lib/esl/wire-event.ts'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseEvent } from '../../../lib/esl/event-parser.ts'
import { FrameDecoder } from '../../../lib/esl/frame-decoder.ts'
import { readWireEvent } from '../../../lib/esl/wire-event.ts'
import { readRecording } from '../../stand-ins/freeswitch/replay.ts'
import { switchEventsOf } from '../../support/replay-call.ts'

const NOW = new Date('2026-11-22T12:00:00.000Z')

function read(format: 'json' | 'plain', body: string | Buffer): WireEvent | undefined {
	return readWireEvent({ headers: { 'content-type': `text/event-${format}` }, body: Buffer.from(body) })
}

function wireEventsOf(name: string): WireEvent[] {
	return new FrameDecoder().push(readRecording(name).server).map(readWireEvent).filter((event) => event !== undefined)
}

/** What one event says, without uuids and times: two recordings of the same call differ in those. */
function gist(event: SwitchEvent, uuids: readonly (string | undefined)[]): unknown {
	if (event.type !== 'leg') {
		return event.type === 'job' ? [event.type, event.text.slice(0, 3)] : [event.type]
	}
	const { legUuid, ringingAt, answeredAt, held, end } = event.report
	return [
		'ab'.charAt(uuids.indexOf(legUuid)),
		...(ringingAt === undefined ? [] : ['rang']),
		...(answeredAt === undefined ? [] : ['answered']),
		...(held === undefined ? [] : ['held']),
		...(end === undefined ? [] : [end.cause, end.verdict, end.hungUpBy, Math.round(end.talkMs / 1000), end.onward]),
	]
}

describe('the same call, recorded as JSON and as plain events', () => {
	it.each([
		['c2c_b_hangs_up_json', 'c2c_b_hangs_up'],
		['c2c_b_hangs_up_all_json', 'c2c_b_hangs_up_all_plain'],
		['c2c_b_busy_json', 'c2c_b_busy'],
		['c2c_uuid_kill_a_json', 'c2c_uuid_kill_a'],
	])('%s tells what %s tells', (json, plain) => {
		const told = [json, plain].map((name) => {
			const { server, aUuid, bUuid } = readRecording(name)
			// Only the order within one leg is promised.
			return switchEventsOf(server).map((event) => JSON.stringify(gist(event, [aUuid, bUuid]))).filter((text) => text !== '["heartbeat"]').toSorted()
		})
		expect(told[0]).toEqual(told[1])
		expect(told[0]?.length).toBeGreaterThanOrEqual(8)
	})

	it('gives the same names and the same kind of value, header by header', () => {
		const [json, plain] = ['c2c_b_hangs_up_all_json', 'c2c_b_hangs_up_all_plain'].map((name) => wireEventsOf(name).filter((event) => event['Event-Name'] === 'CHANNEL_HANGUP_COMPLETE'))
		expect(json).toHaveLength(2)
		for (const [index, event] of (json ?? []).entries()) {
			const other = plain?.[index] ?? {}
			expect(Object.keys(other).toSorted()).toEqual(Object.keys(event).toSorted())
			expect(other['Hangup-Cause']).toBe(event['Hangup-Cause'])
			expect(other.variable_sip_to_uri).toBe(event.variable_sip_to_uri)
			expect(Object.values(event).every((value) => typeof value === 'string')).toBe(true)
		}
	})

	it('reads an event rewritten from JSON to plain exactly alike, all 54 of a call', () => {
		const events = wireEventsOf('c2c_b_hangs_up_all_json')
		expect(events.length).toBeGreaterThan(50)
		for (const { _body: body, ...headers } of events) {
			const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value === '' ? '_undef_' : encodeURIComponent(value)}`)
			const event = { ...headers, ...(body === undefined ? {} : { _body: body }) }
			expect(read('plain', `${lines.join('\n')}\n\n${body ?? ''}`)).toEqual(event)
			expect(read('json', JSON.stringify(event))).toEqual(event)
		}
	})
})

describe('a plain event', () => {
	it.each([
		['a percent-encoded UTF-8 name', 'J%C3%BCrgen', 'Jürgen'],
		['a percent-encoded Latin-1 name', 'J%FCrgen', 'Jürgen'],
		['a raw %', '100% sure', '100% sure'],
		['a raw % before letters', '%zz %4', '%zz %4'],
		['a raw % beside an escape', '50%25 at 100%', '50% at 100%'],
		['an encoded plus sign', '%2B49', '+49'],
		['a raw plus sign, which is no space', 'a+b', 'a+b'],
		['an encoded line feed', 'a%0Ab', 'a\nb'],
		['a colon', 'sip: x', 'sip: x'],
		['nothing', '_undef_', ''],
		['an empty text', '', ''],
		['a list', 'ARRAY::a%7C:b', 'ARRAY::a|:b'],
	])('reads %s', (_what, written, value) => {
		expect(read('plain', `Event-Name: X\nName: ${written}\n\n`)?.Name).toBe(value)
	})

	it('reads a raw Latin-1 byte as a replacement character and goes on behind it', () => {
		expect(read('plain', Buffer.from('Name: J\xFCrgen\nNext: 1\n\n', 'latin1'))).toEqual({ Name: 'J�rgen', Next: '1' })
	})

	it('keeps the last of a repeated header', () => {
		expect(read('plain', 'Hangup-Cause: NONE\nHangup-Cause: USER_BUSY\n\n')?.['Hangup-Cause']).toBe('USER_BUSY')
	})

	it('has a body of its own Content-Length in bytes', () => {
		expect(read('plain', 'Content-Length: 8\n\n+OK Zoë\nrest')?._body).toBe('+OK Zoë')
		expect(read('plain', 'Content-Length: 12\n\na: 1\n\nb: 2\n\n')).toEqual({ 'Content-Length': '12', _body: 'a: 1\n\nb: 2\n\n' })
	})

	it.each(['-5', 'abc', '1e9', 'Infinity', '_undef_'])('survives an inner Content-Length of %s', (length) => {
		expect(read('plain', `A: 1\nContent-Length: ${length}\n\nbody`)?.A).toBe('1')
	})

	it('is read as far as it goes when its empty line is missing', () => {
		expect(read('plain', 'A: 1\nB: 2')).toEqual({ A: '1', B: '2' })
	})
})

describe('a JSON event', () => {
	it.each(['', '{', '{"a":', 'null', '[]', '["a"]', '1', '"text"', 'true', '{"a":1}}', '-ERR no reply'])('is nothing when it reads %s', (text) => {
		expect(read('json', text)).toBeUndefined()
	})

	it('keeps the last of a repeated header', () => {
		expect(read('json', '{"Hangup-Cause":"NONE","Hangup-Cause":"USER_BUSY"}')?.['Hangup-Cause']).toBe('USER_BUSY')
	})

	it('has a list where plain events write ARRAY::, and is read the same', () => {
		expect(read('json', '{"variable_x":["a","b"]}')).toEqual({ variable_x: 'ARRAY::a|:b' })
	})

	it('has only texts, whatever the switch puts there', () => {
		expect(read('json', '{"a":1,"b":null,"c":true,"_body":["x"],"d":{}}')).toEqual({ a: '1', b: 'null', c: 'true', _body: 'ARRAY::x', d: '[object Object]' })
	})

	it('reads a raw Latin-1 byte as a replacement character', () => {
		expect(read('json', Buffer.from('{"Caller-Caller-ID-Name":"J\xFCrgen 100%","Next":"1"}', 'latin1'))).toEqual({ 'Caller-Caller-ID-Name': 'J�rgen 100%', Next: '1' })
	})
})

describe('any bytes', () => {
	const contentType = fc.constantFrom('text/event-json', 'text/event-plain', 'text/event-xml', 'log/data', '')
	const word = fc.constantFrom('Event-Name: CHANNEL_ANSWER\n', 'Content-Length: 5\n', '\n\n', '%', '%FC', '_undef_', '{"Event-Name":"BACKGROUND_JOB","_body":', '"Job-UUID":{}', '[', ']', '}', ': ')
	const body = fc.oneof(
		fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
		fc.array(word, { maxLength: 12 }).map((words) => Buffer.from(words.join(''))),
		fc.json().map((text) => Buffer.from(text)),
		fc.dictionary(fc.constantFrom('Event-Name', 'Unique-ID', 'Job-UUID', '_body', '__proto__', 'toString', 'Content-Length'), fc.jsonValue()).map((value) => Buffer.from(JSON.stringify(value))),
	)

	it('never end the process, for 10,000 frames: they are an event of texts or nothing', () => {
		fc.assert(fc.property(contentType, body, (type, bytes) => {
			const frame: EslFrame = { headers: { 'content-type': type }, body: bytes }
			const event = readWireEvent(frame)
			if (event === undefined) {
				return
			}
			expect(type).toMatch(/json|plain/)
			expect(Object.values(event).every((value) => typeof value === 'string')).toBe(true)
			expect(() => parseEvent(event, NOW)).not.toThrow()
		}), { numRuns: 10_000 })
	})
})
