// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { getCountries, getCountryCallingCode } from 'libphonenumber-js/max'
import { createLogger as createWinstonLogger, format, transports } from 'winston'

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const

export type LogLevel = typeof LOG_LEVELS[number]

export type LogFields = Record<string, unknown>

/**
 * What the rest of the code may log with. ERROR = somebody must act now; WARN = degraded but working;
 * a refused call is INFO.
 */
export interface Logger {
	error(message: string, fields?: LogFields): void
	warn(message: string, fields?: LogFields): void
	info(message: string, fields?: LogFields): void
	debug(message: string, fields?: LogFields): void
	/** The same log with fields that stand in every line, such as `{ component: 'esl' }`. */
	child(fields: LogFields): Logger
}

/** The log that all others are children of. */
export interface RootLogger extends Logger {
	/** How much is logged, here and by all children; may be set at any time. */
	level: string
}

const SECRET_FIELD = /secret|password|passwd|authorization|cookie|token|api[-_]?key|shared[-_]?key|private[-_]?key|passphrase|encryption/i

/** What looks like a number but is none, and must stay readable: UUIDs, times, addresses of machines. First match wins. */
const NO_NUMBER = [
	'(?<![\\p{L}\\p{N}])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![\\p{L}\\p{N}])',
	// ISO 8601, as the embedded servers' own lines begin.
	'(?<!\\p{N})20\\d{2}-[01]\\d-[0-3]\\d(?:[T ][0-2]\\d:[0-5]\\d(?::[0-5]\\d(?:[.,]\\d{1,9})?)?(?:Z|[+-]\\d{2}:?\\d{2})?)?(?!\\p{N})',
	// Private and local IPv4 addresses, and any with a port. A number such as 12.34.56.78 is a phone's in Denmark.
	'(?<![+\\p{N}.])(?:(?:10|127)\\.(?:0|[1-9]\\d{0,2})|192\\.168|169\\.254|172\\.(?:1[6-9]|2\\d|3[01]))(?:\\.(?:0|[1-9]\\d{0,2})){2}(?![\\p{N}.])',
	'(?<![+\\p{N}.])[1-9]\\d{0,2}(?:\\.(?:0|[1-9]\\d{0,2})){3}:\\d{2,5}(?!\\p{N})',
].join('|')

/** What people and programs put between digits; also percent-encoded as in a URI, and escaped as in JSON. */
const BETWEEN = '(?:[\\s()/.\\-\\u00ad\\u200b-\\u2015\\u2060\\u2212]|%20|%28|%29|%2D|%2F|\\\\{1,2}[nrt]){0,4}'
const DIGITS = `\\p{Nd}(?:${BETWEEN}\\p{Nd}){6,}`

/**
 * Seven or more digits with the separators of their spelling. After a `+` whatever follows is a number; without one, it
 * must not be a part of a longer word, as in hexadecimal ids. The `n` of an escaped line break is no word.
 */
const PHONE_NUMBER = [
	`(?:[+\\uff0b]|%2B)${BETWEEN}${DIGITS}`,
	`(?:(?<![\\p{L}\\p{N}])|(?<=\\\\[nrt]|%20|%3A))${DIGITS}(?:(?![\\p{L}\\p{N}_])|(?=(?:x|ext|p|w)\\.?\\d))`,
].join('|')

/** PostgreSQL's details of an error hold the row: user ids, times, what is encrypted. Which rule was broken stands before them. */
const ROW_VALUES = /\b(Failing row contains|Key) \([^]*?(?=\n\s+at |$)/giu

const NUMBERS = new RegExp(`(?<keep>${NO_NUMBER})|${PHONE_NUMBER}`, 'giu')

/** A name and password in a URL. */
const URL_CREDENTIALS = /(?<=:\/\/)[^\s/@]+@/g

/**
 * Replaces phone numbers in a text by their country, where they begin with it, and their last two digits (`+49 ••••56`), and credentials in URLs.
 *
 * @param text any text that may quote a person's input or a SIP message
 */
export function redactNumbers(text: string): string {
	return text
		.replace(ROW_VALUES, '$1 [redacted]')
		.replace(URL_CREDENTIALS, '[redacted]@')
		.replace(NUMBERS, (match: string, keep: string | undefined) => keep ?? maskSpelt(match))
}

const CALLING_CODES = new Set<string>(getCountries().map((country) => getCountryCallingCode(country)))

function maskSpelt(spelt: string): string {
	const text = spelt.replaceAll(/%2B/gi, '+').replaceAll(/%[0-9a-f]{2}/gi, '').normalize('NFKC')
	const digits = text.replace(/\P{Nd}/gu, '')
	// No country's code is the beginning of another's.
	const code = text.startsWith('+') ? [1, 2, 3].map((length) => digits.slice(0, length)).find((start) => CALLING_CODES.has(start)) : undefined
	return `${code === undefined ? '' : `+${code} `}••••${digits.slice(-2)}`
}

/**
 * A copy of a log value that holds neither secrets nor phone numbers. Errors become their name, message and code
 * with their cause chain; nesting ends at six levels.
 */
export function redact(value: unknown, depth = 0): unknown {
	if (typeof value === 'string') {
		return redactNumbers(value)
	}
	if (typeof value === 'bigint') {
		return redactNumbers(String(value))
	}
	if (value === null || typeof value !== 'object') {
		return value
	}
	if (depth > 6) {
		return '[deep]'
	}
	if (value instanceof Error) {
		const { name, message, cause, stack } = value
		const code = 'code' in value ? value.code : undefined
		return {
			name,
			message: redactNumbers(message),
			...(code === undefined ? {} : { code }),
			...(stack === undefined ? {} : { stack: redactNumbers(stack) }),
			...(cause === undefined ? {} : { cause: redact(cause, depth + 1) }),
		}
	}
	if (value instanceof Date) {
		return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
	}
	// A key, or the bytes of a message: as numbers they would get past every rule here.
	if (ArrayBuffer.isView(value)) {
		return '[bytes]'
	}
	if (Array.isArray(value)) {
		return value.map((entry) => redact(entry, depth + 1))
	}
	if ('toJSON' in value && typeof value.toJSON === 'function') {
		return redact(value.toJSON(), depth + 1)
	}
	return Object.fromEntries(Object.entries(value)
		.map(([key, entry]) => [redactNumbers(key), SECRET_FIELD.test(key) ? '[redacted]' : redact(entry, depth + 1)]))
}

/** Fields that the logger itself writes: their digits are no phone numbers. */
const OWN_FIELDS = new Set(['level', 'time', 'requestId', 'callUuid', 'component'])

const redaction = format((info) => {
	for (const key of Object.keys(info)) {
		if (SECRET_FIELD.test(key)) {
			info[key] = '[redacted]'
		} else if (!OWN_FIELDS.has(key)) {
			info[key] = redact(info[key])
		}
	}
	return info
})

const readable = format.printf(({ level, message, time, component, ...fields }) => {
	const rest = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`
	return `${String(time)} ${level.padEnd(5)} ${component === undefined ? '' : `[${String(component)}] `}${String(message)}${rest}`
})

/**
 * The application's log: JSON lines on standard output, or short readable lines for a person at a terminal.
 * Secrets and phone numbers are taken out here, whoever logs.
 *
 * @param options where it goes and how much: `to` = another stream than standard output
 */
export function createLogger(options: { level: LogLevel, pretty?: boolean, silent?: boolean, to?: NodeJS.WritableStream }): RootLogger {
	return createWinstonLogger({
		level: options.level,
		silent: options.silent ?? false,
		format: format.combine(
			format.timestamp({ alias: 'time' }),
			format((info) => {
				delete info.timestamp
				return info
			})(),
			redaction(),
			options.pretty ? readable : format.json(),
		),
		transports: [options.to === undefined ? new transports.Console({ stderrLevels: [] }) : new transports.Stream({ stream: options.to })],
	})
}
