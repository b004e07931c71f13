// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EslFrame } from '../../../lib/esl/frame-decoder.ts'

import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { EslFramingError, FrameDecoder } from '../../../lib/esl/frame-decoder.ts'
import { readRecording } from '../../stand-ins/freeswitch/replay.ts'

afterEach(() => {
	vi.restoreAllMocks()
})

/** Decodes a stream that arrives cut at the given places. */
function decode(bytes: Buffer, cuts: readonly number[] = []): EslFrame[] {
	const decoder = new FrameDecoder()
	const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
	return places.slice(1).flatMap((end, index) => decoder.push(bytes.subarray(places[index], end)))
}

function everyNth(length: number, size: number): number[] {
	return Array.from({ length: Math.floor(length / size) }, (_, index) => (index + 1) * size)
}

function comparable(frames: readonly EslFrame[]): unknown[] {
	return frames.map(({ headers, body }) => [headers, body.toString('latin1')])
}

function frame(head: string, body = ''): Buffer {
	return Buffer.from(`${head}\n\n${body}`)
}

describe('a recorded stream', () => {
	it.each(['auth_ok', 'heartbeat_json', 'cmd_before_auth', 'gateway_pinged_down'])('%s gives the same frames for each single cut', (name) => {
		const { server } = readRecording(name)
		const whole = comparable(decode(server))
		for (let cut = 0; cut <= server.length; cut++) {
			expect(comparable(decode(server, [cut])), `cut at byte ${cut}`).toEqual(whole)
		}
	})

	it.each([1, 2, 3, 7, 1460, 65_536])('gives the same frames in pieces of %i bytes', (size) => {
		const { server } = readRecording('c2c_b_busy_json')
		expect(comparable(decode(server, everyNth(server.length, size)))).toEqual(comparable(decode(server)))
	})

	it.each(['c2c_b_hangs_up_all_plain', 'c2c_b_hangs_up_all_json', 'status_commands'])('%s gives the same frames for 300 random ways to cut it', (name) => {
		const { server } = readRecording(name)
		const whole = comparable(decode(server))
		fc.assert(fc.property(fc.array(fc.nat(server.length), { maxLength: 200 }), (cuts) => {
			expect(comparable(decode(server, cuts))).toEqual(whole)
		}), { numRuns: 300 })
	})

	it.each(['c2c_b_hangs_up_all_plain', 'call_transfer_a', 'status_commands', 'userauth_bad'])('%s is cut as an independent reader cuts it', (name) => {
		const { server, frames } = readRecording(name)
		expect(decode(server).map(({ headers, body }) => [headers['content-type'], body.toString()]))
			.toEqual(frames.map(({ contentType, body }) => [contentType, body]))
	})
})

describe('a frame', () => {
	it('has its body whichever header comes first, in whatever case', () => {
		for (const head of ['Content-Length: 3\nContent-Type: api/response', 'Content-Type: api/response\nContent-Length: 3', 'content-type: api/response\nCONTENT-LENGTH:3']) {
			expect(comparable(decode(frame(head, 'abcContent-Type: x\n\n')))).toEqual([
				[{ 'content-type': 'api/response', 'content-length': '3' }, 'abc'],
				[{ 'content-type': 'x' }, ''],
			])
		}
	})

	it('ends at its Content-Length in bytes, not in characters', () => {
		const body = 'Zoë €𝄞'
		const bytes = frame(`Content-Length: ${Buffer.byteLength(body)}`, `${body}A: b\n\n`)
		for (let cut = 0; cut <= bytes.length; cut++) {
			const [first, second] = decode(bytes, [cut])
			expect(first?.body.toString('utf8')).toBe(body)
			expect(second?.headers).toEqual({ a: 'b' })
		}
	})

	it('keeps a raw %, an empty line in its body, and characters that are cut in the middle', () => {
		const bytes = frame('Reply-Text: +OK 100% Größe\nContent-Length: 4', 'a\n\nb')
		for (let cut = 0; cut <= bytes.length; cut++) {
			expect(comparable(decode(bytes, [cut]))).toEqual([[{ 'reply-text': '+OK 100% Größe', 'content-length': '4' }, 'a\n\nb']])
		}
	})

	it('may be preceded by empty lines and hold lines that are no headers', () => {
		expect(comparable(decode(Buffer.from('\n\n\nA: 1\nnonsense\n: 2\nB:3\n\n')))).toEqual([[{ a: '1', b: '3' }, '']])
	})

	it('cannot change what other objects are made of', () => {
		decode(frame('__proto__: polluted\nconstructor: x\nContent-Length: 0'))
		expect(Object.getPrototypeOf({})).toBe(Object.prototype)
		expect(({} as Record<string, unknown>).polluted).toBeUndefined()
	})
})

describe('a body of 30 MB', () => {
	it.each([1_460, 65_536])('is copied at most twice when it comes %i bytes at a time', (size) => {
		const bytes = frame(`Content-Type: api/response\nContent-Length: ${30 * 1024 * 1024}`, 'x'.repeat(30 * 1024 * 1024))
		const concat = vi.spyOn(Buffer, 'concat')
		const search = vi.spyOn(Buffer.prototype, 'indexOf')
		const frames = decode(bytes, everyNth(bytes.length, size))
		expect(frames.map(({ body }) => body.length)).toEqual([30 * 1024 * 1024])
		const copied = concat.mock.results.reduce((sum, result) => sum + (result.value as Buffer).length, 0)
		expect(copied).toBeLessThanOrEqual(2 * bytes.length)
		// The header is looked for once when it comes and once when the body is there, never in each piece.
		expect(search.mock.calls.length).toBeLessThanOrEqual(3)
	})
})

describe('what is no Event Socket', () => {
	it.each(['abc', '-1', '1e3', '12 3', '0x10', '1.5', '', '99999999999', '67108865'])('is a Content-Length of "%s"', (length) => {
		expect(() => decode(frame(`Content-Length: ${length}`))).toThrow(EslFramingError)
	})

	it('is not a body of 64 MiB: its bytes are waited for', () => {
		expect(decode(frame('Content-Length: 67108864', 'x'))).toEqual([])
	})

	it.each([1_000_000, 65_537, 4_096, 1_000])('is a header block of more than 65,536 bytes, in pieces of %i bytes', (size) => {
		const endless = Buffer.from(`A: ${'x'.repeat(200_000)}`)
		expect(() => decode(endless, everyNth(endless.length, size))).toThrow(EslFramingError)
		const tooLong = frame(`A: ${'x'.repeat(65_534)}`)
		expect(() => decode(tooLong, everyNth(tooLong.length, size))).toThrow(EslFramingError)
	})

	it.each([1_000_000, 65_537, 4_096, 1_000])('is not a header block of exactly 65,536 bytes, in pieces of %i bytes', (size) => {
		const longest = frame(`A: ${'x'.repeat(65_533)}`)
		expect(decode(longest, everyNth(longest.length, size))).toHaveLength(1)
	})

	it('is told by an EslFramingError and nothing else, for 2,000 streams of random bytes', () => {
		const words = fc.constantFrom('Content-Length: ', 'Content-Type: ', '\n', '\n\n', ':', '7', '99999999', 'text/event-json', '__proto__: 1')
		const stream = fc.array(fc.oneof(fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)), words.map((word) => Buffer.from(word))))
		fc.assert(fc.property(stream, (pieces) => {
			const decoder = new FrameDecoder()
			try {
				pieces.forEach((piece) => decoder.push(piece))
			} catch (error) {
				expect(error).toBeInstanceOf(EslFramingError)
			}
		}), { numRuns: 2_000 })
	})
})
