// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Logger } from '../logger.ts'
import type { Transition } from './call-state.ts'
import type { Call } from './call.ts'
import type { Records } from './carrier-cost.ts'
import type { CallStore, Clock } from './ports.ts'
import type { CostRecord, TrunkProvider } from './trunk-provider.ts'

import { callIdsOf, forgone, lookAt, missed, windowsOf } from './carrier-cost.ts'

export interface CarrierCostsOptions {
	store: Pick<CallStore, 'change' | 'findCostsDue'>
	provider: () => TrunkProvider
	/** Told of a call whose cost has changed, and how it was before. */
	tell: (call: Call, before: Call) => void
	clock: Clock
	logger: Logger
}

/** Of one run; the next one takes more. */
const MOST_CALLS = 500

/** Asks the company behind the trunk what ended calls have cost. What is due stands in the database, so a restart loses nothing. */
export class CarrierCosts {
	readonly #options: CarrierCostsOptions

	constructor(options: CarrierCostsOptions) {
		this.#options = options
	}

	async run(): Promise<void> {
		const { store, provider, clock, logger } = this.#options
		const due = await store.findCostsDue(clock.now(), MOST_CALLS)
		const company = provider()
		if (company.costs === undefined) {
			return this.#changeAll(due, forgone)
		}
		for (const { from, to, calls } of windowsOf(due)) {
			let records: Records | undefined
			try {
				records = await this.#collect(company.costs(from, to), callIdsOf(calls))
			} catch (error) {
				logger.debug('The phone company cannot be asked for costs; it is asked again', { calls: calls.length, error })
			}
			await this.#changeAll(calls, records === undefined ? (call) => missed(call, clock.now()) : (call) => lookAt(call, records))
		}
	}

	/** Of all that a company has in a time only what is ours is kept. */
	async #collect(all: AsyncIterable<CostRecord>, ours: ReadonlySet<string>): Promise<Records> {
		const records: Records = new Map()
		for await (const record of all) {
			if (ours.has(record.sipCallId)) {
				// Whatever a company calls its records, one leg's never hides another's.
				records.set(`${record.sipCallId} ${record.id}`, record)
			}
		}
		return records
	}

	async #changeAll(calls: readonly Call[], change: (call: Call) => Transition): Promise<void> {
		for (const { uuid } of calls) {
			let before: Call | undefined
			const stored = await this.#options.store.change(uuid, (call) => {
				before = call
				return change(call)
			})
			if (stored !== undefined && before !== undefined && stored.call.version > before.version) {
				this.#options.tell(stored.call, before)
			}
		}
	}
}
