// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Lists as CSV (RFC 4180): a header row, CRLF, UTF-8. One page of the list is held at a time.

import { SipCallError } from '../errors.ts'

export type Cell = string | number | undefined

/** In the order of the columns. New ones come last: whoever reads this by position must not be surprised. */
export type Columns<Item> = readonly (readonly [name: string, cell: (item: Item) => Cell])[]

/** Items that are read and held at a time. */
export const CSV_PAGE = 200

export function csvHeaders(fileName: string): Record<string, string> {
	return {
		'Content-Type': 'text/csv; charset=utf-8; header=present',
		'Content-Disposition': `attachment; filename="${fileName}"`,
	}
}

/**
 * All pages of a list that is read by cursor.
 *
 * @param cursor where to begin; undefined = at the beginning
 * @throws {SipCallError} `shutting_down` when the signal ends before the list does
 * @yields {Item[]} a page
 */
export async function* allPages<Item>(read: (cursor: string | undefined) => Promise<{ items: Item[], nextCursor: string | undefined }>, cursor: string | undefined, signal: AbortSignal): AsyncGenerator<Item[]> {
	let next = cursor
	do {
		if (signal.aborted) {
			throw new SipCallError('shutting_down', 'SIPCall is restarting. Try again in a few seconds.', { retryAfterSec: 5 })
		}
		const page: { items: Item[], nextCursor: string | undefined } = await read(next)
		yield page.items
		next = page.nextCursor
	} while (next !== undefined)
}

/** A spreadsheet takes a cell that begins so for a formula, also in the wide forms of East Asian keyboards. */
const FORMULA = /^\s*[=+\-@\t\r＝＋－＠]/

/** An E.164 number is a plus and digits: nothing to compute, and whoever imports the file needs it as it is. */
const PHONE_NUMBER = /^\+[0-9]{7,15}$/

/**
 * All pages as CSV.
 *
 * @param pages in the order of the rows
 * @yields {string} a page’s rows
 */
export async function* writeCsv<Item>(columns: Columns<Item>, pages: AsyncIterable<readonly Item[]>): AsyncGenerator<string> {
	let header = rowOf(columns.map(([name]) => name))
	for await (const items of pages) {
		yield header + items.map((item) => rowOf(columns.map(([, cell]) => cell(item)))).join('')
		header = ''
	}
	if (header !== '') {
		yield header
	}
}

function rowOf(cells: readonly Cell[]): string {
	return `${cells.map(cellOf).join(',')}\r\n`
}

/** An apostrophe in front makes a text of it: the usual way, and visible in no spreadsheet. */
function cellOf(value: Cell): string {
	const text = String(value ?? '')
	const safe = FORMULA.test(text) && !PHONE_NUMBER.test(text) ? `'${text}` : text
	return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
