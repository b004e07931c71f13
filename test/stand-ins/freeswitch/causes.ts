// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The hang-up causes that the stories and `uuid_kill` use: `SWITCH_CAUSE_*` of switch_types.h. */

const CAUSES: Readonly<Record<string, number>> = {
	UNALLOCATED_NUMBER: 1,
	NO_ROUTE_DESTINATION: 3,
	NORMAL_CLEARING: 16,
	USER_BUSY: 17,
	NO_USER_RESPONSE: 18,
	NO_ANSWER: 19,
	SUBSCRIBER_ABSENT: 20,
	CALL_REJECTED: 21,
	DESTINATION_OUT_OF_ORDER: 27,
	INVALID_NUMBER_FORMAT: 28,
	NORMAL_UNSPECIFIED: 31,
	NORMAL_CIRCUIT_CONGESTION: 34,
	NORMAL_TEMPORARY_FAILURE: 41,
	SWITCH_CONGESTION: 42,
	OUTGOING_CALL_BARRED: 52,
	CHAN_NOT_IMPLEMENTED: 66,
	INCOMPATIBLE_DESTINATION: 88,
	RECOVERY_ON_TIMER_EXPIRE: 102,
	INTERWORKING: 127,
	ORIGINATOR_CANCEL: 487,
	SYSTEM_SHUTDOWN: 701,
	LOSE_RACE: 702,
	MANAGER_REQUEST: 703,
	BLIND_TRANSFER: 800,
	ATTENDED_TRANSFER: 801,
	ALLOTTED_TIMEOUT: 802,
	MEDIA_TIMEOUT: 804,
	PICKED_OFF: 805,
	USER_NOT_REGISTERED: 806,
	PROGRESS_TIMEOUT: 807,
	INVALID_GATEWAY: 808,
	GATEWAY_DOWN: 809,
	INVALID_URL: 810,
	INVALID_PROFILE: 811,
}

/** The number in `variable_hangup_cause_q850`: causes that Q.850 does not know are reported as 16. */
export function q850(cause: string): number {
	const number = CAUSES[cause] ?? 16
	return number > 127 ? 16 : number
}

/** Reads the cause of a command by name or number; what is unknown ends the call normally (`switch_channel_str2cause`). */
export function readCause(text: string | undefined): string {
	const wanted = (text ?? '').trim().toUpperCase()
	const found = Object.entries(CAUSES).find(([name, number]) => name === wanted || String(number) === wanted)
	return found?.[0] ?? 'NORMAL_CLEARING'
}

/** `DIALSTATUS` as `switch_ivr_originate` derives it. */
export function dialStatus(cause: string): string {
	switch (cause) {
		case 'ORIGINATOR_CANCEL': return 'CANCEL'
		case 'USER_BUSY': return 'BUSY'
		case 'NO_ANSWER': return 'NOANSWER'
		case 'CALL_REJECTED': return 'DONTCALL'
		case 'DESTINATION_OUT_OF_ORDER':
		case 'INVALID_PROFILE': return 'INVALIDARGS'
		default: return cause
	}
}
