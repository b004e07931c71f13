// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the company behind the trunk says that a call has cost. Its records come late, more than once and with other
// prices: each call is looked for six times within a day, and what was said last counts.

import type { Money } from '../policy/rates.ts'
import type { Transition } from './call-state.ts'
import type { Call, CarrierCost } from './call.ts'
import type { CostRecord } from './trunk-provider.ts'

import { isOfLimits } from './call-cost.ts'
import { legsAtCompany } from './call.ts'

const MINUTE_MS = 60_000
/** After the end of a call. */
const LOOKS_MS = [1, 5, 15, 60, 6 * 60, 24 * 60].map((minutes) => minutes * MINUTE_MS)
/** Of a call that never reached the company: it hardly knows it. */
const LOOKS_OF_NOTHING = 2
/** When the company could not be asked for so long, nothing will be known of the call any more. */
const GIVE_UP_MS = 48 * 60 * MINUTE_MS
/** Between the company's clock and ours. */
const CLOCKS_MS = 10 * MINUTE_MS
/** Calls that are so far apart are asked for separately. */
const GAP_MS = 30 * MINUTE_MS

/** When the company is asked for a call's cost next; undefined = it is not, or no more. */
export function nextLookAt({ status, endedAt, carrierCost }: Call): Date | undefined {
	const waitMs = carrierCost === undefined ? undefined : LOOKS_MS[carrierCost.looks]
	return status !== 'ended' || endedAt === undefined || waitMs === undefined ? undefined : new Date(endedAt.getTime() + waitMs)
}

/** The times in which the records of some calls are: few, and not the whole day for two calls at its ends. */
export function windowsOf(calls: readonly Call[]): { from: Date, to: Date, calls: Call[] }[] {
	const windows: { from: Date, to: Date, calls: Call[] }[] = []
	for (const call of calls.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime())) {
		const [from, to] = [new Date(call.createdAt.getTime() - CLOCKS_MS), new Date((call.endedAt ?? call.createdAt).getTime() + CLOCKS_MS)]
		const last = windows.at(-1)
		if (last !== undefined && from.getTime() - last.to.getTime() < GAP_MS) {
			last.calls.push(call)
			last.to = to > last.to ? to : last.to
		} else {
			windows.push({ from, to, calls: [call] })
		}
	}
	return windows
}

/** Whose records these calls may have, by SIP Call-ID. */
export function callIdsOf(calls: readonly Call[]): Set<string> {
	return new Set(calls.flatMap(({ legs }) => legs.map(({ uuid }) => uuid)))
}

/** The records of some calls: of one that comes twice the last one counts. */
export type Records = Map<string, CostRecord>

/** A look at what the company has said of a call. */
export function lookAt(call: Call, records: Records): Transition {
	const before = call.carrierCost
	if (before === undefined || nextLookAt(call) === undefined) {
		return { ignored: 'nothing_new' }
	}
	const looks = before.looks + 1
	const cost = sumOf(call, records)
	// What was told once stays, also when it is not told again.
	const known: CarrierCost | undefined = cost === undefined ? undefined : { state: 'final', cost, looks }
	const isHopeless = looks === (legsAtCompany(call).length > 0 ? LOOKS_MS.length : LOOKS_OF_NOTHING)
	return told(call, known ?? (isHopeless ? givenUp(before, looks) : { ...before, looks }))
}

/** The company could not be asked. */
export function missed(call: Call, now: Date): Transition {
	const { carrierCost, endedAt = now } = call
	return carrierCost === undefined || now.getTime() - endedAt.getTime() < GIVE_UP_MS
		? { ignored: 'nothing_new' }
		: told(call, givenUp(carrierCost))
}

/** Nobody can be asked any more: another company, or none, was chosen. */
export function forgone(call: Call): Transition {
	return call.carrierCost === undefined ? { ignored: 'nothing_new' } : told(call, givenUp(call.carrierCost))
}

function givenUp(cost: CarrierCost, looks = LOOKS_MS.length): CarrierCost {
	return { ...cost, state: cost.state === 'pending' ? 'unknown' : cost.state, looks }
}

function told(call: Call, carrierCost: CarrierCost): Transition {
	const { cost } = carrierCost
	const isNews = carrierCost.state !== call.carrierCost?.state || cost?.micros !== call.carrierCost.cost?.micros || cost?.currency !== call.carrierCost.cost?.currency
	return {
		call: {
			...call,
			carrierCost,
			...(cost !== undefined && isOfLimits(call, cost) ? { costMicros: cost.micros } : {}),
			version: call.version + (isNews ? 1 : 0),
		},
		log: [],
	}
}

/** All legs that reached the company, once each of them is rated. Those who were transferred talk on in legs that are nobody's here. */
function sumOf(call: Call, records: Records): Money | undefined {
	const needed = new Set(legsAtCompany(call).map(({ uuid }) => uuid))
	const found = [...records.values()].filter(({ sipCallId }) => needed.has(sipCallId))
	const rated = new Set(found.map(({ sipCallId }) => sipCallId))
	const currency = found[0]?.cost?.currency
	if (call.transfer !== undefined || currency === undefined || rated.size < needed.size || found.some(({ cost }) => cost?.currency !== currency)) {
		return undefined
	}
	return { micros: String(found.reduce((sum, { cost }) => sum + BigInt(cost?.micros ?? 0), 0n)), currency }
}
