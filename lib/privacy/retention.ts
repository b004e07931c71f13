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
	/** Forgets what calls have cost that were placed before a moment. */
	forgetSpent: (before: Date) => Promise<void>
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
		const { callsDays, maskAfterDays } = settings().retention
		const at = now()
		const daysAgo = (days: number) => new Date(at.getTime() - days * DAY_MS)
		const deleted = await untilNone(() => store.deleteSome(daysAgo(callsDays)))
		const masked = await untilNone(() => store.maskSome(daysAgo(maskAfterDays), at))
		await store.forgetSpent(daysAgo(SPENT_DAYS))
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
