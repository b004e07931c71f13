// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a call has cost: as the company behind the trunk says, or by the administrator's rates where there is none to ask.
// What counts against a limit on spending may be more: there the worst is taken for true where nobody knows.

import type { Money } from '../policy/rates.ts'
import type { Call } from './call.ts'

import { costMicros, currencyOf } from '../policy/rates.ts'
import { legOfUser, legsAtCompany } from './call.ts'

/** `pending` until the call has ended, and the company has told; `unknown` where it never did, no rate covers the number, or nobody knows how long was talked. */
export type CallCost = { state: 'pending' | 'unknown' } | { state: 'final', cost: Money }

/**
 * What was reserved is given back, and what was talked is paid. Where nobody knows how long that was, all of it has been
 * spent: a call that was transferred goes on unheard, and the end of a leg may have been missed.
 */
export function settleCost(call: Call): void {
	if (call.reservedMicros !== undefined) {
		call.costMicros = isMeasured(call) ? String(measured(call)) : call.reservedMicros
	}
}

/** Whether it is not for the rates to say what was spent: the company has, or they were erased with the number. */
export function isSettled(call: Call): boolean {
	return call.carrierCost?.cost === undefined ? call.rate === undefined && call.ownRate === undefined : isOfLimits(call, call.carrierCost.cost)
}

/** Sums are of one currency: what the company says in another one is shown, and the rates go on counting. */
export function isOfLimits(call: Call, cost: Money): boolean {
	const currency = currencyOf(call)
	return currency === undefined ? call.reservedMicros === undefined : currency === cost.currency
}

/** @return undefined for a call to the user, which costs nobody here anything */
export function costOf(call: Call): CallCost | undefined {
	if (call.direction === 'inbound') {
		return undefined
	}
	const { carrierCost } = call
	if (carrierCost?.cost !== undefined) {
		return { state: 'final', cost: carrierCost.cost }
	}
	if (carrierCost?.state === 'pending') {
		return { state: 'pending' }
	}
	// What was to be told and never was is not what the rates would have it be.
	if (call.rate === undefined || (carrierCost !== undefined && legsAtCompany(call).length > 0)) {
		return { state: 'unknown' }
	}
	if (call.status !== 'ended') {
		return { state: 'pending' }
	}
	return call.costMicros === undefined || !isMeasured(call)
		? { state: 'unknown' }
		: { state: 'final', cost: { micros: call.costMicros, currency: call.rate.perMinute.currency } }
}

function isMeasured(call: Call): boolean {
	const isUnheard = call.legs.some((leg) => leg.createdAt !== undefined && leg.end === undefined)
	return call.transfer === undefined && !(isUnheard && call.talkMs === undefined)
}

function measured(call: Call): bigint {
	const ofDestination = call.rate === undefined || call.talkMs === undefined ? 0n : costMicros(call.rate, call.talkMs)
	const ownMs = legOfUser(call).end?.talkMs ?? 0
	const ofOwnPhone = call.ownRate === undefined || ownMs === 0 ? 0n : costMicros(call.ownRate, ownMs)
	return ofDestination + ofOwnPhone
}
