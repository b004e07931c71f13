// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ApiFailure } from './api.ts'
import type { Limit, Problem, Refusal } from './types.ts'

import { t } from './l10n.ts'
import { problemWords } from './problem-words.ts'
import { ruleWords } from './refusal-words.ts'

export interface Notice {
	/** Empty where the text says it all. */
	heading: string
	text: string
	type: 'error' | 'warning'
	/** What the person can do here and now, beside reading. */
	action?: 'repeat_call' | 'show_newest' | 'show_call'
	/** What can be handed to whoever can help. */
	copy?: { label: string, text: string }
	/** The rule of the policy that an administrator can change, empty where it is not one alone. */
	rule?: string
	/** When it may be tried again, by this computer's clock, and the text for the seconds until then. */
	wait?: { until: number, text: (seconds: number) => string }
	/** The limit that is used up. */
	limit?: Limit
	/** The server's own word for it, where there is one. */
	code?: string
}

/** Refusals that an administrator can lift: their text can be sent to one. */
const FOR_ADMIN = new Set(['calling_not_permitted', 'destination_not_allowed'])

/**
 * What happened and what to do. That the whole page is at its end (logged out, app disabled) is told by its banner.
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
		case 'logged_out':
			return { type: 'error', heading, text: t('See the message at the top of the page.') }
		case 'problem':
			return { type: 'error', heading, ...problemNotice(failure.problem) }
	}
}

function problemNotice(problem: Problem | undefined): Omit<Notice, 'type' | 'heading'> {
	const words = problem === undefined ? undefined : problemWords(problem)
	if (problem === undefined || words === undefined) {
		const requestId = problem?.requestId ?? '–'
		return {
			text: t('Something went wrong in SIPCall. Tell your administrator this code: {requestId}', { requestId }),
			copy: { label: t('Copy code'), text: requestId },
		}
	}
	const { code, detail, requestId, retryAfterSec } = problem
	const limit = limitOf(problem)
	const rule = ruleWords(problem.refusal as Refusal | undefined)
	return {
		code,
		text: rule === undefined || limit !== undefined ? words : `${words} ${rule}`,
		...(code === 'already_in_call' ? { action: 'show_call' } : {}),
		...(FOR_ADMIN.has(code) ? { rule: (problem.refusal as Refusal | undefined)?.rule?.id ?? '', copy: { label: t('Copy request'), text: `SIPCall: ${detail} (${code}, ${requestId})` } } : {}),
		...(limit === undefined ? {} : { limit }),
		...(code === 'rate_limited' && retryAfterSec !== undefined
			? { wait: { until: Date.now() + retryAfterSec * 1000, text: (seconds) => problemWords({ ...problem, retryAfterSec: seconds }) ?? words } }
			: {}),
	}
}

/** A limit of a minute is waited for with a countdown; the others are shown with what is used of them. */
function limitOf({ code, limits }: Problem): Limit | undefined {
	const [limit] = (code === 'limit_reached' || code === 'rate_limited') && Array.isArray(limits) ? limits as Limit[] : []
	return limit?.kind === 'callsPerMinute' ? undefined : limit
}
