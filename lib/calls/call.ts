// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a call is. One call = one intent of a user, with an A leg (the user's own device) and then B legs (the
// destination, one for each gateway that is tried), kept in one row and told to the outside in one shape.

import type { Money, Rate } from '../policy/rates.ts'

export type CallStatus = 'queued' | 'calling_user' | 'dialing' | 'ringing' | 'connected' | 'ended'

export type CallOutcome = 'completed' | 'busy' | 'no_answer' | 'rejected' | 'cancelled' | 'failed' | 'blocked'

export type EndedBy = 'user' | 'callee' | 'policy' | 'system'

/** Who wants a call to end. An administrator stands for the policy in `endedBy`, and is named in the reason. */
export type HangupBy = EndedBy | 'admin'

/** Which side a leg rings: the user's own device (A leg) or the destination (B leg). */
export type LegRole = 'user' | 'destination'

export interface Cause {
	/** FreeSWITCH's name, verbatim: `USER_BUSY`. */
	name: string
	/** ITU-T Q.850, or FreeSWITCH's own number above 127. */
	q850: number
	/** Final SIP status of the party (RFC 3261 section 21), when it answered by SIP with a refusal. */
	sip?: number
	/** What the phone company wrote beside it, such as `D51`. */
	carrier?: string
}

export type FixableBy = 'user' | 'admin' | 'carrier' | 'nobody'

export interface Reason {
	code: string
	message: string
	fixableBy: FixableBy
}

/** What the end of one leg says of the party at its other side, in words that know no switch. */
export type Verdict
	= | 'cleared' | 'max_duration' | 'busy' | 'no_answer' | 'unreachable' | 'not_registered' | 'rejected' | 'cancelled'
		| 'unknown_number' | 'number_changed' | 'barred' | 'congestion' | 'switch_refused' | 'gateway_down'
		| 'misconfigured' | 'media' | 'media_lost' | 'switch_stopped' | 'not_dialled' | 'caller_id_refused'
		| 'trunk_refused' | 'trunk_limit' | 'trunk_disabled' | 'trunk_blocked' | 'no_route' | 'failed'

export interface LegEnd {
	cause: Cause
	verdict: Verdict
	/** `party` = the phone at this leg hung up or refused; `switch` = FreeSWITCH ended the leg. */
	hungUpBy: 'party' | 'switch'
	/** Milliseconds between this leg's own answer and its end (FreeSWITCH's `billmsec`); 0 = never answered. */
	talkMs: number
	/** On the A leg: how the B legs went, when the switch tells (`originate_disposition`). */
	onward?: { cause: Cause, verdict: Verdict }
	/** On the A leg: milliseconds during which it was joined to a B leg, when it was. */
	bridgedMs?: number
}

/** What is known of one channel. Every field is set once and never changed: late and doubled reports alter nothing. */
export interface Leg {
	/** FreeSWITCH's `Unique-ID`, chosen by us before dialling. */
	uuid: string
	role: LegRole
	/** The gateway it goes through; undefined for a registered phone. */
	gateway?: string
	createdAt?: Date
	/** First 180 or 183. */
	ringingAt?: Date
	answeredAt?: Date
	endedAt?: Date
	end?: LegEnd
	/** The switch does not know the channel any more and its end was not reported. */
	goneAt?: Date
}

/** What the company behind the trunk says of a call's cost; `unknown` = it never said. */
export interface CarrierCost {
	state: 'pending' | 'final' | 'unknown'
	cost?: Money
	/** How often it was looked for. */
	looks: number
}

export interface Call {
	uuid: string
	version: number
	userId: string
	/** E.164; once masked, the country's code and the last two digits; once erased, nothing. */
	to: string
	/** When number, note and tags were destroyed. */
	maskedAt?: Date
	/** When somebody has erased the number; the call is masked as well then. */
	erasedAt?: Date
	/** A text of it cannot be decrypted and is left out; `to`, `rawTo` and the device’s label are then empty. */
	isUnreadable?: boolean
	/** Keys that are pressed once the destination has answered: `0-9*#`, and `,` for a pause of two seconds. */
	extension?: string
	/** ISO 3166; undefined for numbers that belong to no country. */
	country?: string
	/** What the person typed, kept beside the number. */
	rawTo: string
	device: { id: string, label: string }
	/** E.164 shown to the destination; undefined = the gateway's own. */
	callerId?: string
	note?: string
	tags: string[]
	direction: 'outbound' | 'inbound'
	status: CallStatus
	outcome?: CallOutcome
	endedBy?: EndedBy
	/** Whose leg decided the outcome, beside `cause`. */
	leg?: LegRole
	cause?: Cause
	reason?: Reason
	createdAt: Date
	userAnsweredAt?: Date
	ringingAt?: Date
	answeredAt?: Date
	endedAt?: Date
	talkMs?: number
	onHold: boolean
	/**
	 * The A leg first, then the B legs in the order of their gateways; then whatever the switch made beside them (see
	 * `withLeg`).
	 */
	legs: Leg[]
	/** FreeSWITCH's `Job-UUID` of the one originate, chosen by us. */
	jobUuid: string
	/** `host:port` of the FreeSWITCH that has the call's channels, chosen before the row is stored. */
	node?: string
	/** Seconds after which the switch has ended the call by its own limits, whoever still hears of it. */
	longestSec?: number
	/** Somebody wants the call to end; from then on the sidecar works until both legs are gone. */
	hangupRequestedAt?: Date
	hangupRequestedBy?: HangupBy
	/**
	 * The user hands the destination over to another number: `asked` before the switch is told, `done` when it has said
	 * yes. Kept in the row, so that the end of the user's leg is understood also when the answer was lost.
	 */
	transfer?: 'asked' | 'done'
	/** What the destination costs, as it was when the call was placed. */
	rate?: Rate
	/** What the user's own phone costs, when it is rung through the trunk. */
	ownRate?: Rate
	/** Millionths of the rate's currency that count as spent while the call is open: it may last as long as it may. */
	reservedMicros?: string
	/** What counts as spent from the end on. */
	costMicros?: string
	/** Where the company can be asked. */
	carrierCost?: CarrierCost
	/** The switch refused the originate, or its job failed. */
	originateFailure?: { cause: Cause, verdict: Verdict }
}

/**
 * The user's own leg. Of several that rang it is the one that was answered, else one that still rings, else one that
 * tells more than that another was quicker.
 */
export function legOfUser(call: Call): Leg {
	const legs = call.legs.filter(({ role }) => role === 'user')
	const leg = legs.find(({ answeredAt }) => answeredAt !== undefined)
		?? legs.find(isLegLive)
		?? legs.find(({ end }) => end !== undefined && end.verdict !== 'cancelled')
		?? legs.find(({ end }) => end !== undefined)
		?? legs[0]
	if (leg === undefined) {
		throw new TypeError('A call without legs')
	}
	return leg
}

/** The legs towards the destination, in the order in which they are tried. */
export function legsOfDestination(call: Call): Leg[] {
	return call.legs.filter(({ role }) => role === 'destination')
}

/** Legs that the switch has sent out over the trunk: the user's own phone as well, where it is behind it. */
export function legsAtCompany({ legs }: Call): Leg[] {
	return legs.filter(({ gateway, createdAt, end }) => gateway !== undefined && createdAt !== undefined && end?.verdict !== 'gateway_down' && end?.verdict !== 'misconfigured')
}

/** Whether nothing of the user's side is there any more: it had been there, or will never be. */
export function isUserOver(call: Call): boolean {
	const legs = call.legs.filter(({ role }) => role === 'user')
	return !legs.some(isLegLive) && (call.originateFailure !== undefined || legs.some((leg) => leg.end !== undefined || leg.goneAt !== undefined))
}

/** Whether a leg exists on the switch as far as anyone knows. */
export function isLegLive(leg: Leg): boolean {
	return (leg.createdAt !== undefined || leg.answeredAt !== undefined) && leg.end === undefined && leg.goneAt === undefined
}

/**
 * The leg in which the person called has said no. A 403 before anything rang is a gateway's own refusal (RFC 3261 section
 * 21.4.4): a phone that declines sends 603, or has rung.
 */
export function declinedLeg(call: Call): Leg | undefined {
	return legsOfDestination(call).find(({ end, ringingAt }) => end?.verdict === 'rejected' && (ringingAt !== undefined || end.cause.sip !== 403))
}

/** Whether the person called has said no, and the switch may ring them again over another gateway. */
export function isRungAgain(call: Call): boolean {
	return call.answeredAt === undefined && declinedLeg(call) !== undefined && legsOfDestination(call).some(({ end, goneAt }) => end === undefined && goneAt === undefined)
}

/** The leg of the destination that was answered and is there. */
export function talkingLeg(call: Call): Leg | undefined {
	return legsOfDestination(call).find((leg) => leg.answeredAt !== undefined && isLegLive(leg))
}

/** Whether both sides are there: only then does it make sense to hold, to send keys or to transfer. */
export function isTalking(call: Call): boolean {
	return call.status === 'connected' && isLegLive(legOfUser(call)) && talkingLeg(call) !== undefined
}

/** Whether two people talk, and nobody has asked for anything else. */
export function mayBeTransferred(call: Call): boolean {
	return isTalking(call) && call.transfer === undefined && call.hangupRequestedAt === undefined
}

/**
 * Whether the destination was handed over to another number: then its legs are no more of this call, and go on until the
 * two people hang up or the longest call length is reached. While the switch's answer is not known, the end of the
 * user's leg tells: the switch hangs it up when it has taken the other one away.
 */
export function isHandedOver(call: Call): boolean {
	return call.transfer === 'done'
		|| (call.transfer === 'asked' && call.hangupRequestedAt === undefined
			&& isUserOver(call) && legOfUser(call).end?.hungUpBy !== 'party' && talkingLeg(call) !== undefined)
}

/** More legs than a call can have: a switch that makes them without end must not fill our storage. */
const MAX_LEGS = 32

/**
 * The call with a leg that the switch made beside those we chose: it takes the place of one that has not come to be
 * (the switch gives another uuid when ours is taken), or stands beside the others (a directory entry that rings several phones).
 */
export function withLeg(call: Call, uuid: string, role: LegRole): Call {
	if (call.legs.length >= MAX_LEGS || call.legs.some((leg) => leg.uuid === uuid)) {
		return call
	}
	const unborn = call.legs.find((leg) => leg.role === role && leg.createdAt === undefined && leg.end === undefined && leg.goneAt === undefined)
	return {
		...call,
		legs: unborn === undefined ? [...call.legs, { uuid, role }] : call.legs.map((leg) => leg === unborn ? { ...leg, uuid } : leg),
	}
}
