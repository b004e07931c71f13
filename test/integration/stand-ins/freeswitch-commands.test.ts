// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The commands that act on a running call answer and tell what a real switch answered and told. */

import type { ScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'
import type { RecordedEvent } from '../../stand-ins/freeswitch/replay.ts'

import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'
import { RawClient } from '../../stand-ins/freeswitch/raw-client.ts'
import { readRecording } from '../../stand-ins/freeswitch/replay.ts'

const recording = readRecording('call_commands')
const { aUuid: a = '', bUuid: b = '' } = recording

let freeswitch: ScriptedFreeSwitch
let client: RawClient

/** The recorded call, up to its bridge. */
beforeEach(async () => {
	freeswitch = await startScriptedFreeSwitch({
		heartbeatSec: 0,
		scenario: () => ({ a: { rings: false, then: 'answers' }, b: { rings: true, then: 'answers' } }),
	})
	client = await RawClient.login(freeswitch.port)
	const originate = recording.commands.findIndex(({ line }) => line.startsWith('bgapi originate'))
	for (const { text } of recording.commands.slice(1, originate + 1)) {
		await client.ask(text.trimEnd())
	}
	await client.event('CHANNEL_BRIDGE')
})
afterEach(async () => {
	client.close()
	await freeswitch.stop()
})

/** Recorded commands and their replies, in order. */
const recorded = (() => {
	const replies = recording.frames.filter(({ contentType }) => contentType === 'api/response')
	return recording.commands.filter(({ line }) => line.startsWith('api ')).map(({ line }, index) => ({ line, body: replies[index]?.body ?? '' }))
})()

async function ask(command: string): Promise<string> {
	return (await client.ask(`api ${command}`)).body
}

function without(event: RecordedEvent | undefined): string[] | undefined {
	return event?.names.filter((name) => !name.startsWith('variable_')).toSorted()
}

describe('a command on a call', () => {
	const short = recorded.filter(({ body, line }) => body.length < 100 && !line.startsWith('api show') && !line.startsWith('api uuid_transfer'))

	it('is answered to the letter', async () => {
		// The recording goes on after A was gone: those commands have a test of their own.
		const whileUp = short.slice(0, short.findIndex(({ line }) => line.startsWith('api uuid_bridge')))
		expect(whileUp.map(({ line }) => line.split(' ')[1])).toEqual(expect.arrayContaining(['uuid_exists', 'uuid_getvar', 'uuid_setvar', 'uuid_send_dtmf', 'uuid_recv_dtmf', 'uuid_hold']))
		for (const { line, body } of whileUp) {
			expect(`${line}\n${(await client.ask(line)).body}`).toBe(`${line}\n${body}`)
		}
	})

	it('is answered to the letter when the call is gone', async () => {
		await ask(`uuid_kill ${a}`)
		await client.event('CHANNEL_DESTROY', 2)
		for (const { line, body } of short.slice(short.findIndex(({ line }) => line.startsWith('api uuid_bridge')))) {
			expect(`${line}\n${(await client.ask(line)).body}`).toBe(`${line}\n${body}`)
		}
	})

	it.each(['show channels as json', 'show calls as json', 'show bridged_calls as json'])('%s has the columns of the recorded rows', async (command) => {
		const columns = (body: string): string[][] => (JSON.parse(body) as { rows: Record<string, string>[] }).rows.map((row) => Object.keys(row))
		expect(columns(await ask(command))).toEqual(columns(recorded.find(({ line }) => line === `api ${command}`)?.body ?? ''))
	})

	it('show channels as json names both legs with their state', async () => {
		const { rows } = JSON.parse(await ask('show channels as json')) as { rows: Record<string, string>[] }
		expect(rows.map(({ uuid, callstate, call_uuid: call }) => [uuid, callstate, call])).toEqual([[a, 'ACTIVE', a], [b, 'ACTIVE', a]])
	})

	it('uuid_dump gives all that the recorded dump gives, in both formats', async () => {
		const dump = JSON.parse(await ask(`uuid_dump ${b} json`)) as Record<string, string>
		const real = JSON.parse(recorded.find(({ line }) => line.endsWith(' json') && line.includes('uuid_dump'))?.body ?? '{}') as Record<string, string>
		expect(Object.keys(dump).toSorted()).toEqual(Object.keys(real).toSorted())
		expect(dump).toMatchObject({ 'Event-Name': 'CHANNEL_DATA', 'Unique-ID': b, 'Answer-State': 'answered', variable_lab_call_id: 'call-7' })
		expect(await ask(`uuid_dump ${a}`)).toMatch(/^Event-Name: CHANNEL_DATA\n[\s\S]*\n\n$/)
	})

	it('uuid_dump of an unknown channel is -ERR No such channel!', async () => {
		expect(await ask(`uuid_dump ${randomUUID()} json`)).toBe('-ERR No such channel!\n')
	})

	it('a variable that was set shows in the events that follow', async () => {
		await ask(`uuid_setvar ${a} sipcall_note on the way`)
		await ask(`uuid_kill ${a}`)
		expect((await client.event('CHANNEL_HANGUP')).headers.variable_sipcall_note).toBe('on the way')
	})

	it('hold and resume tell the recorded events', async () => {
		await ask(`uuid_hold ${a}`)
		await ask(`uuid_hold off ${a}`)
		await client.event('CHANNEL_UNHOLD')
		await client.until(() => client.events.at(-1)?.headers['Original-Channel-Call-State'] === 'UNHELD')
		const told = (events: readonly RecordedEvent[]) => events
			.filter(({ headers }) => headers['Unique-ID'] === a && /HELD/.test(`${headers['Channel-Call-State']}${headers['Original-Channel-Call-State']}`))
			.map(({ name, headers }) => [name, headers['Channel-Call-State']])
		expect(told(client.events)).toEqual(told(recording.events))
		expect(without(client.events.find(({ name }) => name === 'CHANNEL_HOLD'))).toEqual(without(recording.events.find(({ name }) => name === 'CHANNEL_HOLD')))
	})

	// Seen on a real FreeSWITCH 1.10.12; not in the recordings.
	it('hold is refused for a leg that is held already or not held, and not for one that is not there', async () => {
		expect(await ask(`uuid_hold off ${a}`)).toBe('-ERR Operation failed\n')
		expect(await ask(`uuid_hold ${a}`)).toBe('+OK Success\n')
		expect(await ask(`uuid_hold ${a}`)).toBe('-ERR Operation failed\n')
		expect(JSON.parse(await ask(`uuid_dump ${a} json`))).toMatchObject({ 'Channel-Call-State': 'HELD' })
		expect(await ask(`uuid_hold off ${a}`)).toBe('+OK Success\n')
		expect(await ask(`uuid_hold ${randomUUID()}`)).toBe('+OK Success\n')
		expect(await ask(`uuid_hold off ${randomUUID()}`)).toBe('+OK Success\n')
	})

	it('a held leg that ends is taken back first', async () => {
		await ask(`uuid_hold ${a}`)
		await ask(`uuid_kill ${a}`)
		await client.event('CHANNEL_HANGUP_COMPLETE', 2)
		const ofA = client.events.filter(({ headers }) => headers['Unique-ID'] === a).map(({ name }) => name)
		expect(ofA.slice(ofA.indexOf('CHANNEL_HOLD')).filter((name) => /HOLD|HANGUP_COMPLETE/.test(name))).toEqual(['CHANNEL_HOLD', 'CHANNEL_UNHOLD', 'CHANNEL_HANGUP_COMPLETE'])
	})

	it('uuid_transfer of B to an inline bridge hangs A up, and joins B to a channel of its own', async () => {
		const c = randomUUID()
		expect(await ask(`uuid_transfer ${b} m:^:bridge:{origination_uuid=${c},originate_timeout=30,execute_on_answer=sched_hangup:+20}sofia/gateway/trunk/+4930777777 inline`)).toBe('+OK\n')
		const bridged = await client.event('CHANNEL_BRIDGE', 2)
		expect(bridged.headers).toMatchObject({ 'Unique-ID': b, 'Bridge-A-Unique-ID': b, 'Bridge-B-Unique-ID': c })
		const order = client.events.map(({ name, headers }) => `${name} ${headers['Unique-ID']}`)
		const places = [`CHANNEL_UNBRIDGE ${a}`, `CHANNEL_HANGUP_COMPLETE ${a}`, `CHANNEL_CREATE ${c}`, `CHANNEL_ANSWER ${c}`].map((line) => order.indexOf(line))
		expect(places).toEqual(places.toSorted((x, y) => x - y))
		expect(places).not.toContain(-1)
		expect(client.events.find(({ name, headers }) => name === 'CHANNEL_HANGUP_COMPLETE' && headers['Unique-ID'] === a)?.headers).toMatchObject({ 'Hangup-Cause': 'NORMAL_CLEARING', variable_sip_hangup_disposition: 'send_bye' })
		expect(client.events.find(({ name, headers }) => name === 'CHANNEL_CREATE' && headers['Unique-ID'] === c)?.headers.variable_lab_call_id).toBeUndefined()
		await ask(`uuid_kill ${c}`)
		await client.event('CHANNEL_HANGUP_COMPLETE', 3)
		expect(freeswitch.channels()).toEqual([])
	})

	it('received digits are events, with the recorded headers, sent ones are not', async () => {
		await ask(`uuid_send_dtmf ${b} 12#@200`)
		await ask(`uuid_recv_dtmf ${b} 34@200`)
		await client.event('DTMF', 2)
		const digits = client.events.filter(({ name }) => name === 'DTMF')
		expect(digits.map(({ headers }) => headers['DTMF-Digit'])).toEqual(['3', '4'])
		expect(digits[0]?.names).toEqual(recording.events.find(({ name }) => name === 'DTMF')?.names)
	})

	it('sched_hangup ends the call with its cause', async () => {
		expect(await ask(`sched_hangup +0 ${a} ALLOTTED_TIMEOUT`)).toBe('+OK\n')
		const end = await client.event('CHANNEL_HANGUP')
		expect([end.headers['Unique-ID'], end.headers['Hangup-Cause']]).toEqual([a, 'ALLOTTED_TIMEOUT'])
	})

	it('uuid_transfer sends A elsewhere and hangs B up', async () => {
		expect(await ask(`uuid_transfer ${a} park XML default`)).toBe('+OK\n')
		expect((await client.event('CHANNEL_PARK')).headers['Unique-ID']).toBe(a)
		expect((await client.event('CHANNEL_HANGUP_COMPLETE')).headers).toMatchObject({ 'Unique-ID': b, 'Hangup-Cause': 'NORMAL_CLEARING', 'Channel-Call-UUID': b })
		expect(freeswitch.channels().map(({ uuid }) => uuid)).toEqual([a])
	})

	it('uuid_transfer -both parks both, and uuid_bridge joins them again', async () => {
		await ask(`uuid_transfer ${a} -both park XML default`)
		await client.event('CHANNEL_PARK', 2)
		expect(await ask(`uuid_bridge ${a} ${b}`)).toBe(`+OK ${b}\n`)
		expect((await client.event('CHANNEL_BRIDGE', 2)).headers).toMatchObject({ 'Bridge-A-Unique-ID': a, 'Bridge-B-Unique-ID': b })
		await ask(`uuid_kill ${b}`)
		await client.event('CHANNEL_HANGUP_COMPLETE', 2)
		expect(freeswitch.channels()).toEqual([])
	})

	it('uuid_transfer -bleg parks B and lets A go', async () => {
		await ask(`uuid_transfer ${a} -bleg park XML default`)
		expect((await client.event('CHANNEL_PARK')).headers['Unique-ID']).toBe(b)
		expect((await client.event('CHANNEL_HANGUP_COMPLETE')).headers['Unique-ID']).toBe(a)
	})

	it('sendmsg executes an application on a parked leg', async () => {
		const [c, d] = [randomUUID(), randomUUID()]
		await client.ask(`bgapi originate {origination_uuid=${c}}user/1000@127.0.0.1 &park`)
		await client.event('CHANNEL_PARK')
		await client.ask(`sendmsg ${c}\ncall-command: execute\nexecute-app-name: bridge\nexecute-app-arg: {origination_uuid=${d}}sofia/gateway/trunk/+4930123400`)
		expect((await client.event('CHANNEL_BRIDGE', 2)).headers).toMatchObject({ 'Bridge-A-Unique-ID': c, 'Bridge-B-Unique-ID': d })
	})
})
