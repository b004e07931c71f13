// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a run does: all of it is decided here, from the seed alone, before the first request. When exactly a fault meets a
// call depends on the machine, and that cannot be repeated.

import type { Party } from '../stand-ins/freeswitch/index.ts'
import type { Direction, Part } from './steps.ts'

import { Random } from './random.ts'

/** Of a replica. */
export type Place = 0 | 1

export interface Send {
	atMs: number
	replica: Place
}

export interface Wish {
	/** When the request is sent: so long after an answer with the call's uuid, or after its originate or its row was seen. */
	after: 'answer' | 'originate' | 'row'
	delayMs: number
	replica: Place
}

export interface PlannedCall {
	/** E.164, of this call alone. */
	number: string
	userId: string
	/** One request, sent so often with the same key. */
	sends: Send[]
	story: { a: Party, b: Party }
	/** Who hangs up an answered call, so long after its answer; `nobody`: the user's wish alone ends it. */
	hangup: { by: 'callee' | 'user' | 'nobody', afterMs: number }
	/** The user's wish that it ends. */
	wish?: Wish
	/** What the user does while talking. */
	control?: 'hold' | 'transfer'
}

export type Trigger
	= | { at: 'time', ms: number }
		| { at: 'step', replica: Place, part: Part, direction: Direction, step: string, edge: 'before' | 'after', nth: number }

export type Fault
	/** The connection at which the step passes is reset; by time, all of that part. */
	= | { do: 'cut', replica: Place, part: Part }
		| { do: 'kill replica', replica: Place, downMs: number }
		| { do: 'kill redis', downMs: number }
		| { do: 'stop postgres', downMs: number }
		| { do: 'restart switch', isAbrupt: boolean, downMs: number }
		/** Replica and switches do not reach each other. */
		| { do: 'part', replica: Place, ms: number }
		| { do: 'silence', part: Part, replica: Place | 'both', held: Direction[], ms: number }
		| { do: 'slow', part: Part, replica: Place | 'both', latencyMs: number, pieceBytes?: number, ms: number }
		| { do: 'double events' | 'mix events', replica: Place | 'both', ms: number }
		| { do: 'lose events', replica: Place | 'both', event: string, count: number }
		| { do: 'set clock', replica: Place | 'both', offsetSec: number, ms: number }
		| { do: 'fill disk', replica: Place | 'both', ms: number }

export interface PlannedFault {
	when: Trigger
	fault: Fault
}

/** What is short in this run, beside the lines. */
export type Shortage = 'calls a day' | 'money'

export interface Plan {
	seed: number
	shortage?: Shortage
	/** Of the users that are short of calls. */
	callsPerDay?: number
	calls: PlannedCall[]
	faults: PlannedFault[]
	/** Orders what the network mixes. */
	mixSeed: number
	/** Who calls at the end, to prove that nothing is left behind. */
	probe: { userId: string, replica: Place }
}

/** Users of every environment; each has one phone. */
export const USERS = Array.from({ length: 40 }, (_, index) => `user${String(index).padStart(2, '0')}`)
/** Those whose calls are counted by the day in a run that is short of them: new ones for each run. */
export const SCARCE_USERS = 2
/** Numbers that cost something begin so. */
export const DEAR = '+4989'
export const CHEAP = '+4930'
/** So many calls to dear numbers may be made for the money there is. */
export const AFFORDABLE = 4
/** So many calls may be up at once, of everybody. */
export const LINES = 12

const ANSWERS: Party = { rings: true, then: 'answers' }
const NEVER: Party = { rings: true, then: 'never' }

function refuses(status: number, phrase: string, cause: string, rings = true): Party {
	return { rings, then: { status, phrase, cause } }
}

const STORIES: readonly (readonly [weight: number, story: PlannedCall['story']])[] = [
	[60, { a: ANSWERS, b: ANSWERS }],
	[4, { a: ANSWERS, b: { ...ANSWERS, announces: true } }],
	[6, { a: ANSWERS, b: refuses(486, 'Busy Here', 'USER_BUSY') }],
	[5, { a: ANSWERS, b: refuses(603, 'Decline', 'CALL_REJECTED') }],
	[4, { a: ANSWERS, b: refuses(480, 'Temporarily Unavailable', 'NO_USER_RESPONSE') }],
	[3, { a: ANSWERS, b: NEVER }],
	[3, { a: ANSWERS, b: refuses(404, 'Not Found', 'UNALLOCATED_NUMBER', false) }],
	[3, { a: ANSWERS, b: refuses(503, 'Service Unavailable', 'NORMAL_TEMPORARY_FAILURE', false) }],
	[3, { a: refuses(486, 'Busy Here', 'USER_BUSY'), b: ANSWERS }],
	[2, { a: refuses(603, 'Decline', 'CALL_REJECTED'), b: ANSWERS }],
	[2, { a: NEVER, b: ANSWERS }],
	[2, { a: { ...NEVER, impossible: 'USER_NOT_REGISTERED' }, b: ANSWERS }],
	[3, { a: { ...ANSWERS, losesPatience: true }, b: NEVER }],
]

/** Steps at which a connection breaks or a process dies, by how often they are chosen. */
const STEPS: readonly (readonly [weight: number, step: readonly [part: Part, direction: Direction, step: string]])[] = [
	[6, ['switch', 'up', 'originate']],
	[6, ['switch', 'down', 'reply to originate']],
	[2, ['switch', 'up', 'subscribe']],
	[2, ['switch', 'down', 'reply to subscribe']],
	[2, ['switch', 'down', 'reply to ask for leg']],
	[2, ['switch', 'up', 'kill']],
	[2, ['switch', 'down', 'reply to kill']],
	[2, ['switch', 'down', 'event CHANNEL_CREATE']],
	[3, ['switch', 'down', 'event CHANNEL_ANSWER']],
	[2, ['switch', 'down', 'event CHANNEL_BRIDGE']],
	[4, ['switch', 'down', 'event CHANNEL_HANGUP_COMPLETE']],
	[2, ['switch', 'down', 'event BACKGROUND_JOB']],
	[3, ['postgres', 'up', 'insert call']],
	[6, ['postgres', 'up', 'commit new call']],
	[6, ['postgres', 'down', 'committed new call']],
	[3, ['postgres', 'up', 'update call']],
	[3, ['postgres', 'up', 'commit']],
	[3, ['postgres', 'down', 'committed']],
	[2, ['postgres', 'up', 'lock call']],
	[2, ['postgres', 'up', 'wait for turn']],
	[1, ['redis', 'up', 'count']],
	[1, ['redis', 'down', 'reply']],
]

export interface PlanOptions {
	/** Longest load, in milliseconds. */
	loadMs?: number
	mostCalls?: number
}

export function makePlan(seed: number, { loadMs = 2_500, mostCalls = 24 }: PlanOptions = {}): Plan {
	const random = new Random(seed)
	const shortage = random.weighted<Shortage | undefined>([[60, undefined], [20, 'calls a day'], [20, 'money']])
	const users = random.shuffled(USERS)
	const scarce = Array.from({ length: SCARCE_USERS }, (_, index) => `scarce${index}`)
	const callsPerDay = random.whole(2, 4)
	const count = random.whole(8, mostCalls)
	const calls = Array.from({ length: count }, (_, index): PlannedCall => {
		const isDear = shortage === 'money' && random.isTrue(0.6)
		// The seventh digit from the end is the run's own: see Environment.
		const number = `${isDear ? DEAR : CHEAP}${String(seed % 100_000).padStart(5, '0')}${String(index).padStart(2, '0')}`
		const isScarce = shortage === 'calls a day' && random.isTrue(0.6)
		// A second call of a user whose first is not over is refused: that has to hold over both replicas as well.
		const userId = isScarce ? random.pick(scarce) : users[random.isTrue(0.12) ? Math.max(0, index - 1) : index] ?? 'user00'
		return planCall(random, { number, userId, loadMs, isShort: isDear || isScarce })
	})
	return {
		seed,
		...(shortage === undefined ? {} : { shortage }),
		...(shortage === 'calls a day' ? { callsPerDay } : {}),
		calls,
		faults: Array.from({ length: random.whole(1, 4) }, () => planFault(random, loadMs)),
		mixSeed: random.whole(1, 2 ** 30),
		probe: { userId: random.pick(USERS), replica: place(random) },
	}
}

function place(random: Random): Place {
	return random.isTrue(0.5) ? 0 : 1
}

function placeOrBoth(random: Random): Place | 'both' {
	return random.isTrue(0.3) ? 'both' : place(random)
}

function planCall(random: Random, { number, userId, loadMs, isShort }: { number: string, userId: string, loadMs: number, isShort: boolean }): PlannedCall {
	const atMs = random.whole(0, loadMs)
	const copies = random.weighted([[60, 1], [20, 2], [10, 3], [5, 4], [5, 5]] as const)
	const sends = Array.from({ length: copies }, (_, index): Send => ({
		atMs: atMs + (index === 0 || random.isTrue(0.5) ? 0 : random.whole(1, 1_500)),
		replica: place(random),
	}))
	const story = isShort && random.isTrue(0.7) ? { a: ANSWERS, b: ANSWERS } : random.weighted(STORIES)
	const talks = story.a.then === 'answers' && story.b.then === 'answers' && story.a.impossible === undefined
	const wish = random.isTrue(0.3) ? planWish(random) : undefined
	const control = talks && random.isTrue(0.1) ? random.pick(['hold', 'transfer'] as const) : undefined
	return {
		number,
		userId,
		sends,
		story,
		hangup: wish !== undefined && random.isTrue(0.7)
			? { by: 'nobody', afterMs: 0 }
			: { by: random.isTrue(0.6) ? 'callee' : 'user', afterMs: control === undefined ? random.whole(20, 900) : random.whole(1_200, 2_000) },
		...(wish === undefined ? {} : { wish }),
		...(control === undefined ? {} : { control }),
	}
}

function planWish(random: Random): Wish {
	return {
		after: random.weighted([[70, 'answer'], [20, 'originate'], [10, 'row']] as const),
		delayMs: random.isTrue(0.3) ? 0 : random.whole(1, 900),
		replica: place(random),
	}
}

function planFault(random: Random, loadMs: number): PlannedFault {
	const replica = place(random)
	const downMs = random.whole(200, 2_500)
	const ms = random.whole(300, 3_000)
	const [part, direction, step] = random.weighted(STEPS)
	const atStep: Trigger = { at: 'step', replica, part, direction, step, edge: random.isTrue(0.5) ? 'before' : 'after', nth: random.whole(1, 5) }
	const atTime: Trigger = { at: 'time', ms: random.whole(0, loadMs) }
	const any = random.isTrue(0.7) ? atStep : atTime
	return random.weighted<() => PlannedFault>([
		[30, () => ({ when: atStep, fault: { do: 'cut', replica, part } })],
		[6, () => ({ when: atTime, fault: { do: 'cut', replica, part: random.pick(['postgres', 'redis', 'switch'] as const) } })],
		[16, () => ({ when: any, fault: { do: 'kill replica', replica, downMs } })],
		[6, () => ({ when: any, fault: { do: 'kill redis', downMs } })],
		[7, () => ({ when: any, fault: { do: 'stop postgres', downMs } })],
		[8, () => ({ when: any, fault: { do: 'restart switch', isAbrupt: random.isTrue(0.6), downMs } })],
		// Also for longer than whoever leaves a switch's events goes on hearing them.
		[6, () => ({ when: any, fault: { do: 'part', replica, ms: ms * 2 } })],
		[6, () => ({ when: any, fault: { do: 'silence', part: 'switch', replica: placeOrBoth(random), held: random.isTrue(0.5) ? ['down'] : ['up', 'down'], ms } })],
		[4, () => ({ when: any, fault: { do: 'silence', part: random.pick(['postgres', 'redis'] as const), replica: placeOrBoth(random), held: ['down'], ms } })],
		[8, () => ({
			when: atTime,
			fault: { do: 'slow', part: random.pick(['postgres', 'redis', 'switch'] as const), replica: placeOrBoth(random), latencyMs: random.whole(2, 80), ...(random.isTrue(0.4) ? { pieceBytes: random.whole(40, 700) } : {}), ms },
		})],
		[5, () => ({ when: atTime, fault: { do: 'double events', replica: placeOrBoth(random), ms } })],
		[5, () => ({ when: atTime, fault: { do: 'mix events', replica: placeOrBoth(random), ms } })],
		[4, () => ({ when: atTime, fault: { do: 'lose events', replica: 'both', event: random.pick(['CHANNEL_HANGUP_COMPLETE', 'CHANNEL_ANSWER', 'CHANNEL_CREATE', 'BACKGROUND_JOB']), count: random.whole(1, 2) } })],
		[6, () => ({ when: atTime, fault: { do: 'set clock', replica: placeOrBoth(random), offsetSec: random.pick([90, -90, 3_600, -3_600]), ms } })],
		[2, () => ({ when: atTime, fault: { do: 'fill disk', replica: placeOrBoth(random), ms } })],
	])()
}

/** In one line each. */
export function describePlan(plan: Plan): string[] {
	return [
		`seed ${plan.seed}: ${plan.calls.length} calls, ${plan.calls.reduce((sum, { sends }) => sum + sends.length, 0)} requests${plan.shortage === undefined ? '' : `, short of ${plan.shortage}`}`,
		...plan.faults.map(({ when, fault }) => `  ${describeTrigger(when)}: ${describeFault(fault)}`),
	]
}

export function describeTrigger(when: Trigger): string {
	return when.at === 'time' ? `at ${when.ms} ms` : `replica ${when.replica} ${when.edge} ${when.part} ${when.direction} "${when.step}" no. ${when.nth}`
}

export function describeFault({ do: name, ...rest }: Fault): string {
	return `${name} ${JSON.stringify(rest)}`
}
