// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Calls as CSV (RFC 4180): a header row, CRLF, UTF-8. One page of calls is held at a time.

import type { Call } from '../calls/call.ts'

type Cell = string | number | undefined

/** In the order of the columns. New ones come last: whoever reads this by position must not be surprised. */
const COLUMNS: readonly (readonly [name: string, cell: (call: Call) => Cell])[] = [
	['uuid', ({ uuid }) => uuid],
	['createdAt', ({ createdAt }) => createdAt.toISOString()],
	['direction', ({ direction }) => direction],
	['to', ({ to }) => to],
	['device', ({ device }) => device.label],
	['callerId', ({ callerId }) => callerId],
	['status', ({ status }) => status],
	['outcome', ({ outcome }) => outcome],
	['endedBy', ({ endedBy }) => endedBy],
	['cause', ({ cause }) => cause?.name],
	['sip', ({ cause }) => cause?.sip],
	['reason', ({ reason }) => reason?.code],
	['userAnsweredAt', ({ userAnsweredAt }) => userAnsweredAt?.toISOString()],
	['ringingAt', ({ ringingAt }) => ringingAt?.toISOString()],
	['answeredAt', ({ answeredAt }) => answeredAt?.toISOString()],
	['endedAt', ({ endedAt }) => endedAt?.toISOString()],
	['talkSec', ({ talkMs }) => talkMs === undefined ? undefined : Math.round(talkMs / 1000)],
	['note', ({ note }) => note],
	['tags', ({ tags }) => tags.join(', ')],
	['extension', ({ extension }) => extension],
]

/** A spreadsheet takes a cell that begins so for a formula, also in the wide forms of East Asian keyboards. */
const FORMULA = /^\s*[=+\-@\t\r＝＋－＠]/

/** An E.164 number is a plus and digits: nothing to compute, and whoever imports the file needs it as it is. */
const PHONE_NUMBER = /^\+[0-9]{7,15}$/

/**
 * All pages as CSV.
 *
 * @param pages of calls, in the order of the rows
 * @yields {string} a page’s rows
 */
export async function* writeCallCsv(pages: AsyncIterable<readonly Call[]>): AsyncGenerator<string> {
	let header = rowOf(COLUMNS.map(([name]) => name))
	for await (const calls of pages) {
		yield header + calls.map((call) => rowOf(COLUMNS.map(([, cell]) => cell(call)))).join('')
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
