// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Two clients that know nothing of SIPCall drive the stand-in as they would drive a real switch. */

import type { FreeSwitchResponse } from 'esl'
import type { Connection, Event } from 'modesl'
import type { ScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'

import { FreeSwitchClient } from 'esl'
import modesl from 'modesl'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'

const EVENTS = ['CHANNEL_CREATE', 'CHANNEL_PROGRESS', 'CHANNEL_ANSWER', 'CHANNEL_BRIDGE', 'CHANNEL_HANGUP_COMPLETE', 'BACKGROUND_JOB'] as const

function originateLine(a: string, b: string): string {
	return `originate {origination_uuid=${a},originate_timeout=30,ignore_early_media=true,sipcall_call_id=call-7}sofia/external/sip:1000@127.0.0.1:5091 &bridge({origination_uuid=${b},sipcall_call_id=call-7}sofia/gateway/trunk/+4930123401)`
}

/** What a client must have heard of a call that the callee ends. */
const EXPECTED = [
	'a CHANNEL_CREATE',
	'a CHANNEL_PROGRESS',
	'a CHANNEL_ANSWER',
	'b CHANNEL_CREATE',
	'b CHANNEL_PROGRESS',
	'b CHANNEL_ANSWER',
	'a CHANNEL_BRIDGE',
	'b CHANNEL_HANGUP_COMPLETE recv_bye',
	'a CHANNEL_HANGUP_COMPLETE send_bye',
]

let freeswitch: ScriptedFreeSwitch
let uuids: { a: string, b: string }
const undo: (() => void)[] = []

beforeEach(async () => {
	freeswitch = await startScriptedFreeSwitch({ heartbeatSec: 0 })
	uuids = { a: randomUUID(), b: randomUUID() }
})
afterEach(async () => {
	undo.splice(0).forEach((step) => step())
	await freeswitch.stop()
})

/** Collects a call until both legs have ended. */
function listen(): { heard: string[], take: (headers: Readonly<Record<string, string | undefined>>) => void, ended: Promise<void> } {
	const heard: string[] = []
	const end = Promise.withResolvers<void>()
	return {
		heard,
		ended: end.promise,
		take: (headers) => {
			const leg = headers['Unique-ID'] === uuids.a ? 'a' : 'b'
			heard.push([leg, headers['Event-Name'], headers.variable_sip_hangup_disposition].filter((part) => part !== undefined).join(' '))
			if (heard.filter((line) => line.includes('HANGUP_COMPLETE')).length === 2) {
				end.resolve()
			}
		},
	}
}

describe('modesl', () => {
	function connect(password: string): { connection: Connection, outcome: Promise<'accepted' | 'refused'> } {
		const outcome = Promise.withResolvers<'accepted' | 'refused'>()
		const connection = new modesl.Connection('127.0.0.1', freeswitch.port, password, () => outcome.resolve('accepted'))
		connection.on('esl::event::auth::fail', () => outcome.resolve('refused'))
		connection.on('error', (error: Error) => outcome.reject(error))
		undo.push(() => connection.socket?.destroy())
		return { connection, outcome: outcome.promise }
	}

	it('sees a call through from its originate to the end of both legs', async () => {
		const { connection, outcome } = connect('ClueCon')
		expect(await outcome).toBe('accepted')
		const { ended, heard, take } = listen()
		const job = Promise.withResolvers<string>()
		for (const name of EVENTS) {
			connection.on(`esl::event::${name}::**`, (event: Event) => {
				if (name === 'BACKGROUND_JOB') {
					job.resolve(event.getBody())
				} else {
					take(Object.fromEntries(['Unique-ID', 'Event-Name', 'variable_sip_hangup_disposition'].map((header) => [header, event.getHeader(header) ?? undefined])))
				}
			})
		}
		await new Promise<void>((resolve) => {
			connection.subscribe([...EVENTS], () => resolve())
		})
		connection.send(`bgapi ${originateLine(uuids.a, uuids.b)}`)
		await ended
		expect(heard).toEqual(EXPECTED)
		expect(await job.promise).toBe(`+OK ${uuids.a}\n`)
	})

	it('is refused with a wrong password', async () => {
		expect(await connect('wrong').outcome).toBe('refused')
		expect(freeswitch.clients).toBe(0)
	})
})

describe('the npm package esl', () => {
	const silent = { debug: () => {}, info: () => {}, error: () => {} }

	function connect(password: string): { client: FreeSwitchClient, outcome: Promise<FreeSwitchResponse> } {
		const client = new FreeSwitchClient({ host: '127.0.0.1', port: freeswitch.port, password, logger: silent })
		const outcome = Promise.withResolvers<FreeSwitchResponse>()
		client.on('connect', (response) => outcome.resolve(response))
		client.on('error', (error) => outcome.reject(error))
		undo.push(() => client.end())
		client.connect()
		return { client, outcome: outcome.promise }
	}

	it('sees a call through from its originate to the end of both legs', async () => {
		const response = await connect('ClueCon').outcome
		const { ended, heard, take } = listen()
		for (const name of EVENTS) {
			if (name !== 'BACKGROUND_JOB') {
				response.on(name, ({ body }) => take(body as unknown as Record<string, string>))
			}
		}
		await response.event_json(...EVENTS)
		const job = await response.bgapi(originateLine(uuids.a, uuids.b), 60_000)
		await ended
		expect(heard).toEqual(EXPECTED)
		expect(JSON.stringify(job.body)).toContain(`+OK ${uuids.a}`)
	})

	it('is refused with a wrong password', async () => {
		const { client, outcome } = connect('wrong')
		// It reports the refusal as an error and would try for ever.
		await expect(outcome).rejects.toBeDefined()
		client.end()
		expect(freeswitch.clients).toBe(0)
		expect(freeswitch.commands.map(({ command }) => command)).toContain('auth wrong')
	})
})
