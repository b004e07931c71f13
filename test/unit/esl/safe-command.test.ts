// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EslError } from '../../../lib/esl/esl-error.ts'
import { encodeCommand } from '../../../lib/esl/safe-command.ts'

function refusal(line: string, headers?: Readonly<Record<string, string>>): EslError | undefined {
	try {
		encodeCommand(line, headers)
		return undefined
	} catch (error) {
		if (error instanceof EslError) {
			return error
		}
		throw error
	}
}

describe('a command', () => {
	it('is its line and an empty line', () => {
		expect(encodeCommand('api status')).toBe('api status\n\n')
	})

	it('has its headers below its line', () => {
		expect(encodeCommand('bgapi status', { 'Job-UUID': '7', Other: 'Jürgen 100%' })).toBe('bgapi status\nJob-UUID: 7\nOther: Jürgen 100%\n\n')
	})

	it('is refused when it is empty', () => {
		expect(refusal('')).toMatchObject({ code: 'unsafe_command' })
	})

	it('is refused with each of the 65 control characters of Unicode and both of its line ends, wherever they stand', () => {
		const control = [...Array.from({ length: 32 }, (_, code) => code), ...Array.from({ length: 33 }, (_, code) => 0x7F + code), 0x2028, 0x2029]
		expect(control).toHaveLength(67)
		for (const code of control) {
			const char = String.fromCharCode(code)
			const places: [string, Record<string, string>?][] = [
				[`${char}api status`],
				[`api st${char}atus`],
				[`api status${char}`],
				['api status', { 'Job-UUID': `a${char}b` }],
				['api status', { [`Job${char}-UUID`]: 'a' }],
			]
			for (const [line, headers] of places) {
				expect(refusal(line, headers), `U+${code.toString(16)}`).toMatchObject({ code: 'unsafe_command', mayHaveArrived: false })
			}
		}
	})

	it.each([
		'api reload mod_event_socket',
		'api unload mod_event_socket',
		'bgapi originate {origination_caller_id_name=reload_mod_event_socket}user/1000 &park()',
		// The switch looks for both words without regard to case (switch_stristr).
		'api RELOAD MOD_EVENT_SOCKET',
		'api status Mod_Event_Socket',
	])('is refused because the switch would run another one: %s', (line) => {
		expect(refusal(line)).toMatchObject({ code: 'unsafe_command' })
		expect(refusal('api status', { Name: line })).toMatchObject({ code: 'unsafe_command' })
	})

	it('is not repeated in the refusal', () => {
		for (const line of ['api uuid_kill +4930123456\n', 'api +4930123456 mod_event_socket']) {
			expect(refusal(line)?.message).not.toContain('4930123456')
		}
	})
})

describe('10,000 hostile inputs', () => {
	const word = fc.constantFrom('\n', '\r', '\0', '\n\n', '\u0085', '\u009B', '\u2028', 'reload', 'unload', 'mod_event_socket', 'MOD_EVENT_SOCKET', 'Content-Length: 99', ': ', 'api ', '${system(id)}', '\uD800', '😀', 'a', ' ')
	const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.array(word, { maxLength: 8 }).map((words) => words.join('')), fc.string({ unit: 'grapheme-ascii', maxLength: 40 }))

	it('are refused or are one command of one write: no control byte, no word that is code', () => {
		let written = 0
		fc.assert(fc.property(text, fc.dictionary(text, text, { maxKeys: 3 }), (line, headers) => {
			let command: string
			try {
				command = encodeCommand(line, headers)
			} catch (error) {
				expect(error).toMatchObject({ name: 'EslError', code: 'unsafe_command' })
				return
			}
			written++
			const bytes = Buffer.from(command)
			const feeds = bytes.filter((byte) => byte === 0x0A).length
			expect(feeds).toBe(2 + Object.keys(headers).length)
			expect(command.indexOf('\n\n')).toBe(command.length - 2)
			expect(bytes.every((byte) => byte === 0x0A || (byte >= 0x20 && byte !== 0x7F))).toBe(true)
			expect(command.toLowerCase()).not.toContain('mod_event_socket')
		}), { numRuns: 10_000 })
		// Not everything is refused: then nothing would have been tried.
		expect(written).toBeGreaterThan(500)
	})
})
