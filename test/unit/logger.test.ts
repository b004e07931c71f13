// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Logger, LogLevel } from '../../lib/logger.ts'

import fc from 'fast-check'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLogger, redact, redactNumbers } from '../../lib/logger.ts'

/** What the process would have written, line by line. */
let written: string

beforeEach(() => {
	written = ''
	const keep = (chunk: unknown) => {
		written += String(chunk)
		return true
	}
	vi.spyOn(stdoutOfConsole(), 'write').mockImplementation(keep)
	vi.spyOn(process.stdout, 'write').mockImplementation(keep)
})

afterEach(() => {
	vi.restoreAllMocks()
})

function logged(log: (logger: Logger) => void, options: { level?: LogLevel, pretty?: boolean } = {}): string {
	log(createLogger({ level: 'debug', ...options }))
	const text = written
	written = ''
	expect(text).not.toBe('')
	return text
}

/** Winston writes to the console's own stream, which in a test worker is not the process's. */
function stdoutOfConsole(): { write: (chunk: string) => boolean } {
	return (console as unknown as { _stdout: { write: (chunk: string) => boolean } })._stdout
}

const NUMBERS = [
	'+4930123456',
	'4930123456',
	'030123456',
	'+49 30 123456',
	'+49 (0) 30 / 12 34 56',
	'+49(0)30/123456',
	'(030) 123456',
	'030 / 123456',
	'030-123456',
	'030–123456',
	'+49.30.12.34.56',
	'01.23.45.67.89',
	'02.123.45.67',
	'12.34.56.78',
	'10.123.456',
	'10.0.100/0',
	'192.168.44',
	'+1-202-555-0123',
	'(202) 555-0123',
	'0049 30 123456',
	'+49\u00a030\u202f123456',
	'+49\t30\t123456',
	'٠٣٠١٢٣٤٥٦',
	'＋４９３０１２３４５６',
	'%2B4930123456',
	'tel:%2B49%2030%20123456',
	'tel:+49-30-123456',
	'tel:030123456;phone-context=+49',
	'sip:+4930123456@pbx.example',
	'sip:4930123456@10.0.0.1:5060',
	'"Max" <sip:030123456@host:5060;transport=tcp>',
	'sofia/gateway/trunk/+4930123456',
	'user/030123456',
	'{origination_caller_id_number=4930123456,x=y}user/1000',
	'+4930123456x12',
	'+4930123456,,12#',
	'+4930123456;ext=12',
	'number_4930123456',
	'4930123456789012345678',
]

/** Whether enough of the number is left to call it: five digits of it in a row. */
function leaks(text: string): boolean {
	const digits = text.replaceAll(/(?:\+\d{1,3} )?••••\p{Nd}\p{Nd}/gu, '…').normalize('NFKC').replace(/\p{Nd}/gu, (digit) => '٠١٢٣٤٥٦٧٨٩'.includes(digit) ? String('٠١٢٣٤٥٦٧٨٩'.indexOf(digit)) : digit)
	return /\d(?:[^\p{L}\p{N}]{0,4}\d){4}/u.test(digits.replaceAll(/%[2-9A-F]{2}/gi, ' ').replaceAll(/:(?:5060|1000)\b|10\.0\.0\.1/g, ''))
}

describe('a phone number', () => {
	it.each(NUMBERS)('spelt %j is in no text', (number) => {
		for (const text of [number, `to ${number}`, `call to ${number}: USER_BUSY`, `(${number})`, `"${number}"`, `to:${number}`, `to=${number}`, `${number}\n`, `x\n${number}\ny`, `${number}.`, `${number}, ${number}`, JSON.stringify({ to: number, list: [`\n${number}\t`] }), `<${number}>`, `'${number}' is not valid`]) {
			expect([text, leaks(redactNumbers(text))]).toEqual([text, false])
		}
	})

	it.each(NUMBERS)('spelt %j is in no line, wherever a caller puts it', (number) => {
		const cause = new Error(`inner ${number}`)
		const error = new Error(`No route to ${number}`, { cause: Object.assign(new TypeError(`outer ${number}`, { cause }), { to: number }) })
		const entries: ((logger: Logger) => void)[] = [
			(logger) => logger.error(`call ${number} failed`, { error }),
			(logger) => logger.info('x', { to: number, nested: { list: [number, { deep: number }], [number]: true } }),
			(logger) => logger.child({ component: 'esl', destination: number }).warn('x', { message: number, stack: number }),
			(logger) => logger.debug(JSON.stringify({ to: number })),
			(logger) => logger.info('x', { values: new Map([['to', number]]), at: { toJSON: () => ({ to: number }) }, bytes: Buffer.from(number), thrown: [error] }),
		]
		for (const entry of entries) {
			for (const pretty of [false, true]) {
				const line = logged(entry, { pretty }).replaceAll(/20\d\d-\d\d-\d\dT[\d:.]+Z|:\d+:\d+\)?|node:\S+/g, '')
				expect([line, leaks(line)]).toEqual([line, false])
			}
		}
	})

	it('keeps its last two digits and its surroundings, so that a person can follow the log', () => {
		expect(redactNumbers('call to sip:+4930123456@host:5060 failed')).toBe('call to sip:+49 ••••56@host:5060 failed')
		expect(redactNumbers('call to 030 123456, +420 601 123 456 and %2B1%20202%20555%200123')).toBe('call to ••••56, +420 ••••56 and +1 ••••23')
	})

	it('of any country and grouping is in no text', () => {
		const separators = fc.array(fc.constantFrom('', '', ' ', '-', '.', '/', ' / ', ') ', ' (', '\u00a0', '-('), { minLength: 15, maxLength: 15 })
		fc.assert(fc.property(fc.stringMatching(/^[1-9][0-9]{6,14}$/), separators, fc.constantFrom('', '+', '00', '0', 'tel:', 'tel:+', 'sip:'), (digits, between, before) => {
			const spelt = before + [...digits].map((digit, position) => digit + (position === digits.length - 1 ? '' : between[position] ?? '')).join('')
			// 10.1.2.34 is taken for a machine's address; no numbering plan writes its numbers so.
			fc.pre(!/(?:\d{1,3}\.){3}\d{1,3}/.test(spelt) && !/20\d\d-\d\d-\d\d/.test(spelt))
			expect(redactNumbers(`to ${spelt}!`)).toMatch(/^to (?:tel:|sip:)?(?:\+\d{1,3} )?••••\d\d!$/)
		}))
	})
})

describe('a secret', () => {
	it.each(['password', 'APP_SECRET', 'clientSecret', 'authorization', 'AUTHORIZATION-APP-API', 'cookie', 'Set-Cookie', 'accessToken', 'refresh_token', 'apiKey', 'api_key', 'SIP_PROVIDER_API_KEY', 'HP_SHARED_KEY', 'harp-shared-key', 'encryptionKeys', 'DATABASE_ENCRYPTION_KEY', 'passphrase', 'privateKey'])('in a field %s is in no line, at any depth', (field) => {
		for (const pretty of [false, true]) {
			const line = logged((logger) => logger.child({ [field]: 'hunter2' }).error('x', { [field]: 'hunter2', nested: [{ deep: { [field]: ['hunter2', { more: 'hunter2' }] } }] }), { pretty })
			expect(line).not.toContain('hunter2')
			expect(line).toContain('[redacted]')
		}
	})

	it('in a URL or in bytes is in no line', () => {
		const line = logged((logger) => logger.error('cannot reach postgresql://sipcall:hunter2@db:5432/x', { url: new URL('redis://:hunter2@redis:6379'), error: new Error('redis://:hunter2@redis'), key: Buffer.from('hunter2'), view: new Uint8Array([1, 2, 3]) }))
		expect(line).not.toContain('hunter2')
		expect(line).not.toContain([...Buffer.from('hunter2')].join(','))
		expect(line).toContain('@db:5432/x')
	})
})

describe('what is no phone number', () => {
	it.each([
		'0f8fad5b-d9cb-469f-a165-70867728950e',
		'12345678-1234-4123-8123-123456789012',
		'2026-11-22T09:30:00.000Z',
		'2026-11-22T09:30:00+01:00',
		'2026-11-22 09:30:00.123 UTC [12345] LOG:  ready',
		'1.10.12',
		'16.14.0-beta.17',
		'24.21.0',
		'listening on http://127.0.0.1:23000',
		'connect ECONNREFUSED 93.184.216.34:5432',
		'192.168.178.100',
		'port 65535',
		'took 123456 ms',
		'ports 5060,5080',
		'4f1234567890abc',
		'SQLSTATE 23505',
		'file:///app/lib/app.ts:123:45',
		'FreeSWITCH 1.10.12-release.15+git~20260722T191514Z~a88d069d6f',
	])('stays readable: %s', (text) => {
		expect(redactNumbers(text)).toBe(text)
	})

	it('is the logger’s own: ids, level and time stand in the line as they are, and numbers of milliseconds too', () => {
		for (let round = 0; round < 200; round++) {
			const [requestId, callUuid, legUuid] = [randomUUID(), randomUUID(), randomUUID()]
			const line = JSON.parse(logged((logger) => logger.child({ component: 'calls' }).info('x', { requestId, callUuid, leg: { uuid: legUuid }, tookMs: 1234567, port: 8021, list: [1, 2, 3, 4, 5, 6, 7], text: `leg ${legUuid}` }))) as Record<string, unknown>
			expect(line).toMatchObject({ level: 'info', message: 'x', component: 'calls', requestId, callUuid, leg: { uuid: legUuid }, tookMs: 1234567, port: 8021, list: [1, 2, 3, 4, 5, 6, 7], text: `leg ${legUuid}` })
			expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
		}
	})
})

describe('a log value', () => {
	it('keeps of an error its name, message, code, stack and causes', () => {
		const error = Object.assign(new Error('outer', { cause: new RangeError('inner') }), { code: 'ECONNRESET', extra: 'gone' })
		expect(redact(error)).toMatchObject({ name: 'Error', message: 'outer', code: 'ECONNRESET', cause: { name: 'RangeError', message: 'inner' } })
		expect(redact(error)).not.toHaveProperty('extra')
	})

	it('never makes the logger throw, whatever it is', () => {
		const cycle: Record<string, unknown> = { name: 'cycle' }
		cycle.self = [cycle]
		const looped = new Error('looped')
		looped.cause = looped
		for (const value of [cycle, looped, new Date(Number.NaN), new Date(0), null, undefined, 1n, Symbol('x'), () => 1, Object.create(null), new Set([1]), [undefined], Number.NaN]) {
			for (const pretty of [false, true]) {
				expect(logged((logger) => logger.error('x', { value }), { pretty })).toContain('x')
			}
		}
	})

	it('is written only from the chosen level on', () => {
		const quiet = createLogger({ level: 'warn' })
		quiet.info('no')
		quiet.debug('no')
		expect(written).toBe('')
		quiet.warn('yes')
		expect(written).toContain('yes')
	})

	it('of any shape leaves in one line', () => {
		fc.assert(fc.property(fc.object(), (fields) => {
			const line = logged((logger) => logger.info('x', { fields }))
			expect(line.trimEnd().split('\n')).toHaveLength(1)
			expect(() => JSON.parse(line) as unknown).not.toThrow()
		}))
	})
})

describe('a fault of the database', () => {
	it('is told without the row that it is about, and with the places in the code', () => {
		const error = new Error('new row violates check constraint "c"\n - detail: Failing row contains (9c85, anna, 0d756554:wwwECQ\nsecond line).')
		error.stack = `Error: ${error.message}\n    at first (file.ts:1:1)\n    at second (file.ts:2:2)`
		const text = JSON.stringify(redact(error))
		expect(text).not.toMatch(/anna|wwwECQ|second line/)
		expect(text).toMatch(/check constraint.*Failing row contains \[redacted\].*at first.*at second/)
		expect(redactNumbers('duplicate key value\nKey (user_id, key)=(anna, 1) already exists.')).toBe('duplicate key value\nKey [redacted]')
	})
})
