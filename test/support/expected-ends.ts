// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How each recorded call of a real FreeSWITCH ended, by the outcome table of the recordings' description.

export interface ExpectedEnd {
	outcome: string
	endedBy: string
	leg: 'user' | 'destination'
	cause: [name: string, q850: number, sip?: number]
	reason?: string
	fixableBy?: string
	/** Whole seconds of talk, by the B leg's billmsec. */
	talkSec?: number
	/** The statuses it passes between queued and ended. */
	via: string
}

const TALK = 'calling_user dialing ringing connected'
const NORMAL: ExpectedEnd['cause'] = ['NORMAL_CLEARING', 16]
const CALLEE_HANGS_UP: ExpectedEnd = { outcome: 'completed', endedBy: 'callee', leg: 'destination', cause: NORMAL, talkSec: 5, via: TALK }
const KILLED: ExpectedEnd = { outcome: 'completed', endedBy: 'system', leg: 'destination', cause: NORMAL, talkSec: 2, via: TALK }
const BUSY: ExpectedEnd = { outcome: 'busy', endedBy: 'callee', leg: 'destination', cause: ['USER_BUSY', 17, 486], reason: 'busy', fixableBy: 'nobody', via: 'calling_user dialing ringing' }
const USER: Pick<ExpectedEnd, 'leg' | 'via'> = { leg: 'user', via: 'calling_user' }

/** By the outcome table of the recordings' description; names that are not shipped stand ready for other folders. */
export const EXPECTED_ENDS: Readonly<Record<string, ExpectedEnd>> = {
	c2c_b_hangs_up: CALLEE_HANGS_UP,
	c2c_b_hangs_up_json: CALLEE_HANGS_UP,
	c2c_b_hangs_up_all_plain: CALLEE_HANGS_UP,
	c2c_b_hangs_up_all_json: CALLEE_HANGS_UP,
	c2c_b_early183: CALLEE_HANGS_UP,
	a_user_registered: CALLEE_HANGS_UP,
	filters: CALLEE_HANGS_UP,
	filters_by_variable: CALLEE_HANGS_UP,
	two_step_park_bridge: CALLEE_HANGS_UP,
	transfer_style_bridge: CALLEE_HANGS_UP,
	c2c_a_hangs_up: { ...CALLEE_HANGS_UP, endedBy: 'user', talkSec: 4 },
	c2c_a_hangs_up_json: { ...CALLEE_HANGS_UP, endedBy: 'user', talkSec: 4 },
	c2c_uuid_kill_a: KILLED,
	c2c_uuid_kill_a_json: KILLED,
	c2c_uuid_kill_b_cause: { ...KILLED, cause: ['CALL_REJECTED', 21] },
	c2c_kill_while_a_rings: { ...USER, outcome: 'cancelled', endedBy: 'system', cause: NORMAL },
	c2c_kill_while_b_rings: { outcome: 'cancelled', endedBy: 'system', leg: 'destination', cause: ['ORIGINATOR_CANCEL', 487], via: 'calling_user dialing ringing' },
	c2c_b_busy: BUSY,
	c2c_b_busy_json: BUSY,
	c2c_b_busy_continue_on_fail: BUSY,
	c2c_b_404: { outcome: 'failed', endedBy: 'system', leg: 'destination', cause: ['UNALLOCATED_NUMBER', 1, 404], reason: 'number_not_in_service', fixableBy: 'user', via: 'calling_user dialing' },
	c2c_b_403: { outcome: 'rejected', endedBy: 'callee', leg: 'destination', cause: ['CALL_REJECTED', 21, 403], reason: 'declined', fixableBy: 'nobody', via: 'calling_user dialing' },
	c2c_b_603: { outcome: 'rejected', endedBy: 'callee', leg: 'destination', cause: ['CALL_REJECTED', 21, 603], reason: 'declined', fixableBy: 'nobody', via: 'calling_user dialing ringing' },
	c2c_b_503: { outcome: 'failed', endedBy: 'system', leg: 'destination', cause: ['NORMAL_TEMPORARY_FAILURE', 41, 503], reason: 'network_congestion', fixableBy: 'carrier', via: 'calling_user dialing' },
	c2c_gateway_down: { outcome: 'failed', endedBy: 'system', leg: 'destination', cause: ['NORMAL_TEMPORARY_FAILURE', 41, 503], reason: 'network_congestion', fixableBy: 'carrier', via: 'calling_user dialing' },
	c2c_b_noanswer_480: { outcome: 'no_answer', endedBy: 'system', leg: 'destination', cause: ['NO_USER_RESPONSE', 18, 480], reason: 'no_answer', fixableBy: 'nobody', via: 'calling_user dialing ringing' },
	c2c_b_noanswer_480_q850: { outcome: 'no_answer', endedBy: 'system', leg: 'destination', cause: ['NO_ANSWER', 19, 480], reason: 'no_answer', fixableBy: 'nobody', via: 'calling_user dialing ringing' },
	c2c_b_noanswer_timeout: { outcome: 'no_answer', endedBy: 'system', leg: 'destination', cause: ['NO_ANSWER', 19], reason: 'no_answer', fixableBy: 'nobody', via: 'calling_user dialing ringing' },
	c2c_b_early183_then_404: { outcome: 'failed', endedBy: 'system', leg: 'destination', cause: ['UNALLOCATED_NUMBER', 1, 404], reason: 'number_not_in_service', fixableBy: 'user', via: 'calling_user dialing ringing' },
	a_busy: { ...USER, outcome: 'busy', endedBy: 'user', cause: ['USER_BUSY', 17, 486], reason: 'own_phone_busy', fixableBy: 'user' },
	a_never_answers: { ...USER, outcome: 'no_answer', endedBy: 'system', cause: ['NO_ANSWER', 19], reason: 'own_phone_not_answered', fixableBy: 'user' },
	a_desk_offline: { ...USER, outcome: 'failed', endedBy: 'system', cause: ['NORMAL_TEMPORARY_FAILURE', 41, 503], reason: 'own_phone_unreachable', fixableBy: 'user' },
	a_user_not_registered: { leg: 'user', via: '', outcome: 'failed', endedBy: 'system', cause: ['USER_NOT_REGISTERED', 806], reason: 'own_phone_not_registered', fixableBy: 'user' },
	gateway_pinged_down: { leg: 'user', via: '', outcome: 'failed', endedBy: 'system', cause: ['GATEWAY_DOWN', 809], reason: 'trunk_down', fixableBy: 'admin' },
	a_is_loopback: { outcome: 'failed', endedBy: 'system', leg: 'destination', cause: ['INCOMPATIBLE_DESTINATION', 88], reason: 'codec_mismatch', fixableBy: 'admin', via: 'calling_user dialing ringing' },
	sched_and_limits: { outcome: 'completed', endedBy: 'policy', leg: 'destination', cause: ['ALLOTTED_TIMEOUT', 802], reason: 'max_duration', fixableBy: 'admin', talkSec: 2, via: 'calling_user dialing connected' },
	zz_shutdown: { outcome: 'failed', endedBy: 'system', leg: 'destination', cause: ['SYSTEM_SHUTDOWN', 701], reason: 'phone_system_restarted', fixableBy: 'nobody', via: 'calling_user dialing' },
}
