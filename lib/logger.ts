// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { createLogger as createWinstonLogger, format, transports } from 'winston'

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

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

const SECRET_FIELD = /secret|password|passwd|authorization|cookie|token|api-?key|shared-?key|encryption/i

/**
 * A run of seven or more digits, with the separators people type between them. UUIDs, times and hexadecimal ids are
 * not numbers: a digit run inside a longer word of letters, digits, `-` and `_` stays.
 */
const PHONE_NUMBER = /(?<![\w.:-])\+?\d(?:[ ()/.-]{0,2}\d){6,17}(?![\w:-])/g

/** A calendar day, as the embedded servers' own lines begin. */
const DATE = /^20\d{2}-[01]\d-[0-3]\d$/

/**
 * Replaces phone numbers in a text by `+••` and their last two digits.
 *
 * @param text any text that may quote a person's input or a SIP message
 */
export function redactNumbers(text: string): string {
	return text.replace(PHONE_NUMBER, (match) => DATE.test(match) ? match : `+••${match.slice(-2)}`)
}

/**
 * A copy of a log value that holds neither secrets nor phone numbers. Errors become their name, message and code
 * with their cause chain; nesting ends at six levels.
 */
export function redact(value: unknown, depth = 0): unknown {
	if (typeof value === 'string') {
		return redactNumbers(value)
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
		return value.toISOString()
	}
	if (Array.isArray(value)) {
		return value.map((entry) => redact(entry, depth + 1))
	}
	if ('toJSON' in value && typeof value.toJSON === 'function') {
		return redact(value.toJSON(), depth + 1)
	}
	return Object.fromEntries(Object.entries(value)
		.map(([key, entry]) => [key, SECRET_FIELD.test(key) ? '[redacted]' : redact(entry, depth + 1)]))
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
 */
export function createLogger(options: { level: LogLevel, pretty?: boolean, silent?: boolean }): Logger {
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
		transports: [new transports.Console({ stderrLevels: [] })],
	})
}
