// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** How far a limit is used, in words. */

import type { Limit } from './types.ts'

import { n, t } from './l10n.ts'
import { momentWords, relativeWords } from './time-words.ts'

export interface LimitWords {
	heading: string
	/** `30 of 30 calls used`; left out where the server does not tell, as with sums of money. */
	usage?: string
	/** From 0 to 100. */
	percent?: number
	/** When there is room again. */
	reset?: string
}

/** From here on it is told that a limit comes near. */
const NEAR = 0.8

/** Limits that stop every further call, the longest first: it is the one that matters. */
const OF_CALLS = ['callsPerDay', 'callsPerHour']

/** What is said of a limit that is used up. */
export function limitWords(limit: Limit, now: Date): LimitWords {
	const { kind, used, max, resetsAt, timeZone } = limit
	const isCounted = used !== undefined && max !== undefined && max > 0
	return {
		heading: headingOf(kind),
		...(isCounted ? { usage: usageOf(kind, used, max), percent: Math.min(100, Math.round(100 * used / max)) } : {}),
		...(resetsAt === undefined
			? {}
			: { reset: t('New calls from {time} ({relative}).', { time: momentWords(new Date(resetsAt), now, timeZone), relative: relativeWords(new Date(resetsAt), now) }) }),
	}
}

/** The limit that lets no call through now, by what the account says. */
export function reachedLimit(limits: readonly Limit[], now: Date): Limit | undefined {
	return ofCalls(limits).find(({ used = 0, max = Infinity, resetsAt }) => used >= max && (resetsAt === undefined || Date.parse(resetsAt) > now.getTime()))
}

/** `4 calls left today`, once most of them are used up. */
export function leftWords(limits: readonly Limit[]): string | undefined {
	const near = ofCalls(limits).find(({ used = 0, max = Infinity }) => used < max && used >= NEAR * max)
	if (near?.max === undefined || near.used === undefined) {
		return undefined
	}
	const left = near.max - near.used
	return near.kind === 'callsPerDay' ? n('%n call left today', '%n calls left today', left) : n('%n call left this hour', '%n calls left this hour', left)
}

function ofCalls(limits: readonly Limit[]): Limit[] {
	return OF_CALLS.flatMap((kind) => limits.filter((limit) => limit.kind === kind))
}

function headingOf(kind: string): string {
	switch (kind) {
		case 'callsPerDay':
			return t('No calls left today')
		case 'callsPerHour':
			return t('No calls left this hour')
		case 'maxDistinctPerDay':
			return t('No new numbers left today')
		case 'dailySpendLimit':
			return t('The money for calls is used up for today')
		case 'monthlySpendLimit':
			return t('The money for calls is used up for this month')
		case 'maxConcurrent':
			return t('All lines are in use')
		default:
			return t('A limit is reached')
	}
}

function usageOf(kind: string, used: number, max: number): string {
	return kind === 'maxDistinctPerDay'
		? t('{used} of {max} different numbers called', { used, max })
		: kind === 'maxConcurrent' ? t('{used} of {max} lines in use', { used, max }) : t('{used} of {max} calls used', { used, max })
}
