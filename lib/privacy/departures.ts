// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Nextcloud tells no app that a user was deleted. So once a day the users of whom something is stored are compared with
// Nextcloud's list of all users. A list that is empty or lacks many at once is more likely wrong (a directory server that
// is away, a page that was cut off) than true, and must never delete anything.

import type { Logger } from '../logger.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** How long a user must be missing from every list before the data go. */
export const GRACE_DAYS = 30
/** So many may go missing between two lists without doubt; of many users a tenth. */
const FEW = 3
const USUAL_SHARE = 0.1

export interface UserLists {
	/** Users of whom something is stored. */
	holding: readonly string[]
	/** All users of Nextcloud, disabled ones included. */
	existing: readonly string[]
	/** Since when earlier comparisons have missed a user. */
	missingSince: ReadonlyMap<string, Date>
	now: Date
}

export interface Departures {
	/** Missing for the first time. */
	missing: string[]
	/** Had been missing and is there again. */
	returned: string[]
	/** Missing for the whole time of grace. */
	due: string[]
}

/** @return what has changed, or, when the list cannot be believed, a sentence for the admin */
export function compareUsers({ holding, existing, missingSince, now }: UserLists): Departures | { doubt: string } {
	const there = new Set(existing)
	const gone = holding.filter((userId) => !there.has(userId))
	const missing = gone.filter((userId) => !missingSince.has(userId))
	if (existing.length === 0 || missing.length > Math.max(FEW, holding.length * USUAL_SHARE)) {
		return {
			doubt: `Nextcloud’s list of ${existing.length} users lacks ${missing.length} of the ${holding.length} users that SIPCall holds data of, all at once. Nothing is deleted. `
				+ 'If they were really removed, delete their data with occ sipcall:user:purge; else check Nextcloud’s user directory.',
		}
	}
	return {
		missing,
		returned: [...missingSince.keys()].filter((userId) => there.has(userId) || !holding.includes(userId)),
		due: gone.filter((userId) => now.getTime() - (missingSince.get(userId)?.getTime() ?? now.getTime()) >= GRACE_DAYS * DAY_MS),
	}
}

/** Where it is kept who is missing. */
export interface DepartureStore {
	usersWithData: () => Promise<string[]>
	missingSince: () => Promise<Map<string, Date>>
	noteMissing: (userIds: readonly string[], at: Date) => Promise<void>
	forgetMissing: (userIds: readonly string[]) => Promise<void>
}

export interface DepartureWatchOptions {
	store: DepartureStore
	/** Rejects when Nextcloud cannot be asked: then nothing is known and nothing changes. */
	listUsers: () => Promise<string[]>
	purge: (userId: string) => Promise<unknown>
	now: () => Date
	logger: Logger
}

export class DepartureWatch {
	readonly #options: DepartureWatchOptions
	#doubt: string | undefined
	#comparedAt: Date | undefined

	constructor(options: DepartureWatchOptions) {
		this.#options = options
	}

	/** What an admin should look at; undefined when the last comparison was believable. */
	get doubt(): string | undefined {
		return this.#doubt
	}

	/** Compares unless that was done within a day; a process that is restarted each night compares all the same. */
	async runDaily(): Promise<void> {
		const now = this.#options.now()
		const ageMs = now.getTime() - (this.#comparedAt?.getTime() ?? -Infinity)
		if (ageMs < 0 || ageMs >= DAY_MS) {
			await this.run()
			this.#comparedAt = now
		}
	}

	/** One comparison. */
	async run(): Promise<void> {
		const { store, listUsers, purge, now, logger } = this.#options
		const existing = await listUsers()
		const result = compareUsers({ existing, holding: await store.usersWithData(), missingSince: await store.missingSince(), now: now() })
		if ('doubt' in result) {
			this.#doubt = result.doubt
			logger.warn(result.doubt)
			return
		}
		this.#doubt = undefined
		await store.noteMissing(result.missing, now())
		await store.forgetMissing(result.returned)
		if (result.missing.length > 0) {
			logger.info('Users are gone from Nextcloud; their data are deleted unless they come back', { users: result.missing.length, graceDays: GRACE_DAYS })
		}
		for (const userId of result.due) {
			// The row goes last: what was cut off is due again tomorrow.
			await purge(userId)
			await store.forgetMissing([userId])
			logger.info('The data of a user who is gone from Nextcloud were deleted')
		}
	}
}
