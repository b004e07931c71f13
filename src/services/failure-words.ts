// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ApiFailure } from './api.ts'

import { t } from './l10n.ts'
import { problemWords } from './problem-words.ts'

export interface Notice {
	/** Empty where the text says it all. */
	heading: string
	text: string
	type: 'error' | 'warning'
	/** What the person can do here and now, beside reading. */
	action?: 'log_in_again' | 'repeat_call'
}

/**
 * What happened and what to do, for a fault that has nothing to do with what was asked for.
 *
 * @param failure what the request met
 * @param heading what could not be done
 */
export function failureNotice(failure: ApiFailure, heading: string): Notice {
	switch (failure.kind) {
		case 'network':
			return { type: 'error', heading, text: t('SIPCall cannot be reached. Check the connection and try again. A running call goes on at your phone.') }
		case 'broken_off':
			return { type: 'error', heading, text: t('SIPCall did not answer. Try again in a minute. A running call goes on at your phone.') }
		case 'unavailable':
			return { type: 'error', heading: '', text: t('SIPCall is not available. It may be disabled or updating. Reload the page in a minute.') }
		case 'logged_out':
			return { type: 'error', heading: '', text: t('You were logged out. A running call is not affected.'), action: 'log_in_again' }
		case 'problem':
			return { type: 'error', heading, text: problemText(failure) }
	}
}

/** The refusal in words, except for a bug: that has a code for the administrator instead. */
function problemText({ problem }: ApiFailure): string {
	const words = problem === undefined ? undefined : problemWords(problem)
	return words ?? t('Something went wrong in SIPCall. Tell your administrator this code: {requestId}', { requestId: problem?.requestId ?? '–' })
}
