// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The doctor over HTTP, while parts of a real sidecar go away.

import type { HealthJson, HealthPartJson } from '../../../lib/http/health-schemas.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { rm } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { startApp } from '../../../lib/app.ts'
import { loadConfig } from '../../../lib/config.ts'
import { API_KEY, startTelnyx } from '../../stand-ins/telnyx/index.ts'
import { ApiClient as Client, startTestApp } from '../../support/app.ts'
import { RecordedLog } from '../../support/recorded-log.ts'
import { until } from '../../support/until.ts'

const FRESH = { freshMs: 0 }
const GATEWAYS = { trunk: 'UP', second: 'UP' } as const
const LIMITED = { rates: [{ prefix: '+49', perMinute: { micros: '10000', currency: 'EUR' } }, { prefix: '+33', perMinute: { micros: '10000', currency: 'EUR' } }], monthlySpendLimit: { micros: '1000000000', currency: 'EUR' } }
const LOOKS = { trunk: { registration: 'REGED' }, second: { pingSec: 30 } }

let test: TestApp
let demo: ApiClient

afterEach(() => test.stop())

async function start(options: Parameters<typeof startTestApp>[0] = {}): Promise<void> {
	test = await startTestApp({ ...options, freeSwitch: { gateways: GATEWAYS, gatewayLooks: LOOKS, ...options.freeSwitch }, overrides: { health: FRESH, ...options.overrides } })
	demo = await test.prepare({ gateways: ['trunk', 'second'], ...LIMITED })
}

async function health(client: ApiClient = demo): Promise<HealthJson> {
	const { status, body } = await client.get<HealthJson>('/admin/health')
	expect(status).toBe(200)
	return body
}

/** Asks until a part is told as this code: what has happened is heard of a moment later. */
function untilTold(id: HealthPartJson['id'], code: string): Promise<HealthJson> {
	return until(() => health(), ({ parts }) => parts.some((part) => part.id === id && part.code === code))
}

function codes({ parts }: HealthJson): Record<string, string> {
	return Object.fromEntries(parts.map(({ id, name, code }) => [name === undefined ? id : `${id} ${name}`, code]))
}

describe('the doctor', () => {
	it('finds every part well, in the order of a call, with milliseconds where something was asked', async () => {
		await start()
		const report = await health()
		expect(report.state).toBe('ok')
		expect(Object.entries(codes(report))).toEqual([
			['nextcloud', 'nextcloud_ok'],
			['sipcall', 'sipcall_ok'],
			['database', 'database_ok'],
			['redis', 'redis_ok'],
			['freeswitch', 'switch_ok'],
			['gateway trunk', 'gateway_registered'],
			['gateway second', 'gateway_answers'],
			['carrier', 'carrier_generic'],
			['calling', 'calling_everybody'],
			['sign_in', 'sign_in_not_set_up'],
		])
		expect(report.parts.filter(({ latencyMs }) => latencyMs !== undefined).map(({ id }) => id)).toEqual(['nextcloud', 'database', 'redis', 'freeswitch', 'gateway', 'gateway'])
		expect(report.parts.find(({ id }) => id === 'freeswitch')?.values).toEqual({ version: '1.10.12-release' })
	})

	it('tells of gateways that are down, missing, failing to register and unwatched, by their names', async () => {
		await start({ freeSwitch: { gateways: { a: 'DOWN', b: 'DOWN', c: 'UP' }, gatewayLooks: { a: { pingSec: 5 }, b: { registration: 'FAIL_WAIT' } } } })
		await demo.request('POST', '/admin/config', { gateways: ['a', 'b', 'c', 'd'] })
		const report = await health()
		expect(report.state).toBe('degraded')
		expect(codes(report)).toMatchObject({ 'gateway a': 'gateway_silent', 'gateway b': 'gateway_registration_failed', 'gateway c': 'gateway_unwatched', 'gateway d': 'gateway_missing' })
		expect(report.parts.find(({ name }) => name === 'a')).toMatchObject({ state: 'down', fixableBy: 'carrier' })
		await demo.request('POST', '/admin/config', { gateways: ['a', 'b'] })
		expect((await health()).state).toBe('down')
	})

	it('answers while FreeSWITCH hangs, without losing the connection on which calls are commanded', async () => {
		await start({ overrides: { health: { ...FRESH, limitMs: 50 } } })
		test.freeSwitch.freeze()
		const frozen = await health()
		expect(codes(frozen)).toMatchObject({ freeswitch: 'switch_no_answer', gateway: 'gateway_unasked', database: 'database_ok' })
		expect(frozen.state).toBe('down')
		const asked = test.freeSwitch.commands.filter(({ command }) => command === 'api version short').length
		await health()
		expect(test.freeSwitch.commands.filter(({ command }) => command === 'api version short')).toHaveLength(asked)
		test.freeSwitch.resume()
		expect((await untilTold('freeswitch', 'switch_ok')).state).toBe('ok')
		expect(test.freeSwitch.clients).toBe(2)
	})

	it.each([
		['that was stopped', { FREESWITCH_PORT: '1' }, 'switch_port_closed'],
		['with another password', { FREESWITCH_PASSWORD: 'wrong-and-secret' }, 'switch_password_refused'],
	])('says what is wrong with a FreeSWITCH %s, and who it is', async (_what, environment, code) => {
		test = await startTestApp({ environment, overrides: { health: FRESH } })
		demo = test.as('demo')
		const report = await untilTold('freeswitch', code)
		expect(report.state).toBe('down')
		expect(report.parts.find(({ id }) => id === 'freeswitch')).toMatchObject({ state: 'down', fixableBy: 'admin', page: 'connection', advice: expect.any(String) as string })
		expect(codes(report)).toMatchObject({ 'gateway trunk': 'gateway_unasked' })
		expect(JSON.stringify(report)).not.toContain('wrong-and-secret')
	})

	it('says that no FreeSWITCH is set up', async () => {
		test = await startTestApp({ environment: { FREESWITCH_PASSWORD: '' }, overrides: { health: FRESH } })
		demo = test.as('demo')
		expect(codes(await health())).toMatchObject({ freeswitch: 'switch_not_set_up', calling: 'calling_no_country' })
	})

	it('takes a user who may not ask FreeSWITCH for what it is: connected, and not told', async () => {
		await start()
		test.freeSwitch.onCommand = (command) => command.startsWith('api version') || command.startsWith('api sofia') ? 'deny' : undefined
		expect(codes(await health())).toMatchObject({ freeswitch: 'switch_ok_unversioned', 'gateway trunk': 'gateway_not_told' })
	})

	it('tells what the phone company says; when it does not answer, calls go on', async () => {
		const telnyx = await startTelnyx()
		try {
			await start({ environment: { SIP_PROVIDER: 'telnyx', SIP_PROVIDER_API_KEY: API_KEY, SIP_PROVIDER_BASE_URL: telnyx.url } })
			await demo.request('POST', '/admin/config', { allowedCountries: ['DE', 'FR'] })
			const well = await health()
			expect(well.parts.find(({ id }) => id === 'carrier')).toMatchObject({ code: 'carrier_credit', values: { company: 'Telnyx', credit: '400.00 USD' }, latencyMs: expect.any(Number) as number })
			expect(well.state).toBe('ok')
			telnyx.trouble = () => ({ kind: 'endless' })
			await test.restart()
			demo = test.as('demo')
			const broken = await untilTold('carrier', 'carrier_unreachable')
			expect(broken.parts.find(({ id }) => id === 'carrier')).toMatchObject({ state: 'down', fixableBy: 'carrier' })
			expect(broken.state).toBe('degraded')
			expect((await demo.get<{ service: { calling: string } }>('/me')).body.service.calling).toBe('ok')
			const { body, status } = await demo.call('+4930901820')
			expect(status).toBe(202)
			await demo.untilEnded(body.uuid)
			expect(telnyx.wrong).toEqual([])
			expect(JSON.stringify([well, broken])).not.toContain(API_KEY)
		} finally {
			await telnyx.stop()
		}
	})

	it('tells of a Redis that is away, with which calling goes on', async () => {
		test = await startTestApp({ redis: false, freeSwitch: { gateways: GATEWAYS, gatewayLooks: LOOKS }, overrides: { health: FRESH } })
		demo = await test.prepare(LIMITED)
		const report = await health()
		expect(report.state).toBe('degraded')
		expect(report.parts.find(({ id }) => id === 'redis')).toMatchObject({ code: 'redis_down', state: 'down' })
	})

	it('tells of clocks that are apart', async () => {
		await start({ overrides: { health: FRESH, clock: { now: () => new Date(Date.now() + 30_000) } } })
		const part = (await health()).parts.find(({ id }) => id === 'nextcloud')
		expect(part).toMatchObject({ code: 'clock_skew', state: 'degraded' })
		expect(Number(part?.values?.seconds)).toBeGreaterThan(25)
	})

	it('asks Nextcloud one question a report, and says that SIPCall is disabled there', async () => {
		await start()
		await health()
		const asked = () => test.nextcloud.requests.filter(({ part, url }) => part === 'ocs' && url.includes('/ex-app/state')).length
		const before = asked()
		await health()
		expect(asked()).toBe(before + 1)
		await test.nextcloud.disable()
		expect(codes(await health())).toMatchObject({ nextcloud: 'nextcloud_disabled' })
		test.nextcloud.setAvailable(false)
		expect((await untilTold('nextcloud', 'nextcloud_down')).state).toBe('down')
	})

	it('answers before the parts are up, and says which of them keeps SIPCall from starting', async () => {
		test = await startTestApp()
		const log = new RecordedLog()
		const app = await startApp({ ...loadConfig({ ...test.environment, DATABASE_URL: 'postgresql://sipcall:a-database-secret@127.0.0.1:1/sipcall' }), listen: { host: '127.0.0.1', port: 0 } }, log)
		try {
			await log.waitFor(({ level }) => level === 'error')
			const report = await health(new Client(app.url, 'demo'))
			expect(codes(report)).toEqual({ nextcloud: 'nextcloud_ok', sipcall: 'sipcall_starting', database: 'database_down' })
			expect(report.state).toBe('down')
			const status = await new Client(app.url, '').request('POST', '/occ/status', {})
			expect(status.text).toContain('ERROR PostgreSQL does not answer.')
			expect(JSON.stringify(report) + status.text).not.toContain('secret')
		} finally {
			await app.stop()
		}
	})

	it('tells of a volume that is not there any more', async () => {
		await start()
		await rm(test.database.volume, { recursive: true })
		expect(await untilTold('volume', 'volume_away')).toMatchObject({ state: 'degraded' })
	})

	it('tells of PostgreSQL that goes away while SIPCall runs', async () => {
		await start()
		await test.database.takeAway()
		expect((await untilTold('database', 'database_down')).state).toBe('down')
	})
})
