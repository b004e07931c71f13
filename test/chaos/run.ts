// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// One run: the plan's requests and faults, then everything is mended, and what is left has to come to its end.

import type { BookedCall, Environment } from './environment.ts'
import type { Place, Plan, PlannedCall } from './plan.ts'
import type { TrueCall } from './truth.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { TAKEOVER } from './environment.ts'
import { Faults } from './faults.ts'
import { destinationLeg, endOf, isAlive } from './truth.ts'

export interface RequestRecord {
	call: PlannedCall
	key: string
	kind: 'call' | 'hang up' | 'control'
	replica: Place
	sentAt: number
	answeredAt: number
	/** 0: no answer. */
	status: number
	code: string | undefined
	/** Of the call in the answer. */
	uuid: string | undefined
}

export interface RunRecord {
	plan: Plan
	faults: Faults
	requests: RequestRecord[]
	/** All calls of this run in the books. */
	booked: BookedCall[]
	/** Call uuids by the key that they were made for. */
	keys: Map<string, string>
	/** Originates whose call was not in the books when they were written. */
	unbooked: string[]
	/** What the probe at the end was answered by: 202, or what was wrong. */
	probe: string
	beganAt: number
	/** When everything was up again. */
	upAt: number
	/** When nothing was left open; undefined: never. */
	quietAt: number | undefined
	/** When calls were last seen open, after everything was up. */
	openAt: Map<string, number>
	/** Calls that were open, or legs that were there, when the time for it was over. */
	left: string[]
	crashes: string[]
}

/** How long a client tries again what has failed. */
const CLIENT_PATIENCE_MS = 5_000
/** Told by clock.mjs. */
const STOOD_STILL = 'chaos: the process stood still'
/** Told by a replica: from then on something waits for the database, and from then on nothing does. */
const PUT_ASIDE = 'What happens to calls cannot be stored: it is kept on the disk until the database is back'
const STORED = 'What happened to calls while the database was away is stored'
const UP = 'SIPCall is up'
/** Longer than anybody rings and talks in a plan. */
const TALK_LIMIT_MS = 5_000
/** From an answer to the first leg, on a machine with much to do. */
const BEGIN_MS = 500
const ROW_LIMIT_MS = 4_000
const RETRY_MS = [150, 400, 900, 1_500, 2_500]
/** Within this time after the end of its legs, and after everything is up again, a call has ended in the books. */
export const QUIET_LIMIT_MS = 60_000
/** For what is asked after the limit whether it comes later, or never. */
const LOOK_MS = 120

export async function execute(environment: Environment, plan: Plan): Promise<RunRecord> {
	return new Run(environment, plan).execute()
}

class Run {
	readonly #environment: Environment
	readonly #plan: Plan
	readonly #requests: RequestRecord[] = []
	readonly #faults: Faults
	readonly #unbooked: string[] = []
	readonly #checks: Promise<void>[] = []
	readonly #timers = new Set<NodeJS.Timeout>()
	readonly #pending = new Set<Promise<void>>()
	readonly #byNumber: Map<string, PlannedCall>
	/** Calls of which a hang-up was asked for. */
	readonly #wished = new Set<string>()
	readonly #controlled = new Set<string>()
	readonly #openAt = new Map<string, number>()
	/** Replicas that have not stored all that they have heard. */
	readonly #behind = new Set<Place>()

	constructor(environment: Environment, plan: Plan) {
		this.#environment = environment
		this.#plan = plan
		this.#faults = new Faults(environment, plan)
		this.#byNumber = new Map(plan.calls.map((call) => [call.number, call]))
	}

	async execute(): Promise<RunRecord> {
		const environment = this.#environment
		const { truth } = environment
		truth.forget()
		await this.#prepare()
		const beganAt = performance.now()
		environment.planned.clear()
		this.#plan.calls.forEach((call) => environment.planned.set(call.number, call))
		truth.onLeg = (call, leg, event) => this.#onLeg(call, leg.role, event)
		environment.listener = {
			treat: (place, part, step, link) => {
				if (part === 'switch' && step.name === 'originate') {
					this.#onOriginate(step.text ?? '')
				}
				return this.#faults.treat(place, part, step, link)
			},
			onPassed: (place, part, step, link) => this.#faults.onPassed(place, part, step, link),
			onClosed: (place, part, link) => this.#faults.onClosed(place, part, link),
			onTaken: () => {},
			onLine: (place, { message }) => {
				if (message === TAKEOVER) {
					this.#faults.tookEvents(place)
				} else if (message === STOOD_STILL) {
					this.#faults.redisFaults++
				} else if (message === PUT_ASIDE) {
					this.#behind.add(place)
				} else if (message === STORED || message === UP) {
					// A start stores what the process before it has left.
					this.#behind.delete(place)
				}
			},
		}
		this.#faults.arm()
		for (const call of this.#plan.calls) {
			for (const [index, send] of call.sends.entries()) {
				this.#later(send.atMs, () => this.#track(this.#call(call, send.replica, index)))
			}
			if (call.wish?.after === 'row') {
				this.#later(Math.min(...call.sends.map(({ atMs }) => atMs)), () => this.#track(this.#awaitRow(call)))
			}
		}
		await this.#settled()
		await this.#faults.end()
		await this.#settled()
		await environment.untilReady()
		if (this.#faults.redisFaults > 0) {
			await environment.untilCounting()
		}
		const upAt = performance.now()
		let { quietAt, left } = await this.#untilQuiet(upAt)
		let probe = quietAt === undefined ? 'not tried' : await this.#probe(0)
		// A request that nobody waits for any more may still have been accepted, where a process had stood still for long.
		for (let known = -1; quietAt !== undefined && known < this.#openAt.size && await this.#isAnyOpen();) {
			known = this.#openAt.size
			;({ quietAt, left } = await this.#untilQuiet(upAt))
			probe = quietAt === undefined ? 'not tried' : await this.#probe(this.#openAt.size)
		}
		await Promise.all(this.#checks)
		environment.listener = undefined
		truth.onLeg = undefined
		const booked = await environment.query<BookedCall>('select * from calls where created_at >= $1::timestamptz - interval \'2 hours\' and uuid = any($2)', [new Date(), await this.#uuids()])
		const keys = await environment.query<{ key: string, call_uuid: string }>('select key, call_uuid from idempotency_keys where key like $1', [`${this.#plan.seed}-%`])
		return {
			plan: this.#plan,
			faults: this.#faults,
			requests: this.#requests,
			booked,
			keys: new Map(keys.map(({ key, call_uuid: uuid }) => [key, uuid])),
			unbooked: this.#unbooked,
			probe,
			beganAt,
			upAt,
			quietAt,
			openAt: this.#openAt,
			left,
			crashes: environment.replicas.flatMap((replica) => replica.crashes.splice(0)),
		}
	}

	/** Whatever may be of this run: by key, by answer, by originate. */
	async #uuids(): Promise<string[]> {
		const byKey = await this.#environment.query<{ call_uuid: string }>('select call_uuid from idempotency_keys where key like $1', [`${this.#plan.seed}-%`])
		return [...new Set([
			...byKey.map(({ call_uuid: uuid }) => uuid),
			...this.#requests.flatMap(({ uuid }) => uuid === undefined ? [] : [uuid]),
			...this.#environment.truth.calls.keys(),
		])]
	}

	async #prepare(): Promise<void> {
		const { callsPerDay, shortage } = this.#plan
		if (callsPerDay !== undefined) {
			await this.#environment.renewScarceUsers(callsPerDay)
			// Counters of the users of an earlier run.
			await this.#environment.forgetCounters()
		}
		if (shortage === 'money') {
			// What earlier runs have spent is none of this one's.
			await this.#environment.query('update calls set cost_micros = \'0\' where cost_micros is not null and cost_micros <> \'0\'')
			await this.#environment.query('update transfers set reserved_micros = null')
		}
	}

	#later(ms: number, action: () => void): void {
		const timer = setTimeout(() => {
			this.#timers.delete(timer)
			action()
		}, ms)
		this.#timers.add(timer)
	}

	#track(work: Promise<void>): void {
		const tracked = work.finally(() => this.#pending.delete(tracked))
		this.#pending.add(tracked)
	}

	/** Resolves when nothing is sent any more, nobody waits for an answer, and who wanted to hang up has done so. */
	async #settled(): Promise<void> {
		const since = performance.now()
		while (this.#timers.size > 0 || this.#pending.size > 0 || (this.#isSomebodyUp() && performance.now() - since < TALK_LIMIT_MS)) {
			await Promise.race([...this.#pending, delay(20)])
		}
	}

	/** Whether there is a call that one of its parties ends by itself, or one that may just begin. */
	#isSomebodyUp(): boolean {
		const recently = performance.now() - BEGIN_MS
		return this.#requests.some(({ answeredAt }) => answeredAt > recently)
			|| [...this.#environment.truth.calls.values()].some((call) => (this.#byNumber.get(call.number)?.hangup.by ?? 'nobody') !== 'nobody'
				&& (isAlive(call) || (endOf(call) === undefined && call.writtenAt.some((at) => at > recently))))
	}

	#keyOf(call: PlannedCall): string {
		return `${this.#plan.seed}-${call.number}`
	}

	/** As a careful client does: with the same key, until there is an answer that says something. */
	async #call(call: PlannedCall, first: Place, nth: number): Promise<void> {
		const since = performance.now()
		for (let tries = 0; ; tries++) {
			const replica = tries % 2 === 0 ? first : first === 0 ? 1 : 0
			const record = await this.#send(call, 'call', replica, 'POST', '/call', { to: call.number })
			if (record.status === 202 && record.uuid !== undefined) {
				this.#wish(call, record.uuid, 'answer')
			}
			const isOver = (record.status >= 200 && record.status < 500) || performance.now() - since > CLIENT_PATIENCE_MS
			if (isOver) {
				return
			}
			await delay((RETRY_MS[Math.min(tries, RETRY_MS.length - 1)] ?? 0) + 37 * nth)
		}
	}

	async #send(call: PlannedCall, kind: RequestRecord['kind'], replica: Place, method: string, path: string, body?: unknown): Promise<RequestRecord> {
		const key = this.#keyOf(call)
		const sentAt = performance.now()
		const answer = await this.#environment.clients[replica].request<{ uuid?: string, code?: string }>(call.userId, method, path, body, kind === 'call' ? { 'Idempotency-Key': key } : {})
		const { uuid, code } = answer.body
		const record = { call, key, kind, replica, sentAt, answeredAt: performance.now(), status: answer.status, code: code ?? (answer.status === 0 ? answer.text.slice(0, 80) : undefined), uuid }
		this.#requests.push(record)
		return record
	}

	/** The user's wish to hang up, when its moment has come. */
	#wish(call: PlannedCall, uuid: string, after: 'answer' | 'originate' | 'row'): void {
		const { wish } = call
		if (wish?.after !== after || this.#wished.has(uuid)) {
			return
		}
		this.#wished.add(uuid)
		this.#later(wish.delayMs, () => this.#track(this.#hangUp(call, uuid, wish.replica)))
	}

	/** Somebody looks into the history and hangs up what stands there, before anybody was answered. */
	async #awaitRow(call: PlannedCall): Promise<void> {
		for (const since = performance.now(); performance.now() - since < ROW_LIMIT_MS; await delay(10)) {
			const [row] = await this.#environment.query<{ call_uuid: string }>('select call_uuid from idempotency_keys where key = $1', [this.#keyOf(call)])
			if (row !== undefined) {
				this.#wish(call, row.call_uuid, 'row')
				return
			}
		}
	}

	async #hangUp(call: PlannedCall, uuid: string, first: Place): Promise<void> {
		const since = performance.now()
		for (let tries = 0; ; tries++) {
			const replica = tries % 2 === 0 ? first : first === 0 ? 1 : 0
			const { status } = await this.#send(call, 'hang up', replica, 'DELETE', `/call/${uuid}`)
			if ((status >= 200 && status < 500 && status !== 404) || performance.now() - since > CLIENT_PATIENCE_MS) {
				return
			}
			await delay(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)])
		}
	}

	#onOriginate(text: string): void {
		const call = [...this.#environment.truth.calls.values()].find(({ uuid }) => text.includes(uuid))
		if (call === undefined) {
			return
		}
		// Asked at once and past everything: what is not committed by now was not committed before it was dialled.
		this.#checks.push(this.#environment.query('select 1 from calls where uuid = $1', [call.uuid]).then((rows) => {
			if (rows.length === 0) {
				this.#unbooked.push(call.uuid)
			}
		}))
		const planned = this.#byNumber.get(call.number)
		if (planned !== undefined) {
			this.#wish(planned, call.uuid, 'originate')
		}
	}

	#onLeg(call: TrueCall, role: 'user' | 'destination', event: string): void {
		const planned = this.#byNumber.get(call.number)
		if (planned === undefined || role !== 'destination' || event !== 'CHANNEL_ANSWER') {
			return
		}
		const { hangup, control } = planned
		if (control !== undefined && !this.#controlled.has(call.uuid)) {
			this.#controlled.add(call.uuid)
			this.#later(30, () => this.#track(this.#control(planned, call.uuid, control)))
		}
		if (hangup.by !== 'nobody') {
			this.#later(hangup.afterMs, () => this.#partyHangsUp(call, hangup.by === 'user' ? 'user' : 'destination'))
		}
	}

	async #control(call: PlannedCall, uuid: string, control: 'hold' | 'transfer'): Promise<void> {
		const replica = call.sends[0]?.replica ?? 0
		if (control === 'transfer') {
			await this.#send(call, 'control', replica, 'POST', `/call/${uuid}/transfer`, { to: '+493012345678' })
			return
		}
		await this.#send(call, 'control', replica, 'POST', `/call/${uuid}/hold`, {})
	}

	/** The phone at a leg hangs up, if it is there. */
	#partyHangsUp(call: TrueCall, role: 'user' | 'destination'): void {
		const leg = call.legs.find((one) => one.role === role && one.answeredAt !== undefined && one.endedAt === undefined)
		const node = leg === undefined ? undefined : this.#environment.switches[leg.node]
		if (leg !== undefined && node?.channels().some(({ uuid }) => uuid === leg.uuid) === true) {
			node.hangUp(leg.uuid)
		}
	}

	/** Calls whose end somebody has asked for, and was told that it comes. */
	#promised(): Set<string> {
		return new Set(this.#requests.filter(({ kind, status }) => kind === 'hang up' && status === 202).map(({ uuid }) => uuid ?? ''))
	}

	/** Nobody talks for ever: who was not meant to be hung up by the product hangs up now. */
	#sweep(): void {
		const promised = this.#promised()
		for (const call of this.#environment.truth.calls.values()) {
			if (!promised.has(call.uuid)) {
				this.#partyHangsUp(call, destinationLeg(call)?.answeredAt === undefined ? 'user' : 'destination')
			}
		}
		// Whom somebody has transferred.
		for (const node of this.#environment.switches) {
			for (const { uuid, variables, state } of node.channels()) {
				if (variables.sipcall_call === undefined && state === 'answered') {
					node.hangUp(uuid)
				}
			}
		}
	}

	async #untilQuiet(upAt: number): Promise<{ quietAt: number | undefined, left: string[] }> {
		const { truth, switches } = this.#environment
		for (;;) {
			this.#sweep()
			const open = await this.#environment.query<{ uuid: string, status: string }>('select uuid, status from calls where status <> \'ended\'')
			const alive = [...truth.calls.values()].filter(isAlive)
			const channels = switches.flatMap((one) => one.channels())
			const now = performance.now()
			open.forEach(({ uuid }) => this.#openAt.set(uuid, now))
			if (open.length === 0 && alive.length === 0 && channels.length === 0 && this.#behind.size === 0) {
				return { quietAt: now, left: [] }
			}
			if (now - upAt > QUIET_LIMIT_MS + 5_000) {
				return {
					quietAt: undefined,
					left: [
						...open.map(({ uuid, status }) => `call ${uuid} is ${status}${alive.some((call) => call.uuid === uuid) ? '' : ', and has no leg'}`),
						...[...this.#behind].map((place) => `replica ${place} has not stored all that it has heard`),
						...channels.map(({ uuid, state, variables }) => `leg ${uuid} of call ${variables.sipcall_call} is ${state}`),
					],
				}
			}
			await delay(LOOK_MS)
		}
	}

	async #isAnyOpen(): Promise<boolean> {
		return (await this.#environment.query('select 1 from calls where status <> \'ended\'')).length > 0
	}

	/** A user who has called before calls once more: nothing may stand in the way. */
	async #probe(nth: number): Promise<string> {
		const { userId, replica } = this.#plan.probe
		const client = this.#environment.clients[replica]
		const since = performance.now()
		for (let tries = 0; ; tries++) {
			// The last two digits are no call of the plan's.
			const answer = await client.request<{ uuid?: string, code?: string }>(userId, 'POST', '/call', { to: `+4930${String(this.#plan.seed % 100_000).padStart(5, '0')}98` }, { 'Idempotency-Key': `${this.#plan.seed}-probe-${nth}-${tries}` })
			const { uuid, code } = answer.body
			if (answer.status === 202 && uuid !== undefined) {
				await client.request(userId, 'DELETE', `/call/${uuid}`)
				return await this.#isEnded(uuid) ? '202' : `the probe ${uuid} did not end within 15 s`
			}
			if ((answer.status > 0 && answer.status < 500) || performance.now() - since > 20_000) {
				return `${answer.status} ${code ?? answer.text}`
			}
			await delay(200)
		}
	}

	async #isEnded(uuid: string): Promise<boolean> {
		for (const since = performance.now(); performance.now() - since < 15_000;) {
			const [row] = await this.#environment.query<{ status: string }>('select status from calls where uuid = $1', [uuid])
			if (row?.status === 'ended' && this.#environment.switches.every((one) => one.channels().length === 0)) {
				return true
			}
			await delay(60)
		}
		return false
	}
}
