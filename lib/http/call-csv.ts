// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call } from '../calls/call.ts'
import type { Columns } from './csv.ts'

import { writeCsv } from './csv.ts'

const COLUMNS: Columns<Call> = [
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

/**
 * All pages of calls as CSV.
 *
 * @param pages of calls, in the order of the rows
 */
export function writeCallCsv(pages: AsyncIterable<readonly Call[]>): AsyncGenerator<string> {
	return writeCsv(COLUMNS, pages)
}
