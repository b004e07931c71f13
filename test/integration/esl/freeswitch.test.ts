// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The switch as the domain sees it: what is certain, what is not, and that nothing is written twice.

import type { OriginatePlan, SwitchNotice } from '../../../lib/calls/ports.ts'
import type { EslEndpoint } from '../../../lib/esl/esl-connection.ts'
import type { ScriptedFreeSwitch, ScriptedFreeSwitchOptions } from '../../stand-ins/freeswitch/index.ts'

import net from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { OriginateRefused } from '../../../lib/calls/ports.ts'
import { FreeSwitch } from '../../../lib/esl/freeswitch.ts'
import { startScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'
import { apiResponse, commandReply, EslPeer, jsonEvent } from '../../support/esl-peer.ts'
import { newPlan } from '../../support/esl-plan.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const UNKNOWN_UUID = '99999999-9999-4999-8999-999999999999'

const undo: (() => void | Promise<void>)[] = []
afterEach(async () => {
	vi.useRealTimers()
	vi.restoreAllMocks()
	for (const step of undo.splice(0).toReversed()) {
		await step()
	}
})

/** A FreeSwitch whose notices can be waited for. */
class Heard {
	readonly notices: SwitchNotice[] = []
	readonly log = new RecordedLog()
	readonly freeSwitch: FreeSwitch
	ready = 0
	readonly #waiting = new Set<() => void>()

	readonly #endpoint: EslEndpoint

	constructor(port: number, password = 'ClueCon') {
		this.#endpoint = { host: '127.0.0.1', port, password }
		this.freeSwitch = new FreeSwitch({ logger: this.log, now: () => new Date() })
		undo.push(() => this.freeSwitch.stop())
	}

	start(): void {
		this.freeSwitch.listen({
			onNotice: (notice) => {
				this.notices.push(notice)
				this.#look()
			},
			onReady: () => {
				this.ready++
				this.#look()
			},
		})
		this.freeSwitch.connectTo(this.#endpoint)
	}

	until(condition: () => boolean): Promise<void> {
		return new Promise((resolve) => {
			const look = (): void => {
				if (condition()) {
					this.#waiting.delete(look)
					resolve()
				}
			}
			this.#waiting.add(look)
			look()
		})
	}

	ends(plan: OriginatePlan): string[] {
		const names = new Map([[plan.user.legUuid, 'a'], ...plan.destination.legs.map(({ legUuid }) => [legUuid, 'b'] as const)])
		return this.notices.flatMap((notice) => notice.type === 'leg' && notice.report.end !== undefined ? [`${names.get(notice.report.legUuid)}: ${notice.report.end.cause.name}`] : [])
	}

	#look(): void {
		this.#waiting.forEach((look) => look())
	}
}

async function start(options: ScriptedFreeSwitchOptions = {}): Promise<Heard & { stage: ScriptedFreeSwitch }> {
	const stage = await startScriptedFreeSwitch({ heartbeatSec: 0, ...options })
	undo.push(() => stage.stop())
	const heard = new Heard(stage.port)
	heard.start()
	await heard.until(() => heard.ready === 1)
	return Object.assign(heard, { stage })
}

async function startPeer(answer: (command: string) => string | undefined): Promise<Heard & { peer: EslPeer }> {
	const peer = await EslPeer.start({ answer: (command) => command.startsWith('event ') ? commandReply('+OK event listener enabled json') : command === 'api status' ? apiResponse('') : answer(command) })
	undo.push(() => peer.stop())
	const heard = new Heard(peer.port)
	heard.start()
	await heard.until(() => heard.ready === 1)
	return Object.assign(heard, { peer })
}

describe('two connections', () => {
	it('are opened: the first one hears how busy the switch is and what becomes of gateways, the other one 8 events as JSON', async () => {
		const { stage, freeSwitch } = await start()
		expect(freeSwitch.isReady()).toBe(true)
		expect(stage.commands).toEqual([
			{ connection: 1, command: 'auth ClueCon', headers: {} },
			{ connection: 1, command: 'event json HEARTBEAT SHUTDOWN', headers: {} },
			{ connection: 1, command: 'event json CUSTOM sofia::gateway_state', headers: {} },
			{ connection: 1, command: 'api status', headers: {} },
			{ connection: 2, command: 'auth ClueCon', headers: {} },
			{ connection: 2, command: 'event json CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_HANGUP_COMPLETE BACKGROUND_JOB', headers: {} },
		])
	})

	it.each(['all', 'subscribed', 'commands'] as const)('come back when %s are cut, and it is told once that what was missed must be asked for', async (which) => {
		const heard = await start()
		for (let round = 2; round <= 3; round++) {
			heard.stage.dropConnections(which)
			await heard.until(() => heard.ready === round)
			expect(heard.freeSwitch.isReady()).toBe(true)
			expect(heard.freeSwitch.lastError).toBeUndefined()
		}
		expect(heard.ready).toBe(3)
		expect(heard.stage.clients).toBe(2)
	})

	it('with a wrong password are one attempt in the first minute, not two', async () => {
		const stage = await startScriptedFreeSwitch({ heartbeatSec: 0 })
		undo.push(() => stage.stop())
		const connect = vi.spyOn(net, 'connect')
		vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
		const heard = new Heard(stage.port, 'wrong')
		const { freeSwitch, log } = heard
		heard.start()
		await log.waitFor(({ fields }) => fields.code === 'password_refused')
		vi.advanceTimersByTime(59_999)
		expect(connect).toHaveBeenCalledTimes(1)
		expect(stage.commands).toHaveLength(1)
		expect(freeSwitch.isReady()).toBe(false)
		expect(freeSwitch.lastError?.code).toBe('password_refused')
		vi.advanceTimersByTime(1)
		expect(connect).toHaveBeenCalledTimes(2)
	})

	it('with a password that was changed meanwhile are one attempt a minute as well, and both come back', async () => {
		let isRight = true
		const peer = await EslPeer.start({ login: false, answer: (command) => commandReply(command.startsWith('auth') && !isRight ? '-ERR invalid' : '+OK accepted') })
		undo.push(() => peer.stop())
		const heard = new Heard(peer.port)
		heard.start()
		await heard.until(() => heard.ready === 1)
		const connect = vi.spyOn(net, 'connect')
		vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
		isRight = false
		peer.connections.forEach(({ socket }) => socket.resetAndDestroy())
		await heard.log.waitFor(({ fields }) => fields.code === 'connection_lost', 2)
		vi.advanceTimersByTime(200)
		await heard.log.waitFor(({ fields }) => fields.code === 'password_refused')
		isRight = true
		vi.advanceTimersByTime(59_999)
		expect(connect).toHaveBeenCalledTimes(1)
		vi.advanceTimersByTime(1)
		await heard.until(() => heard.ready === 2)
		expect(connect).toHaveBeenCalledTimes(3)
	})

	it('are not ready when the subscription is refused, and say why', async () => {
		const peer = await EslPeer.start({ answer: () => commandReply('-ERR permission denied') })
		undo.push(() => peer.stop())
		const heard = new Heard(peer.port)
		heard.start()
		await heard.log.waitFor(({ fields }) => fields.code === 'refused')
		expect(heard.freeSwitch.isReady()).toBe(false)
		expect(heard.freeSwitch.lastError).toMatchObject({ code: 'refused' })
		expect(heard.ready).toBe(0)
	})

	it('are told by SHUTDOWN that the switch stops, and come back when it does', async () => {
		const heard = await start()
		await heard.stage.restart()
		await heard.log.waitFor(({ message }) => message === 'FreeSWITCH is shutting down')
		await heard.until(() => heard.ready === 2)
	})

	it('take no call from the moment on at which the switch says that it stops, until it is back', async () => {
		const heard = await startPeer((command) => commandReply(command.startsWith('bgapi') ? '+OK Job-UUID: 7' : '+OK'))
		const { peer, freeSwitch, log } = heard
		expect(freeSwitch.isReady()).toBe(true)
		peer.connections[0]?.socket.write(jsonEvent({ 'Event-Name': 'SHUTDOWN', 'Event-Info': 'System Shutting Down' }))
		await log.waitFor(({ message }) => message === 'FreeSWITCH is shutting down')
		expect(freeSwitch.isReady()).toBe(false)
		await expect(freeSwitch.originate(newPlan())).rejects.toMatchObject({ failure: { verdict: 'not_dialled' } })
		expect(peer.commands.filter((command) => command.startsWith('bgapi'))).toEqual([])
		peer.connections.forEach(({ socket }) => socket.resetAndDestroy())
		await heard.until(() => heard.ready === 2)
		await freeSwitch.originate(newPlan())
		expect(peer.commands.filter((command) => command.startsWith('bgapi'))).toHaveLength(1)
	})

	it('notice by HEARTBEAT that the switch is another one than before', async () => {
		const { peer, log } = await startPeer(() => undefined)
		for (const core of ['core-1', 'core-1', 'core-2']) {
			peer.connections[0]?.socket.write(jsonEvent({ 'Event-Name': 'HEARTBEAT', 'Core-UUID': core }))
		}
		await log.waitFor(({ message }) => message === 'FreeSWITCH was restarted')
		expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
	})
})

describe('originate', () => {
	it('is taken: one command with our own Job-UUID, then the reports of both legs and the end of the job', async () => {
		const heard = await start({ speed: Infinity })
		const plan = newPlan({ number: '+4930123401' })
		await heard.freeSwitch.originate(plan)
		await heard.until(() => heard.ends(plan).length === 2 && heard.notices.some(({ type }) => type === 'job'))
		expect(heard.stage.originates).toHaveLength(1)
		expect(heard.stage.originates[0]?.jobUuid).toBe(plan.jobUuid)
		expect(heard.notices.filter(({ type }) => type === 'job')).toEqual([{ type: 'job', jobUuid: plan.jobUuid, at: expect.any(Date), failure: undefined }])
		expect(heard.notices.every((notice) => notice.type === 'job' || notice.callUuid === plan.callUuid)).toBe(true)
		expect(heard.ends(plan).toSorted()).toEqual(['a: NORMAL_CLEARING', 'b: NORMAL_CLEARING'])
	})

	it('is certainly refused when the switch denies it', async () => {
		const { stage, freeSwitch } = await start()
		stage.onCommand = (command) => command.startsWith('bgapi') ? 'deny' : undefined
		const error = await freeSwitch.originate(newPlan()).catch((reason: unknown) => reason)
		expect(error).toBeInstanceOf(OriginateRefused)
		expect(error).toMatchObject({ failure: { cause: { name: 'FACILITY_REJECTED', q850: 29 }, verdict: 'misconfigured' } })
		expect(stage.originates).toEqual([])
	})

	it.each([
		['drop', 1],
		['drop-unheard', 0],
	] as const)('is uncertain when the line is cut (%s), and is never repeated', async (fault, executed) => {
		const heard = await start()
		const plan = newPlan()
		heard.stage.onCommand = (command) => command.startsWith('bgapi') ? fault : undefined
		const error = await heard.freeSwitch.originate(plan).catch((reason: unknown) => reason)
		expect(error).not.toBeInstanceOf(OriginateRefused)
		expect(error).toMatchObject({ code: 'connection_lost', mayHaveArrived: true })
		await heard.until(() => heard.ready === 2)
		expect(await heard.freeSwitch.look(plan.user.legUuid)).toEqual(executed === 0 ? undefined : expect.objectContaining({ legUuid: plan.user.legUuid }))
		expect(heard.stage.originates).toHaveLength(executed)
		expect(heard.stage.commands.filter(({ command }) => command.startsWith('bgapi'))).toHaveLength(1)
	})

	it('is uncertain when the switch is silent', async () => {
		const heard = await startPeer(() => undefined)
		vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
		const originate = heard.freeSwitch.originate(newPlan()).catch((reason: unknown) => reason)
		await heard.peer.until(() => heard.peer.commands.some((command) => command.startsWith('bgapi')))
		vi.advanceTimersByTime(5_000)
		expect(await originate).not.toBeInstanceOf(OriginateRefused)
		expect(await originate).toMatchObject({ code: 'timeout', mayHaveArrived: true })
	})

	it('is certainly refused while there is no connection', async () => {
		const error = await new Heard(1).freeSwitch.originate(newPlan()).catch((reason: unknown) => reason)
		expect(error).toBeInstanceOf(OriginateRefused)
		expect(error).toMatchObject({ failure: { verdict: 'not_dialled' }, cause: { code: 'not_connected' } })
	})

	it.each<[string, (plan: OriginatePlan) => OriginatePlan]>([
		['a number', (plan) => ({ ...plan, destination: { ...plan.destination, number: '${system(id)}' } })],
		['a job', (plan) => ({ ...plan, jobUuid: 'x\nContent-Length: 99' })],
		['a gateway', (plan) => ({ ...plan, destination: { ...plan.destination, legs: [{ legUuid: UNKNOWN_UUID, gateway: 'reload-mod_event_socket' }] } })],
	])('with %s that is code is certainly refused, with nothing written', async (_what, spoil) => {
		const { stage, freeSwitch } = await start()
		const before = stage.commands.length
		const error = await freeSwitch.originate(spoil(newPlan())).catch((reason: unknown) => reason)
		expect(error).toBeInstanceOf(OriginateRefused)
		expect(error).toMatchObject({ failure: { cause: { name: 'INVALID_URL' }, verdict: 'misconfigured' }, cause: { code: 'unsafe_command' } })
		await freeSwitch.kill(UNKNOWN_UUID)
		expect(stage.commands.slice(before).map(({ command }) => command)).toEqual([`api uuid_kill ${UNKNOWN_UUID}`])
	})
})

describe('look and kill', () => {
	it('tell a live leg, end it, and then tell that it is gone', async () => {
		const heard = await start()
		const plan = newPlan()
		const legUuid = plan.destination.legs[0]?.legUuid ?? ''
		await heard.freeSwitch.originate(plan)
		await heard.until(() => heard.notices.some((notice) => notice.type === 'leg' && notice.report.legUuid === legUuid && notice.report.answeredAt !== undefined))
		expect(await heard.freeSwitch.look(legUuid)).toMatchObject({ type: 'leg', legUuid, answeredAt: expect.any(Date) })
		expect(await heard.freeSwitch.look(UNKNOWN_UUID)).toBeUndefined()
		await heard.freeSwitch.kill(plan.user.legUuid)
		await heard.until(() => heard.ends(plan).length === 2)
		await heard.stage.until(() => heard.stage.channels().length === 0)
		expect(await heard.freeSwitch.look(legUuid)).toBeUndefined()
		await heard.freeSwitch.kill(plan.user.legUuid)
	})

	it('tell no absence that the switch did not tell', async () => {
		const { stage, freeSwitch } = await start()
		stage.onCommand = (command) => command.startsWith('api uuid_exists') ? 'deny' : undefined
		await expect(freeSwitch.look(UNKNOWN_UUID)).rejects.toMatchObject({ code: 'refused' })
		stage.onCommand = (command) => command.startsWith('api uuid_exists') ? 'drop' : undefined
		await expect(freeSwitch.look(UNKNOWN_UUID)).rejects.toMatchObject({ code: 'connection_lost' })
	})

	it('tell a leg that ended between the two questions as still there: the next look tells', async () => {
		const { freeSwitch } = await startPeer((command) => apiResponse(command.startsWith('api uuid_exists') ? 'true' : '-ERR No such channel!\n'))
		expect(await freeSwitch.look(UNKNOWN_UUID)).toEqual({ type: 'leg', legUuid: UNKNOWN_UUID, at: expect.any(Date), node: freeSwitch.name })
	})

	it.each(['', 'x y', 'a\nb', '${system(id)}', 'x'.repeat(65)])('write nothing for the uuid "%s"', async (uuid) => {
		const { stage, freeSwitch } = await start()
		const before = stage.commands.length
		await expect(freeSwitch.look(uuid)).rejects.toMatchObject({ code: 'unsafe_command' })
		await expect(freeSwitch.kill(uuid)).rejects.toMatchObject({ code: 'unsafe_command' })
		expect(stage.commands).toHaveLength(before)
	})
})
