// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { describe, expect, it } from 'vitest'
import { requestLog, userRefs } from '../../../lib/http/request-log.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const ANSWER = { method: 'POST', route: '/call', status: 202, seconds: 0.0123 }
const DETAILS = { requestId: 'r1', userId: 'alice', requestBytes: 20, responseBytes: 700, spent: new Map([['database', 3.4], ['redis', 0.6]]) }

describe('the log of requests', () => {
	const refOf = userRefs('secret')

	it('has a line for each, with who it was under another name', () => {
		const log = new RecordedLog()
		requestLog(log, refOf)(ANSWER, DETAILS)
		expect(log.lines).toEqual([{ level: 'debug', message: 'A request was answered', fields: { requestId: 'r1', method: 'POST', route: '/call', status: 202, durationMs: 12, requestBytes: 20, responseBytes: 700, userRef: expect.stringMatching(/^[0-9a-f]{12}$/) } }])
		expect(refOf('alice')).toBe(refOf('alice'))
		expect(new Set([refOf('alice'), refOf('bob'), userRefs('another')('alice')]).size).toBe(3)
	})

	it('says where the time of a slow one went, but for those that wait on purpose', () => {
		const log = new RecordedLog()
		const write = requestLog(log, refOf)
		write({ ...ANSWER, seconds: 1.5, code: 'storage_unavailable' }, { ...DETAILS, userId: '', spent: new Map([['database', 1_400.4], ['redis', 3]]) })
		write({ ...ANSWER, route: '/call-status/{uuid}', seconds: 25 }, DETAILS)
		expect(log.lines).toMatchObject([
			{ level: 'info', message: 'A request took long', fields: { durationMs: 1500, code: 'storage_unavailable', spentMs: { database: 1400, redis: 3 } } },
			{ level: 'debug' },
		])
		expect(log.lines[0]?.fields).not.toHaveProperty('userRef')
	})
})
