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

/** What makes a list shorter; it is kept nowhere. */
export interface Narrowing {
	/** First and last day, as `2026-11-24` in the browser's time zone. */
	from?: string
	to?: string
	tag?: string
	/** E.164, and how people write it. */
	number?: { e164: string, display: string }
}

export function isNarrowed({ from, to, tag, number }: Narrowing): boolean {
	return from !== undefined || to !== undefined || tag !== undefined || number !== undefined
}

export function queryOf(filter: ListFilter, narrowing: Narrowing = {}): HistoryFilter {
	const { from, to, tag, number } = narrowing
	const { outcomes, direction } = filter === 'all' ? {} : RULES[filter]
	return {
		...(outcomes === undefined ? {} : { outcome: outcomes.join(',') }),
		...(direction === undefined ? {} : { direction }),
		...(from === undefined ? {} : { from: startOf(from).toISOString() }),
		...(to === undefined ? {} : { to: endOf(to).toISOString() }),
		...(tag === undefined ? {} : { tag }),
		...(number === undefined ? {} : { number: number.e164 }),
	}
}

function startOf(day: string): Date {
	return new Date(`${day}T00:00:00`)
}

function endOf(day: string): Date {
	return new Date(`${day}T23:59:59.999`)
}

/** Calls that are going on now, whatever list is shown. */
export const LIVE_CALLS: HistoryFilter = { status: 'queued,calling_user,dialing,ringing,connected' }

/** Whether a call belongs into a list, as the server would say. */
export function isListed(call: Call, filter: ListFilter, narrowing: Narrowing = {}): boolean {
	const { from, to, tag, number } = narrowing
	const at = new Date(call.createdAt)
	const isWithin = (from === undefined || at >= startOf(from)) && (to === undefined || at <= endOf(to))
		&& (tag === undefined || call.tags.some((own) => own.toLowerCase() === tag.toLowerCase()))
		&& (number === undefined || call.to === number.e164)
	if (!isWithin || filter === 'all') {
		return isWithin
	}
	const { outcomes, direction } = RULES[filter]
	return call.outcome !== undefined && outcomes.includes(call.outcome) && (direction === undefined || call.direction === direction)
}
