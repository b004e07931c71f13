// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Rate } from '../../../lib/policy/rates.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MOST_RATES } from '../../../lib/policy/rate-table.ts'
import { startTestApp } from '../../support/app.ts'

describe('POST /admin/rates/read', () => {
	let test: TestApp
	let demo: ApiClient

	beforeAll(async () => {
		test = await startTestApp()
		demo = await test.prepare()
	})

	afterAll(() => test.stop())

	const read = (csv: string) => demo.request<{ rates: Rate[], code: string, errors: { field: string, message: string }[] }>('POST', '/admin/rates/read', { csv })
	const saved = async () => (await demo.get<{ rates: Rate[] }>('/admin/config')).body.rates

	it('reads a table and saves nothing', async () => {
		const { status, body } = await read('prefix;perMinute;currency\n+49;0,02;EUR\n')
		expect([status, body]).toEqual([200, { rates: [{ prefix: '+49', perMinute: { micros: '20000', currency: 'EUR' } }] }])
		expect(await saved()).toEqual([])
	})

	it('names the wrong lines, and reads none of them', async () => {
		const { status, body } = await read('prefix,perMinute,currency\n+49,0.02,EUR\nhome,0.02,EUR\n+43,cheap,EUR\n')
		expect(status).toBe(400)
		expect(body).toMatchObject({ code: 'invalid_request', errors: [{ field: 'csv.3', message: 'Not the beginning of an E.164 number such as +4930' }, { field: 'csv.4', message: 'Not an amount such as 0.02' }] })
	})

	it(`reads ${MOST_RATES} prices, which can then be saved, tried and used`, async () => {
		const lines = Array.from({ length: MOST_RATES }, (_none, at) => `+${4_900_000 + at},0.02,EUR,0.05`)
		const { status, body } = await read(['prefix,perMinute,currency,perCall', ...lines].join('\n'))
		expect([status, body.rates.length]).toEqual([200, MOST_RATES])
		const { rates } = body
		expect((await demo.request('POST', '/admin/policy/explain', { policy: { rates }, userId: 'demo', to: '+4900123' })).status).toBe(200)
		expect((await demo.request('POST', '/admin/config', { rates })).status).toBe(200)
		expect(await saved()).toEqual(rates)
		expect((await demo.request('POST', '/numbers/explain', { to: '+49 4900 123' })).status).toBe(200)
	})

	it('is asked for the currency of the limits that are set', async () => {
		await demo.request('POST', '/admin/config', { rates: [{ prefix: '+49', perMinute: { micros: '1', currency: 'EUR' } }], dailySpendLimit: { micros: '1000000', currency: 'EUR' } })
		expect((await read('prefix,perMinute,currency\n+49,0.02,USD')).body.errors).toEqual([{ field: 'csv.2', message: 'Not the currency of the other amounts, EUR' }])
	})

	it('and the settings take a body of 1 MiB, and no larger one; everything else takes 64 KiB', async () => {
		const large = 'x'.repeat(1_100_000)
		expect((await read(large)).status).toBe(413)
		expect((await demo.request('POST', '/admin/config', { homeCountry: large })).status).toBe(413)
		expect((await demo.request('POST', '/numbers/explain', { to: large.slice(0, 70_000) })).status).toBe(413)
		expect((await demo.request('POST', '/admin/config/test', { part: large.slice(0, 70_000) })).status).toBe(413)
	})
})
