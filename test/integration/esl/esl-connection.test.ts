// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// One connection against servers that misbehave in every way that modesl alone does not survive.

import type { EslConnectionOptions } from '../../../lib/esl/esl-connection.ts'
import type { WireEvent } from '../../../lib/esl/wire-event.ts'
import type { EslPeerOptions } from '../../support/esl-peer.ts'

import { Socket } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { EslConnection } from '../../../lib/esl/esl-connection.ts'
import { ModeslConnection } from '../../../lib/esl/modesl-connection.ts'
import { startScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'
import { ACCEPTED, apiResponse, AUTH_REQUEST, commandReply, EslPeer, jsonEvent } from '../../support/esl-peer.ts'

const undo: (() => void | Promise<void>)[] = []
afterEach(async () => {
	vi.restoreAllMocks()
	for (const step of undo.splice(0).toReversed()) {
		await step()
	}
})

async function startPeer(options: EslPeerOptions = {}): Promise<EslPeer> {
	const peer = await EslPeer.start(options)
	undo.push(() => peer.stop())
	return peer
}

async function open(peer: EslPeer, options: EslConnectionOptions = {}): Promise<EslConnection> {
	const connection = await EslConnection.open(peer.endpoint, options)
	undo.push(() => connection.close())
	return connection
}

const echo = (command: string): string => apiResponse(command)

describe('opening', () => {
	it.each([
		['is refused with a wrong password', 'wrong', undefined],
		['is refused with a wrong user', 'eslpass', 'nobody@127.0.0.1'],
		['is refused with a user’s wrong password', 'wrong', 'nextcloud@127.0.0.1'],
	])('%s: password_refused', async (_what, password, user) => {
		const freeSwitch = await startScriptedFreeSwitch({ heartbeatSec: 0, users: { nextcloud: 'eslpass' } })
		undo.push(() => freeSwitch.stop())
		await expect(EslConnection.open({ host: '127.0.0.1', port: freeSwitch.port, password, user })).rejects.toMatchObject({ code: 'password_refused', isConfiguration: true, mayHaveArrived: false })
		expect(freeSwitch.commands).toHaveLength(1)
	})

	it('works with a user of the directory', async () => {
		const freeSwitch = await startScriptedFreeSwitch({ heartbeatSec: 0, users: { nextcloud: 'eslpass' } })
		undo.push(() => freeSwitch.stop())
		const connection = await EslConnection.open({ host: '127.0.0.1', port: freeSwitch.port, password: 'eslpass', user: 'nextcloud@127.0.0.1' })
		undo.push(() => connection.close())
		expect(await connection.command('api hostname')).toEqual({ text: 'fs.example' })
		expect(freeSwitch.commands.map(({ command }) => command)).toEqual(['userauth nextcloud@127.0.0.1:eslpass', 'api hostname'])
	})

	it('is refused by the access list: address_refused', async () => {
		const peer = await startPeer({ greeting: 'Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n' })
		await expect(open(peer)).rejects.toMatchObject({ code: 'address_refused', isConfiguration: true })
		await peer.until(() => peer.last.closed)
	})

	it.each<[string, EslPeerOptions]>([
		['says nothing', { greeting: '' }],
		['says nothing to the password', { login: false }],
		['sends half a greeting', { greeting: 'Content-Type: auth/req' }],
	])('a port that %s is given up in time: unreachable, and the socket is closed', async (_what, options) => {
		const peer = await startPeer(options)
		await expect(open(peer, { connectTimeoutMs: 50 })).rejects.toMatchObject({ code: 'unreachable', mayHaveArrived: false })
		await peer.until(() => peer.last.closed)
	})

	it.each<[string, string]>([
		['sends a Content-Length that is none', 'Content-Type: auth/request\nContent-Length: x\n\n'],
		['sends 100,000 bytes without an empty line', 'x'.repeat(100_000)],
	])('a port that %s is given up at once: unreachable', async (_what, greeting) => {
		const peer = await startPeer({ greeting })
		await expect(open(peer)).rejects.toMatchObject({ code: 'unreachable' })
	})

	it('a port where nobody listens is unreachable and crashes nothing', async () => {
		const peer = await EslPeer.start()
		const { endpoint } = peer
		await peer.stop()
		await expect(EslConnection.open(endpoint)).rejects.toMatchObject({ code: 'unreachable', cause: { code: 'ECONNREFUSED' } })
	})

	it.each(['end', 'resetAndDestroy'] as const)('a peer that closes instead of an answer (%s) is unreachable', async (how) => {
		const peer = await startPeer({ login: false, answer: (_command, { socket }) => void socket[how]() })
		await expect(open(peer)).rejects.toMatchObject({ code: 'unreachable' })
	})

	it('fails when the connection is lost within the bytes that accept the password', async () => {
		const peer = await startPeer({ login: false, answer: () => `${ACCEPTED}Content-Type: text/rude-rejection\n\n` })
		await expect(open(peer)).rejects.toMatchObject({ code: 'address_refused' })
		await peer.until(() => peer.last.closed)
	})

	it('can be given up', async () => {
		const peer = await startPeer({ greeting: '' })
		const giveUp = new AbortController()
		const opening = open(peer, { signal: giveUp.signal })
		await peer.until(() => peer.connections.length === 1)
		giveUp.abort()
		await expect(opening).rejects.toMatchObject({ code: 'unreachable' })
		await peer.until(() => peer.last.closed)
	})
})

describe('a command', () => {
	it('is one write on a socket without delay, headers and all', async () => {
		const peer = await startPeer({ answer: () => commandReply('+OK Job-UUID: 7') })
		const write = vi.spyOn(Socket.prototype, 'write')
		const noDelay = vi.spyOn(Socket.prototype, 'setNoDelay')
		const connection = await open(peer)
		const isOurs = (socket: unknown): boolean => socket instanceof Socket && socket.remotePort === peer.port
		const written = () => write.mock.calls.filter((_call, index) => isOurs(write.mock.contexts[index])).map(([bytes]) => String(bytes))
		expect(await connection.command('bgapi originate user/1000 &park()', { 'Job-UUID': '7', Other: 'x' })).toEqual({ text: '+OK Job-UUID: 7' })
		expect(written()).toEqual(['auth ClueCon\n\n', 'bgapi originate user/1000 &park()\nJob-UUID: 7\nOther: x\n\n'])
		expect(noDelay.mock.calls.filter((_call, index) => isOurs(noDelay.mock.contexts[index]))).toEqual([[true]])
	})

	it('of 1,000 in flight gets its own reply, in order', async () => {
		const peer = await startPeer({ answer: echo })
		const connection = await open(peer)
		const replies = await Promise.all(Array.from({ length: 1_000 }, (_, index) => connection.command(`api echo ${index}`)))
		expect(replies.map(({ text }) => text)).toEqual(Array.from({ length: 1_000 }, (_, index) => `api echo ${index}`))
	})

	it('keeps the queue in step when api is answered by command/reply, and bgapi by api/response', async () => {
		const peer = await startPeer({ answer: (command) => /denied/.test(command) ? commandReply('-ERR permission denied') : /odd/.test(command) ? apiResponse('odd') : echo(command) })
		const connection = await open(peer)
		const replies = await Promise.all(['api a', 'api denied', 'api b', 'bgapi odd', 'bgapi denied', 'api c'].map((line) => connection.command(line)))
		expect(replies.map(({ text }) => text)).toEqual(['api a', '-ERR permission denied', 'api b', 'odd', '-ERR permission denied', 'api c'])
	})

	it.each(['+OK 100% sure', '%', '%zz %E0%A4%A', '+OK Größe €', ''])('may be answered by "%s"', async (text) => {
		const peer = await startPeer({ answer: (command) => command.startsWith('api') ? apiResponse(text) : commandReply(text) })
		const connection = await open(peer)
		expect((await connection.command('api x')).text).toBe(text)
		expect((await connection.command('noevents')).text).toBe(text)
	})

	it('gets its reply from between events, which all come, in order', async () => {
		const heard: (string | undefined)[] = []
		const event = (sequence: number) => jsonEvent({ 'Event-Name': 'HEARTBEAT', 'Event-Sequence': String(sequence) })
		const peer = await startPeer({ answer: (command) => event(1) + event(2) + echo(command) + event(3) })
		const connection = await open(peer, { onEvent: (wire) => heard.push(wire['Event-Sequence']) })
		expect((await connection.command('api a')).text).toBe('api a')
		expect((await connection.command('api b')).text).toBe('api b')
		expect(heard.slice(0, 5)).toEqual(['1', '2', '3', '1', '2'])
	})

	it.each(['api a\nb', 'api \r', 'api\u0000', '', 'api reload MOD_EVENT_SOCKET'])('that is unsafe (%j) is not written and leaves the queue in step', async (line) => {
		const peer = await startPeer({ answer: echo })
		const connection = await open(peer)
		const before = connection.command('api before')
		await expect(connection.command(line)).rejects.toMatchObject({ code: 'unsafe_command', mayHaveArrived: false })
		await expect(connection.command('api x', { 'Job-UUID': line === '' ? '\n' : line })).rejects.toMatchObject({ code: 'unsafe_command' })
		expect([(await before).text, (await connection.command('api after')).text]).toEqual(['api before', 'api after'])
		expect(peer.commands).toEqual(['api before', 'api after'])
	})

	it('leaves nothing behind: no listener and no queue entry after 10,000 of them', async () => {
		const peer = await startPeer({ answer: (command) => command.startsWith('bgapi') ? commandReply('+OK Job-UUID: 7') : echo(command) })
		const opened = vi.spyOn(ModeslConnection.prototype, '_onConnect')
		const connection = await open(peer)
		const inner = opened.mock.contexts[0] as ModeslConnection & { listeners: (event: string) => unknown[] }
		const { socket } = inner
		const held = () => ({
			queued: inner.cmdCallbackQueue.length,
			listeners: inner.listeners('**').length,
			onSocket: socket?.eventNames().map((name) => [name, socket.listenerCount(name)]),
			buffered: socket?.writableLength,
		})
		await connection.command('api first')
		const before = held()
		expect(before.queued).toBe(0)
		expect(before.listeners).toBeGreaterThan(3)
		for (let round = 0; round < 100; round++) {
			await Promise.all(Array.from({ length: 100 }, (_, index) => connection.command(index % 2 === 0 ? `bgapi status ${round}` : `api status ${index}`)))
		}
		expect(held()).toEqual(before)
	})
})

describe('a connection that ends', () => {
	it('by silence fails the silent command with timeout and the others with connection_lost, once', async () => {
		const peer = await startPeer({ answer: (command) => command === 'api a' ? echo(command) : undefined })
		const onClose = vi.fn()
		const connection = await open(peer, { onClose })
		const answered = connection.command('api a')
		const settled = await Promise.allSettled([connection.command('api silent', undefined, 30), connection.command('api later'), connection.command('api last', undefined, 60_000)])
		expect(await answered).toEqual({ text: 'api a' })
		expect(settled.map((result) => result.status === 'rejected' ? [result.reason.code, result.reason.mayHaveArrived] : [])).toEqual([['timeout', true], ['connection_lost', true], ['connection_lost', true]])
		expect(onClose.mock.calls).toEqual([[expect.objectContaining({ code: 'timeout' })]])
		await peer.until(() => peer.last.closed)
		await expect(connection.command('api after')).rejects.toMatchObject({ code: 'not_connected', mayHaveArrived: false, cause: { code: 'timeout' } })
	})

	it.each<[string, (peer: EslPeer) => void]>([
		['a reset in the middle of a header', ({ last: { socket } }) => socket.write('Content-Type: api/resp', () => socket.resetAndDestroy())],
		['a reset in the middle of a body', ({ last: { socket } }) => socket.write('Content-Type: api/response\nContent-Length: 10\n\nhalf', () => socket.resetAndDestroy())],
		['a FIN in the middle of a body', ({ last: { socket } }) => socket.end('Content-Type: api/response\nContent-Length: 10\n\nhalf')],
		['a FIN while the peer keeps its side open', ({ last: { socket } }) => socket.end()],
		['bytes that are no Event Socket', ({ last: { socket } }) => socket.write('Content-Length: -1\n\n')],
		['100,000 bytes without an empty line', ({ last: { socket } }) => socket.write('x'.repeat(100_000))],
	])('by %s fails every command under way with connection_lost and tells it once', async (_what, cut) => {
		const peer = await startPeer()
		const onClose = vi.fn()
		const connection = await open(peer, { onClose })
		const commands = Promise.allSettled([connection.command('api a'), connection.command('api b')])
		await peer.until(() => peer.commands.length === 2)
		cut(peer)
		expect((await commands).map((result) => result.status === 'rejected' && result.reason.code)).toEqual(['connection_lost', 'connection_lost'])
		expect(onClose.mock.calls).toEqual([[expect.objectContaining({ code: 'connection_lost' })]])
		expect(connection.closed?.code).toBe('connection_lost')
		await peer.until(() => peer.last.closed)
	})

	it('by a FIN of a peer that reads nothing closes the socket at once, with our bytes still in it', async () => {
		const peer = await startPeer()
		const opened = vi.spyOn(ModeslConnection.prototype, '_onConnect')
		const onClose = vi.fn()
		const connection = await open(peer, { onClose })
		const { socket } = opened.mock.contexts[0] as ModeslConnection
		peer.last.socket.pause()
		const command = connection.command(`api ${'x'.repeat(32 * 1024 * 1024)}`, undefined, 60_000)
		peer.last.socket.end()
		await expect(command).rejects.toMatchObject({ code: 'connection_lost', mayHaveArrived: true })
		expect(socket?.writableLength).toBeGreaterThan(0)
		expect(socket?.destroyed).toBe(true)
		expect(onClose).toHaveBeenCalledTimes(1)
	})

	it('by us writes nothing any more and may be closed again', async () => {
		const peer = await startPeer({ answer: echo })
		const onClose = vi.fn()
		const connection = await open(peer, { onClose })
		await connection.command('api a')
		const pending = connection.command('api b')
		connection.close()
		connection.close()
		await expect(pending).rejects.toMatchObject({ code: 'connection_lost' })
		await expect(connection.command('api c')).rejects.toMatchObject({ code: 'not_connected' })
		await peer.until(() => peer.last.closed)
		expect(peer.commands).not.toContain('api c')
		expect(peer.last.rest).toBe('')
		expect(onClose).toHaveBeenCalledTimes(1)
	})
})

describe('frames that nobody waits for', () => {
	it('are skipped: unreadable events, unknown types, a second greeting, a reply too many', async () => {
		const heard: WireEvent[] = []
		const odd = ['__proto__', 'constructor', '**', '*', 'a::b::c', 'error', '', 'text/event-xml', 'log/data', 'text/disconnect-notice'].map((type) => `Content-Type: ${type}\nContent-Length: 2\n\n{}`).join('')
		const broken = 'Content-Type: text/event-json\nContent-Length: 5\n\n{"a":'
		const peer = await startPeer({ answer: (command) => command === 'api a' ? `${broken}${odd}constructor: x\n\n${jsonEvent({ 'Event-Name': 'SHUTDOWN' })}${echo(command)}` : echo(command) })
		const connection = await open(peer, { onEvent: (event) => heard.push(event) })
		expect((await connection.command('api a')).text).toBe('api a')
		peer.last.socket.write(commandReply('+OK nobody asked') + AUTH_REQUEST)
		await peer.until(() => peer.last.commands.filter((command) => command === 'auth ClueCon').length === 2)
		expect((await connection.command('api b')).text).toBe('api b')
		expect(heard).toEqual([{ 'Event-Name': 'SHUTDOWN' }])
		expect(connection.closed).toBeUndefined()
	})
})
