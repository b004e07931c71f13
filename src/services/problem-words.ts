// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Problem } from './types.ts'

import { isEnglish, n, t } from './l10n.ts'

/**
 * The server's error codes in the user's language. Codes that only a fault of this page can cause, or that come up
 * elsewhere than on it (signing in from outside), are worded as the fault that they are.
 */
const WORDS: Readonly<Record<string, (problem: Problem) => string>> = {
	calling_not_permitted: () => t('You may not make calls with SIPCall. Your administrator decides who may.'),
	account_locked: () => t('Calling is locked for this account. Your administrator can unlock it.'),
	already_in_call: () => t('You are already in a call. End it before you start another one.'),
	wrong_code: () => t('That code is not right.'),
	wrong_state: () => t('The call has already moved on.'),
	invalid_number: () => t('This is not a complete phone number. Check the digits, or begin with + and the country code.'),
	emergency_number: () => t('SIPCall does not place emergency calls: they would start late and without your location.'),
	destination_not_allowed: () => t('This number may not be called. Your administrator can allow it.'),
	caller_id_not_allowed: () => t('This caller ID may not be shown. Choose another one.'),
	no_device: () => t('This phone cannot ring. Choose another one, or add one in the settings.'),
	rate_limited: ({ retryAfterSec }) => retryAfterSec === undefined ? t('Too many calls in a short time. Try again later.') : tooManyCalls(retryAfterSec),
	limit_reached: ({ retryAfterSec }) => retryAfterSec === undefined ? t('No more calls are possible now. Try again later.') : limitReached(retryAfterSec),
	switch_unavailable: () => t('The phone system does not answer. Nothing was dialled. Try again in a moment.'),
	trunk_unavailable: () => t('The phone company cannot be reached. Nothing was dialled.'),
	storage_unavailable: () => t('SIPCall cannot store calls right now, so it does not start one. Nothing was dialled.'),
	nextcloud_unavailable: () => t('SIPCall cannot ask Nextcloud right now. Try again in a minute.'),
	shutting_down: () => t('SIPCall is restarting. Try again in a few seconds.'),
	call_erased: () => t('This call was made before, and has been erased since. Nothing was dialled again.'),
	not_found: () => t('There is no such call.'),
	forbidden: () => t('This account may not do that.'),
}

/** Codes whose sentence from the server says more than the code alone: English readers get that one. */
const SERVER_KNOWS_MORE = new Set(['invalid_number', 'destination_not_allowed', 'no_device', 'invalid_request', 'limit_reached', 'storage_unavailable', 'account_locked', 'wrong_code'])

/**
 * What happened and what to do, for a refusal that the server explains.
 *
 * @return undefined for a bug: there is nothing that a person could do about it
 */
export function problemWords(problem: Problem): string | undefined {
	if (isEnglish() && SERVER_KNOWS_MORE.has(problem.code)) {
		return problem.detail
	}
	return WORDS[problem.code]?.(problem) ?? (problem.status >= 500 ? undefined : problem.detail)
}

/** Whether a code of the server's has words here; for the test that keeps both lists together. */
export function hasProblemWords(code: string): boolean {
	return code in WORDS
}

function tooManyCalls(seconds: number): string {
	return seconds < 120
		? n('Too many calls in a short time. Try again in %n second.', 'Too many calls in a short time. Try again in %n seconds.', seconds)
		: n('Too many calls in a short time. Try again in %n minute.', 'Too many calls in a short time. Try again in %n minutes.', Math.ceil(seconds / 60))
}

function limitReached(seconds: number): string {
	return seconds < 120
		? n('No more calls are possible now. Try again in %n second.', 'No more calls are possible now. Try again in %n seconds.', seconds)
		: n('No more calls are possible now. Try again in %n minute.', 'No more calls are possible now. Try again in %n minutes.', Math.ceil(seconds / 60))
}
