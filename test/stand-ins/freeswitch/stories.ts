// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * The stories the stand-in can tell, and which one a number asks for.
 *
 * The last two digits of the destination choose what the called party does:
 *
 * | ends with | story | what happens |
 * |---|---|---|
 * | 01 | answer_callee_hangs_up | answers, talks for a while, hangs up |
 * | 03 | unavailable_503 | 503 at once |
 * | 04 | not_found_404 | 404 at once: the number does not exist |
 * | 05 | unavailable_503, then answer_until_hangup | the first gateway fails, the second one answers |
 * | 06 | gateway_silent, then answer_until_hangup | the first gateway never answers at all |
 * | 07 | invalid_gateway | the gateway is not configured |
 * | 08 | gateway_pinged_down | the gateway is known to be down: no call is tried |
 * | 09 | gateway_down | nothing listens at the gateway's address |
 * | 17 | busy | rings, then 486 |
 * | 18 | no_answer_480 | rings, then 480 |
 * | 19 | no_answer_timeout | rings until our own timeout |
 * | 20 | no_answer_480_q850 | rings, then 480 with `Reason: Q.850;cause=19` |
 * | 21 | reject_603 | rings, then the callee declines |
 * | 43 | reject_403 | 403 at once: the provider refuses |
 * | 83 | early_media_then_answer | announcement (183), then answers |
 * | 84 | early_media_then_404 | announcement (183), then 404 |
 * | else | answer_until_hangup | answers and talks until somebody hangs up |
 *
 * The last three digits of the own device (extension or number) choose what the caller does, and win over the table above:
 *
 * | ends with | story | what happens |
 * |---|---|---|
 * | 903 | a_offline | 503 at once |
 * | 909 | a_not_registered | no channel at all |
 * | 917 | a_busy | rings, then 486 |
 * | 919 | a_no_answer | rings until the timeout |
 * | 921 | a_declined | rings, then 603 |
 * | 931 | a_hangs_up_while_b_rings | picks up and loses patience |
 * | 932 | a_hangs_up_talking | picks up, talks for a while, hangs up |
 */

import type { OriginateLine } from './tokenizer.ts'

export interface Refusal {
	status: number
	phrase: string
	cause: string
	/** The refusal is made by the switch because nobody is there (an ICMP error). */
	nobodyThere?: true
}

/** How one party of a call behaves. */
export interface Party {
	/** Sends 180 first. */
	rings: boolean
	/** Sends 183 with sound before it goes on. */
	announces?: true
	/** The switch does not even create a channel, for this cause. */
	impossible?: string
	then: 'answers' | 'never' | Refusal
	/** Hangs up after having talked for a while. */
	endsTalk?: true
	/** Hangs up while the other one still rings. */
	losesPatience?: true
}

export interface Story {
	a: Party
	b: Party
}

const ANSWERS: Party = { rings: true, then: 'answers' }

function refuses(status: number, phrase: string, cause: string, rings = true): Party {
	return { rings, then: { status, phrase, cause } }
}

const BUSY = refuses(486, 'Busy Here', 'USER_BUSY')
const DECLINES = refuses(603, 'Decline', 'CALL_REJECTED')
const UNAVAILABLE = refuses(503, 'Service Unavailable', 'NORMAL_TEMPORARY_FAILURE', false)
const NEVER: Party = { rings: true, then: 'never' }

export const STORIES = {
	answer_until_hangup: { a: ANSWERS, b: ANSWERS },
	answer_callee_hangs_up: { a: ANSWERS, b: { ...ANSWERS, endsTalk: true } },
	busy: { a: ANSWERS, b: BUSY },
	no_answer_480: { a: ANSWERS, b: refuses(480, 'Temporarily Unavailable', 'NO_USER_RESPONSE') },
	no_answer_480_q850: { a: ANSWERS, b: refuses(480, 'Temporarily Unavailable', 'NO_ANSWER') },
	no_answer_timeout: { a: ANSWERS, b: NEVER },
	reject_603: { a: ANSWERS, b: DECLINES },
	reject_403: { a: ANSWERS, b: refuses(403, 'Forbidden', 'CALL_REJECTED', false) },
	/** As a company writes it that names its own reasons. */
	company_refuses_403: { a: ANSWERS, b: refuses(403, 'Unverified origination number D51', 'CALL_REJECTED', false) },
	company_refuses_404: { a: ANSWERS, b: refuses(404, 'User account is blocked D19', 'UNALLOCATED_NUMBER', false) },
	not_found_404: { a: ANSWERS, b: refuses(404, 'Not Found', 'UNALLOCATED_NUMBER', false) },
	unavailable_503: { a: ANSWERS, b: UNAVAILABLE },
	gateway_down: { a: ANSWERS, b: { rings: false, then: { status: 503, phrase: 'Service Unavailable', cause: 'NORMAL_TEMPORARY_FAILURE', nobodyThere: true } } },
	gateway_silent: { a: ANSWERS, b: { rings: false, then: 'never' } },
	gateway_pinged_down: { a: ANSWERS, b: { ...NEVER, impossible: 'GATEWAY_DOWN' } },
	invalid_gateway: { a: ANSWERS, b: { ...NEVER, impossible: 'INVALID_GATEWAY' } },
	early_media_then_answer: { a: ANSWERS, b: { ...ANSWERS, announces: true } },
	early_media_then_404: { a: ANSWERS, b: { ...refuses(404, 'Not Found', 'UNALLOCATED_NUMBER'), announces: true } },
	a_no_answer: { a: NEVER, b: ANSWERS },
	a_busy: { a: BUSY, b: ANSWERS },
	a_declined: { a: DECLINES, b: ANSWERS },
	a_offline: { a: UNAVAILABLE, b: ANSWERS },
	a_not_registered: { a: { ...NEVER, impossible: 'USER_NOT_REGISTERED' }, b: ANSWERS },
	a_hangs_up_while_b_rings: { a: { ...ANSWERS, losesPatience: true }, b: NEVER },
	a_hangs_up_talking: { a: { ...ANSWERS, endsTalk: true }, b: ANSWERS },
} satisfies Record<string, Story>

export type ScenarioName = keyof typeof STORIES

const BY_DESTINATION: Readonly<Record<string, readonly ScenarioName[]>> = {
	'01': ['answer_callee_hangs_up'],
	'03': ['unavailable_503'],
	'04': ['not_found_404'],
	'05': ['unavailable_503', 'answer_until_hangup'],
	'06': ['gateway_silent', 'answer_until_hangup'],
	'07': ['invalid_gateway'],
	'08': ['gateway_pinged_down'],
	'09': ['gateway_down'],
	17: ['busy'],
	18: ['no_answer_480'],
	19: ['no_answer_timeout'],
	20: ['no_answer_480_q850'],
	21: ['reject_603'],
	43: ['reject_403'],
	83: ['early_media_then_answer'],
	84: ['early_media_then_404'],
}

const BY_DEVICE: Readonly<Record<string, ScenarioName>> = {
	903: 'a_offline',
	909: 'a_not_registered',
	917: 'a_busy',
	919: 'a_no_answer',
	921: 'a_declined',
	931: 'a_hangs_up_while_b_rings',
	932: 'a_hangs_up_talking',
}

/** Milliseconds between the steps of a story, in the switch's own time. Infinity waits until a test acts. */
export interface Pace {
	/** From the INVITE to the first answer of the far end. */
	network: number
	/** The caller's phone rings. */
	phoneRings: number
	/** The destination rings. */
	destinationRings: number
	/** An announcement before the answer. */
	announcement: number
	/** Talk, in stories where a party hangs up by itself. */
	talks: number
	/** How long a caller who loses patience waits. */
	patience: number
}

/** As fast as possible. */
export const AT_ONCE: Pace = { network: 0, phoneRings: 0, destinationRings: 0, announcement: 0, talks: 0, patience: 0 }

/** For somebody who watches. */
export const HUMAN_PACE: Pace = { network: 50, phoneRings: 2_000, destinationRings: 3_000, announcement: 3_000, talks: 20_000, patience: 4_000 }

/** The digits at the end of what is dialled, without a host. */
function digitsOf(dialled: string | undefined): string {
	return (dialled ?? '').split(/[@;]/)[0]?.replace(/\D/g, '') ?? ''
}

/** The stories of an originate by its numbers; several when each gateway has its own, the last one stays. */
export function storiesByNumber(line: OriginateLine): readonly ScenarioName[] {
	const byDevice = BY_DEVICE[digitsOf(line.aLegs[0]?.number).slice(-3)]
	if (byDevice !== undefined) {
		return [byDevice]
	}
	const destination = line.legs[0]?.number ?? line.aVariables.destination_number
	return BY_DESTINATION[digitsOf(destination).slice(-2)] ?? ['answer_until_hangup']
}
