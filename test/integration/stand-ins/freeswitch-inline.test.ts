// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** A leg that executes a list of applications: as it went on FreeSWITCH 1.10.12, which was asked the same. */

import type { ScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'

import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tonesOf } from '../../../lib/esl/code-call.ts'
import { startScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'
import { RawClient } from '../../stand-ins/freeswitch/raw-client.ts'

const EVENTS = ['CHANNEL_CREATE', 'CHANNEL_PROGRESS', 'CHANNEL_ANSWER', 'BACKGROUND_JOB', 'CHANNEL_HANGUP', 'CHANNEL_HANGUP_COMPLETE', 'CHANNEL_DESTROY']

let freeSwitch: ScriptedFreeSwitch
let client: RawClient

beforeEach(async () => {
	freeSwitch = await startScriptedFreeSwitch({ speed: Infinity, heartbeatSec: 0 })
	client = await RawClient.login(freeSwitch.port)
	await client.ask(`event json ${EVENTS.join(' ')}`)
})

afterEach(async () => {
	client.close()
	await freeSwitch.stop()
})

async function play(applications: string): Promise<{ names: string[], cause: string | undefined, talkMs: number }> {
	await client.ask(`bgapi originate {origination_uuid=${randomUUID()},ignore_early_media=true}sofia/gateway/trunk/+4930123456 m:^:${applications} inline`)
	const { headers } = await client.event('CHANNEL_HANGUP_COMPLETE')
	await client.event('CHANNEL_DESTROY')
	return { names: client.events.map(({ name }) => name), cause: headers['Hangup-Cause'], talkMs: Number(headers.variable_billmsec) }
}

describe('a leg with a list of applications', () => {
	it('is played the beeps of 0907 for 72 seconds and then hung up by the switch', async () => {
		const { names, cause, talkMs } = await play(`sched_hangup:+90^sleep:1000^playback:tone_stream://${tonesOf('0907')}`)
		expect(names).toEqual(EVENTS)
		expect(cause).toBe('NORMAL_CLEARING')
		expect(Math.round(talkMs / 1000)).toBe(72)
		expect(freeSwitch.heard).toMatchObject([{ number: '+4930123456', texts: ['0907', '0907', '0907'] }])
	})

	it('is ended by sched_hangup within the beeps', async () => {
		const { cause, talkMs } = await play(`sched_hangup:+2^sleep:1000^playback:tone_stream://${tonesOf('1111')}`)
		expect(cause).toBe('ALLOTTED_TIMEOUT')
		expect(Math.round(talkMs / 1000)).toBe(2)
	})

	it('that is not picked up hears nothing', async () => {
		await client.ask('bgapi originate {originate_timeout=30,ignore_early_media=true}sofia/gateway/trunk/+4915123456919 m:^:playback:tone_stream://%(200,2000,700) inline')
		const { headers } = await client.event('CHANNEL_HANGUP_COMPLETE')
		expect(headers['Hangup-Cause']).toBe('NO_ANSWER')
		expect(freeSwitch.heard).toEqual([])
	})
})
