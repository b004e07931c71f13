// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// FreeSWITCH's hangup causes: their numbers and what each says about the party that was called.

import type { Cause, Verdict } from '../calls/call.ts'

/** `switch_call_cause_t` of FreeSWITCH's switch_types.h; up to 127 the numbers of ITU-T Q.850. */
const NUMBERS: Readonly<Record<string, number>> = {
	NONE: 0,
	UNALLOCATED_NUMBER: 1,
	NO_ROUTE_TRANSIT_NET: 2,
	NO_ROUTE_DESTINATION: 3,
	CHANNEL_UNACCEPTABLE: 6,
	CALL_AWARDED_DELIVERED: 7,
	NORMAL_CLEARING: 16,
	USER_BUSY: 17,
	NO_USER_RESPONSE: 18,
	NO_ANSWER: 19,
	SUBSCRIBER_ABSENT: 20,
	CALL_REJECTED: 21,
	NUMBER_CHANGED: 22,
	REDIRECTION_TO_NEW_DESTINATION: 23,
	EXCHANGE_ROUTING_ERROR: 25,
	DESTINATION_OUT_OF_ORDER: 27,
	INVALID_NUMBER_FORMAT: 28,
	FACILITY_REJECTED: 29,
	RESPONSE_TO_STATUS_ENQUIRY: 30,
	NORMAL_UNSPECIFIED: 31,
	NORMAL_CIRCUIT_CONGESTION: 34,
	NETWORK_OUT_OF_ORDER: 38,
	NORMAL_TEMPORARY_FAILURE: 41,
	SWITCH_CONGESTION: 42,
	ACCESS_INFO_DISCARDED: 43,
	REQUESTED_CHAN_UNAVAIL: 44,
	PRE_EMPTED: 45,
	FACILITY_NOT_SUBSCRIBED: 50,
	OUTGOING_CALL_BARRED: 52,
	INCOMING_CALL_BARRED: 54,
	BEARERCAPABILITY_NOTAUTH: 57,
	BEARERCAPABILITY_NOTAVAIL: 58,
	SERVICE_UNAVAILABLE: 63,
	BEARERCAPABILITY_NOTIMPL: 65,
	CHAN_NOT_IMPLEMENTED: 66,
	FACILITY_NOT_IMPLEMENTED: 69,
	SERVICE_NOT_IMPLEMENTED: 79,
	INVALID_CALL_REFERENCE: 81,
	INCOMPATIBLE_DESTINATION: 88,
	INVALID_MSG_UNSPECIFIED: 95,
	MANDATORY_IE_MISSING: 96,
	MESSAGE_TYPE_NONEXIST: 97,
	WRONG_MESSAGE: 98,
	IE_NONEXIST: 99,
	INVALID_IE_CONTENTS: 100,
	WRONG_CALL_STATE: 101,
	RECOVERY_ON_TIMER_EXPIRE: 102,
	MANDATORY_IE_LENGTH_ERROR: 103,
	PROTOCOL_ERROR: 111,
	INTERWORKING: 127,
	SUCCESS: 142,
	ORIGINATOR_CANCEL: 487,
	CRASH: 700,
	SYSTEM_SHUTDOWN: 701,
	LOSE_RACE: 702,
	MANAGER_REQUEST: 703,
	BLIND_TRANSFER: 800,
	ATTENDED_TRANSFER: 801,
	ALLOTTED_TIMEOUT: 802,
	USER_CHALLENGE: 803,
	MEDIA_TIMEOUT: 804,
	PICKED_OFF: 805,
	USER_NOT_REGISTERED: 806,
	PROGRESS_TIMEOUT: 807,
	INVALID_GATEWAY: 808,
	GATEWAY_DOWN: 809,
	INVALID_URL: 810,
	INVALID_PROFILE: 811,
	NO_PICKUP: 812,
	SRTP_READ_ERROR: 813,
	BOWOUT: 814,
	BUSY_EVERYWHERE: 815,
	DECLINE: 816,
	DOES_NOT_EXIST_ANYWHERE: 817,
	NOT_ACCEPTABLE: 818,
	UNWANTED: 819,
	NO_IDENTITY: 820,
	BAD_IDENTITY_INFO: 821,
	UNSUPPORTED_CERTIFICATE: 822,
	INVALID_IDENTITY: 823,
	STALE_DATE: 824,
	REJECT_ALL: 825,
}

/** All causes that FreeSWITCH knows, with their numbers. */
export const CAUSES: readonly (readonly [name: string, q850: number])[] = Object.entries(NUMBERS)

/** What each cause says of the leg that ended with it. Causes that are not named here are `failed`. */
const VERDICTS: Readonly<Record<string, Verdict>> = {
	NORMAL_CLEARING: 'cleared',
	SUCCESS: 'cleared',
	BLIND_TRANSFER: 'cleared',
	ATTENDED_TRANSFER: 'cleared',
	ALLOTTED_TIMEOUT: 'max_duration',
	USER_BUSY: 'busy',
	BUSY_EVERYWHERE: 'busy',
	NO_ANSWER: 'no_answer',
	NO_USER_RESPONSE: 'no_answer',
	PROGRESS_TIMEOUT: 'no_answer',
	NO_PICKUP: 'no_answer',
	RECOVERY_ON_TIMER_EXPIRE: 'unreachable',
	SUBSCRIBER_ABSENT: 'not_registered',
	USER_NOT_REGISTERED: 'not_registered',
	CALL_REJECTED: 'rejected',
	DECLINE: 'rejected',
	UNWANTED: 'rejected',
	REJECT_ALL: 'rejected',
	ORIGINATOR_CANCEL: 'cancelled',
	LOSE_RACE: 'cancelled',
	PICKED_OFF: 'cancelled',
	MANAGER_REQUEST: 'cancelled',
	UNALLOCATED_NUMBER: 'unknown_number',
	NO_ROUTE_DESTINATION: 'unknown_number',
	NO_ROUTE_TRANSIT_NET: 'unknown_number',
	INVALID_NUMBER_FORMAT: 'unknown_number',
	DOES_NOT_EXIST_ANYWHERE: 'unknown_number',
	NUMBER_CHANGED: 'number_changed',
	OUTGOING_CALL_BARRED: 'barred',
	INCOMING_CALL_BARRED: 'barred',
	FACILITY_NOT_SUBSCRIBED: 'barred',
	BEARERCAPABILITY_NOTAUTH: 'barred',
	NORMAL_TEMPORARY_FAILURE: 'congestion',
	SWITCH_CONGESTION: 'congestion',
	NORMAL_CIRCUIT_CONGESTION: 'congestion',
	NETWORK_OUT_OF_ORDER: 'congestion',
	SERVICE_UNAVAILABLE: 'congestion',
	EXCHANGE_ROUTING_ERROR: 'congestion',
	REQUESTED_CHAN_UNAVAIL: 'congestion',
	DESTINATION_OUT_OF_ORDER: 'switch_refused',
	GATEWAY_DOWN: 'gateway_down',
	INVALID_GATEWAY: 'misconfigured',
	INVALID_PROFILE: 'misconfigured',
	INVALID_URL: 'misconfigured',
	CHAN_NOT_IMPLEMENTED: 'misconfigured',
	INCOMPATIBLE_DESTINATION: 'media',
	BEARERCAPABILITY_NOTIMPL: 'media',
	NOT_ACCEPTABLE: 'media',
	MEDIA_TIMEOUT: 'media_lost',
	SRTP_READ_ERROR: 'media_lost',
	SYSTEM_SHUTDOWN: 'switch_stopped',
	CRASH: 'switch_stopped',
	NONE: 'switch_stopped',
	NO_IDENTITY: 'caller_id_refused',
	BAD_IDENTITY_INFO: 'caller_id_refused',
	UNSUPPORTED_CERTIFICATE: 'caller_id_refused',
	INVALID_IDENTITY: 'caller_id_refused',
	STALE_DATE: 'caller_id_refused',
}

/** SIP answers that FreeSWITCH folds into CALL_REJECTED but that speak of us, not of the person called. */
const TRUNK_REFUSALS = new Set([401, 402, 407])

/**
 * A cause with its number and, where the party answered by SIP, the status it gave.
 *
 * @param name FreeSWITCH's name, such as `USER_BUSY`; an unknown one is kept with the number of NORMAL_UNSPECIFIED
 * @param sip final SIP status (RFC 3261 section 21), 0 or undefined when there was none
 */
export function causeOf(name: string, sip?: number): Cause {
	const q850 = (isCauseName(name) ? NUMBERS[name] : undefined) ?? 31
	return { name, q850, ...(sip !== undefined && Number.isInteger(sip) && sip >= 300 && sip <= 699 ? { sip } : {}) }
}

/** Whether a text is the name of a cause that FreeSWITCH knows. */
export function isCauseName(text: string): boolean {
	return Object.hasOwn(NUMBERS, text)
}

/**
 * What a leg's end says.
 *
 * @param cause the leg's own cause
 * @param reached how far the leg had come: rung (or sent early media), been answered
 */
export function verdictOf(cause: Cause, reached: { progressed: boolean, answered: boolean }): Verdict {
	const verdict = (isCauseName(cause.name) ? VERDICTS[cause.name] : undefined) ?? 'failed'
	// FreeSWITCH ends a leg by `leg_timeout` with the very cause by which it ends a call that was too long.
	if (verdict === 'max_duration' && !reached.answered) {
		return 'no_answer'
	}
	if (verdict === 'rejected' && cause.sip !== undefined && TRUNK_REFUSALS.has(cause.sip)) {
		return 'trunk_refused'
	}
	// The far end said so itself (502 Bad Gateway): it is not our switch that is at its limit.
	if (verdict === 'switch_refused' && cause.sip !== undefined) {
		return 'congestion'
	}
	// A timer that runs out after ringing means that nobody picked up; before it, nobody was there (Q.850 cause 102).
	return verdict === 'unreachable' && reached.progressed ? 'no_answer' : verdict
}
