// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call, CallOutcome, HistoryFilter } from './types.ts'

export type ListFilter = 'all' | 'missed' | 'answered' | 'not_reached'

interface Rule {
	outcomes: readonly CallOutcome[]
	direction?: Call['direction']
}

const RULES: Readonly<Record<Exclude<ListFilter, 'all'>, Rule>> = {
	missed: { outcomes: ['no_answer', 'busy', 'rejected', 'cancelled'], direction: 'inbound' },
	answered: { outcomes: ['completed'] },
	not_reached: { outcomes: ['busy', 'no_answer', 'rejected', 'cancelled', 'failed', 'blocked'], direction: 'outbound' },
}

export function queryOf(filter: ListFilter): HistoryFilter {
	if (filter === 'all') {
		return {}
	}
	const { outcomes, direction } = RULES[filter]
	return { outcome: outcomes.join(','), ...(direction === undefined ? {} : { direction }) }
}

/** Calls that are going on now, whatever list is shown. */
export const LIVE_CALLS: HistoryFilter = { status: 'queued,calling_user,dialing,ringing,connected' }

/** Whether a call belongs into a list, as the server would say. */
export function isListed(call: Call, filter: ListFilter): boolean {
	if (filter === 'all') {
		return true
	}
	const { outcomes, direction } = RULES[filter]
	return call.outcome !== undefined && outcomes.includes(call.outcome) && (direction === undefined || call.direction === direction)
}
