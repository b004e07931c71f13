// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Hold, keys, transfer, and an administrator's end of a call.

import type { CallJson } from '../../../lib/http/schemas.ts'
import type { ScriptedChannel } from '../../stand-ins/freeswitch/index.ts'
import type { Answer, ApiClient, TestApp } from '../../support/app.ts'

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'
import { until } from '../../support/until.ts'

const NOBODYS = '4a1f4f6e-3c1e-4f0e-9a0c-5f0a2c6f7b11'

/** Shorter than for a real switch. */
const SETTLE_MS = 60

let test: TestApp
let demo: ApiClient
let guest: ApiClient

beforeAll(async () => {
	test = await startTestApp({ freeSwitch: { speed: 1 }, overrides: { sweepMs: 50, settleMs: SETTLE_MS } })
	demo = await test.prepare({ gateways: ['trunk', 'backup'], callerIds: [{ number: '+4930999999', label: 'Office' }], allowedCountries: ['DE'], maxCallSec: 900 })
	guest = test.as('guest')
	await guest.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1001' }] })
})

afterEach(async () => {
	test.freeSwitch.onCommand = undefined
	for (const { uuid } of test.freeSwitch.channels()) {
		if (test.freeSwitch.channels().some((channel) => channel.uuid === uuid)) {
			test.freeSwitch.hangUp(uuid)
		}
	}
	await test.freeSwitch.until(() => test.freeSwitch.channels().length === 0)
	for (const client of [demo, guest]) {
		const { body } = await client.get<{ items: CallJson[] }>('/call-history?status=queued,calling_user,dialing,ringing,connected')
		await Promise.all(body.items.map(({ uuid }) => client.untilEnded(uuid)))
	}
})

afterAll(() => test.stop())

/** The line to the switch may have been cut by the test before. */
async function place(client: ApiClient, to: string): Promise<string> {
	const { status, body } = await until(() => client.call(to), (answer) => answer.status !== 503)
	expect(status).toBe(202)
	return body.uuid
}

async function connected(client = demo, to = '+4930123400'): Promise<string> {
	const uuid = await place(client, to)
	await client.until(uuid, ({ status }) => status === 'connected')
	return uuid
}

function post(uuid: string, what: string, body: unknown = {}, client = demo): Promise<Answer<CallJson & { code: string, errors?: { field: string }[] }>> {
	return client.request('POST', `/call/${uuid}/${what}`, body)
}

function leg(role: 'a' | 'b'): ScriptedChannel | undefined {
	return test.freeSwitch.channels().find((channel) => channel.leg === role && channel.variables.sipcall_leg !== undefined)
}

/** What the switch was asked since, leaving out the questions of our own. */
function asked(from: number): string[] {
	return test.freeSwitch.commands.slice(from).map(({ command }) => command).filter((command) => command.startsWith('api uuid_') && !/uuid_(?:exists|dump)/.test(command))
}

describe('hold', () => {
	it('holds the user’s own leg, says so by the switch’s event, and takes it back', async () => {
		const uuid = await connected()
		const from = test.freeSwitch.commands.length
		expect(await post(uuid, 'hold')).toMatchObject({ status: 202, body: { uuid, status: 'connected', onHold: true } })
		expect([leg('a')?.held, leg('b')?.held]).toEqual([true, false])
		expect(await post(uuid, 'unhold')).toMatchObject({ status: 202, body: { onHold: false } })
		expect(leg('a')?.held).toBe(false)
		expect(asked(from)).toEqual([`api uuid_hold ${leg('a')?.uuid}`, `api uuid_hold off ${leg('a')?.uuid}`])
		const { body } = await demo.get<{ type: string, leg: string }[]>(`/call/${uuid}/events`)
		expect(body.filter(({ type }) => type.endsWith('held'))).toMatchObject([{ type: 'held', leg: 'user' }, { type: 'unheld', leg: 'user' }])
	})

	it('and what follows it are told to the switch one after the other, with time for it to join the legs and to begin its music', async () => {
		const uuid = await connected()
		const connectedAt = performance.now()
		const at = new Map<string, number>()
		test.freeSwitch.onCommand = (command) => {
			at.set(command.split(' ').slice(0, 3).join(' '), performance.now())
			return undefined
		}
		const told = () => [...at].flatMap(([command, time]) => /uuid_(?:hold|transfer)/.test(command) ? [time] : [])
		const holding = post(uuid, 'hold')
		await test.freeSwitch.until(() => told().length === 1)
		const unholding = post(uuid, 'unhold')
		await test.freeSwitch.until(() => told().length === 2)
		const answers = await Promise.all([holding, unholding, post(uuid, 'transfer', { to: '+493077777700' })])
		expect(answers.map(({ status }) => status)).toEqual([202, 202, 202])
		const [hold = 0, unhold = 0, transfer = 0] = told()
		// A timer may be a millisecond early; the answer was told some milliseconds after it had been.
		expect(Math.min(unhold - hold, transfer - unhold)).toBeGreaterThanOrEqual(SETTLE_MS - 1)
		const { body } = await demo.get<CallJson>(`/call-status/${uuid}`)
		const toldAfterMs = Date.now() - performance.now() + connectedAt - Date.parse(body.answeredAt ?? '')
		expect(hold - connectedAt).toBeGreaterThanOrEqual(SETTLE_MS - toldAfterMs - 2)
	})

	it('does not keep a hang-up waiting', async () => {
		const uuid = await connected()
		test.freeSwitch.onCommand = (command) => command.startsWith('api uuid_hold') ? 'ignore' : undefined
		const holding = post(uuid, 'hold')
		await test.freeSwitch.until(() => test.freeSwitch.commands.at(-1)?.command.startsWith('api uuid_hold') === true)
		await demo.hangUp(uuid)
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user' })
		test.freeSwitch.dropConnections()
		await holding
	})

	it('is 409 when the call is on hold already, or not on hold', async () => {
		const uuid = await connected()
		expect(await post(uuid, 'unhold')).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
		await post(uuid, 'hold')
		expect(await post(uuid, 'hold')).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
	})

	it('is told when the user presses the key of the phone, and nothing is told when the other side does', async () => {
		const uuid = await connected()
		const { EslConnection } = await import('../../../lib/esl/esl-connection.ts')
		const phone = await EslConnection.open({ host: test.freeSwitch.host, port: test.freeSwitch.port, user: undefined, password: test.freeSwitch.password })
		await phone.command(`api uuid_hold ${leg('b')?.uuid}`)
		await phone.command(`api uuid_hold ${leg('a')?.uuid}`)
		const held = await demo.until(uuid, ({ onHold }) => onHold)
		await phone.command(`api uuid_hold off ${leg('b')?.uuid}`)
		await phone.command(`api uuid_hold off ${leg('a')?.uuid}`)
		const back = await demo.until(uuid, ({ onHold }) => !onHold)
		expect(back.version).toBe(held.version + 1)
		phone.close()
	})

	it('that was missed is made good by what the channel says of itself', async () => {
		const uuid = await connected()
		test.freeSwitch.onCommand = (command) => command.startsWith('auth') ? 'drop-unheard' : undefined
		test.freeSwitch.dropConnections('subscribed')
		await post(uuid, 'hold')
		expect(leg('a')?.held).toBe(true)
		test.freeSwitch.onCommand = undefined
		expect(await demo.until(uuid, ({ onHold }) => onHold)).toMatchObject({ status: 'connected' })
	})

	it('is 409 when the switch refuses, and changes nothing', async () => {
		const uuid = await connected()
		test.freeSwitch.onCommand = (command) => command.startsWith('api uuid_hold') ? 'deny' : undefined
		expect(await post(uuid, 'hold')).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
		expect((await demo.get<CallJson>(`/call-status/${uuid}`)).body.onHold).toBe(false)
	})

	it('is 503 when the answer is lost, is not written again, and shows what the switch did', async () => {
		const uuid = await connected()
		const from = test.freeSwitch.commands.length
		test.freeSwitch.onCommand = (command) => command.startsWith('api uuid_hold') ? 'drop' : undefined
		expect(await post(uuid, 'hold')).toMatchObject({ status: 503, body: { code: 'switch_unavailable', retryAfterSec: 5 } })
		await demo.until(uuid, ({ onHold }) => onHold)
		expect(asked(from)).toHaveLength(1)
	})
})

describe('keys', () => {
	it('go out on the leg of the destination', async () => {
		const uuid = await connected()
		const from = test.freeSwitch.commands.length
		expect(await post(uuid, 'dtmf', { digits: '0123456789*#ABCD' })).toMatchObject({ status: 202, body: { uuid } })
		expect(asked(from)).toEqual([`api uuid_send_dtmf ${leg('b')?.uuid} 0123456789*#ABCD`])
	})

	it.each(['', '1 2', 'w', 'a', '1@200', '１', '1'.repeat(33), '1\n', '${system(id)}'])('%j are 400, and nothing is written', async (digits) => {
		const uuid = await connected()
		const from = test.freeSwitch.commands.length
		expect(await post(uuid, 'dtmf', { digits })).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ field: 'digits' }] } })
		expect(asked(from)).toEqual([])
	})
})

describe('a transfer', () => {
	it('hands the destination over under the same rules, and the call is over for the user', async () => {
		const uuid = await connected()
		const from = test.freeSwitch.commands.length
		const [a, b] = [leg('a')?.uuid, leg('b')?.uuid]
		const { status, body } = await post(uuid, 'transfer', { to: '030 / 777 777 00' })
		expect(status).toBe(202)
		expect(body).toMatchObject({ status: 'ended', outcome: 'completed', endedBy: 'user', reason: { code: 'transferred', fixableBy: 'nobody' }, onHold: false })
		expect(body.talkSec).toBeTypeOf('number')
		const [line = ''] = asked(from)
		expect(line).toMatch(new RegExp(`^api uuid_transfer ${b} m:\\^:bridge:\\{.*execute_on_answer=sched_hangup:\\+900.*\\}.*sofia/gateway/trunk/\\+493077777700\\|.*sofia/gateway/backup/\\+493077777700 inline$`))
		expect(line).toContain('origination_caller_id_number=+4930999999')
		await test.freeSwitch.until(() => test.freeSwitch.channels().some(({ number, state }) => number === '+493077777700' && state === 'answered'))
		expect(test.freeSwitch.channels().map(({ uuid }) => uuid)).toContain(b)
		expect(test.freeSwitch.channels().map(({ uuid }) => uuid)).not.toContain(a)
		const { body: log } = await demo.get<{ type: string }[]>(`/call/${uuid}/events`)
		expect(log.map(({ type }) => type)).toEqual(expect.arrayContaining(['transfer_asked', 'transferred', 'ended']))
		expect(asked(from)).toHaveLength(1)
	})

	it('leaves the two alone afterwards: what the switch still tells of them hangs nobody up', async () => {
		const uuid = await connected()
		const b = leg('b')?.uuid ?? ''
		await post(uuid, 'transfer', { to: '+493077777700' })
		await test.freeSwitch.until(() => test.freeSwitch.channels().some(({ number, state }) => number === '+493077777700' && state === 'answered'))
		const from = test.freeSwitch.commands.length
		const { EslConnection } = await import('../../../lib/esl/esl-connection.ts')
		const phone = await EslConnection.open({ host: test.freeSwitch.host, port: test.freeSwitch.port, user: undefined, password: test.freeSwitch.password })
		await phone.command(`api uuid_hold ${b}`)
		// The next call's events come after that one on the same line.
		const next = await connected(guest)
		expect(asked(from).filter((command) => command.startsWith('api uuid_kill'))).toEqual([])
		expect(test.freeSwitch.channels().some((channel) => channel.uuid === b)).toBe(true)
		await guest.hangUp(next)
		await guest.untilEnded(next)
		phone.close()
	})

	it('counts against the lines until the two have hung up: one account cannot heap them up', async () => {
		const first = await connected()
		const b = leg('b')?.uuid ?? ''
		expect((await post(first, 'transfer', { to: '+493077777700' })).status).toBe(202)
		const second = await connected(demo, '+4930123499')
		expect(await post(second, 'transfer', { to: '+493077777700' })).toMatchObject({ status: 429, body: { code: 'limit_reached', limits: [{ kind: 'maxConcurrentPerUser', used: 1, max: 1 }] } })
		test.freeSwitch.hangUp(b)
		await test.freeSwitch.until(() => !test.freeSwitch.channels().some(({ uuid }) => uuid === b))
		let answer = await post(second, 'transfer', { to: '+493077777700' })
		while (answer.status === 429) {
			answer = await post(second, 'transfer', { to: '+493077777700' })
		}
		expect(answer.status).toBe(202)
	})

	it.each([
		['110', 422, 'emergency_number'],
		['+33612345678', 422, 'destination_not_allowed'],
		['hello', 422, 'invalid_number'],
		['+4930777777@evil.example', 422, 'invalid_number'],
		['', 400, 'invalid_request'],
	])('to %j is %i %s, and nothing is written', async (to, status, code) => {
		const uuid = await connected()
		const from = test.freeSwitch.commands.length
		expect(await post(uuid, 'transfer', { to })).toMatchObject({ status, body: { code } })
		expect(asked(from)).toEqual([])
		expect((await demo.get<CallJson>(`/call-status/${uuid}`)).body.status).toBe('connected')
	})

	it('that the switch refuses is 409, and the call goes on as before', async () => {
		const uuid = await connected()
		test.freeSwitch.onCommand = (command) => command.startsWith('api uuid_transfer') ? 'deny' : undefined
		expect(await post(uuid, 'transfer', { to: '+493077777700' })).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
		test.freeSwitch.onCommand = undefined
		expect((await post(uuid, 'hold')).status).toBe(202)
		await demo.hangUp(uuid)
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user' })
	})

	it('whose answer is lost is 503, is not repeated, and is understood by the end of the user’s leg', async () => {
		const uuid = await connected()
		const b = leg('b')?.uuid
		const from = test.freeSwitch.commands.length
		test.freeSwitch.onCommand = (command) => command.startsWith('api uuid_transfer') ? 'drop' : undefined
		expect(await post(uuid, 'transfer', { to: '+493077777700' })).toMatchObject({ status: 503, body: { code: 'switch_unavailable' } })
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user', reason: { code: 'transferred' } })
		expect(test.freeSwitch.channels().some((channel) => channel.uuid === b)).toBe(true)
		expect(asked(from)).toHaveLength(1)
	})

	it('asked for twice at once is written once', async () => {
		const uuid = await connected()
		const from = test.freeSwitch.commands.length
		const answers = await Promise.all([1, 2].map(() => post(uuid, 'transfer', { to: '+493077777700' })))
		expect(answers.map(({ status }) => status).sort()).toEqual([202, 409])
		expect(asked(from)).toHaveLength(1)
	})
})

describe('every command', () => {
	const COMMANDS: [string, unknown][] = [['hold', {}], ['unhold', {}], ['dtmf', { digits: '1' }], ['transfer', { to: '+493077777700' }]]

	it.each(COMMANDS)('%s is 404 for somebody else’s call and for none', async (what, body) => {
		const uuid = await connected()
		const from = test.freeSwitch.commands.length
		expect(await post(uuid, what, body, guest)).toMatchObject({ status: 404, body: { code: 'not_found' } })
		expect(await post(NOBODYS, what, body)).toMatchObject({ status: 404, body: { code: 'not_found' } })
		expect(asked(from)).toEqual([])
	})

	it.each(COMMANDS)('%s is 409 before the destination has answered and after the end', async (what, body) => {
		const uuid = await place(demo, '+4930123419')
		await demo.until(uuid, ({ status }) => status === 'ringing')
		const from = test.freeSwitch.commands.length
		expect(await post(uuid, what, body)).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
		expect(asked(from)).toEqual([])
		await demo.hangUp(uuid)
		await demo.untilEnded(uuid)
		expect(await post(uuid, what, body)).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
	})

	it.each(COMMANDS.filter(([what]) => what !== 'unhold'))('%s is 503 without the switch, and the call goes on', async (what, body) => {
		const uuid = await connected()
		test.freeSwitch.onCommand = (command) => command.startsWith('auth') ? 'drop-unheard' : undefined
		test.freeSwitch.dropConnections()
		await test.freeSwitch.until(() => test.freeSwitch.clients === 0)
		expect(await post(uuid, what, body)).toMatchObject({ status: 503, body: { code: 'switch_unavailable' } })
		test.freeSwitch.onCommand = undefined
		await test.freeSwitch.until(() => test.freeSwitch.clients >= 2)
		expect((await demo.get<CallJson>(`/call-status/${uuid}`)).body.status).toBe('connected')
	})
})

describe('an administrator', () => {
	it('ends a call of anybody, with the reason that the user is told and without seeing the number', async () => {
		const uuid = await connected(guest)
		const answer = await demo.request<Record<string, unknown>>('DELETE', `/admin/call/${uuid}`)
		expect(answer.status).toBe(202)
		expect(Object.keys(answer.body).sort()).toEqual(['status', 'uuid', 'version'])
		expect(await guest.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'policy', reason: { code: 'ended_by_admin', fixableBy: 'admin' } })
		expect(await demo.request('DELETE', `/admin/call/${uuid}`)).toMatchObject({ status: 202, body: { status: 'ended' } })
	})

	it('ends a call that still rings: it is cancelled, with the same reason', async () => {
		const uuid = await place(guest, '+4930123419')
		await guest.until(uuid, ({ status }) => status === 'ringing')
		await demo.request('DELETE', `/admin/call/${uuid}`)
		expect(await guest.untilEnded(uuid)).toMatchObject({ outcome: 'cancelled', endedBy: 'policy', reason: { code: 'ended_by_admin' } })
	})

	it('gets 404 for a call that is not there', async () => {
		expect(await demo.request('DELETE', `/admin/call/${NOBODYS}`)).toMatchObject({ status: 404, body: { code: 'not_found' } })
	})
})
