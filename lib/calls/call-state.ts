// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CallEvent, CallLogEntry, LegReport } from './call-events.ts'
import type { Call, CallStatus, Leg } from './call.ts'

import { isSettled, settleCost } from './call-cost.ts'
import { isHandedOver, isLegLive, isUserOver, legOfUser, legsOfDestination, mayBeTransferred } from './call.ts'
import { concludeCall } from './conclude-call.ts'

/**
 * Which status may follow which: a call only moves to the right.
 *
 * ```
 * queued ──▶ calling_user ──▶ dialing ──▶ ringing ──▶ connected ──▶ ended
 *   row         A leg          A leg       B leg        B leg       all legs are
 *   stored      exists         answered    180 or 183   answered    gone, for good
 *   │             │              │           │
 *   └─────────────┴──────────────┴───────────┴────────────────────▶ ended
 * ```
 *
 * Steps may be jumped over: a destination that answers at once never rings, and a report that was lost is made good
 * by the next one.
 */
export const FOLLOWERS: Readonly<Record<CallStatus, readonly CallStatus[]>> = {
	queued: ['calling_user', 'dialing', 'ringing', 'connected', 'ended'],
	calling_user: ['dialing', 'ringing', 'connected', 'ended'],
	dialing: ['ringing', 'connected', 'ended'],
	ringing: ['connected', 'ended'],
	connected: ['ended'],
	ended: [],
}

export type Transition
	= | { call: Call, log: CallLogEntry[] }
		/** Late and repeated events are normal: the call stays as it is. */
		| { ignored: 'call_has_ended' | 'unknown_leg' | 'nothing_new' }

/**
 * The one place where a call changes. Pure: the same call and event always give the same answer, and no order or
 * repetition of events leads to another end (only the order within one leg is promised by the switch). `ended` is for
 * good; how it came to that is told anew when a leg's end was not known.
 */
export function transition(call: Call, event: CallEvent): Transition {
	if (call.status === 'ended') {
		return isLate(call, event) ? correct(call, event) : { ignored: 'call_has_ended' }
	}
	const next: Call = { ...call, legs: call.legs.map((leg) => ({ ...leg })) }
	const log: CallLogEntry[] = []
	const ignored = apply(next, event, log)
	if (ignored !== undefined) {
		return { ignored }
	}
	if (log.length === 0 && next.node === call.node) {
		return { ignored: 'nothing_new' }
	}
	fillTimes(next)
	if (hasEnded(next)) {
		const endedAt = event.type === 'leg' ? event.endedAt ?? event.at : event.at
		concludeCall(next, latest([endedAt, ...endsOf(next)]))
		settleCost(next)
		log.push({ at: event.at, type: 'ended', detail: outcomeOf(next) })
	} else {
		advance(next)
	}
	next.version++
	return { call: next, log }
}

/**
 * Whether an event says something of a call's end that was not known when it was judged: how a leg ended that was only
 * missed, or that somebody had wanted the end which is put down to the system: two replicas do not store in the order in which things
 * happen. Of those who were handed over nothing was guessed, and what becomes of them is not of this call.
 */
function isLate(call: Call, event: CallEvent): event is Extract<CallEvent, { type: 'leg' | 'hangup_requested' }> {
	if (event.type === 'hangup_requested') {
		return call.endedBy === 'system' && call.hangupRequestedAt === undefined && !isHandedOver(call)
	}
	return event.type === 'leg' && event.end !== undefined && call.legs.some(({ uuid, end }) => uuid === event.legUuid && end === undefined)
		&& (!isHandedOver(call) || event.legUuid === legOfUser(call).uuid)
}

/** What was guessed is judged again, as if the event had been told in time. */
function correct(call: Call, event: Extract<CallEvent, { type: 'leg' | 'hangup_requested' }>): Transition {
	const { outcome, endedBy, leg, cause, reason, talkMs, endedAt, userAnsweredAt, ringingAt, answeredAt, costMicros, ...known } = call
	const next: Call = { ...known, legs: call.legs.map((each) => ({ ...each })) }
	const log: CallLogEntry[] = []
	apply(next, event.type === 'leg' ? event : { ...event, at: earlier(event.at, endedAt) }, log)
	if (!hasEnded(next)) {
		return { ignored: 'call_has_ended' }
	}
	fillTimes(next)
	concludeCall(next, trueEnd(next))
	if (event.type === 'hangup_requested' && next.endedBy === 'system') {
		return { ignored: 'call_has_ended' }
	}
	if (costMicros !== undefined && isSettled(call)) {
		next.costMicros = costMicros
	} else {
		settleCost(next)
	}
	log.push({ at: event.at, type: 'corrected', detail: outcomeOf(next) })
	next.version++
	return { call: next, log }
}

/** When a call was over, as far as its legs tell: that one was not found any more is a bound for those that were not heard. */
function trueEnd(call: Call): Date {
	const isTold = [legOfUser(call), ...legsOfDestination(call).filter(({ answeredAt }) => answeredAt !== undefined)].some(({ end }) => end !== undefined)
	return latest(isTold ? endsOf(call) : call.legs.flatMap(({ endedAt, goneAt }) => endedAt ?? goneAt ?? []))
}

function endsOf(call: Call): Date[] {
	return call.legs.flatMap(({ endedAt }) => endedAt ?? [])
}

function earlier(time: Date, bound: Date | undefined): Date {
	return bound !== undefined && bound < time ? bound : time
}

function latest(times: readonly Date[]): Date {
	return new Date(Math.max(...times.map((time) => time.getTime())))
}

function outcomeOf({ outcome = 'failed', cause }: Call): Record<string, string> {
	return { outcome, ...(cause === undefined ? {} : { cause: cause.name }) }
}

function apply(call: Call, event: CallEvent, log: CallLogEntry[]): 'unknown_leg' | undefined {
	switch (event.type) {
		case 'leg': {
			const leg = call.legs.find(({ uuid }) => uuid === event.legUuid)
			if (leg === undefined) {
				return 'unknown_leg'
			}
			applyReport(call, leg, event, log)
			return undefined
		}
		case 'leg_gone': {
			const leg = call.legs.find(({ uuid }) => uuid === event.legUuid)
			if (leg === undefined) {
				return 'unknown_leg'
			}
			if (leg.end === undefined && leg.goneAt === undefined) {
				leg.goneAt = event.at
				log.push({ at: event.at, type: 'leg_gone', leg: leg.role })
			}
			return undefined
		}
		case 'originate_done': {
			const leg = legOfUser(call)
			if (leg.answeredAt === undefined && leg.end === undefined) {
				leg.createdAt ??= event.at
				leg.answeredAt = event.at
				log.push({ at: event.at, type: 'leg_answered', leg: 'user' })
			}
			return undefined
		}
		case 'originate_failed':
			if (call.originateFailure === undefined) {
				call.originateFailure = { cause: event.cause, verdict: event.verdict }
				log.push({ at: event.at, type: 'originate_failed', leg: 'user', detail: { cause: event.cause.name } })
			}
			return undefined
		case 'hangup_requested':
			if (call.hangupRequestedAt === undefined) {
				call.hangupRequestedAt = event.at
				call.hangupRequestedBy = event.by
				log.push({ at: event.at, type: 'hangup_requested', detail: { by: event.by } })
			}
			return undefined
		case 'transfer_asked':
			if (mayBeTransferred(call)) {
				call.transfer = 'asked'
				log.push({ at: event.at, type: 'transfer_asked' })
			}
			return undefined
		case 'transfer_answered':
			if (call.transfer === 'asked') {
				if (event.isDone) {
					call.transfer = 'done'
				} else {
					delete call.transfer
				}
				log.push({ at: event.at, type: event.isDone ? 'transferred' : 'transfer_refused' })
			}
			return undefined
	}
}

/** Takes over what is new in a report; what is known already stays as it was first told. */
function applyReport(call: Call, leg: Leg, report: LegReport, log: CallLogEntry[]): void {
	if (leg.end !== undefined) {
		return
	}
	// A node that takes over from another one has the channels under the same uuids. What has ended says nothing of the others.
	if (report.node !== undefined && report.end === undefined) {
		call.node = report.node
	}
	if (leg.createdAt === undefined) {
		leg.createdAt = report.createdAt ?? report.at
		log.push({ at: leg.createdAt, type: 'leg_created', leg: leg.role, ...(leg.gateway === undefined ? {} : { detail: { gateway: leg.gateway } }) })
	}
	if (report.ringingAt !== undefined && leg.ringingAt === undefined) {
		leg.ringingAt = report.ringingAt
		log.push({ at: report.ringingAt, type: 'leg_ringing', leg: leg.role })
	}
	if (report.answeredAt !== undefined && leg.answeredAt === undefined) {
		leg.answeredAt = report.answeredAt
		log.push({ at: report.answeredAt, type: 'leg_answered', leg: leg.role })
	}
	// Held is the call when the destination cannot hear the user. What the destination's own phone does is its own affair.
	if (report.held !== undefined && leg.role === 'user' && report.held !== call.onHold) {
		call.onHold = report.held
		log.push({ at: report.at, type: report.held ? 'held' : 'unheld', leg: leg.role })
	}
	if (report.end !== undefined) {
		leg.end = report.end
		leg.endedAt = report.endedAt ?? report.at
		log.push({
			at: leg.endedAt,
			type: 'leg_ended',
			leg: leg.role,
			detail: { cause: report.end.cause.name, q850: report.end.cause.q850, ...(report.end.cause.sip === undefined ? {} : { sip: report.end.cause.sip }) },
		})
	}
}

function fillTimes(call: Call): void {
	const userAnsweredAt = legOfUser(call).answeredAt
	if (userAnsweredAt !== undefined) {
		call.userAnsweredAt ??= userAnsweredAt
	}
	for (const leg of legsOfDestination(call)) {
		if (leg.ringingAt !== undefined) {
			call.ringingAt ??= leg.ringingAt
		}
		if (leg.answeredAt !== undefined) {
			call.answeredAt ??= leg.answeredAt
		}
	}
}

/**
 * A call has ended when the A leg is over and no B leg is alive. With the A leg's end the bridge is over as well, so
 * no further B leg can come; but a B leg's own end may still be on its way, and it is the one that tells the outcome.
 * A destination that was handed over goes on without us.
 */
function hasEnded(call: Call): boolean {
	return isUserOver(call) && (isHandedOver(call) || !legsOfDestination(call).some(isLegLive))
}

function advance(call: Call): void {
	const reached = statusByLegs(call)
	if (FOLLOWERS[call.status].includes(reached)) {
		call.status = reached
	}
}

function statusByLegs(call: Call): CallStatus {
	const destination = legsOfDestination(call)
	if (destination.some((leg) => leg.answeredAt !== undefined)) {
		return 'connected'
	}
	if (destination.some((leg) => leg.ringingAt !== undefined)) {
		return 'ringing'
	}
	const user = legOfUser(call)
	if (user.answeredAt !== undefined || destination.some((leg) => leg.createdAt !== undefined)) {
		return 'dialing'
	}
	return user.createdAt === undefined ? 'queued' : 'calling_user'
}
