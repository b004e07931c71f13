// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What Prometheus reads of a real sidecar.

import type { ApiClient, TestApp } from '../../support/app.ts'

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signedHeaders, startTestApp } from '../../support/app.ts'

const TOKEN = 'a-token-of-the-collector-0123456789abcdef'

describe('GET /metrics', () => {
	let test: TestApp
	let demo: ApiClient

	beforeAll(async () => {
		test = await startTestApp({ freeSwitch: { gatewayLooks: { trunk: { pingSec: 30 } } }, overrides: { health: { freshMs: 0 } } })
		demo = await test.prepare({ rates: [{ prefix: '+49', perMinute: { micros: '20000', currency: 'EUR' }, perCall: { micros: '50000', currency: 'EUR' } }] })
	})
	afterAll(() => test.stop())

	const read = (headers: Record<string, string> = { Authorization: `Bearer ${TOKEN}` }) => fetch(`${test.url}/metrics`, { headers })

	/** The value of a sample, by the line's beginning as it is written. */
	async function sample(name: string): Promise<number | undefined> {
		const line = (await (await read()).text()).split('\n').find((one) => one.startsWith(`${name} `))
		return line === undefined ? undefined : Number(line.slice(name.length + 1))
	}

	it('answers nobody while no token is set, and then only its holder', async () => {
		expect((await read()).status).toBe(401)
		await demo.request('POST', '/admin/config', { metricsToken: TOKEN })
		const strangers: Record<string, string>[] = [{}, { Authorization: `Bearer ${TOKEN}x` }, { Authorization: TOKEN }, signedHeaders('demo'), signedHeaders('')]
		for (const headers of strangers) {
			const answer = await read(headers)
			expect([answer.status, (await answer.json() as { code: string }).code]).toEqual([401, 'not_authenticated'])
		}
		const answer = await read()
		expect(answer.status).toBe(200)
		expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
		expect(answer.headers.get('cache-control')).toBe('no-store')
	})

	it('counts calls by outcome and cause, repetitions, refusals by rule, and cost; no number is in it', async () => {
		const key = randomUUID()
		const { body: talked } = await demo.call('+493012340001', { key })
		await demo.untilEnded(talked.uuid)
		await demo.call('+493012340001', { key })
		const { body: busy } = await demo.call('+4930123417')
		await demo.untilEnded(busy.uuid)
		await demo.call('+33123456789')
		expect(await sample('sipcall_calls_total{outcome="completed",cause="NORMAL_CLEARING"}')).toBe(1)
		expect(await sample('sipcall_calls_total{outcome="busy",cause="USER_BUSY"}')).toBe(1)
		expect(await sample('sipcall_duplicate_calls_prevented_total')).toBe(1)
		expect(await sample('sipcall_refusals_total{route="/call",code="destination_not_allowed",rule="allowedCountries"}')).toBe(1)
		expect(await sample('sipcall_http_requests_total{method="POST",route="/call",status="202"}')).toBe(3)
		expect(await sample('sipcall_call_cost_total{currency="EUR"}')).toBeGreaterThanOrEqual(0.05)
		for (const name of ['click_to_originate', 'answer_to_dial', 'talk', 'event_lag']) {
			expect([name, await sample(`sipcall_${name}_seconds_count`)], name).toEqual([name, expect.toSatisfy((count) => Number(count) >= 1)])
		}
		const text = await (await read()).text()
		expect(text).not.toMatch(/30\s?1234|3312345|demo/)
		// What was asked for is no label: anybody could fill the memory with it.
		await demo.get('/no-such-address-4711')
		expect(await (await read()).text()).not.toContain('4711')
	})

	it('tells of open calls, of the switch and of every part as it is now', async () => {
		const { body: call } = await demo.call('+4930123406')
		expect(await sample('sipcall_calls_open')).toBe(1)
		await demo.hangUp(call.uuid)
		await demo.untilEnded(call.uuid)
		expect(await sample('sipcall_calls_open')).toBe(0)
		expect(await sample('sipcall_switch_connected')).toBe(1)
		expect(await sample('sipcall_part_up{part="database",name=""}')).toBe(1)
		expect(await sample('sipcall_part_up{part="gateway",name="trunk"}')).toBe(1)
		await test.freeSwitch.stop()
		await expect.poll(() => sample('sipcall_switch_connected')).toBe(0)
		await expect.poll(() => sample('sipcall_part_up{part="freeswitch",name=""}')).toBe(0)
	})

	it('is text that Prometheus can read: every sample belongs to a described metric, and none is there twice', async () => {
		const lines = (await (await read()).text()).trimEnd().split('\n')
		const described = new Set(lines.flatMap((line) => /^# TYPE (\S+) (?:counter|gauge|histogram|summary)$/.exec(line)?.[1] ?? []))
		const samples = lines.filter((line) => line !== '' && !line.startsWith('#'))
		const series = samples.map((line) => line.slice(0, line.lastIndexOf(' ')))
		expect(samples.filter((line) => !/^[a-zA-Z_:][\w:]*(?:\{\w+="[^"\\]*"(?:,\w+="[^"\\]*")*\})? (?:[-+]?[\d.e+-]+|nan|[+-]Inf)$/i.test(line))).toEqual([])
		expect(series.filter((name) => !described.has(name.replace(/\{.*/, '').replace(/_(?:bucket|sum|count)$/, '')) && !described.has(name.replace(/\{.*/, '')))).toEqual([])
		expect(new Set(series).size).toBe(series.length)
	})
})
