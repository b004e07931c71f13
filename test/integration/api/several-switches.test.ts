// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The whole sidecar with two FreeSWITCHes, and with one that takes only so many calls a second.

import type { HealthJson } from '../../../lib/http/health-schemas.ts'
import type { ScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'
import { startTestApp } from '../../support/app.ts'

const NUMBER = '+4930123400'
const MANY = { maxConcurrentPerUser: 1000, maxConcurrent: 1000 }
const GATEWAYS = { gateways: { trunk: 'UP' }, gatewayLooks: { trunk: { pingSec: 25 } } } as const

function originates(...nodes: ScriptedFreeSwitch[]): number[] {
	return nodes.map(({ commands }) => commands.filter(({ command }) => command.startsWith('bgapi originate')).length)
}

function kills(...nodes: ScriptedFreeSwitch[]): number[] {
	return nodes.map(({ commands }) => commands.filter(({ command }) => command.startsWith('api uuid_kill')).length)
}

describe('two switches', () => {
	let first: ScriptedFreeSwitch
	let second: ScriptedFreeSwitch
	let test: TestApp
	let demo: ApiClient

	beforeEach(async () => {
		second = await startScriptedFreeSwitch({ heartbeatSec: 0, speed: 1, password: 'of-the-second-one', ...GATEWAYS })
		test = await startTestApp({ freeSwitch: { speed: 1, ...GATEWAYS }, peers: [second], overrides: { sweepMs: 50, health: { freshMs: 0 } } })
		first = test.freeSwitch
		demo = await test.prepare(MANY)
	})

	afterEach(async () => {
		await test.stop()
		await second.stop()
	})

	const nameOf = ({ host, port }: ScriptedFreeSwitch) => `${host}:${port}`

	async function nodeOf(uuid: string): Promise<string | null | undefined> {
		const [row] = await test.database.query<{ node: string | null }>(`select node from calls where uuid = '${uuid}'`)
		return row?.node
	}

	async function connected(): Promise<string> {
		const { body } = await demo.call(NUMBER)
		await demo.until(body.uuid, ({ status }) => status === 'connected')
		return body.uuid
	}

	/** Until the sidecar itself finds that a node is away. */
	async function untilAway(node: ScriptedFreeSwitch): Promise<void> {
		await vi.waitFor(async () => {
			const { body } = await demo.get<HealthJson>('/admin/health')
			expect(body.parts.find(({ id, name }) => id === 'freeswitch' && name === nameOf(node))?.state).toBe('down')
		}, { timeout: 20_000, interval: 50 })
	}

	it('share the calls, and each is followed and hung up where it is', async () => {
		const calls = [await connected(), await connected()]
		expect(originates(first, second)).toEqual([1, 1])
		expect(await Promise.all(calls.map(nodeOf))).toEqual([nameOf(first), nameOf(second)])
		await demo.hangUp(calls[1] ?? '')
		expect(await demo.untilEnded(calls[1] ?? '')).toMatchObject({ outcome: 'completed', endedBy: 'user' })
		expect(kills(first, second)).toEqual([0, 1])
		expect(first.channels()).toHaveLength(2)
		expect(second.channels()).toHaveLength(0)
	})

	it('of which one is down take every call on the other, and the doctor says which', async () => {
		await first.stop()
		await untilAway(first)
		await connected()
		expect(originates(second)).toEqual([1])
		const { body } = await demo.get<HealthJson>('/admin/health')
		expect(body.state).toBe('degraded')
		expect(body.parts.filter(({ id }) => id === 'freeswitch')).toMatchObject([
			{ name: nameOf(first), state: 'down' },
			{ name: nameOf(second), state: 'ok', load: { maxSessions: 5000, sessionsPerSec: 30, callsPerSec: 14, waiting: 0, refused: 0 } },
		])
		expect(body.parts.filter(({ id }) => id === 'gateway')).toMatchObject([
			{ name: `trunk (${nameOf(first)})`, code: 'gateway_unasked' },
			{ name: `trunk (${nameOf(second)})`, code: 'gateway_answers' },
		])
	})

	it('of which one has lost its gateway take every call on the other; none, when both have', async () => {
		first.setGateway('trunk', 'DOWN')
		await vi.waitFor(async () => {
			const { body } = await demo.get<HealthJson>('/admin/health')
			expect(body.parts.find(({ id }) => id === 'gateway')?.state).toBe('down')
		})
		await connected()
		await connected()
		expect(originates(first, second)).toEqual([0, 2])
		second.setGateway('trunk', 'DOWN')
		await vi.waitFor(async () => expect((await demo.call(NUMBER)).body).toMatchObject({ code: 'trunk_unavailable' }))
	})

	it('of which one answers no originate are left with the other, until that one answers a question again', async () => {
		const part = async () => (await demo.get<HealthJson>('/admin/health')).body.parts.find(({ id, name }) => id === 'freeswitch' && name === nameOf(first))
		const asked = new Set<number>()
		first.onCommand = (command, connection) => {
			// Whoever connects is told how busy it is; later questions are not answered.
			if (command !== 'api status') {
				return command.startsWith('bgapi originate') ? 'drop-unheard' : undefined
			}
			const isLater = asked.has(connection)
			asked.add(connection)
			return isLater ? 'ignore' : undefined
		}
		// Each of these may have been dialled, as far as anybody knows: none of them goes to the other one.
		await vi.waitFor(async () => {
			await demo.call(NUMBER)
			expect((await part())?.breaker).toBe('open')
		}, { timeout: 30_000, interval: 200 })
		const [before] = originates(first)
		await first.until(() => first.clients >= 2)
		for (let placed = 0; placed < 3; placed++) {
			await connected()
		}
		expect(originates(first)).toEqual([before])
		first.onCommand = undefined
		first.dropConnections()
		await vi.waitFor(async () => {
			await connected()
			expect(originates(first)[0]).toBeGreaterThan(before ?? 0)
		}, { timeout: 30_000, interval: 500 })
		expect((await part())?.breaker).toBe('closed')
	})

	it.each(['drop', 'drop-unheard'] as const)('never both dial when the line is cut while an originate is written (%s)', async (fault) => {
		first.onCommand = (command) => command.startsWith('bgapi originate') ? fault : undefined
		const { body } = await demo.call(NUMBER)
		if (fault === 'drop') {
			await demo.until(body.uuid, ({ status }) => status === 'connected')
			await demo.hangUp(body.uuid)
			await demo.untilEnded(body.uuid)
		} else {
			expect(await demo.untilEnded(body.uuid)).toMatchObject({ outcome: 'failed', endedBy: 'system' })
		}
		expect(originates(first, second)).toEqual([1, 0])
	})

	it('are both told to hang up what did not end at once: the other one may have taken it over', async () => {
		const uuid = await connected()
		first.onCommand = (command) => command.startsWith('api uuid_kill') ? 'deny' : undefined
		await demo.hangUp(uuid)
		await second.until(() => kills(second)[0] === 2)
		expect(kills(first)[0]).toBeGreaterThan(1)
		first.onCommand = undefined
		await demo.untilEnded(uuid)
	})

	it('hand a call over when one takes it from the other: it is followed there, and hung up there', async () => {
		const uuid = await connected()
		expect(await nodeOf(uuid)).toBe(nameOf(first))
		const { version } = (await demo.get<{ version: number }>(`/call-status/${uuid}`)).body
		second.recover(first)
		await first.stop()
		await demo.until(uuid, (call) => call.version > version)
		expect(await nodeOf(uuid)).toBe(nameOf(second))
		await untilAway(first)
		expect((await demo.get<{ status: string }>(`/call-status/${uuid}`)).body.status).toBe('connected')
		await demo.hangUp(uuid)
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user' })
		expect(second.channels()).toHaveLength(0)
	})

	it('keep a call open whose node is away, until its longest time is over', async () => {
		const uuid = await connected()
		await first.stop()
		await untilAway(first)
		await new Promise((resolve) => setTimeout(resolve, 200))
		expect((await demo.get<{ status: string }>(`/call-status/${uuid}`)).body.status).toBe('connected')
		await test.app.stop()
		await test.database.query(`update calls set longest_sec = 1, created_at = now() - interval '5 seconds' where uuid = '${uuid}'`)
		await test.startAgain()
		expect(await test.as('demo').untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'system' })
	})
})

describe('a switch that takes only so many calls', () => {
	let test: TestApp

	afterEach(() => test.stop())

	// On a slow machine the database alone gives no more than a few calls a second: the second switch takes fewer.
	it.each([[30, 200, 14], [8, 60, 3]])('of %i sessions a second gets no more calls than it takes from %i at once: each is dialled, or refused before it is stored', async (sessionsPerSecond, count, callsPerSec) => {
		test = await startTestApp({ freeSwitch: { speed: 1, sessionsPerSecond } })
		const demo = await test.prepare(MANY)
		const answers = await Promise.all(Array.from({ length: count }, () => demo.call(NUMBER)))
		const accepted = answers.filter(({ status }) => status === 202)
		const refused = answers.filter(({ status }) => status !== 202)
		// A slow machine's database may refuse as well.
		expect(refused.map(({ status, body }) => [status, body])).toEqual(refused.map(() => [503, expect.objectContaining({ code: expect.stringMatching(/^(?:switch|storage)_unavailable$/), retryAfterSec: expect.any(Number) })]))
		expect(accepted.length).toBeGreaterThan(callsPerSec)
		await Promise.all(accepted.map(({ body }) => demo.until(body.uuid, ({ status }) => status === 'connected')))
		expect(originates(test.freeSwitch)).toEqual([accepted.length])
		expect(test.freeSwitch.channels()).toHaveLength(2 * accepted.length)
		const [row] = await test.database.query<{ calls: number }>('select count(*)::int as calls from calls')
		expect(row?.calls).toBe(accepted.length)
	})

	it('has those told that others were quicker who would have to wait for more than 2 s', async () => {
		test = await startTestApp({ freeSwitch: { speed: 1, sessionsPerSecond: 4 } })
		const demo = await test.prepare(MANY)
		const answers = await Promise.all(Array.from({ length: 20 }, () => demo.call(NUMBER)))
		const [refusal] = answers.filter(({ status }) => status === 503)
		expect(refusal?.body).toMatchObject({ code: 'switch_unavailable', retryAfterSec: expect.any(Number), detail: expect.stringContaining('only so many calls a second') })
		expect(refusal?.headers.get('Retry-After')).toMatch(/^[1-4]$/)
	})

	it('is not told of a call that is hung up while it waits', async () => {
		// One call a second.
		test = await startTestApp({ freeSwitch: { speed: 1, sessionsPerSecond: 4 } })
		const demo = await test.prepare(MANY)
		const calls = [await demo.call(NUMBER), await demo.call(NUMBER)].map(({ body }) => body.uuid)
		expect((await demo.hangUp(calls[1] ?? '')).status).toBe(202)
		expect(await demo.untilEnded(calls[1] ?? '')).toMatchObject({ outcome: 'cancelled', endedBy: 'user' })
		const { body: third } = await demo.call(NUMBER)
		await demo.until(third.uuid, ({ status }) => status !== 'queued')
		expect(test.freeSwitch.originates.map(({ aVariables }) => aVariables.sipcall_call)).toEqual([calls[0], third.uuid])
	})

	it('is told of those that wait before the sidecar stops', async () => {
		test = await startTestApp({ freeSwitch: { speed: 1, sessionsPerSecond: 4 } })
		const demo = await test.prepare(MANY)
		await demo.call(NUMBER)
		await demo.call(NUMBER)
		await test.app.stop()
		expect(originates(test.freeSwitch)).toEqual([2])
	})
})
