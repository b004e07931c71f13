// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What happens to calls when a part goes away: sockets, the switch, the sidecar itself.

import type { ApiClient, TestApp } from '../../support/app.ts'

import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openDatabase } from '../../../lib/db/orm.ts'
import { CallRepository } from '../../../lib/db/repositories/call-repository.ts'
import { buildOriginate } from '../../../lib/esl/dial-string.ts'
import { EslConnection } from '../../../lib/esl/esl-connection.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { startTestApp } from '../../support/app.ts'
import { RecordedLog } from '../../support/recorded-log.ts'
import { until } from '../../support/until.ts'

describe('a call in trouble', () => {
	let test: TestApp
	let demo: ApiClient

	beforeEach(async () => {
		test = await startTestApp({ freeSwitch: { speed: 1 }, overrides: { sweepMs: 50, esl: { silenceMs: 300, commandTimeoutMs: 500 } } })
		demo = await test.prepare()
	})

	afterEach(() => test.stop())

	async function connected(): Promise<string> {
		const { body } = await demo.call('+4930123400')
		await demo.until(body.uuid, ({ status }) => status === 'connected')
		return body.uuid
	}

	const legUuid = (leg: 'a' | 'b') => test.freeSwitch.channels().find((channel) => channel.leg === leg)?.uuid ?? ''

	it('goes on when both sockets are cut, and its end is told after the reconnect', async () => {
		const uuid = await connected()
		test.freeSwitch.dropConnections()
		await test.freeSwitch.until(() => test.freeSwitch.clients >= 2)
		expect((await demo.get(`/call-status/${uuid}`)).body.status).toBe('connected')
		test.freeSwitch.hangUp(legUuid('b'))
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed' })
	})

	it('that ended while nobody listened ends in the books as completed by the system', async () => {
		const uuid = await connected()
		test.freeSwitch.onCommand = (command) => command.startsWith('auth') ? 'drop-unheard' : undefined
		test.freeSwitch.dropConnections()
		test.freeSwitch.hangUp(legUuid('b'))
		await test.freeSwitch.until(() => test.freeSwitch.channels().length === 0)
		test.freeSwitch.onCommand = undefined
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'system' })
	})

	it('that was answered while nobody listened is connected after the reconnect', async () => {
		const devices = await demo.request<{ devices: { id: string }[] }>('PUT', '/me', { devices: [{ kind: 'sip', label: 'Silent', address: '1919' }] })
		const { body } = await demo.call('+4930123400', { device: devices.body.devices[0]?.id })
		await demo.until(body.uuid, ({ status }) => status === 'calling_user')
		test.freeSwitch.onCommand = (command) => command.startsWith('auth') ? 'drop-unheard' : undefined
		test.freeSwitch.dropConnections()
		test.freeSwitch.answer(legUuid('a'))
		await test.freeSwitch.until(() => test.freeSwitch.channels().some(({ leg, state }) => leg === 'b' && state === 'answered'))
		test.freeSwitch.onCommand = undefined
		const now = await demo.until(body.uuid, ({ status }) => status === 'connected')
		expect(now.userAnsweredAt).toBeDefined()
		await demo.hangUp(body.uuid)
		await demo.untilEnded(body.uuid)
	})

	it('ends as completed by the system when the switch shuts down, and the next call works', async () => {
		const uuid = await connected()
		await test.freeSwitch.restart()
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'system', reason: { code: 'phone_system_restarted' } })
		await test.freeSwitch.until(() => test.freeSwitch.clients >= 2)
		const again = await placeWhenReady()
		await demo.hangUp(again)
		await demo.untilEnded(again)
	})

	it('ends as completed by the system when the switch vanishes without a word', async () => {
		const uuid = await connected()
		await test.freeSwitch.restart({ abrupt: true })
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'system' })
	})

	it('is refused with switch_unavailable and Retry-After while the switch is away, and nothing is stored', async () => {
		test.freeSwitch.onCommand = (command) => command.startsWith('auth') ? 'drop-unheard' : undefined
		test.freeSwitch.dropConnections()
		await test.freeSwitch.until(() => test.freeSwitch.clients === 0)
		let answer = await demo.call('+4930123400')
		while (answer.status === 202) {
			// The sidecar had not noticed yet: such a call must still come to its end.
			await demo.untilEnded(answer.body.uuid)
			answer = await demo.call('+4930123400')
		}
		expect(answer).toMatchObject({ status: 503, body: { code: 'switch_unavailable' } })
		expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
		test.freeSwitch.onCommand = undefined
	})

	it('whose originate was executed but never confirmed is found by its events: one originate, no repetition', async () => {
		test.freeSwitch.onCommand = (command) => command.startsWith('bgapi originate') ? 'drop' : undefined
		const { body, status } = await demo.call('+4930123400')
		expect(status).toBe(202)
		await demo.until(body.uuid, (call) => call.status === 'connected')
		expect(test.freeSwitch.originates.length).toBe(1)
		await demo.hangUp(body.uuid)
		expect(await demo.untilEnded(body.uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user' })
	})

	it('whose originate was denied by the switch fails at once, for the admin to mend', async () => {
		test.freeSwitch.onCommand = (command) => command.startsWith('bgapi originate') ? 'deny' : undefined
		const { body } = await demo.call('+4930123400')
		expect(await demo.untilEnded(body.uuid)).toMatchObject({ outcome: 'failed', endedBy: 'system', leg: 'user', reason: { fixableBy: 'admin' } })
	})

	it('survives a restart of the sidecar, and can be hung up by the next process', async () => {
		const uuid = await connected()
		await test.restart()
		demo = test.as('demo')
		expect(test.freeSwitch.channels().length).toBe(2)
		expect((await demo.get(`/call-status/${uuid}`)).body.status).toBe('connected')
		await demo.hangUp(uuid)
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user' })
		expect(test.freeSwitch.channels()).toEqual([])
	})

	it('that somebody wanted to end is ended by the next process when the first one could not', async () => {
		const uuid = await connected()
		test.freeSwitch.onCommand = (command) => command.startsWith('api uuid_kill') ? 'ignore' : undefined
		await demo.hangUp(uuid)
		test.freeSwitch.onCommand = undefined
		await test.restart()
		demo = test.as('demo')
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user' })
		expect(test.freeSwitch.channels()).toEqual([])
	})

	it('is followed although the switch falls silent with open sockets', async () => {
		const uuid = await connected()
		test.freeSwitch.freeze()
		await demo.untilCalling('down')
		test.freeSwitch.hangUp(legUuid('b'))
		test.freeSwitch.resume()
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed' })
	})

	it('answers a repeated key after a restart with the same call', async () => {
		const key = randomUUID()
		const { body } = await demo.call('+4930123400', { key })
		await demo.until(body.uuid, ({ status }) => status === 'connected')
		await test.restart()
		demo = test.as('demo')
		const again = await demo.call('+4930123400', { key })
		expect(again).toMatchObject({ status: 202, body: { uuid: body.uuid } })
		expect(test.freeSwitch.originates.length).toBe(1)
		await demo.hangUp(body.uuid)
		await demo.untilEnded(body.uuid)
	})

	it('is hung up at once although its row cannot be written, and the wish is in the books afterwards', async () => {
		const uuid = await connected()
		const other = new Client({ connectionString: test.database.url })
		await other.connect()
		try {
			await other.query('begin')
			await other.query('select 1 from calls where uuid = $1 for update', [uuid])
			const answer = await demo.hangUp(uuid)
			expect(answer.body).toMatchObject({ uuid, status: 'connected' })
			await test.freeSwitch.until(() => test.freeSwitch.channels().length === 0)
			await other.query('rollback')
		} finally {
			await other.end()
		}
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user' })
	})

	it('is not rung for after its end: an originate that a stuck switch executes late is hung up', async () => {
		const { body: { uuid } } = await demo.call('+4930123401')
		await demo.untilEnded(uuid)
		const late = await EslConnection.open({ host: test.freeSwitch.host, port: test.freeSwitch.port, password: test.environment.FREESWITCH_PASSWORD ?? '' })
		try {
			await late.command(`bgapi originate ${buildOriginate({
				callUuid: uuid,
				jobUuid: randomUUID(),
				user: { legUuid: randomUUID(), target: { kind: 'sip', template: 'user/{address}@{domain}', address: '1919', domain: undefined }, callerId: undefined, ringTimeoutSec: 30 },
				destination: { number: '+4930123400', legs: [{ legUuid: randomUUID(), gateway: 'trunk' }], callerId: undefined, answerTimeoutSec: 30, maxCallSec: 60 },
			})}`)
			await test.freeSwitch.until(() => test.freeSwitch.commands.some(({ command }) => command.startsWith('api uuid_kill')))
			await test.freeSwitch.until(() => test.freeSwitch.channels().length === 0)
		} finally {
			late.close()
		}
	})

	it('whose row was erased does not go on without an owner', async () => {
		const uuid = await connected()
		await test.database.query(`delete from calls where uuid = '${uuid}'`)
		expect((await demo.hangUp(uuid)).status).toBe(404)
		await test.freeSwitch.until(() => test.freeSwitch.channels().length === 0)
	})

	async function placeWhenReady(): Promise<string> {
		const { body } = await until(() => demo.call('+4930123400'), ({ status }) => status === 202)
		await demo.until(body.uuid, (call) => call.status === 'connected')
		return body.uuid
	}

	it('of which an event cannot be stored for good is followed all the same, and the fault is told', async () => {
		const { body } = await demo.call('+4930123400')
		await demo.until(body.uuid, ({ status }) => status === 'connected')
		await test.database.query('alter table calls add constraint calls_never check (false) not valid')
		// The wish cannot be stored; the legs are hung up, and their ends cannot be stored either.
		expect((await demo.hangUp(body.uuid)).status).toBe(202)
		await test.freeSwitch.until(() => test.freeSwitch.channels().length === 0)
		await test.database.query('alter table calls drop constraint calls_never')
		await whileTimeFlies(async () => {
			expect(await demo.untilEnded(body.uuid)).toMatchObject({ outcome: 'completed' })
		})
	})

	it('that another process has stored and left is found within 15 s, asked for and ended', async () => {
		const keys = new KeyRing([Buffer.from(test.environment.DATABASE_ENCRYPTION_KEY ?? '', 'base64')])
		const orm = await openDatabase({ url: test.database.url, keys, logger: new RecordedLog() })
		const at = new Date(Date.now() - 60_000)
		const uuid = randomUUID()
		const question = { userId: 'demo', number: '+4930123400', country: 'DE', at, dayFrom: at, monthFrom: at, isSpendLimited: false }
		await new CallRepository({ orm, keys, clock: { now: () => at } }).place({ userId: 'demo', idempotencyKey: undefined, bodyHash: 'x', at, question }, async () => ({
			uuid,
			version: 1,
			userId: 'demo',
			to: '+4930123400',
			rawTo: '+4930123400',
			device: { id: randomUUID(), label: 'Desk' },
			tags: [],
			direction: 'outbound',
			status: 'queued',
			createdAt: at,
			onHold: false,
			legs: [{ uuid: randomUUID(), role: 'user' }, { uuid: randomUUID(), role: 'destination', gateway: 'trunk' }],
			jobUuid: randomUUID(),
		}))
		await orm.close(true)
		await whileTimeFlies(async () => {
			expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'failed', endedBy: 'system' })
		})
	})

	/** The monotonic clock runs fifty times as fast: what the sidecar waits for comes soon. */
	async function whileTimeFlies(steps: () => Promise<void>): Promise<void> {
		const now = performance.now.bind(performance)
		const start = now()
		vi.spyOn(performance, 'now').mockImplementation(() => start + (now() - start) * 50)
		try {
			await steps()
		} finally {
			vi.restoreAllMocks()
		}
	}
})
