// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Settings are tried before they are saved, against switches of every kind of fault.

import type { ConfigTestJson } from '../../../lib/http/health-schemas.ts'
import type { TelnyxStandIn } from '../../stand-ins/telnyx/index.ts'
import type { Answer, ApiClient, TestApp } from '../../support/app.ts'
import type { EslPeerOptions } from '../../support/esl-peer.ts'

import { createServer } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'
import { API_KEY, startTelnyx } from '../../stand-ins/telnyx/index.ts'
import { startTestApp } from '../../support/app.ts'
import { apiResponse, commandReply, EslPeer } from '../../support/esl-peer.ts'
import { findFreePort } from '../../support/free-port.ts'

interface Problem {
	code: string
	errors?: { field: string, message: string }[]
}

const PASSWORD = 'a-typed-secret'
const GONE = 'Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n'

let test: TestApp
let demo: ApiClient
const peers: { stop: () => Promise<void> }[] = []

beforeAll(async () => {
	test = await startTestApp({ redis: false })
	demo = await test.prepare()
})

beforeEach(async () => {
	// The tests of an admin are counted: a new process has counted none.
	await test.restart()
	demo = test.as('demo')
})

afterEach(async () => {
	test.freeSwitch.onCommand = undefined
	for (const peer of peers.splice(0)) {
		await peer.stop()
	}
})

afterAll(() => test.stop())

function tryOut<Body = ConfigTestJson>(part: string, values: Record<string, unknown>): Promise<Answer<Body>> {
	return demo.request<Body>('POST', '/admin/config/test', { part, values })
}

async function peer(options: EslPeerOptions): Promise<EslPeer> {
	const started = await EslPeer.start(options)
	peers.push(started)
	return started
}

/** Each step in two words. */
function steps({ steps: taken }: ConfigTestJson): Record<string, string> {
	return Object.fromEntries(taken.map(({ id, name, state, code }) => [name === undefined ? id : `${id} ${name}`, code ?? state]))
}

describe('a connection that is tried', () => {
	it('passes step by step with milliseconds, names the gateways, and saves nothing', async () => {
		const own = await startScriptedFreeSwitch({ heartbeatSec: 0, password: PASSWORD, gateways: { first: 'UP', second: 'DOWN' } })
		peers.push(own)
		const before = (await demo.get('/admin/config')).text
		const { status, body, text } = await tryOut('freeswitch', { host: own.host, port: own.port, password: PASSWORD })
		expect(status).toBe(200)
		expect(body).toMatchObject({ passed: true, gateways: ['first', 'second'] })
		expect(steps(body)).toEqual({ reachable: 'switch_reached', password: 'switch_password_ok', commands: 'switch_commands_ok', version: 'switch_ok' })
		expect(body.steps.slice(0, 3).every(({ latencyMs = -1 }) => latencyMs >= 0)).toBe(true)
		expect(text).not.toContain(PASSWORD)
		expect((await demo.get('/admin/config')).text).toBe(before)
		await own.until(() => own.clients === 0)
		expect(own.originates).toEqual([])
		expect(own.channels()).toEqual([])
	})

	it('signs in as a user with limited rights, and names what that user may not do', async () => {
		const own = await startScriptedFreeSwitch({ heartbeatSec: 0, users: { sipcall: PASSWORD } })
		peers.push(own)
		own.onCommand = (command) => command === 'api originate' || (command.startsWith('event') && command.includes('BACKGROUND_JOB')) ? 'deny' : undefined
		const { body } = await tryOut('freeswitch', { host: own.host, port: own.port, user: 'sipcall@fs.example', password: PASSWORD })
		expect(body.passed).toBe(false)
		expect(body.steps.find(({ id }) => id === 'commands')).toMatchObject({ code: 'switch_commands_denied', state: 'down', values: { commands: 'originate, event BACKGROUND_JOB' } })
	})

	it('takes a user for able that may not hear what FreeSWITCH can be asked for as well', async () => {
		const own = await startScriptedFreeSwitch({ heartbeatSec: 0, users: { sipcall: PASSWORD } })
		peers.push(own)
		own.onCommand = (command) => /^event.* (?:HEARTBEAT|CUSTOM)/.test(command) ? 'deny' : undefined
		expect((await tryOut('freeswitch', { host: own.host, port: own.port, user: 'sipcall@fs.example', password: PASSWORD })).body).toMatchObject({ passed: true })
	})

	it('with a wrong password ends there, and neither answer nor audit log repeats it', async () => {
		const { body, text } = await tryOut('freeswitch', { host: test.freeSwitch.host, port: test.freeSwitch.port, password: PASSWORD })
		expect(body.passed).toBe(false)
		expect(steps(body)).toEqual({ reachable: 'switch_reached', password: 'switch_password_refused', commands: 'not_run', version: 'not_run' })
		expect(text).not.toContain(PASSWORD)
		const log = await demo.get<{ items: { action: string, detail: unknown }[] }>('/admin/audit-log')
		expect(log.body.items[0]).toMatchObject({ action: 'settings.tested', detail: { part: 'freeswitch', host: test.freeSwitch.host, port: test.freeSwitch.port } })
		expect(log.text).not.toContain(PASSWORD)
	})

	it('to a port on which nobody listens is told as such', async () => {
		const { body } = await tryOut('freeswitch', { host: '127.0.0.1', port: await findFreePort(), password: PASSWORD })
		expect(body.steps[0]).toMatchObject({ id: 'reachable', code: 'switch_port_closed', state: 'down', fixableBy: 'admin', advice: expect.any(String) as string })
		expect(body.passed).toBe(false)
	})

	it('to a host that is not there is told as such', async () => {
		const { body } = await tryOut('freeswitch', { host: 'nowhere.invalid', port: 8021, password: PASSWORD })
		expect(steps(body).reachable).toBe('switch_host_unknown')
	})

	it('that the access list refuses is told as such', async () => {
		const { port } = await peer({ greeting: GONE })
		expect(steps((await tryOut('freeswitch', { host: '127.0.0.1', port, password: PASSWORD })).body).reachable).toBe('switch_address_refused')
	})

	it('to a web server says that it is none of FreeSWITCH’s, and nothing that it said', async () => {
		const server = createServer((_request, response) => response.end('a stranger’s words'))
		await new Promise<void>((resolve) => {
			server.listen(0, '127.0.0.1', resolve)
		})
		peers.push({ stop: async () => void server.close() })
		const { body } = await tryOut('freeswitch', { host: '127.0.0.1', port: (server.address() as { port: number }).port, password: PASSWORD })
		expect(steps(body).reachable).toBe('switch_no_event_socket')
	})

	it('to somebody who says something else than an Event Socket repeats nothing of it, and gives no password away', async () => {
		const stranger = await peer({ greeting: 'SSH-2.0-OpenSSH_9.2 a stranger’s words\r\n\r\n', login: false })
		const { body, text } = await tryOut('freeswitch', { host: '127.0.0.1', port: stranger.port, password: PASSWORD })
		expect(body.passed).toBe(false)
		expect(steps(body).reachable).toBe('switch_no_event_socket')
		expect(text).not.toContain('stranger')
		expect(stranger.last.commands.join('') + stranger.last.rest).not.toContain(PASSWORD)
	})

	it('takes from answers a version and names alone', async () => {
		const stranger = await peer({
			answer: (command) => command.startsWith('api version')
				? apiResponse('1.10 <b>a stranger’s words</b>')
				: command === 'api sofia xmlstatus'
					? apiResponse('<profiles><gateway><name>a stranger’s words</name></gateway><gateway><name>good</name></gateway></profiles>')
					: command.startsWith('event') ? commandReply('+OK') : apiResponse('-USAGE: a stranger’s words'),
		})
		const { body, text } = await tryOut('freeswitch', { host: '127.0.0.1', port: stranger.port, password: PASSWORD })
		expect(body).toMatchObject({ passed: true, gateways: ['good'] })
		expect(steps(body).version).toBe('switch_ok_unversioned')
		expect(text).not.toContain('stranger')
	})

	it('that says nothing once it is in is given up in seconds', async () => {
		const silent = await peer({ answer: () => undefined })
		const { body } = await tryOut('freeswitch', { host: '127.0.0.1', port: silent.port, password: PASSWORD })
		expect(steps(body)).toEqual({ reachable: 'switch_reached', password: 'switch_password_ok', commands: 'switch_no_answer', version: 'not_run' })
	})
})

describe('the saved password', () => {
	it('serves where it was saved for, also for another user name', async () => {
		const { body } = await tryOut('freeswitch', { host: test.freeSwitch.host, port: test.freeSwitch.port })
		expect(body.passed).toBe(true)
	})

	it.each([['host', { host: 'localhost' }], ['port', {}]])('is never sent to another %s', async (_what, other) => {
		const stranger = await peer({})
		const { status, body } = await tryOut<Problem>('freeswitch', { host: test.freeSwitch.host, port: stranger.port, ...other })
		expect(status).toBe(400)
		expect(body).toMatchObject({ code: 'invalid_request', errors: [{ field: 'values.password' }] })
		const trunk = await tryOut<Problem>('trunk', { gateways: ['trunk'], callerIds: [], freeswitch: { host: test.freeSwitch.host, port: stranger.port, ...other } })
		expect(trunk.body.errors).toMatchObject([{ field: 'values.freeswitch.password' }])
		expect(stranger.connections).toEqual([])
	})
})

describe('a trunk that is tried', () => {
	it('says of each gateway whether calls go through it, and of each caller ID by its place whether it is possible', async () => {
		test.freeSwitch.setGateway('up', 'UP')
		test.freeSwitch.setGateway('down', 'DOWN')
		const { body, text } = await tryOut('trunk', { gateways: ['up', 'down', 'gone'], callerIds: [{ number: '+4930123456', label: 'Desk' }, { number: '+49301', label: 'x' }].slice(0, 1) })
		expect(body.passed).toBe(false)
		expect(steps(body)).toMatchObject({ 'gateway up': 'gateway_unwatched', 'gateway down': 'gateway_silent', 'gateway gone': 'gateway_missing', caller_id: 'caller_id_ok' })
		expect(text).not.toContain('30123456')
		expect((await tryOut('trunk', { gateways: ['up'], callerIds: [] })).body.passed).toBe(true)
		const odd = await tryOut('trunk', { gateways: ['up'], callerIds: [{ number: '+4900000000', label: 'Odd' }] })
		expect(odd.body.steps.at(-1)).toMatchObject({ id: 'caller_id', code: 'caller_id_invalid', state: 'degraded', values: { position: 1 } })
	})

	it('with a connection that is not saved tells how that failed', async () => {
		const { body } = await tryOut('trunk', { gateways: ['trunk'], callerIds: [], freeswitch: { host: '127.0.0.1', port: await findFreePort(), password: PASSWORD } })
		expect(steps(body)).toEqual({ reachable: 'switch_port_closed', 'gateway trunk': 'not_run', caller_id: 'caller_id_own' })
	})
})

describe('a phone company’s key that is tried', () => {
	let telnyx: TelnyxStandIn

	beforeEach(async () => {
		telnyx = await startTelnyx()
		peers.push(telnyx)
	})

	it('passes with what is worth a warning, fails when it is refused, and is kept nowhere', async () => {
		const provider = { kind: 'telnyx', apiKey: API_KEY, baseUrl: telnyx.url }
		const { body } = await tryOut('provider', { provider, callerIds: [{ number: '+4930123457', label: 'Desk' }] })
		expect(body.passed).toBe(true)
		expect(body.steps.map(({ id, code }) => `${id} ${code}`)).toEqual(['carrier carrier_credit', 'carrier carrier_more_countries', 'carrier carrier_caller_id'])
		const refused = await tryOut('provider', { provider: { ...provider, apiKey: 'KEY-of-nobody' }, callerIds: [] })
		expect(refused.body).toMatchObject({ passed: false, steps: [{ id: 'carrier', code: 'carrier_key_refused' }] })
		expect((await tryOut('provider', { provider: { kind: 'generic' }, callerIds: [] })).body).toMatchObject({ passed: true, steps: [{ code: 'carrier_generic' }] })
		expect((await demo.get<{ provider: unknown }>('/admin/config')).body.provider).toEqual({ kind: 'generic' })
		const log = await demo.get('/admin/audit-log')
		expect((log.body.items as unknown[]).slice(0, 2)).toMatchObject([{ action: 'settings.tested', detail: { part: 'provider', kind: 'generic' } }, { detail: { kind: 'telnyx' } }])
		expect(log.text + refused.text).not.toMatch(/KEY/)
	})

	it('is sent to no other address than it was saved for, and nothing is asked without one', async () => {
		await demo.request('POST', '/admin/config', { provider: { kind: 'telnyx', apiKey: API_KEY, baseUrl: telnyx.url } })
		expect((await tryOut('provider', { provider: { kind: 'telnyx', baseUrl: telnyx.url }, callerIds: [] })).body.passed).toBe(true)
		const asked = telnyx.asked.length
		expect((await tryOut<Problem>('provider', { provider: { kind: 'telnyx' }, callerIds: [] })).body.errors).toMatchObject([{ field: 'values.provider.apiKey' }])
		await demo.request('POST', '/admin/config', { provider: null })
		expect((await tryOut<Problem>('provider', { provider: { kind: 'telnyx', baseUrl: telnyx.url }, callerIds: [] })).body.errors).toMatchObject([{ field: 'values.provider.apiKey' }])
		expect(telnyx.asked).toHaveLength(asked)
	})
})

describe('what is tried', () => {
	it.each([
		['freeswitch', { host: 'fs.example\n\napi system id', port: 8021, password: 'x' }, 'values.host'],
		['freeswitch', { host: 'fs.example', port: 8021, password: 'x\ny' }, 'values.password'],
		['freeswitch', { host: 'fs.example', port: 0, password: 'x' }, 'values.port'],
		['trunk', { gateways: ['a b'], callerIds: [] }, 'values.gateways.0'],
		['trunk', { gateways: [], callerIds: [] }, 'values.gateways'],
		['oauth', { clientId: 'x' }, 'part'],
	])('as %s with %j is refused in its field, before anything is asked', async (part, values, field) => {
		const { status, body } = await tryOut<Problem>(part, values)
		expect(status).toBe(400)
		expect(body.errors?.map((error) => error.field)).toContain(field)
	})

	it('is limited to ten a minute', async () => {
		const port = await findFreePort()
		const answers = []
		for (let attempt = 0; attempt < 11; attempt++) {
			answers.push((await tryOut('freeswitch', { host: '127.0.0.1', port, password: PASSWORD })).status)
		}
		expect(answers).toEqual([...Array.from({ length: 10 }, () => 200), 429])
	})
})
