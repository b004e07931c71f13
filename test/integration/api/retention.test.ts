// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CallJson } from '../../../lib/http/schemas.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'
import { until } from '../../support/until.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const eur = (micros: string) => ({ micros, currency: 'EUR' })

describe('a call that has ended', () => {
	let test: TestApp
	let demo: ApiClient
	let now: Date

	beforeEach(async () => {
		now = new Date()
		test = await startTestApp({ overrides: { clock: { now: () => now }, retentionMs: 20 } })
		demo = await test.prepare({ rates: [{ prefix: '+49', perMinute: eur('60000'), perCall: eur('1000000') }], monthlySpendLimit: eur('100000000'), maxDistinctPerDay: 50 })
	})

	afterEach(() => test.stop())

	async function place(number: string): Promise<CallJson> {
		const { body } = await demo.call(number, { note: 'Ask for Erika' })
		return demo.untilEnded(body.uuid)
	}

	async function find(uuid: string): Promise<CallJson | undefined> {
		const { status, body } = await demo.get<CallJson>(`/call-status/${uuid}`)
		return status === 200 ? body : undefined
	}

	it('keeps its number for 30 days, then the country and two digits, and is gone after 90', async () => {
		const call = await place('+4930123401')
		const ended = Date.parse(call.endedAt ?? '')
		now = new Date(ended + 30 * DAY_MS - 1)
		// Another call, so that at least one run has been over both.
		const later = await place('+4930123417')
		await demo.request('POST', '/admin/config', { retention: { callsDays: 90, maskAfterDays: 30, auditDays: 730 } })
		expect(await find(call.uuid)).toMatchObject({ to: '+4930123401', note: 'Ask for Erika' })

		now = new Date(ended + 30 * DAY_MS)
		const masked = await until(() => find(call.uuid), (found) => found?.masked === true)
		expect(masked).toMatchObject({ to: '+49 ••••01', toDisplay: '+49 ••••01', tags: [], outcome: call.outcome, talkSec: call.talkSec })
		expect(masked?.note).toBeUndefined()
		expect(await demo.request('PUT', `/call/${call.uuid}`, { note: 'Erika again' })).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
		expect(masked?.version).toBe(call.version + 1)
		expect((await demo.get<{ items: CallJson[] }>('/call-history?number=%2B4930123401')).body.items).toEqual([])
		expect(await find(later.uuid)).toMatchObject({ to: '+4930123417' })

		now = new Date(ended + 90 * DAY_MS)
		await until(() => find(call.uuid), (found) => found === undefined)
		expect(await test.database.query('select from call_events where call_uuid = \'' + call.uuid + '\'')).toHaveLength(0)
	})

	it('counts for a limit on spending though it is deleted at once, or its user with it', async () => {
		await demo.request('POST', '/admin/config', { retention: { callsDays: 0, maskAfterDays: 0, auditDays: 730 } })
		for (let count = 0; count < 2; count++) {
			const { body } = await demo.call('+4930123401')
			await until(() => find(body.uuid), (found) => found === undefined)
		}
		const [row] = await test.database.query<{ spent: string }>('select sum(micros)::text as spent from spent_before')
		// Two calls at 1.00 each, and what was talked.
		expect(Number(row?.spent)).toBeGreaterThanOrEqual(2_000_000)
		await demo.request('POST', '/admin/config', { monthlySpendLimit: eur('2000000') })
		expect(await demo.call('+4930123401')).toMatchObject({ status: 429, body: { code: 'limit_reached' } })
		now = new Date(now.getTime() + 40 * DAY_MS)
		await until(async () => test.database.query('select from spent_before'), (rows) => rows.length === 0)
	})
})
