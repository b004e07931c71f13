// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call, CallOutcome, Cause, EndedBy, LegRole, Verdict } from './call.ts'

import { declinedLeg, isHandedOver, legOfUser, legsOfDestination } from './call.ts'
import { ENDED_BY_ADMIN, reasonFor, TRANSFERRED } from './reasons.ts'

interface Judgement {
	cause: Cause
	verdict: Verdict
	/** Whether the party itself hung up or refused. */
	byParty: boolean
}

/** What a verdict on a leg that was never answered makes of the call. */
const OUTCOMES: Readonly<Record<Verdict, CallOutcome>> = {
	cleared: 'cancelled',
	cancelled: 'cancelled',
	busy: 'busy',
	no_answer: 'no_answer',
	rejected: 'rejected',
	barred: 'blocked',
	max_duration: 'failed',
	unreachable: 'failed',
	not_registered: 'failed',
	unknown_number: 'failed',
	number_changed: 'failed',
	congestion: 'failed',
	switch_refused: 'failed',
	gateway_down: 'failed',
	misconfigured: 'failed',
	media: 'failed',
	media_lost: 'failed',
	switch_stopped: 'failed',
	not_dialled: 'failed',
	caller_id_refused: 'failed',
	trunk_refused: 'failed',
	trunk_limit: 'failed',
	trunk_disabled: 'failed',
	trunk_blocked: 'failed',
	no_route: 'failed',
	failed: 'failed',
}

/** Verdicts whose author is the system, not a person, even when the party's equipment sent them. */
const BY_PERSON = new Set<Verdict>(['busy', 'rejected', 'cleared', 'cancelled'])

/** What somebody who has asked for the end gets as such, whoever was quicker. */
const STOPPED = new Set<Verdict>(['cancelled', 'cleared', 'switch_stopped', 'not_dialled'])

const LOST: Cause = { name: 'NONE', q850: 0 }

/**
 * Writes the end into a call whose legs are all over: outcome, who ended it, why, and how long people talked.
 *
 * The B leg decides; the A leg's cause never does, because FreeSWITCH ends an answered A leg as it likes
 * (NORMAL_CLEARING after a timeout on B). Without a B leg the A leg's `originate_disposition` speaks, and without any
 * channel the text of the originate job.
 *
 * @param call changed in place
 * @param at when the last leg ended
 */
export function concludeCall(call: Call, at: Date): void {
	const answered = legsOfDestination(call).find((leg) => leg.answeredAt !== undefined || (leg.end?.talkMs ?? 0) > 0)
	call.status = 'ended'
	call.endedAt = at
	call.onHold = false
	if (isHandedOver(call)) {
		const { cause } = legOfUser(call).end ?? { cause: LOST }
		call.talkMs = Math.max(0, at.getTime() - (call.answeredAt ?? at).getTime())
		Object.assign(call, { outcome: 'completed', endedBy: 'user', leg: 'user', cause, reason: TRANSFERRED })
		return
	}
	// The B leg's reports may all be lost in a gap of the connection: then the A leg's bridge still proves the answer.
	const bridgedMs = legOfUser(call).end?.bridgedMs
	if (answered === undefined && bridgedMs !== undefined) {
		const { cause, verdict } = legOfUser(call).end ?? { cause: LOST, verdict: 'switch_stopped' as const }
		call.answeredAt = new Date(at.getTime() - bridgedMs)
		call.talkMs = bridgedMs
		settle(call, 'completed', endedByOfAnswered(call, verdict), 'destination', cause, verdict)
		return
	}
	if (answered !== undefined) {
		// The longest call length is watched on one leg; the other is then cleared as by a normal hang-up.
		const limited = call.legs.find((leg) => leg.end?.verdict === 'max_duration')
		const end = limited?.end ?? answered.end ?? legOfUser(call).end
		const cause = end?.cause ?? LOST
		const talkMs = answered.end?.talkMs ?? Math.max(0, at.getTime() - (answered.answeredAt ?? at).getTime())
		call.answeredAt ??= new Date(at.getTime() - talkMs)
		call.talkMs = talkMs
		settle(call, 'completed', endedByOfAnswered(call, end?.verdict), 'destination', cause, end?.verdict ?? 'switch_stopped')
		return
	}
	const attempt = judgeDestination(call)
	if (attempt !== undefined) {
		concludeUnanswered(call, 'destination', attempt)
	} else {
		concludeUnanswered(call, legOfUser(call).answeredAt === undefined ? 'user' : 'destination', judgeUser(call))
	}
}

/** Who asked for the end, in the words of `endedBy`. */
function requestedBy({ hangupRequestedBy }: Call): EndedBy | undefined {
	return hangupRequestedBy === 'admin' ? 'policy' : hangupRequestedBy
}

function endedByOfAnswered(call: Call, verdict: Verdict | undefined): EndedBy {
	if (verdict === 'max_duration') {
		return 'policy'
	}
	if (legsOfDestination(call).some((leg) => leg.end?.hungUpBy === 'party' && leg.end.verdict !== 'switch_stopped')) {
		return 'callee'
	}
	if (legOfUser(call).end?.hungUpBy === 'party') {
		return 'user'
	}
	return requestedBy(call) ?? 'system'
}

/** How the destination took the call; undefined when it was never called. */
function judgeDestination(call: Call): Judgement | undefined {
	const tried = legsOfDestination(call).filter((leg) => leg.createdAt !== undefined)
	// Who has declined was not called again over the next gateway, whatever became of that leg.
	const last = declinedLeg(call) ?? tried.findLast((leg) => leg.end !== undefined)
	if (last?.end !== undefined) {
		return { cause: last.end.cause, verdict: last.end.verdict, byParty: last.end.hungUpBy === 'party' }
	}
	const onward = legOfUser(call).end?.onward
	if (onward !== undefined) {
		return { ...onward, byParty: false }
	}
	return tried.length === 0 ? undefined : { cause: LOST, verdict: 'switch_stopped', byParty: false }
}

function judgeUser(call: Call): Judgement {
	const { end } = legOfUser(call)
	if (end !== undefined) {
		return { cause: end.cause, verdict: end.verdict, byParty: end.hungUpBy === 'party' }
	}
	if (call.originateFailure !== undefined) {
		return { ...call.originateFailure, byParty: false }
	}
	return { cause: LOST, verdict: 'switch_stopped', byParty: false }
}

function concludeUnanswered(call: Call, leg: LegRole, { cause, verdict, byParty }: Judgement): void {
	const user = legOfUser(call)
	// The user's own hang-up ends the attempt on B as well: B's ORIGINATOR_CANCEL only repeats it.
	const userHungUp = user.answeredAt !== undefined && user.end?.hungUpBy === 'party'
	if (userHungUp && (verdict === 'cancelled' || verdict === 'cleared' || leg === 'user' || !byParty)) {
		settle(call, 'cancelled', 'user', leg, cause, verdict)
		return
	}
	const by = requestedBy(call)
	if (by !== undefined && STOPPED.has(verdict)) {
		settle(call, 'cancelled', by, leg, cause, 'cancelled')
		return
	}
	const person: EndedBy = leg === 'user' ? 'user' : 'callee'
	// A destination that is not signed in is a phone that nobody picks up; the user's own one is a fault to mend.
	const outcome = leg === 'destination' && verdict === 'not_registered' ? 'no_answer' : OUTCOMES[verdict]
	settle(call, outcome, byParty && BY_PERSON.has(verdict) ? person : 'system', leg, cause, verdict)
}

function settle(call: Call, outcome: CallOutcome, endedBy: EndedBy, leg: LegRole, cause: Cause, verdict: Verdict): void {
	call.outcome = outcome
	call.endedBy = endedBy
	call.leg = leg
	call.cause = cause
	// The longest call length is policy as well, and has a verdict of its own.
	const isByAdmin = call.hangupRequestedBy === 'admin' && endedBy === 'policy' && verdict !== 'max_duration'
	const reason = isByAdmin ? ENDED_BY_ADMIN : reasonFor(outcome, leg, verdict, endedBy)
	if (reason !== undefined) {
		call.reason = reason
	}
}
