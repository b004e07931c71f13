// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Figures of calls in words. */

import type { LiveCall, Metrics } from './admin-api.ts'
import type { Money } from './types.ts'

import { dateFormat, numberFormat } from './formats.ts'
import { n, t } from './l10n.ts'

const SHORTEST_PSEUDONYM = 4

export function countWords(count: number): string {
	return numberFormat().format(count)
}

/** Of a share between 0 and 1. */
export function percentWords(share: number): string {
	return numberFormat({ style: 'percent', maximumFractionDigits: 0 }).format(share)
}

/** A sum, as exact as it matters: cents, and of less than one whole unit also parts of them. Nothing is rounded in files. */
export function sumWords({ micros, currency }: Money): string {
	const isSmall = BigInt(micros) < 1_000_000n
	return numberFormat({ style: 'currency', currency, ...(isSmall ? { minimumFractionDigits: 2, maximumFractionDigits: 4 } : {}) }).format(Number(micros) / 1e6)
}

/** A day by the calendar, without a year where there is no room for one. */
export function dayName(day: string, isShort = false): string {
	return dateFormat({ timeZone: 'UTC', ...(isShort ? { day: 'numeric', month: 'short' } : { dateStyle: 'medium' }) }).format(new Date(`${day}T00:00:00Z`))
}

/** How many calls more or fewer than before; empty where there were none before, since nothing is a share of that. */
export function comparisonWords({ totals, perDay }: Metrics): string {
	const { calls, before } = totals
	if (before.calls === 0) {
		return ''
	}
	const share = (calls - before.calls) / before.calls
	const percent = percentWords(Math.abs(share))
	return Math.round(share * 100) === 0
		? n('as many as the day before', 'as many as the %n days before', perDay.length)
		: share > 0
			? n('{percent} more than the day before', '{percent} more than the %n days before', perDay.length, { percent })
			: n('{percent} fewer than the day before', '{percent} fewer than the %n days before', perDay.length, { percent })
}

/**
 * What users are called: by name where names are shown, else by the beginning of their reference, as long as it must be to
 * tell them apart.
 */
export function userNames(metrics: Metrics): (user: LiveCall['user']) => string {
	const refs = [...new Set([...metrics.live.map(({ user }) => user), ...metrics.perUser.flatMap(({ user }) => user ?? [])].map(({ ref }) => ref))]
	let length = SHORTEST_PSEUDONYM
	while (length < 32 && new Set(refs.map((ref) => ref.slice(0, length))).size < refs.length) {
		length++
	}
	return ({ ref, displayName }) => displayName ?? t('user {pseudonym}', { pseudonym: ref.slice(0, length) })
}

/** What a call that goes on is doing. */
export function liveWords(status: LiveCall['status']): string {
	switch (status) {
		case 'queued':
			return t('Starting')
		case 'calling_user':
			return t('The user’s phone rings')
		case 'dialing':
			return t('Dialling')
		case 'ringing':
			return t('Ringing there')
		case 'connected':
			return t('Talking')
		case 'ended':
			return t('Ended')
	}
}
