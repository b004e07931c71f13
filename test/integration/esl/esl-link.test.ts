// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The pace of reconnecting, on a fake clock with real sockets, and that nothing is ever sent twice.

import type { EslLinkOptions } from '../../../lib/esl/esl-link.ts'
import type { CommandFault } from '../../stand-ins/freeswitch/index.ts'
import type { EslPeerOptions } from '../../support/esl-peer.ts'

import net from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { EslError } from '../../../lib/esl/esl-error.ts'
import { startScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'
import { apiResponse, EslPeer, jsonEvent } from '../../support/esl-peer.ts'
import { WatchedLink } from '../../support/watched-link.ts'

const undo: (() => void | Promise<void>)[] = []
afterEach(async () => {
	vi.useRealTimers()
	vi.restoreAllMocks()
	for (const step of undo.splice(0).toReversed()) {
		await step()
	}
})

async function startPeer(options: EslPeerOptions = {}): Promise<EslPeer> {
	const peer = await EslPeer.start({ answer: apiResponse, ...options })
	undo.push(() => peer.stop())
	return peer
}

function watch(options: Partial<EslLinkOptions> & Pick<EslLinkOptions, 'endpoint'>): WatchedLink {
	const watched = new WatchedLink(options)
	undo.push(() => watched.link.stop())
	return watched
}

/** Goes round the event loop until it is so: sockets are real, only the clock stands. */
async function soon(condition: () => boolean): Promise<void> {
	while (!condition()) {
		await new Promise((resolve) => {
			setImmediate(resolve)
		})
	}
}

function stopTheClock(): void {
	vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
}

describe('a link', () => {
	it('tries a port where nobody listens after 0.2 s, 0.4 s and so on up to 30 s, and not a millisecond sooner', async () => {
		const peer = await EslPeer.start()
		const { endpoint } = peer
		await peer.stop()
		const connect = vi.spyOn(net, 'connect')
		stopTheClock()
		const watched = watch({ endpoint })
		const { link, log, steps } = watched
		link.start()
		for (const [index, delayMs] of [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000].entries()) {
			await soon(() => watched.losses === index + 1)
			expect(connect).toHaveBeenCalledTimes(index + 1)
			vi.advanceTimersByTime(delayMs - 1)
			expect(connect).toHaveBeenCalledTimes(index + 1)
			vi.advanceTimersByTime(1)
			expect(connect).toHaveBeenCalledTimes(index + 2)
		}
		expect(link.lastError?.code).toBe('unreachable')
		expect(steps).toEqual([])
		// Said once, not with each attempt.
		expect(log.lines.map(({ level, fields }) => [level, fields.code])).toEqual([['warn', 'unreachable']])
	})

	it('with a refused password makes exactly one attempt a minute, and is up when it is accepted', async () => {
		let isRight = false
		const peer = await startPeer({ login: false, answer: (command) => command.startsWith('auth') ? `Content-Type: command/reply\nReply-Text: ${isRight ? '+OK accepted' : '-ERR invalid'}\n\n` : apiResponse(command) })
		const connect = vi.spyOn(net, 'connect')
		stopTheClock()
		const watched = watch({ endpoint: peer.endpoint })
		const { link, log, steps } = watched
		link.start()
		for (let minute = 1; minute <= 3; minute++) {
			await soon(() => watched.losses === minute)
			expect(link.lastError?.code).toBe('password_refused')
			isRight = minute === 3
			vi.advanceTimersByTime(59_999)
			expect(connect).toHaveBeenCalledTimes(minute)
			vi.advanceTimersByTime(1)
			expect(connect).toHaveBeenCalledTimes(minute + 1)
		}
		await soon(() => link.connection !== undefined)
		expect(link.lastError).toBeUndefined()
		expect(steps).toEqual(['up'])
		expect(log.lines.map(({ level }) => level)).toEqual(['error', 'info'])
	})

	it('starts at 0.2 s again after a connection that held for 10 s', async () => {
		const peer = await startPeer()
		const connect = vi.spyOn(net, 'connect')
		stopTheClock()
		const { link, steps } = watch({ endpoint: peer.endpoint })
		link.start()
		for (let round = 1; round <= 4; round++) {
			await soon(() => link.connection !== undefined)
			vi.advanceTimersByTime(10_000)
			peer.last.socket.resetAndDestroy()
			await soon(() => link.connection === undefined)
			vi.advanceTimersByTime(199)
			expect(connect).toHaveBeenCalledTimes(round)
			vi.advanceTimersByTime(1)
			expect(connect).toHaveBeenCalledTimes(round + 1)
		}
		await soon(() => link.connection !== undefined)
		expect(steps).toEqual(['up', 'down: connection_lost', 'up', 'down: connection_lost', 'up', 'down: connection_lost', 'up', 'down: connection_lost', 'up'])
	})

	it('waits longer each time for a switch that lets us in and drops us at once', async () => {
		const peer = await startPeer()
		const connect = vi.spyOn(net, 'connect')
		stopTheClock()
		const { link } = watch({ endpoint: peer.endpoint })
		link.start()
		for (const [round, delayMs] of [200, 400, 800].entries()) {
			await soon(() => link.connection !== undefined)
			peer.last.socket.resetAndDestroy()
			await soon(() => link.connection === undefined)
			vi.advanceTimersByTime(delayMs - 1)
			expect(connect).toHaveBeenCalledTimes(round + 1)
			vi.advanceTimersByTime(1)
			expect(connect).toHaveBeenCalledTimes(round + 2)
		}
	})

	it('tries at once when it is started again, but never twice at a time', async () => {
		const peer = await startPeer()
		const connect = vi.spyOn(net, 'connect')
		stopTheClock()
		const { link } = watch({ endpoint: peer.endpoint })
		link.start()
		link.start()
		await soon(() => link.connection !== undefined)
		link.start()
		expect(connect).toHaveBeenCalledTimes(1)
		peer.last.socket.resetAndDestroy()
		await soon(() => link.connection === undefined)
		link.start()
		link.start()
		expect(connect).toHaveBeenCalledTimes(2)
		await soon(() => link.connection !== undefined)
		vi.advanceTimersByTime(20_000)
		expect(connect).toHaveBeenCalledTimes(2)
	})

	it('waits while it may not try', async () => {
		const peer = await startPeer()
		let may = false
		stopTheClock()
		const { link } = watch({ endpoint: peer.endpoint, mayTry: () => may })
		link.start()
		vi.advanceTimersByTime(3_600_000)
		expect(peer.connections).toEqual([])
		may = true
		link.start()
		await soon(() => link.connection !== undefined)
	})

	it('asks a peer that has been silent for 25 s, and only then', async () => {
		const peer = await startPeer()
		const heard: string[] = []
		stopTheClock()
		const { link } = watch({ endpoint: peer.endpoint, onEvent: (event) => heard.push(event['Event-Name'] ?? '') })
		link.start()
		await soon(() => link.connection !== undefined)
		for (let beat = 1; beat <= 5; beat++) {
			vi.advanceTimersByTime(20_000)
			peer.last.socket.write(jsonEvent({ 'Event-Name': 'HEARTBEAT' }))
			await soon(() => heard.length === beat)
		}
		expect(peer.commands).toEqual([])
		vi.advanceTimersByTime(25_000)
		await soon(() => peer.commands.length === 1)
		expect(peer.commands).toEqual(['noevents'])
	})

	it('notices a frozen FreeSWITCH and comes back when it thaws', async () => {
		const freeSwitch = await startScriptedFreeSwitch({ heartbeatSec: 0 })
		undo.push(() => freeSwitch.stop())
		const watched = watch({ endpoint: { host: '127.0.0.1', port: freeSwitch.port, password: 'ClueCon' }, silenceMs: 50, commandTimeoutMs: 1_000 })
		watched.link.start()
		await watched.until(1)
		freeSwitch.freeze()
		await watched.until(2)
		freeSwitch.resume()
		await watched.until(3)
		expect(watched.steps).toEqual(['up', 'down: timeout', 'up'])
		expect(await watched.link.command('api hostname')).toBe('fs.example')
	})

	it('that cannot be prepared is not up, is closed, and is tried again', async () => {
		const peer = await startPeer()
		let tries = 0
		const watched = watch({
			endpoint: peer.endpoint,
			prepare: async (connection) => {
				await connection.command(`api prepare ${++tries}`)
				if (tries === 1) {
					throw new EslError('refused', 'No')
				}
				if (tries === 2) {
					throw new TypeError('A bug')
				}
			},
		})
		watched.link.start()
		await watched.until(1)
		expect(watched.steps).toEqual(['up'])
		expect(watched.log.lines.map(({ fields }) => fields.code)).toEqual(['refused', 'unreachable', undefined])
		await peer.until(() => peer.connections.map(({ closed }) => closed).join() === 'true,true,false')
		expect(peer.commands).toEqual(['api prepare 1', 'api prepare 2', 'api prepare 3'])
	})
})

describe('stop', () => {
	it.each<[string, EslPeerOptions, (peer: EslPeer) => boolean]>([
		['while it connects', { greeting: '' }, (peer) => peer.connections.length === 1],
		['while it signs in', { login: false, answer: () => undefined }, (peer) => peer.last.commands.length === 1],
		['while it is prepared', { answer: () => undefined }, (peer) => peer.commands.length === 1],
		['when it is up', {}, (peer) => peer.commands.length === 1],
	])('%s closes at once and is final', async (_what, options, isThen) => {
		const peer = await startPeer(options)
		stopTheClock()
		const { link, steps } = watch({ endpoint: peer.endpoint, prepare: async (connection) => void await connection.command('api prepare') })
		link.start()
		await soon(() => peer.connections.length === 1 && isThen(peer))
		link.stop()
		await soon(() => peer.last.closed)
		link.start()
		vi.advanceTimersByTime(3_600_000)
		await expect(link.command('api x')).rejects.toMatchObject({ code: 'not_connected' })
		expect(peer.connections).toHaveLength(1)
		expect(steps.filter((step) => step !== 'up')).toEqual([])
		expect(vi.getTimerCount()).toBe(0)
	})
})

describe('a command is at the switch at most once', () => {
	it.each<[string, CommandFault, string]>([
		['before the switch has heard it', 'drop-unheard', 'connection_lost'],
		['after it was executed, before the reply', 'drop', 'connection_lost'],
		['by silence', 'ignore', 'timeout'],
	])('when the connection ends %s', async (_what, fault, code) => {
		const freeSwitch = await startScriptedFreeSwitch({ heartbeatSec: 0 })
		undo.push(() => freeSwitch.stop())
		const watched = watch({ endpoint: { host: '127.0.0.1', port: freeSwitch.port, password: 'ClueCon' } })
		watched.link.start()
		await watched.until(1)
		freeSwitch.onCommand = (command) => command === 'bgapi status' ? fault : undefined
		await expect(watched.link.command('bgapi status', { 'Job-UUID': '7' }, fault === 'ignore' ? 30 : undefined)).rejects.toMatchObject({ code, mayHaveArrived: true })
		await expect(watched.link.command('bgapi status')).rejects.toMatchObject({ code: 'not_connected', mayHaveArrived: false })
		await watched.until(3)
		await watched.link.command('api hostname')
		expect(freeSwitch.commands.map(({ command }) => command).filter((command) => !command.startsWith('auth'))).toEqual(['bgapi status', 'api hostname'])
	})

	it('when the connection is cut at each byte of the reply', async () => {
		const reply = apiResponse('+OK')
		let cutAt = 0
		const peer = await startPeer({
			answer: (command, { socket }) => {
				if (command === 'api last') {
					return apiResponse(command)
				}
				socket.write(reply.slice(0, cutAt), () => socket.resetAndDestroy())
				return undefined
			},
		})
		const watched = watch({ endpoint: peer.endpoint, random: () => 0.999 })
		watched.link.start()
		for (cutAt = 0; cutAt < reply.length; cutAt += 8) {
			await watched.until(watched.steps.length % 2 === 0 ? watched.steps.length + 1 : 0)
			await expect(watched.link.command(`api once ${cutAt}`)).rejects.toMatchObject({ code: 'connection_lost' })
		}
		await watched.until(watched.steps.length % 2 === 0 ? watched.steps.length + 1 : 0)
		await watched.link.command('api last')
		expect(peer.commands).toEqual([...Array.from({ length: Math.ceil(reply.length / 8) }, (_, index) => `api once ${index * 8}`), 'api last'])
	})
})
