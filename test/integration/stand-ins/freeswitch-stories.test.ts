// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The stories: what each leg of a call ends with. The figures are those of the outcome table of the recordings. */

import type { ScenarioName, ScriptedFreeSwitch, ScriptedFreeSwitchOptions } from '../../stand-ins/freeswitch/index.ts'

import { afterEach, describe, expect, it } from 'vitest'
import { startScriptedFreeSwitch, STORIES } from '../../stand-ins/freeswitch/index.ts'
import { RawClient } from '../../stand-ins/freeswitch/raw-client.ts'
import { storiesByNumber } from '../../stand-ins/freeswitch/stories.ts'
import { parseOriginate } from '../../stand-ins/freeswitch/tokenizer.ts'

const undo: (() => void | Promise<void>)[] = []
afterEach(async () => {
	for (const step of undo.splice(0).toReversed()) {
		await step()
	}
})

interface Stage {
	freeswitch: ScriptedFreeSwitch
	client: RawClient
}

async function begin(options: ScriptedFreeSwitchOptions, { a = 'originate_timeout=30', b = 'originate_timeout=5', gateways = ['trunk'] } = {}): Promise<Stage> {
	const freeswitch = await startScriptedFreeSwitch({ heartbeatSec: 0, ...options })
	undo.push(() => freeswitch.stop())
	const client = await RawClient.login(freeswitch.port)
	undo.push(() => client.close())
	await client.ask('event json ALL')
	const targets = gateways.map((gateway, index) => `[origination_uuid=b${index === 0 ? '' : index + 1}]sofia/gateway/${gateway}/+4930123456`).join('|')
	await client.ask(`bgapi originate {origination_uuid=a,ignore_early_media=true,${a}}sofia/external/sip:1000@127.0.0.1:5091 &bridge({${b}}${targets})`)
	return { freeswitch, client }
}

/** How a leg ended: cause / final SIP status / who said it. */
function ending(client: RawClient, uuid: string): string {
	const event = client.events.find(({ name, headers }) => name === 'CHANNEL_HANGUP_COMPLETE' && headers['Unique-ID'] === uuid)
	if (event === undefined) {
		return 'none'
	}
	const { headers } = event
	return [headers['Hangup-Cause'], headers.variable_sip_term_status ?? '-', headers.variable_sip_hangup_disposition].join(' / ')
}

/** Waits for the end of the call and gives its outcome. */
async function outcome({ client, freeswitch }: Stage): Promise<{ job: string | undefined, a: string, b: string, disposition: string | undefined }> {
	const { body } = await client.event('BACKGROUND_JOB')
	await freeswitch.until(() => freeswitch.channels().length === 0)
	const last = client.events.find(({ name }) => name === 'BACKGROUND_JOB')?.headers['Event-Sequence']
	await client.until(() => last !== undefined && (body?.startsWith('-ERR') || client.events.some(({ name, headers }) => name === 'CHANNEL_DESTROY' && headers['Unique-ID'] === 'a')))
	const ofA = client.events.find(({ name, headers }) => name === 'CHANNEL_HANGUP_COMPLETE' && headers['Unique-ID'] === 'a')
	return { job: body?.trim(), a: ending(client, 'a'), b: ending(client, 'b'), disposition: ofA?.headers.variable_originate_disposition }
}

describe('a story ends', () => {
	it.each<[ScenarioName, string, string, string, string | undefined]>([
		['answer_callee_hangs_up', '+OK a', 'NORMAL_CLEARING / 200 / recv_bye', 'NORMAL_CLEARING / - / send_bye', 'SUCCESS'],
		['a_hangs_up_talking', '+OK a', 'NORMAL_CLEARING / - / send_bye', 'NORMAL_CLEARING / 200 / recv_bye', 'SUCCESS'],
		['a_hangs_up_while_b_rings', '+OK a', 'ORIGINATOR_CANCEL / - / send_cancel', 'NORMAL_CLEARING / 200 / recv_bye', 'ORIGINATOR_CANCEL'],
		['busy', '+OK a', 'USER_BUSY / 486 / recv_refuse', 'USER_BUSY / - / send_bye', 'USER_BUSY'],
		['no_answer_480', '+OK a', 'NO_USER_RESPONSE / 480 / recv_refuse', 'NORMAL_CLEARING / - / send_bye', 'NO_USER_RESPONSE'],
		['no_answer_480_q850', '+OK a', 'NO_ANSWER / 480 / recv_refuse', 'NORMAL_CLEARING / - / send_bye', 'NO_ANSWER'],
		['no_answer_timeout', '+OK a', 'NO_ANSWER / - / send_cancel', 'NORMAL_CLEARING / - / send_bye', 'NO_ANSWER'],
		['not_found_404', '+OK a', 'UNALLOCATED_NUMBER / 404 / recv_refuse', 'UNALLOCATED_NUMBER / - / send_bye', 'UNALLOCATED_NUMBER'],
		['reject_403', '+OK a', 'CALL_REJECTED / 403 / recv_refuse', 'CALL_REJECTED / - / send_bye', 'CALL_REJECTED'],
		['reject_603', '+OK a', 'CALL_REJECTED / 603 / recv_refuse', 'CALL_REJECTED / - / send_bye', 'CALL_REJECTED'],
		['unavailable_503', '+OK a', 'NORMAL_TEMPORARY_FAILURE / 503 / recv_refuse', 'NORMAL_TEMPORARY_FAILURE / - / send_bye', 'NORMAL_TEMPORARY_FAILURE'],
		['gateway_down', '+OK a', 'NORMAL_TEMPORARY_FAILURE / 503 / recv_refuse', 'NORMAL_TEMPORARY_FAILURE / - / send_bye', 'NORMAL_TEMPORARY_FAILURE'],
		['gateway_pinged_down', '+OK a', 'none', 'GATEWAY_DOWN / - / send_bye', 'GATEWAY_DOWN'],
		['invalid_gateway', '+OK a', 'none', 'INVALID_GATEWAY / - / send_bye', 'INVALID_GATEWAY'],
		['early_media_then_404', '+OK a', 'UNALLOCATED_NUMBER / 404 / recv_refuse', 'UNALLOCATED_NUMBER / - / send_bye', 'UNALLOCATED_NUMBER'],
		['a_no_answer', '-ERR NO_ANSWER', 'none', 'NO_ANSWER / - / send_cancel', undefined],
		['a_busy', '-ERR USER_BUSY', 'none', 'USER_BUSY / 486 / recv_refuse', undefined],
		['a_declined', '-ERR CALL_REJECTED', 'none', 'CALL_REJECTED / 603 / recv_refuse', undefined],
		['a_offline', '-ERR NORMAL_TEMPORARY_FAILURE', 'none', 'NORMAL_TEMPORARY_FAILURE / 503 / recv_refuse', undefined],
		['a_not_registered', '-ERR USER_NOT_REGISTERED', 'none', 'none', undefined],
	])('%s: %s, B %s, A %s', async (name, job, b, a, disposition) => {
		const stage = await begin({ scenario: () => name, speed: Infinity })
		expect(await outcome(stage)).toEqual({ job, a, b, disposition })
	})

	it('with the durations of the pace although nobody waits for them', async () => {
		const stage = await begin({ scenario: () => 'answer_callee_hangs_up', speed: Infinity, pace: { talks: 20_000, destinationRings: 3_000 } })
		await outcome(stage)
		const end = stage.client.events.find(({ name, headers }) => name === 'CHANNEL_HANGUP_COMPLETE' && headers['Unique-ID'] === 'b')
		expect(end?.headers).toMatchObject({ variable_billmsec: '20000', variable_mduration: '23000' })
	})
})

describe('uuid_kill works at any moment', () => {
	it('while A rings', async () => {
		const stage = await begin({ pace: { phoneRings: Infinity } })
		await stage.client.event('CHANNEL_PROGRESS')
		expect((await stage.client.ask('api uuid_kill a')).body).toBe('+OK\n')
		expect(await outcome(stage)).toEqual({ job: '-ERR NORMAL_CLEARING', a: 'NORMAL_CLEARING / - / send_cancel', b: 'none', disposition: undefined })
	})

	it('of A while B rings', async () => {
		const stage = await begin({ pace: { destinationRings: Infinity } }, { b: 'originate_timeout=600' })
		await stage.client.event('CHANNEL_PROGRESS', 2)
		await stage.client.ask('api uuid_kill a')
		expect(await outcome(stage)).toMatchObject({ a: 'NORMAL_CLEARING / - / send_bye', b: 'ORIGINATOR_CANCEL / - / send_cancel', disposition: 'ORIGINATOR_CANCEL' })
	})

	it('of B while it rings, with the cause of the command', async () => {
		const stage = await begin({ pace: { destinationRings: Infinity } }, { b: 'originate_timeout=600' })
		await stage.client.event('CHANNEL_PROGRESS', 2)
		await stage.client.ask('api uuid_kill b CALL_REJECTED')
		expect(await outcome(stage)).toMatchObject({ a: 'CALL_REJECTED / - / send_bye', b: 'CALL_REJECTED / - / send_cancel' })
	})

	it('of either leg while they talk, with the cause of the command', async () => {
		const stage = await begin({})
		await stage.client.event('CHANNEL_BRIDGE')
		await stage.client.ask('api uuid_kill b CALL_REJECTED')
		expect(await outcome(stage)).toMatchObject({ a: 'NORMAL_CLEARING / - / send_bye', b: 'CALL_REJECTED / - / send_bye' })
		expect((await stage.client.ask('api uuid_kill b')).body).toBe('-ERR No such channel!\n')
		expect((await stage.client.ask('api uuid_exists a')).body).toBe('false')
	})

	it('and a party can do the same', async () => {
		const stage = await begin({})
		await stage.client.event('CHANNEL_BRIDGE')
		stage.freeswitch.hangUp('b')
		expect(await outcome(stage)).toMatchObject({ b: 'NORMAL_CLEARING / 200 / recv_bye' })
	})

	it('and a ringing party can pick up', async () => {
		const stage = await begin({ pace: { phoneRings: Infinity, destinationRings: Infinity } }, { b: 'originate_timeout=600' })
		await stage.client.event('CHANNEL_PROGRESS')
		stage.freeswitch.answer('a')
		await stage.client.event('CHANNEL_PROGRESS', 2)
		stage.freeswitch.answer('b')
		await stage.client.event('CHANNEL_BRIDGE')
		expect(stage.freeswitch.channels().map(({ leg, state }) => `${leg} ${state}`)).toEqual(['a answered', 'b answered'])
	})
})

describe('limits of a call', () => {
	it('execute_on_answer arms a limit on A that ends the call with ALLOTTED_TIMEOUT', async () => {
		const stage = await begin({ speed: Infinity }, { a: 'execute_on_answer=\'sched_hangup +60 ALLOTTED_TIMEOUT\'' })
		expect(await outcome(stage)).toMatchObject({ a: 'ALLOTTED_TIMEOUT / - / send_bye', b: 'NORMAL_CLEARING / - / send_bye' })
	})

	it('leg_timeout ends a ringing leg with ALLOTTED_TIMEOUT, unlike originate_timeout', async () => {
		const stage = await begin({ scenario: () => 'no_answer_timeout', speed: Infinity }, { b: 'leg_timeout=5' })
		expect(await outcome(stage)).toMatchObject({ b: 'ALLOTTED_TIMEOUT / - / send_cancel', disposition: 'ALLOTTED_TIMEOUT' })
	})

	it('refuses a taken uuid and more channels a second than allowed with DESTINATION_OUT_OF_ORDER', async () => {
		const { client } = await begin({ sessionsPerSecond: 4 })
		await client.event('CHANNEL_BRIDGE')
		await client.ask('bgapi originate {origination_uuid=a}user/1000@127.0.0.1 &park\nJob-UUID: taken')
		await client.ask('bgapi originate {origination_uuid=c}user/1000@127.0.0.1 &park\nJob-UUID: third')
		await client.ask('bgapi originate {origination_uuid=d}user/1000@127.0.0.1 &park\nJob-UUID: fourth')
		await client.event('BACKGROUND_JOB', 4)
		const results = client.events.filter(({ name }) => name === 'BACKGROUND_JOB').map(({ headers, body }) => [headers['Job-UUID'], body])
		expect(Object.fromEntries(results)).toMatchObject({ taken: '-ERR DESTINATION_OUT_OF_ORDER\n', third: '+OK c\n', fourth: '-ERR DESTINATION_OUT_OF_ORDER\n' })
	})
})

describe('two gateways with | between them', () => {
	it.each<ScenarioName>(['busy', 'reject_603', 'no_answer_480', 'unavailable_503', 'gateway_pinged_down'])('the second one is tried after %s', async (first) => {
		const { client } = await begin({ scenario: () => [first, 'answer_until_hangup'] }, { gateways: ['one', 'two'] })
		expect((await client.event('CHANNEL_BRIDGE')).headers['Bridge-B-Unique-ID']).toBe('b2')
	})

	it('the second one is not tried after our own timeout', async () => {
		const stage = await begin({ scenario: () => ['no_answer_timeout', 'answer_until_hangup'], speed: Infinity }, { gateways: ['one', 'two'] })
		expect(await outcome(stage)).toMatchObject({ disposition: 'NO_ANSWER' })
		expect(ending(stage.client, 'b2')).toBe('none')
	})

	it('the second one is not tried after a cause that fail_on_single_reject names', async () => {
		const stage = await begin({ scenario: () => ['busy', 'answer_until_hangup'] }, { gateways: ['one', 'two'], b: 'leg_timeout=30,fail_on_single_reject=USER_BUSY:CALL_REJECTED' })
		expect(await outcome(stage)).toMatchObject({ disposition: 'USER_BUSY' })
		expect(ending(stage.client, 'b2')).toBe('none')
	})

	it('fail_on_single_reject=true forbids the second one only when the first made no channel', async () => {
		const setting = { gateways: ['one', 'two'], b: 'fail_on_single_reject=true' }
		const { client } = await begin({ scenario: () => ['busy', 'answer_until_hangup'] }, setting)
		await client.event('CHANNEL_BRIDGE')
		expect(await outcome(await begin({ scenario: () => ['gateway_pinged_down', 'answer_until_hangup'] }, setting))).toMatchObject({ disposition: 'GATEWAY_DOWN' })
	})

	it('the second one is tried after a leg that gave no sign within leg_progress_timeout', async () => {
		const { client } = await begin({ scenario: () => ['gateway_silent', 'answer_until_hangup'], speed: Infinity }, { gateways: ['one', 'two'], b: 'leg_progress_timeout=10' })
		await client.event('CHANNEL_BRIDGE')
		expect(ending(client, 'b')).toBe('PROGRESS_TIMEOUT / - / send_cancel')
	})

	it('a list in fail_on_single_reject puts originate_timeout out of action', async () => {
		const stage = await begin({ scenario: () => 'no_answer_timeout', speed: Infinity }, { b: 'originate_timeout=5,leg_timeout=60,fail_on_single_reject=USER_BUSY' })
		expect(await outcome(stage)).toMatchObject({ b: 'ALLOTTED_TIMEOUT / - / send_cancel' })
	})
})

describe('the order of events', () => {
	it.each(['before-answer-events', 'after-answer', 'after-ring-wait', 'after-b-create', 'last'] as const)('has BACKGROUND_JOB %s', async (jobPlace) => {
		const stage = await begin({ scenario: () => 'answer_callee_hangs_up', jobPlace })
		await outcome(stage)
		const names = stage.client.events.map(({ name, headers }) => name === 'BACKGROUND_JOB' ? 'JOB' : `${headers['Unique-ID']} ${name} ${headers['Channel-Call-State']}`)
		const neighbours = {
			'before-answer-events': 'a CHANNEL_CALLSTATE RINGING',
			'after-answer': 'a CHANNEL_CALLSTATE ACTIVE',
			'after-ring-wait': 'a CHANNEL_CALLSTATE RING_WAIT',
			'after-b-create': 'b CHANNEL_CREATE DOWN',
			last: 'b CHANNEL_DESTROY HANGUP',
		}
		expect(names[names.indexOf('JOB') - 1]).toBe(neighbours[jobPlace])
	})

	it.each(['busy', 'answer_callee_hangs_up', 'a_hangs_up_talking'] as const)('lets either leg be the first to complete in %s', async (name) => {
		for (const legOrder of ['a-first', 'b-first'] as const) {
			const stage = await begin({ scenario: () => name, legOrder })
			await outcome(stage)
			const completed = stage.client.events.filter((event) => event.name === 'CHANNEL_HANGUP_COMPLETE').map(({ headers }) => headers['Unique-ID'])
			expect(completed[0]).toBe(legOrder === 'a-first' ? 'a' : 'b')
		}
	})
})

describe('the choice of a story by its numbers', () => {
	const stories = (extension: string, number: string) => storiesByNumber(parseOriginate(`user/${extension}@127.0.0.1 &bridge(sofia/gateway/trunk/${number})`))

	it('follows the last two digits of the destination', () => {
		expect(['00', '01', '04', '17', '19', '21', '09'].map((digits) => stories('1000', `+49301234${digits}`)[0])).toEqual(['answer_until_hangup', 'answer_callee_hangs_up', 'not_found_404', 'busy', 'no_answer_timeout', 'reject_603', 'gateway_down'])
	})

	it('follows the device first', () => {
		expect(stories('1917', '+4930123417')).toEqual(['a_busy'])
	})

	it('knows every story it names', () => {
		expect(Object.keys(STORIES)).toContain('early_media_then_answer')
	})
})
