// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The Event Socket of the stand-in: framing, replies, subscriptions, and the faults that tests can make. */

import type { ScriptedFreeSwitch, ScriptedFreeSwitchOptions } from '../../stand-ins/freeswitch/index.ts'

import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { startScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'
import { RawClient } from '../../stand-ins/freeswitch/raw-client.ts'
import { readRecording } from '../../stand-ins/freeswitch/replay.ts'

const CALL = 'originate {origination_uuid=a}user/1000@127.0.0.1 &bridge({origination_uuid=b}sofia/gateway/trunk/+4930123400)'

const undo: (() => void | Promise<void>)[] = []
afterEach(async () => {
	for (const step of undo.splice(0).toReversed()) {
		await step()
	}
})

async function start(options: ScriptedFreeSwitchOptions = {}): Promise<ScriptedFreeSwitch> {
	const freeswitch = await startScriptedFreeSwitch({ heartbeatSec: 0, ...options })
	undo.push(() => freeswitch.stop())
	return freeswitch
}

async function login(freeswitch: ScriptedFreeSwitch, ...commands: string[]): Promise<RawClient> {
	const client = await RawClient.login(freeswitch.port)
	undo.push(() => client.close())
	for (const command of commands) {
		await client.ask(command)
	}
	return client
}

/** All bytes the switch sends until it closes. */
async function bytesFor(freeswitch: ScriptedFreeSwitch, sent: Buffer): Promise<string> {
	const socket = connect(freeswitch.port, '127.0.0.1')
	const chunks: Buffer[] = []
	socket.on('data', (chunk: Buffer) => chunks.push(chunk))
	socket.write(sent)
	await once(socket, 'close')
	return Buffer.concat(chunks).toString()
}

describe('the bytes of the switch', () => {
	it.each(['auth_ok', 'auth_bad', 'cmd_before_auth', 'userauth_bad'])('are those of the recording %s', async (name) => {
		const recording = readRecording(name)
		expect(await bytesFor(await start(), recording.client)).toBe(recording.server.toString())
	})

	it('are the same for the recorded questions, but for the numbers in the answers', async () => {
		const recording = readRecording('status_commands')
		const client = await login(await start({ gateways: { trunk: 'UP' } }))
		const replies = recording.frames.filter(({ contentType }) => contentType === 'api/response')
		const asked = recording.commands.filter(({ line }) => line.startsWith('api '))
		expect(asked).toHaveLength(replies.length)
		const alike = /^api (?:status|version|sofia (?:xml)?status gateway (?:trunk|nosuch)|sofia gwlist|show|global_getvar|switchname|hostname|uptime|strepoch|nosuchcommand|fsctl|create_uuid)/
		for (const [index, { line }] of asked.entries()) {
			if (alike.test(line)) {
				const general = (text = '') => text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UUID').replace(/\d+ (\w+?)s?\b/g, '# $1').replace(/\d+/g, '#')
				expect(`${line}\n${general((await client.ask(line)).body)}`).toBe(`${line}\n${general(replies[index]?.body)}`)
			}
		}
	})
})

describe('replies', () => {
	it.each([
		['event plain', '-ERR no keywords supplied'],
		['event plain NOSUCH', '-ERR no keywords supplied'],
		['event json ALL', '+OK event listener enabled json'],
		['event plain CHANNEL_ANSWER NOSUCH', '+OK event listener enabled plain'],
		['nixevent CHANNEL_ANSWER', '+OK events nixed'],
		['noevents', '-ERR not listening for events'],
		['filter Unique-ID', '-ERR invalid syntax'],
		['filter', '-ERR command not found'],
		['filter Unique-ID 1', '+OK filter added. [Unique-ID]=[1]'],
		['filter delete all', '+OK filter deleted. [all][]'],
		['log 6', '+OK log level 6 [6]'],
		['nosuch', '-ERR command not found'],
		['api', '-ERR command not found'],
		['bgapi', '-ERR command not found'],
		['sendmsg 5b67\ncall-command: hangup', '-ERR invalid session id [5b67]'],
		['divert_events on', '-ERR not controlling a session.'],
		['linger', '-ERR not controlling a session'],
		['exit', '+OK bye'],
	])('"%s" is answered with "%s"', async (command, text) => {
		const client = await login(await start())
		expect((await client.ask(command)).headers['Reply-Text']).toBe(text)
	})

	it('name the job in the text and in a header of their own, and keep a chosen one', async () => {
		const client = await login(await start())
		expect((await client.ask('bgapi status\nJob-UUID: my-own-id-42')).headers).toMatchObject({ 'Reply-Text': '+OK Job-UUID: my-own-id-42', 'Job-UUID': 'my-own-id-42' })
	})

	it('give empty output as -ERR no reply', async () => {
		const client = await login(await start())
		expect((await client.ask('api global_getvar nosuch')).body).toBe('-ERR no reply\n')
	})

	it('let a header Content-Length swallow what follows', async () => {
		const client = await login(await start())
		client.send('api version short\nContent-Length: 18\n\napi global_getvar\n\napi hostname\n\n')
		await client.until(() => client.frames.length >= 4)
		expect(client.frames.slice(2).map(({ body }) => body)).toEqual(['1.10.12-release\n', 'fs.example'])
	})

	it('admit a user of the directory', async () => {
		const freeswitch = await start({ users: { nextcloud: 'eslpass' } })
		const client = await RawClient.connect(freeswitch.port)
		undo.push(() => client.close())
		expect((await client.ask('userauth nextcloud@127.0.0.1:eslpass')).headers['Reply-Text']).toBe('+OK accepted')
	})
})

describe('events', () => {
	it('wait while half a command lies in the buffer', async () => {
		const freeswitch = await start()
		const client = await login(freeswitch, 'event plain CHANNEL_CREATE')
		const other = await login(freeswitch, 'event plain CHANNEL_CREATE')
		// One write: once the first command is answered, the half of the second one has arrived.
		client.send('api hostname\n\napi sta')
		await client.until(() => client.frames.at(-1)?.body === 'fs.example')
		await other.ask(`bgapi ${CALL}`)
		await other.event('CHANNEL_CREATE', 2)
		expect(client.events).toHaveLength(0)
		client.send('tus\n\n')
		await client.event('CHANNEL_CREATE', 2)
		expect(client.frames.slice(4).map(({ contentType }) => contentType)).toEqual(['api/response', 'text/event-plain', 'text/event-plain'])
	})

	it('wait behind an originate by api, which answers when A does', async () => {
		const client = await login(await start(), 'event plain CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_PARK')
		const reply = await client.ask('api originate {origination_uuid=a}user/1000@127.0.0.1 &park')
		expect(reply.body).toBe('+OK a\n')
		expect(client.frames.slice(0, client.frames.indexOf(reply)).some(({ contentType }) => contentType.startsWith('text/event'))).toBe(false)
		await client.event('CHANNEL_PARK')
	})

	it('go to every subscriber, the result of a job too', async () => {
		const freeswitch = await start()
		const one = await login(freeswitch, 'event json BACKGROUND_JOB')
		const two = await login(freeswitch, 'event plain BACKGROUND_JOB')
		await one.ask('bgapi status\nJob-UUID: 7')
		const [json, plain] = [await one.event('BACKGROUND_JOB'), await two.event('BACKGROUND_JOB')]
		expect(json.headers['Job-UUID']).toBe('7')
		expect({ ...plain.headers, body: plain.body }).toEqual({ ...json.headers, body: json.body })
	})

	it('pass a filter only when they have its header: a filter on a leg drops the job', async () => {
		const client = await login(await start(), 'event plain ALL', 'filter Unique-ID a')
		await client.ask(`bgapi ${CALL}`)
		await client.event('CHANNEL_BRIDGE')
		expect(new Set(client.events.map(({ headers }) => headers['Unique-ID']))).toEqual(new Set(['a']))
	})

	it('come twice when doubled, with the same number', async () => {
		const client = await login(await start({ doubleEvents: true }), 'event plain CHANNEL_CREATE')
		await client.ask(`bgapi ${CALL}`)
		const [first, second] = [await client.event('CHANNEL_CREATE'), await client.event('CHANNEL_CREATE', 2)]
		expect(second.headers).toEqual(first.headers)
	})

	it('HEARTBEAT has the headers of the recorded one and tells the limit', async () => {
		const client = await login(await start({ heartbeatSec: 0.01 }), 'event json HEARTBEAT')
		const beat = await client.event('HEARTBEAT')
		expect(beat.names).toEqual(readRecording('heartbeat_json').events[0]?.names)
		expect(beat.headers['Session-Per-Sec']).toBe('30')
	})

	it('tell the state of a gateway with ping, and calls through it fail while it is down', async () => {
		const freeswitch = await start()
		const client = await login(freeswitch, 'event plain BACKGROUND_JOB CUSTOM sofia::gateway_state')
		freeswitch.setGateway('trunk', 'DOWN')
		const event = await client.event('CUSTOM')
		expect(event.names).toEqual(readRecording('gateway_pinged_down').events[1]?.names)
		await client.ask('bgapi originate sofia/gateway/trunk/123 &park')
		expect((await client.event('BACKGROUND_JOB')).body).toBe('-ERR GATEWAY_DOWN\n')
	})
})

describe('faults', () => {
	it('deny answers an api command with a command/reply', async () => {
		const freeswitch = await start()
		const client = await login(freeswitch)
		freeswitch.onCommand = (command) => command.startsWith('api') ? 'deny' : undefined
		const reply = await client.ask('api status')
		expect([reply.contentType, reply.headers['Reply-Text']]).toEqual(['command/reply', '-ERR permission denied'])
	})

	it('drop executes the command and cuts the line before the reply', async () => {
		const freeswitch = await start()
		const client = await login(freeswitch)
		freeswitch.onCommand = (command) => command.startsWith('bgapi') ? 'drop' : undefined
		client.send(`bgapi ${CALL}\nJob-UUID: 7\n\n`)
		await client.until(() => client.ended)
		await freeswitch.until(() => freeswitch.channels().length === 2)
		expect(client.frames).toHaveLength(2)
		expect(freeswitch.originates.map(({ jobUuid }) => jobUuid)).toEqual(['7'])
	})

	it('drop-unheard cuts the line and executes nothing', async () => {
		const freeswitch = await start()
		const client = await login(freeswitch)
		freeswitch.onCommand = (command) => command.startsWith('bgapi') ? 'drop-unheard' : undefined
		client.send(`bgapi ${CALL}\n\n`)
		await client.until(() => client.ended)
		expect(freeswitch.originates).toHaveLength(0)
	})

	it('ignore neither executes nor answers, and the next command is answered', async () => {
		const freeswitch = await start()
		const client = await login(freeswitch)
		freeswitch.onCommand = (command) => command.startsWith('bgapi') ? 'ignore' : undefined
		client.send(`bgapi ${CALL}\n\n`)
		expect((await client.ask('api hostname')).body).toBe('fs.example')
		expect(freeswitch.originates).toHaveLength(0)
	})

	it('a frozen switch says nothing and goes on where it stopped', async () => {
		const freeswitch = await start()
		const client = await login(freeswitch)
		freeswitch.freeze()
		client.send('api hostname\n\n')
		await freeswitch.until(() => freeswitch.commands.at(-1)?.command === 'api hostname')
		expect(client.frames).toHaveLength(2)
		freeswitch.resume()
		await client.until(() => client.frames.length === 3)
		expect(client.frames.at(-1)?.body).toBe('fs.example')
	})

	it('cuts only the lines with a subscription when asked to', async () => {
		const freeswitch = await start()
		const events = await login(freeswitch, 'event plain CHANNEL_CREATE')
		const commands = await login(freeswitch)
		freeswitch.dropConnections('subscribed')
		await events.until(() => events.ended)
		expect((await commands.ask('api hostname')).body).toBe('fs.example')
	})

	it('a shutdown ends every leg with SYSTEM_SHUTDOWN, says so and comes back as another core', async () => {
		const freeswitch = await start()
		const client = await login(freeswitch, 'event plain ALL', `bgapi ${CALL}`)
		await client.event('CHANNEL_BRIDGE')
		const before = freeswitch.coreUuid
		const back = freeswitch.restart()
		await client.until(() => client.ended)
		expect(client.frames.at(-1)).toMatchObject({ contentType: 'text/disconnect-notice', body: 'The system is being shut down.\n' })
		const ends = client.events.filter(({ name }) => name === 'CHANNEL_HANGUP_COMPLETE')
		expect(ends.map(({ headers }) => headers['Hangup-Cause'])).toEqual(['SYSTEM_SHUTDOWN', 'SYSTEM_SHUTDOWN'])
		await back
		expect(freeswitch.coreUuid).not.toBe(before)
		expect((await (await login(freeswitch)).ask('api show channels as json')).body).toBe('{"row_count": 0}\n')
	})

	it('an abrupt end leaves no word', async () => {
		const freeswitch = await start()
		const client = await login(freeswitch, 'event plain ALL', `bgapi ${CALL}`)
		await client.event('CHANNEL_BRIDGE')
		await freeswitch.restart({ abrupt: true })
		await client.until(() => client.ended)
		expect(client.events.some(({ name }) => name === 'SHUTDOWN' || name === 'CHANNEL_HANGUP')).toBe(false)
	})
})
