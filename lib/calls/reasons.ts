// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Why a call ended as it did, in a sentence for the person who placed it. The codes are stable; the UI translates them.

import type { CallOutcome, EndedBy, LegRole, Reason, Verdict } from './call.ts'

const OF_DESTINATION: Readonly<Partial<Record<Verdict, Reason>>> = {
	max_duration: { code: 'max_duration', message: 'The longest allowed call length was reached.', fixableBy: 'admin' },
	busy: { code: 'busy', message: 'The person called is on another call. Try again later.', fixableBy: 'nobody' },
	no_answer: { code: 'no_answer', message: 'Nobody picked up. Try again later.', fixableBy: 'nobody' },
	not_registered: { code: 'device_not_reachable', message: 'The phone called is not reachable now. Try again later.', fixableBy: 'nobody' },
	unreachable: { code: 'trunk_unreachable', message: 'The phone line gave no answer. Your administrator can check the trunk.', fixableBy: 'admin' },
	rejected: { code: 'declined', message: 'The call was declined.', fixableBy: 'nobody' },
	unknown_number: { code: 'number_not_in_service', message: 'This number is not in service. Check it and try again.', fixableBy: 'user' },
	number_changed: { code: 'number_changed', message: 'This number has changed. Look up the new one.', fixableBy: 'user' },
	barred: { code: 'barred', message: 'The phone company does not allow this call. Your administrator can ask it to.', fixableBy: 'admin' },
	congestion: { code: 'network_congestion', message: 'The phone network could not take the call. Try again in a few minutes.', fixableBy: 'carrier' },
	switch_refused: { code: 'switch_refused', message: 'The phone system did not take the call: it may be at its limit. Try again in a minute.', fixableBy: 'admin' },
	gateway_down: { code: 'trunk_down', message: 'The phone line is down. Your administrator can check the trunk.', fixableBy: 'admin' },
	misconfigured: { code: 'trunk_misconfigured', message: 'The phone line is not set up correctly. Your administrator can check the gateway’s name.', fixableBy: 'admin' },
	media: { code: 'codec_mismatch', message: 'The two phones found no common sound format. Your administrator can check the codecs.', fixableBy: 'admin' },
	media_lost: { code: 'connection_lost', message: 'The sound connection was lost.', fixableBy: 'nobody' },
	switch_stopped: { code: 'phone_system_restarted', message: 'The phone system lost the call, most likely by a restart. Call again.', fixableBy: 'nobody' },
	not_dialled: { code: 'not_dialled', message: 'Nothing was dialled, because a part of the phone service could not be reached at that moment. Call again, and tell your administrator if it happens again.', fixableBy: 'admin' },
	caller_id_refused: { code: 'caller_id_refused', message: 'The phone company refused the caller ID. Your administrator can choose another one.', fixableBy: 'admin' },
	trunk_refused: { code: 'trunk_refused', message: 'The phone company refused the call. Your administrator can check the trunk’s account.', fixableBy: 'admin' },
	trunk_limit: { code: 'trunk_at_limit', message: 'The phone company takes no more calls from here for now. Try again in a few minutes.', fixableBy: 'admin' },
	trunk_disabled: { code: 'trunk_disabled', message: 'The phone line is switched off at the phone company. Your administrator can switch it on.', fixableBy: 'admin' },
	trunk_blocked: { code: 'trunk_blocked', message: 'The phone company has blocked the account. Your administrator can check its credit.', fixableBy: 'admin' },
	no_route: { code: 'no_route', message: 'The phone company has no way to this number for now. Try again later.', fixableBy: 'carrier' },
	failed: { code: 'call_failed', message: 'The call failed. Try again, and tell your administrator if it happens again.', fixableBy: 'nobody' },
}

const OF_USER: Readonly<Partial<Record<Verdict, Reason>>> = {
	busy: { code: 'own_phone_busy', message: 'Your own phone is busy. Hang up there and call again.', fixableBy: 'user' },
	no_answer: { code: 'own_phone_not_answered', message: 'You did not pick up your phone, so nobody was called.', fixableBy: 'user' },
	rejected: { code: 'own_phone_declined', message: 'The call was declined on your own phone, so nobody was called.', fixableBy: 'user' },
	not_registered: { code: 'own_phone_not_registered', message: 'Your phone is not signed in to the phone system. Check that it is switched on, or choose another device.', fixableBy: 'user' },
	unreachable: { code: 'own_phone_unreachable', message: 'Your phone cannot be reached. Check that it is switched on, or choose another device.', fixableBy: 'user' },
	congestion: { code: 'own_phone_unreachable', message: 'Your phone cannot be reached. Check that it is switched on, or choose another device.', fixableBy: 'user' },
	number_changed: { code: 'own_phone_unknown', message: 'The number of your phone has changed. Correct it in the settings.', fixableBy: 'user' },
	unknown_number: { code: 'own_phone_unknown', message: 'The phone system does not know your device. Check its extension in the settings.', fixableBy: 'user' },
	media: { code: 'own_phone_codec_mismatch', message: 'Your phone and the phone system found no common sound format. Your administrator can check the codecs.', fixableBy: 'admin' },
	gateway_down: { code: 'trunk_down', message: 'The phone line is down. Your administrator can check the trunk.', fixableBy: 'admin' },
	misconfigured: { code: 'switch_misconfigured', message: 'The phone system is not set up to ring your device. Your administrator can check the dial string.', fixableBy: 'admin' },
}

/** Both are known from what was asked for, not from what the switch says. */
export const ENDED_BY_ADMIN: Reason = { code: 'ended_by_admin', message: 'An administrator ended this call.', fixableBy: 'admin' }
export const TRANSFERRED: Reason = { code: 'transferred', message: 'You transferred this call.', fixableBy: 'nobody' }

/** All that can be told of an ended call; docs/admin/reasons.md lists them. */
export const REASONS: readonly Reason[] = [...Object.values(OF_DESTINATION), ...Object.values(OF_USER), TRANSFERRED, ENDED_BY_ADMIN]

/**
 * The sentence for an ended call.
 *
 * @return undefined when nothing needs explaining: a completed or cancelled call that people ended
 */
export function reasonFor(outcome: CallOutcome, leg: LegRole, verdict: Verdict, endedBy: EndedBy): Reason | undefined {
	if (outcome === 'cancelled') {
		return undefined
	}
	if (outcome === 'completed' && endedBy !== 'policy' && endedBy !== 'system') {
		return undefined
	}
	if (outcome === 'completed' && verdict === 'cleared') {
		return undefined
	}
	return (leg === 'user' ? OF_USER[verdict] : undefined) ?? OF_DESTINATION[verdict]
}
