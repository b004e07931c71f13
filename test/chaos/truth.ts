// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What really happened: each originate as it was written, and each leg as the switch itself had it, whoever was listening.
// All times are monotonic milliseconds of the test's own process.

import type { SwitchEvent } from '../stand-ins/freeswitch/index.ts'

import { CALL_VARIABLE, LEG_VARIABLE } from '../../lib/esl/event-parser.ts'
import { headerOf } from '../stand-ins/freeswitch/event.ts'

export interface TrueLeg {
	uuid: string
	role: 'user' | 'destination'
	/** The switch that has it. */
	node: number
	createdAt: number
	answeredAt?: number
	endedAt?: number
	/** FreeSWITCH's name. */
	cause?: string
	/** The phone at this leg hung up or refused. */
	isByParty?: boolean
	/** The switch died, and the leg with it. */
	isVanished?: true
}

export interface TrueCall {
	uuid: string
	/** What was dialled, and so which call of the plan it is. */
	number: string
	/** When a replica wrote its originate; what never reached the switch is among them. */
	writtenAt: number[]
	/** How often the switch got it. */
	taken: number
	legs: TrueLeg[]
	/** The originate's job ended with this cause. */
	failure?: { at: number, cause: string }
}

export class Truth {
	readonly calls = new Map<string, TrueCall>()
	readonly #byLeg = new Map<string, TrueLeg>()
	readonly #byJob = new Map<string, TrueCall>()
	/** Told after each event of a known leg. */
	onLeg: ((call: TrueCall, leg: TrueLeg, event: string) => void) | undefined

	/** A replica has written an originate. */
	written(text: string): TrueCall | undefined {
		const call = this.#callOf(text)
		call?.writtenAt.push(performance.now())
		return call
	}

	/** The switch has got one. */
	taken(line: string, jobUuid: string): void {
		const call = this.#callOf(line)
		if (call !== undefined) {
			call.taken++
			this.#byJob.set(jobUuid, call)
		}
	}

	#callOf(text: string): TrueCall | undefined {
		const uuid = new RegExp(`${CALL_VARIABLE}=([0-9a-f-]{36})`).exec(text)?.[1]
		const number = /sofia\/gateway\/[^/]+\/(\+\d+)/.exec(text)?.[1]
		if (uuid === undefined || number === undefined) {
			return undefined
		}
		const call = this.calls.get(uuid) ?? { uuid, number, writtenAt: [], taken: 0, legs: [] }
		this.calls.set(uuid, call)
		return call
	}

	event(event: SwitchEvent, node: number): void {
		const now = performance.now()
		if (event.name === 'BACKGROUND_JOB') {
			const call = this.#byJob.get(headerOf(event, 'Job-UUID') ?? '')
			const cause = /^-ERR (\w+)/.exec(event.body ?? '')?.[1]
			if (call !== undefined && cause !== undefined) {
				call.failure = { at: now, cause }
			}
			return
		}
		const uuid = headerOf(event, 'Unique-ID') ?? ''
		const call = this.calls.get(headerOf(event, `variable_${CALL_VARIABLE}`) ?? '')
		let leg = this.#byLeg.get(uuid)
		if (leg === undefined && call !== undefined && event.name === 'CHANNEL_CREATE') {
			leg = { uuid, node, role: headerOf(event, `variable_${LEG_VARIABLE}`) === 'a' ? 'user' : 'destination', createdAt: now }
			this.#byLeg.set(uuid, leg)
			call.legs.push(leg)
		}
		if (leg === undefined) {
			return
		}
		if (event.name === 'CHANNEL_ANSWER') {
			leg.answeredAt ??= now
		} else if (event.name === 'CHANNEL_HANGUP_COMPLETE') {
			leg.endedAt ??= now
			leg.cause ??= headerOf(event, 'Hangup-Cause') ?? ''
			leg.isByParty ??= headerOf(event, 'variable_proto_specific_hangup_cause') !== undefined
		}
		if (call !== undefined) {
			this.onLeg?.(call, leg, event.name)
		}
	}

	/** The switch is dead: whatever it had is over. */
	vanish(node: number): void {
		const now = performance.now()
		for (const call of this.calls.values()) {
			for (const leg of call.legs.filter((one) => one.node === node && one.endedAt === undefined)) {
				leg.endedAt = now
				leg.isVanished = true
			}
		}
	}

	/** Before the next run. */
	forget(): void {
		this.calls.clear()
		this.#byLeg.clear()
		this.#byJob.clear()
	}
}

export function userLeg(call: TrueCall): TrueLeg | undefined {
	return call.legs.find(({ role }) => role === 'user')
}

/** The leg of the destination that was answered, else the last that was tried. */
export function destinationLeg(call: TrueCall): TrueLeg | undefined {
	const legs = call.legs.filter(({ role }) => role === 'destination')
	return legs.find(({ answeredAt }) => answeredAt !== undefined) ?? legs.at(-1)
}

export function isAlive(call: TrueCall): boolean {
	return call.legs.some(({ endedAt }) => endedAt === undefined)
}

/** When its last leg was over; undefined while there is one, and where there never was any. */
export function endOf(call: TrueCall): number | undefined {
	if (call.legs.length === 0) {
		return call.failure?.at
	}
	return isAlive(call) ? undefined : Math.max(...call.legs.map(({ endedAt }) => endedAt ?? 0))
}
