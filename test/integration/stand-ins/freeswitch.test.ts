// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The stand-in is held to recordings of a real switch: the same originate must give the same story on the wire. */

import type { ScriptedFreeSwitchOptions, Story } from '../../stand-ins/freeswitch/index.ts'
import type { RecordedEvent, Recording } from '../../stand-ins/freeswitch/replay.ts'

import { afterEach, describe, expect, it } from 'vitest'
import { startScriptedFreeSwitch, STORIES } from '../../stand-ins/freeswitch/index.ts'
import { RawClient } from '../../stand-ins/freeswitch/raw-client.ts'
import { readRecording } from '../../stand-ins/freeswitch/replay.ts'

/** How a recorded scenario is played: the story, and the event after which each further command of the client is sent. */
interface Scene {
	name: string
	story: Story | ((attempt: number) => Story)
	after?: [event: string, count: number][]
	options?: ScriptedFreeSwitchOptions
	/** The stand-in leaves out what the switch notes down about a transfer. */
	transfers?: true
}

const AT_ONCE = { rings: false, then: 'answers' } as const
const { answer_callee_hangs_up: talks } = STORIES
const quickPhone = { ...talks, a: AT_ONCE }

const SCENES: Scene[] = [
	{ name: 'c2c_b_hangs_up', story: talks },
	{ name: 'c2c_b_hangs_up_json', story: talks },
	{ name: 'c2c_a_hangs_up', story: STORIES.a_hangs_up_talking },
	{ name: 'c2c_uuid_kill_a', story: STORIES.answer_until_hangup, after: [['CHANNEL_BRIDGE', 1]] },
	{ name: 'c2c_uuid_kill_a_json', story: STORIES.answer_until_hangup, after: [['CHANNEL_BRIDGE', 1]] },
	{ name: 'c2c_kill_while_a_rings', story: STORIES.a_no_answer, after: [['CHANNEL_PROGRESS', 1]] },
	{ name: 'c2c_b_busy', story: STORIES.busy },
	{ name: 'c2c_b_busy_json', story: STORIES.busy },
	{ name: 'c2c_b_busy_continue_on_fail', story: STORIES.busy },
	{ name: 'c2c_b_404', story: STORIES.not_found_404 },
	{ name: 'c2c_b_403', story: STORIES.reject_403 },
	{ name: 'c2c_b_503', story: STORIES.unavailable_503 },
	{ name: 'c2c_gateway_down', story: STORIES.gateway_down },
	{ name: 'c2c_b_noanswer_480', story: STORIES.no_answer_480 },
	{ name: 'c2c_b_noanswer_timeout', story: STORIES.no_answer_timeout, options: { speed: Infinity, legOrder: 'a-first' } },
	{ name: 'c2c_b_early183', story: { ...talks, b: { ...talks.b, announces: true } } },
	{ name: 'a_busy', story: STORIES.a_busy },
	{ name: 'a_never_answers', story: STORIES.a_no_answer, options: { speed: Infinity } },
	{ name: 'a_user_not_registered', story: STORIES.a_not_registered },
	{ name: 'a_user_registered', story: talks },
	{ name: 'sched_and_limits', story: { a: AT_ONCE, b: AT_ONCE }, after: [['CHANNEL_BRIDGE', 1]], options: { speed: Infinity } },
	{ name: 'two_step_park_bridge', story: (attempt) => attempt === 1 ? quickPhone : { ...talks, a: talks.b }, after: [['BACKGROUND_JOB', 1], ['BACKGROUND_JOB', 2]], transfers: true },
	{ name: 'transfer_style_bridge', story: quickPhone, after: [['CHANNEL_PARK', 1]], transfers: true },
	{ name: 'bgapi_job_uuid', story: quickPhone, after: [['CHANNEL_PARK', 1], ['BACKGROUND_JOB', 2]] },
]

/** What must be alike: the milestones of one leg in their order. */
function milestones(events: readonly RecordedEvent[], uuid: string | undefined): string[] {
	return events.filter(({ headers }) => headers['Unique-ID'] === uuid && uuid !== undefined).map(({ name, headers }) => [
		name,
		headers['Answer-State'],
		headers['Channel-Call-State'],
		headers['Hangup-Cause'],
		headers.variable_sip_term_status,
		headers.variable_sip_hangup_disposition,
		headers.variable_originate_disposition,
		headers.variable_last_bridge_hangup_cause,
	].join(' '))
}

const ABOUT_TRANSFERS = /^(?:(?:Caller|Other-Leg)-(?:Dialplan|RDNIS|Transfer-Source)|variable_(?:transfer_\w+|original_(?:destination|caller)_\w+|max_forwards|uuid_bridge|bridge_channel|bridge_uuid|signal_bond))$/

/** Headers that only one side has, event by event; their order is not compared, the switch itself does not keep one. */
function headerDifferences(played: readonly RecordedEvent[], recorded: readonly RecordedEvent[], uuid: string | undefined): string[] {
	const ofLeg = (events: readonly RecordedEvent[]) => events.filter(({ headers }) => headers['Unique-ID'] === uuid && uuid !== undefined)
	const [ours, theirs] = [ofLeg(played), ofLeg(recorded)]
	return theirs.flatMap(({ name, names }, index) => {
		const own = ours[index]?.names ?? []
		const missing = names.filter((header) => !own.includes(header)).map((header) => `${index} ${name} lacks ${header}`)
		const surplus = own.filter((header) => !names.includes(header)).map((header) => `${index} ${name} has ${header}`)
		return [...missing, ...surplus]
	})
}

/** Two events that happen in two threads may change places; HEARTBEAT is nobody's. */
function results(events: readonly RecordedEvent[]): (string | undefined)[] {
	return events.filter(({ name }) => name === 'BACKGROUND_JOB').map(({ body }) => body?.replace(/UP [\s\S]*/, 'UP'))
}

const running: (() => void)[] = []
afterEach(() => {
	running.splice(0).forEach((stop) => stop())
})

/** Plays the client's part of a recording against the stand-in. */
async function play(scene: Scene, recording: Recording): Promise<RecordedEvent[]> {
	const expected = recording.events.filter(({ name }) => name !== 'HEARTBEAT').length
	const { story } = scene
	let originates = 0
	const freeswitch = await startScriptedFreeSwitch({ scenario: () => typeof story === 'function' ? story(++originates) : story, heartbeatSec: 0, ...scene.options })
	const client = await RawClient.connect(freeswitch.port)
	running.push(() => client.close(), () => void freeswitch.stop())
	const commands = recording.commands.filter(({ line }) => line !== 'exit' && !line.startsWith('api uuid_exists'))
	const firstOriginate = commands.findIndex(({ line }) => line.startsWith('bgapi originate'))
	for (const [index, { text }] of commands.entries()) {
		const gate = scene.after?.[index - firstOriginate - 1]
		if (index > firstOriginate && gate === undefined) {
			break
		}
		if (gate !== undefined) {
			await client.event(...gate)
		}
		await client.ask(text.trimEnd())
	}
	await client.until(() => client.events.length >= expected)
	return client.events
}

describe('the scripted FreeSWITCH tells what a real one told', () => {
	it.each(SCENES)('in $name: the same milestones on each leg', async (scene) => {
		const recording = readRecording(scene.name)
		const events = await play(scene, recording)
		expect(milestones(events, recording.aUuid)).toEqual(milestones(recording.events, recording.aUuid))
		expect(milestones(events, recording.bUuid)).toEqual(milestones(recording.events, recording.bUuid))
		expect(results(events)).toEqual(results(recording.events))
	})

	it.each(SCENES)('in $name: the same headers in each event', async (scene) => {
		const recording = readRecording(scene.name)
		const events = await play(scene, recording)
		const differences = [recording.aUuid, recording.bUuid].flatMap((uuid) => headerDifferences(events, recording.events, uuid))
		expect(differences.filter((difference) => !scene.transfers || !ABOUT_TRANSFERS.test(difference.split(' ').at(-1) ?? ''))).toEqual([])
	})
})
