// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How long a call is kept: with its number, then with the country and two digits of it, then not at all.

import type { Logger } from '../logger.ts'
import type { Settings } from '../policy/settings.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Limits on spending look back a month; the clocks of all time zones included. */
const SPENT_DAYS = 33

export interface RetentionStore {
	/**
	 * Deletes some calls that ended before a moment.
	 *
	 * @return how many; 0 = none is left
	 */
	deleteSome: (endedBefore: Date) => Promise<number>
	/** Destroys the numbers, notes and tags of some such calls. */
	maskSome: (endedBefore: Date, at: Date) => Promise<number>
	/** What limits count of masked and erased calls goes when none looks back so far. */
	forgetIndexes: (at: Date) => Promise<void>
	/** Forgets what calls have cost that were placed before a moment. */
	forgetSpent: (before: Date) => Promise<void>
}

/** What the next run would do, and what is stored now. */
export interface RetentionCounts {
	next: { delete: number, mask: number }
	kept: { full: number, masked: number, erased: number }
}

/** Calls that ended before these moments are due. */
export interface DueBefore {
	deleted: Date
	masked: Date
}

export function dueBefore({ callsDays, maskAfterDays }: Pick<Settings['retention'], 'callsDays' | 'maskAfterDays'>, at: Date): DueBefore {
	return { deleted: daysBefore(at, callsDays), masked: daysBefore(at, maskAfterDays) }
}

/** Ranges of the audit log whose youngest entry was written before this are dropped. */
export function dueForDrop(auditDays: number, at: Date): Date {
	return daysBefore(at, auditDays)
}

function daysBefore(at: Date, days: number): Date {
	return new Date(at.getTime() - days * DAY_MS)
}

export interface RetentionOptions {
	store: RetentionStore
	settings: () => Pick<Settings, 'retention'>
	now: () => Date
	logger: Logger
}

export class Retention {
	readonly #options: RetentionOptions

	constructor(options: RetentionOptions) {
		this.#options = options
	}

	/** Deletes and masks all that is due, in small steps: it can be cut off at any moment and goes on the next time. */
	async run(): Promise<void> {
		const { store, settings, now, logger } = this.#options
		const at = now()
		const due = dueBefore(settings().retention, at)
		const deleted = await untilNone(() => store.deleteSome(due.deleted))
		const masked = await untilNone(() => store.maskSome(due.masked, at))
		await store.forgetIndexes(at)
		await store.forgetSpent(daysBefore(at, SPENT_DAYS))
		if (deleted > 0 || masked > 0) {
			logger.info('Old calls were deleted or masked', { deleted, masked })
		}
	}
}

async function untilNone(step: () => Promise<number>): Promise<number> {
	let total = 0
	for (let done = await step(); done > 0; done = await step()) {
		total += done
	}
	return total
}
