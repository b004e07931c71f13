// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call } from './types.ts'

import { t } from './l10n.ts'

/**
 * The server's reason codes in the user's language. The English texts are the server's own; a code that is not here is
 * shown in the server's words.
 */
const WORDS: Readonly<Record<string, () => string>> = {
	max_duration: () => t('The longest allowed call length was reached.'),
	busy: () => t('The person called is on another call. Try again later.'),
	no_answer: () => t('Nobody picked up. Try again later.'),
	device_not_reachable: () => t('The phone called is not reachable now. Try again later.'),
	trunk_unreachable: () => t('The phone line gave no answer. Your administrator can check the trunk.'),
	declined: () => t('The call was declined.'),
	number_not_in_service: () => t('This number is not in service. Check it and try again.'),
	number_changed: () => t('This number has changed. Look up the new one.'),
	barred: () => t('The phone company does not allow this call. Your administrator can ask it to.'),
	network_congestion: () => t('The phone network could not take the call. Try again in a few minutes.'),
	switch_refused: () => t('The phone system did not take the call: it may be at its limit. Try again in a minute.'),
	trunk_down: () => t('The phone line is down. Your administrator can check the trunk.'),
	trunk_misconfigured: () => t('The phone line is not set up correctly. Your administrator can check the gateway’s name.'),
	codec_mismatch: () => t('The two phones found no common sound format. Your administrator can check the codecs.'),
	connection_lost: () => t('The sound connection was lost.'),
	phone_system_restarted: () => t('The phone system lost the call, most likely by a restart. Call again.'),
	not_dialled: () => t('Nothing was dialled, because a part of the phone service could not be reached at that moment. Call again, and tell your administrator if it happens again.'),
	caller_id_refused: () => t('The phone company refused the caller ID. Your administrator can choose another one.'),
	trunk_refused: () => t('The phone company refused the call. Your administrator can check the trunk’s account.'),
	trunk_at_limit: () => t('The phone company takes no more calls from here for now. Try again in a few minutes.'),
	trunk_disabled: () => t('The phone line is switched off at the phone company. Your administrator can switch it on.'),
	trunk_blocked: () => t('The phone company has blocked the account. Your administrator can check its credit.'),
	no_route: () => t('The phone company has no way to this number for now. Try again later.'),
	call_failed: () => t('The call failed. Try again, and tell your administrator if it happens again.'),
	own_phone_busy: () => t('Your own phone is busy. Hang up there and call again.'),
	own_phone_not_answered: () => t('You did not pick up your phone, so nobody was called.'),
	own_phone_declined: () => t('The call was declined on your own phone, so nobody was called.'),
	own_phone_not_registered: () => t('Your phone is not signed in to the phone system. Check that it is switched on, or choose another device.'),
	own_phone_unreachable: () => t('Your phone cannot be reached. Check that it is switched on, or choose another device.'),
	own_phone_unknown: () => t('The phone system does not know your device. Check its extension in the settings.'),
	own_phone_codec_mismatch: () => t('Your phone and the phone system found no common sound format. Your administrator can check the codecs.'),
	switch_misconfigured: () => t('The phone system is not set up to ring your device. Your administrator can check the dial string.'),
	transferred: () => t('You transferred the call.'),
	ended_by_admin: () => t('An administrator ended this call.'),
}

/** @return the reason in the user's language, or as the server sent it */
export function reasonWords(reason: Call['reason']): string | undefined {
	return reason === undefined ? undefined : WORDS[reason.code]?.() ?? reason.message
}

/** Whether a code of the server's has words here. They say what happened, and who can do what. */
export function hasReasonWords(code: string): boolean {
	return code in WORDS
}
