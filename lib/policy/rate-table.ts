// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A table of prices as CSV (RFC 4180), read line by line: either all of it is right, or each wrong line is named with why.

import type { FieldError } from '../errors.ts'
import type { Rate } from './rates.ts'

import { microsOf } from './decimal.ts'

/** As many prices as the setting `rates` may hold. */
export const MOST_RATES = 5000
/** Whoever has mended these sees the next ones. */
const MOST_FAULTS = 20

const COLUMNS = ['prefix', 'perminute', 'currency', 'percall'] as const
type Column = typeof COLUMNS[number]
type Row = Partial<Record<Column, string>>

/** A fault of one line: which is counted from 1, the heading included. */
function fault(line: number, message: string): FieldError {
	return { field: `csv.${line}`, message }
}

/**
 * Reads a table with a heading that names its columns, in any order and case: `prefix`, `perMinute`, `currency`, and
 * `perCall` if there is one. Fields are separated by what separates them in the heading: a comma, a semicolon or a tab.
 *
 * @param csv the whole file
 * @param currency of the amounts that stand in other settings; undefined = there are none
 */
export function readRateTable(csv: string, currency: string | undefined): { rates: Rate[] } | { faults: FieldError[] } {
	// Spreadsheets put a byte order mark before it.
	const lines = csv.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
	const heading = lines.findIndex((line) => line.trim() !== '')
	const separator = [';', '\t', ','].find((mark) => lines[heading]?.includes(mark)) ?? ','
	const columns = fieldsOf(lines[heading] ?? '', separator)?.map((name) => name.trim().toLowerCase().replaceAll(/[ _-]/g, '')) ?? []
	const isKnown = (name: string): name is Column => (COLUMNS as readonly string[]).includes(name)
	if (!['prefix', 'perminute', 'currency'].every((name) => columns.includes(name)) || !columns.every(isKnown) || new Set(columns).size < columns.length) {
		return { faults: [fault(Math.max(heading, 0) + 1, 'The heading must name prefix, perMinute and currency, may name perCall, and nothing else')] }
	}
	const reader = new RateReader(currency)
	for (const [at, line] of lines.entries()) {
		if (at > heading && line.trim() !== '') {
			reader.read(at + 1, rowOf(fieldsOf(line, separator), columns))
		}
	}
	return reader.result(lines.length)
}

/** Reads lines one after the other, since some rules are about those before. */
class RateReader {
	readonly #rates: Rate[] = []
	readonly #faults: FieldError[] = []
	readonly #lines = new Map<string, number>()
	#currency: string | undefined

	constructor(currency: string | undefined) {
		this.#currency = currency
	}

	read(line: number, row: Row | undefined): void {
		const rate = row === undefined
			? { message: 'Not as many fields as in the heading, or a quotation mark that is not closed' }
			: this.#rateOf(row)
		if ('message' in rate) {
			this.#faults.push(fault(line, rate.message))
			return
		}
		this.#currency = rate.perMinute.currency
		this.#lines.set(rate.prefix, line)
		this.#rates.push(rate)
	}

	/** What is wrong first, from left to right. */
	#rateOf(row: Row): Rate | { message: string } {
		const digits = /^\+?([1-9]\d{0,14})$/.exec(row.prefix ?? '')?.[1]
		if (digits === undefined) {
			return { message: 'Not the beginning of an E.164 number such as +4930' }
		}
		const prefix = `+${digits}`
		const earlier = this.#lines.get(prefix)
		if (earlier !== undefined) {
			return { message: `This beginning stands in line ${earlier} already` }
		}
		const [perMinute, perCall] = [amountOf(row.perminute ?? ''), amountOf(row.percall ?? '')]
		if (perMinute === undefined || (perCall === undefined && (row.percall ?? '') !== '')) {
			return { message: 'Not an amount such as 0.02' }
		}
		const currency = row.currency?.toUpperCase() ?? ''
		if (!/^[A-Z]{3}$/.test(currency)) {
			return { message: 'Not an ISO 4217 currency such as EUR' }
		}
		if (currency !== (this.#currency ?? currency)) {
			return { message: `Not the currency of the other amounts, ${this.#currency}` }
		}
		if (this.#rates.length >= MOST_RATES) {
			return { message: `More than ${MOST_RATES} prices` }
		}
		return { prefix, perMinute: { micros: perMinute, currency }, ...(perCall === undefined ? {} : { perCall: { micros: perCall, currency } }) }
	}

	result(lastLine: number): { rates: Rate[] } | { faults: FieldError[] } {
		const faults = this.#faults.length === 0 && this.#rates.length === 0 ? [fault(lastLine, 'There is no price in this table')] : this.#faults
		return faults.length === 0 ? { rates: this.#rates } : { faults: faults.slice(0, MOST_FAULTS) }
	}
}

/** With a point or a comma; what is smaller than a millionth is rounded up. */
function amountOf(text: string): string | undefined {
	return /^\d/.test(text) ? microsOf(text.replace(',', '.')) : undefined
}

function rowOf(fields: string[] | undefined, columns: readonly string[]): Row | undefined {
	return fields?.length === columns.length ? Object.fromEntries(columns.map((name, at) => [name, fields[at]?.trim() ?? ''])) : undefined
}

/**
 * The fields of one line, of which some may stand in quotation marks.
 *
 * @return undefined when a quotation mark is not closed
 */
function fieldsOf(line: string, separator: string): string[] | undefined {
	const fields: string[] = []
	for (let rest = line; ;) {
		const quoted = /^ *"((?:[^"]|"")*)" */.exec(rest)
		const end = quoted?.[0].length ?? (rest.includes(separator) ? rest.indexOf(separator) : rest.length)
		fields.push(quoted?.[1]?.replaceAll('""', '"') ?? rest.slice(0, end))
		if (quoted === null && rest.slice(0, end).includes('"')) {
			return undefined
		}
		if (end >= rest.length) {
			return fields
		}
		if (!rest.startsWith(separator, end)) {
			return undefined
		}
		rest = rest.slice(end + separator.length)
	}
}
