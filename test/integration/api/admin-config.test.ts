// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ApiClient, TestApp } from '../../support/app.ts'

import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'

interface Config extends Record<string, unknown> {
	source: Record<string, string>
}

interface Problem {
	code: string
	errors?: { field: string, message: string }[]
}

let test: TestApp
let demo: ApiClient
let guest: ApiClient

beforeAll(async () => {
	// More than the app's own default, and more than anybody needs: whatever the environment allows must stay savable.
	test = await startTestApp({ environment: { RATE_LIMIT_CALLS_PER_MINUTE: '1000' } })
	await test.ready()
	demo = test.as('demo')
	guest = test.as('guest')
})

afterAll(() => test.stop())

async function config(): Promise<Config> {
	const { status, body } = await demo.get<Config>('/admin/config')
	expect(status).toBe(200)
	return body
}

async function refusedFields(change: unknown): Promise<string[]> {
	const before = await config()
	const { status, body } = await demo.request<Problem>('POST', '/admin/config', change)
	expect([status, body.code]).toEqual([400, 'invalid_request'])
	expect(await config()).toEqual(before)
	return (body.errors ?? []).map(({ field }) => field).toSorted()
}

async function save(change: Record<string, unknown>): Promise<Config> {
	const answer = await demo.request<Config>('POST', '/admin/config', change)
	expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
	return answer.body
}

describe('the settings of a fresh instance', () => {
	it('are the contract’s defaults and the environment’s, and say where each is from', async () => {
		const { source, providers, ...settings } = await config()
		expect(providers).toEqual([{ kind: 'generic', displayName: 'SIP gateway', hasApi: false }, { kind: 'telnyx', displayName: 'Telnyx', hasApi: true }])
		expect(settings).toMatchObject({
			homeCountry: null,
			allowedCountries: [],
			allowedTypes: ['FIXED_LINE', 'MOBILE', 'FIXED_LINE_OR_MOBILE', 'TOLL_FREE', 'UAN', 'VOIP'],
			allowedPrefixes: [],
			deniedPrefixes: [],
			allowedGroups: ['admin'],
			callsPerMinute: 1000,
			maxConcurrentPerUser: 1,
			maxConcurrent: 10,
			maxCallSec: 3600,
			sipDialString: 'user/{address}@{domain}',
			sipDomain: null,
			gateways: ['trunk'],
			callerIds: [],
			deviceVerification: { phone: 'code', sip: 'none' },
			ringTimeoutSec: 30,
			answerTimeoutSec: 60,
			freeswitch: { host: '127.0.0.1', user: null, password: { set: true } },
			oauth: null,
			cdrSecret: { set: false },
			metricsToken: { set: false },
		})
		expect(Object.keys(source).toSorted()).toEqual(Object.keys(settings).toSorted())
		expect(source).toMatchObject({ callsPerMinute: 'environment', maxConcurrent: 'default', homeCountry: 'default', freeswitch: 'environment' })
		expect(JSON.stringify(await config())).not.toMatch(/the-switch-secret|test-secret/)
	})
})

describe('the settings', () => {
	beforeEach(async () => {
		await save({ sipDialString: 'user/{address}@{domain}', sipDomain: null, allowedGroups: null })
	})

	it('are an admin’s alone to read and to change', async () => {
		const before = await config()
		expect(await guest.get('/admin/config')).toMatchObject({ status: 403, body: { code: 'forbidden' } })
		expect(await guest.request('POST', '/admin/config', { maxConcurrent: 9999 })).toMatchObject({ status: 403, body: { code: 'forbidden' } })
		// The right is looked at before the body: nobody else learns what would have been wrong with it.
		expect(await guest.request('POST', '/admin/config', { nonsense: 1 })).toMatchObject({ status: 403, body: { code: 'forbidden' } })
		expect(await config()).toEqual(before)
	})

	it('change by what is given, and by nothing else', async () => {
		const before = await config()
		const after = await save({ maxCallSec: 1800, deniedPrefixes: ['+4990'] })
		expect(after).toEqual({ ...before, maxCallSec: 1800, deniedPrefixes: ['+4990'], source: { ...before.source, maxCallSec: 'app', deniedPrefixes: 'app' } })
		expect(await config()).toEqual(after)
		expect(await save({})).toEqual(after)
	})

	it('that an admin saves win over the environment’s', async () => {
		const { callsPerMinute, source } = await save({ callsPerMinute: 7 })
		expect([callsPerMinute, source.callsPerMinute]).toEqual([7, 'app'])
	})

	it('may be null where that has a meaning', async () => {
		const { source, ...saved } = await save({ homeCountry: 'DE', allowedCountries: ['DE', 'AT'], allowedGroups: ['sales'] })
		expect(saved).toMatchObject({ homeCountry: 'DE', allowedCountries: ['DE', 'AT'], allowedGroups: ['sales'] })
		expect(source.homeCountry).toBe('app')
		// Without a list of its own the home country alone is allowed.
		expect(await save({ allowedCountries: null })).toMatchObject({ allowedCountries: ['DE'] })
		expect(await save({ homeCountry: null, allowedCountries: null, allowedGroups: null })).toMatchObject({ homeCountry: null, allowedCountries: [], allowedGroups: null, source: { homeCountry: 'app', allowedGroups: 'app' } })
	})

	it('are refused as a whole for one key that is unknown, with nothing saved', async () => {
		expect(await refusedFields({ maxCallSec: 60, unknown: 1 })).toEqual([''])
		expect(await refusedFields({ maxCallSec: 60, MaxConcurrent: 1 })).toEqual([''])
		expect(await refusedFields({ source: {} })).toEqual([''])
		for (const body of ['{"__proto__":{"maxCallSec":60}}', '{"maxCallSec":60,"__proto__":1}', '{"constructor":1}']) {
			expect(await demo.request('POST', '/admin/config', body)).toMatchObject({ status: 400 })
		}
	})

	it('have all their faults told at once, by field', async () => {
		expect(await refusedFields({
			homeCountry: 'XX',
			allowedCountries: ['DE', 'Germany', 'EU'],
			allowedTypes: ['MOBILE', 'mobile'],
			allowedPrefixes: ['4930'],
			deniedPrefixes: ['+49', '+0'],
			allowedGroups: [''],
			callsPerMinute: 0,
			maxConcurrent: 1.5,
			maxCallSec: '60',
			gateways: [],
			callerIds: [{ number: '030 1', label: '' }],
			deviceVerification: { phone: 'sms', sip: 'none' },
			ringTimeoutSec: -1,
			answerTimeoutSec: null,
		})).toEqual(['allowedCountries.1', 'allowedCountries.2', 'allowedGroups.0', 'allowedPrefixes.0', 'allowedTypes.1', 'answerTimeoutSec', 'callerIds.0.label', 'callerIds.0.number', 'callsPerMinute', 'deniedPrefixes.1', 'deviceVerification.phone', 'gateways', 'homeCountry', 'maxCallSec', 'maxConcurrent', 'ringTimeoutSec'])
	})

	it.each<Record<string, unknown>>([
		{ callerIds: [{ number: '+4930123456', label: 'a\0b' }] },
		{ callerIds: [{ number: '+4930123456', label: '\ud800' }] },
		{ allowedGroups: ['a\0'] },
		{ allowedGroups: ['\udfff'] },
		{ gateways: ['trunk\n'] },
		{ deniedPrefixes: ['+49\n'] },
	])('hold no text that the database cannot: %j is 400 and no fault of ours', async (change) => {
		expect(await refusedFields(change)).toHaveLength(1)
	})

	it.each(['user/{address}', 'user/{address}@{domain}', 'user/{address}@pbx.example', 'sofia/internal/{address}@pbx.example:5060', 'sofia/internal/sip:{address}@pbx.example'])('take the dial string %s', async (sipDialString) => {
		expect((await save({ sipDialString })).sipDialString).toBe(sipDialString)
	})

	it.each(['', 'user/1000', '{address}', 'loopback/{address}', 'user/{address},user/1001', 'user/{address}|error/x', 'user/{address}@{domain} &system(id)', '[x=1]user/{address}', '{x=1}user/{address}', 'user/${system(id)}{address}', 'user/{address}{address}', 'user/{address}@{domain}\n', 'sofia/gateway/trunk/{address}', 'sofia/a b/{address}@{domain}', 'user/{address}@{host}', 'error/{address}', 'user/{address}@{domain}@{domain}', 7])('refuse the dial string %j', async (sipDialString) => {
		expect(await refusedFields({ sipDomain: 'pbx.example', sipDialString })).toEqual(['sipDialString'])
	})

	it('need a domain for a dial string that has no default for it, and keep it as long as it is needed', async () => {
		const sipDialString = 'sofia/internal/{address}@{domain}'
		expect(await refusedFields({ sipDialString })).toEqual(['sipDomain'])
		expect(await save({ sipDialString, sipDomain: 'pbx.example' })).toMatchObject({ sipDialString, sipDomain: 'pbx.example' })
		expect(await refusedFields({ sipDomain: null })).toEqual(['sipDomain'])
	})

	it.each(['a b', 'pbx_example', 'pbx.example:5060', 'x@y', '${x}', 'x,y', '', 'x'.repeat(254), 'ü.example'])('refuse the domain %j', async (sipDomain) => {
		expect(await refusedFields({ sipDomain })).toEqual(['sipDomain'])
	})

	it.each(['', 'a/b', 'a b', 'a,b', 'a|b', '${x}', 'x'.repeat(65), '../x', '{x}', 'a\u0000'])('refuse the gateway %j', async (gateway) => {
		expect(await refusedFields({ gateways: ['trunk', gateway] })).toEqual(['gateways.1'])
	})

	it('are in force for the next call', async () => {
		await save({ homeCountry: 'DE', callsPerMinute: 1000 })
		await demo.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1000' }] })
		await save({ deniedPrefixes: ['+4930'] })
		expect(await demo.call('030 123401')).toMatchObject({ status: 422, body: { code: 'destination_not_allowed' } })
		await save({ deniedPrefixes: [], sipDialString: 'user/{address}@pbx.example' })
		const { body } = await demo.call('030 123401')
		await demo.untilEnded(body.uuid)
		expect(test.freeSwitch.originates.at(-1)?.parsed).toBeDefined()
		expect(test.freeSwitch.commands.findLast(({ command }) => command.includes('originate'))?.command).toContain('user/1000@pbx.example')
	})

	it('survive a restart, null and all', async () => {
		const before = await save({ homeCountry: 'AT', allowedGroups: null, allowedCountries: null, callerIds: [{ number: '+4930999901', label: 'Büro “1”', groups: ['sales'] }], gateways: ['b', 'a'], deviceVerification: { phone: 'none', sip: 'admin' } })
		await test.restart()
		demo = test.as('demo')
		guest = test.as('guest')
		expect(await config()).toEqual(before)
		expect(await guest.get('/me')).toMatchObject({ status: 200, body: { permissions: { call: true }, country: 'AT' } })
	})
})

describe('settings with a secret', () => {
	const SECRET = 'Tr0ub4dor&3-secret'

	async function isCalling(): Promise<string> {
		return (await demo.get<{ service: { calling: string } }>('/me')).body.service.calling
	}

	it('are never given out again: not in an answer, not in the log, not in clear in the database', async () => {
		const answer = await demo.request('POST', '/admin/config', { oauth: { clientId: 'client', clientSecret: SECRET }, cdrSecret: SECRET, metricsToken: SECRET, provider: { kind: 'telnyx', apiKey: SECRET } })
		expect(answer.body).toMatchObject({ oauth: { clientId: 'client', clientSecret: { set: true } }, cdrSecret: { set: true }, metricsToken: { set: true }, provider: { kind: 'telnyx', apiKey: { set: true } }, source: { cdrSecret: 'app' } })
		expect(answer.text + (await demo.get('/admin/config')).text).not.toContain(SECRET)
		const client = new pg.Client(test.database.url)
		await client.connect()
		const { rows } = await client.query<{ key: string, value: unknown }>('select key, value from settings where key = any($1)', [['oauth', 'provider', 'cdrSecret', 'metricsToken']])
		await client.end()
		expect(rows).toHaveLength(4)
		for (const { value } of rows) {
			expect(value).toMatch(/^[0-9a-f]{8}:/)
		}
		for (const key of ['oauth', 'provider', 'cdrSecret', 'metricsToken']) {
			const row = test.nextcloud.config.list().find(({ configkey }) => configkey === key)
			expect(row?.sensitive).toBe(1)
			expect(row?.configvalue).not.toContain(SECRET)
		}
	})

	it('keep the secret that is left out, and go back to the environment’s with null', async () => {
		expect(await save({ oauth: { clientId: 'client' } })).toMatchObject({ oauth: { clientId: 'client', clientSecret: { set: true } } })
		expect(await refusedFields({ oauth: { clientId: 'another' } })).toEqual(['oauth.clientSecret'])
		expect(await save({ oauth: null, cdrSecret: null, metricsToken: null })).toMatchObject({ oauth: null, cdrSecret: { set: false }, source: { oauth: 'default', cdrSecret: 'default' } })
	})

	it('refuse what cannot be a secret or a host, by field', async () => {
		expect(await refusedFields({ cdrSecret: 'short', metricsToken: 'with\nline breaks in it', freeswitch: { host: 'a b', port: 0, password: 'x\ny' }, provider: { kind: 'nobody', apiKey: 'a b', baseUrl: 'http://api.telnyx.example', connectionId: '../balance' } })).toEqual(['cdrSecret', 'freeswitch.host', 'freeswitch.password', 'freeswitch.port', 'metricsToken', 'provider.apiKey', 'provider.baseUrl', 'provider.connectionId', 'provider.kind'])
	})

	it('keep a company’s key for the address that it was saved for, and want one for another company', async () => {
		expect(await save({ provider: { kind: 'telnyx', connectionId: '12' } })).toMatchObject({ provider: { kind: 'telnyx', connectionId: '12', apiKey: { set: true } } })
		expect(await refusedFields({ provider: { kind: 'telnyx', baseUrl: 'https://elsewhere.example' } })).toEqual(['provider.apiKey'])
		expect(await refusedFields({ provider: { kind: 'generic', connectionId: '12' } })).toEqual(['provider.kind'])
		expect((await save({ provider: { kind: 'generic' } })).provider).toEqual({ kind: 'generic' })
		expect(await refusedFields({ provider: { kind: 'telnyx' } })).toEqual(['provider.apiKey'])
		expect(await save({ provider: null })).toMatchObject({ provider: { kind: 'generic' }, source: { provider: 'default' } })
	})

	it('connect to the switch that is saved, at once, and after a restart; the password goes to no other host', async () => {
		const { port } = test.freeSwitch
		expect(await refusedFields({ freeswitch: { host: '192.0.2.1', port } })).toEqual(['freeswitch.password'])
		expect(await isCalling()).toBe('ok')
		expect(await save({ freeswitch: { host: '127.0.0.1', port: 1, password: test.freeSwitch.password } })).toMatchObject({ freeswitch: { port: 1, password: { set: true } }, source: { freeswitch: 'app' } })
		expect(await isCalling()).toBe('down')
		await save({ freeswitch: { host: '127.0.0.1', port, password: test.freeSwitch.password } })
		await demo.untilCalling('ok')
		await save({ freeswitch: { host: '127.0.0.1', port, password: null } })
		expect(await isCalling()).toBe('down')
		await save({ freeswitch: { host: '127.0.0.1', port, password: test.freeSwitch.password } })
		await test.restart()
		demo = test.as('demo')
		expect(await config()).toMatchObject({ freeswitch: { host: '127.0.0.1', port, user: null, password: { set: true } }, source: { freeswitch: 'app' } })
		await demo.untilCalling('ok')
		await save({ freeswitch: null })
		expect(await config()).toMatchObject({ source: { freeswitch: 'environment' } })
	})

	it('are read back from Nextcloud as they were written', async () => {
		await save({ freeswitch: { host: '127.0.0.1', port: test.freeSwitch.port, user: 'sipcall@pbx.example', password: test.freeSwitch.password } })
		test.nextcloud.exAppUrl = test.url
		await test.nextcloud.disable()
		await test.nextcloud.enable()
		expect(await config()).toMatchObject({ freeswitch: { user: 'sipcall@pbx.example', password: { set: true } }, source: { freeswitch: 'app' } })
		await save({ freeswitch: null })
	})
})
