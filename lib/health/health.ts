// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { GuardState } from '../guard.ts'
import type { Logger } from '../logger.ts'
import type { FindingCode } from './findings.ts'
import type { Part, PartId, Report } from './report.ts'

import { finding } from './findings.ts'
import { reportOf } from './report.ts'

/** One look at one part. It changes nothing, and what it finds wrong is a result, not an error. */
export interface Probe {
	id: PartId
	look: () => Promise<Part[]> | Part[]
	/** What it means when it does not answer in time, or fails. */
	ifSilent: FindingCode
}

export interface HealthOptions {
	probes: readonly Probe[]
	now: () => Date
	/** What stands before the parts that have a guard. */
	guards?: () => readonly GuardState[]
	logger: Logger
	/** Each part's time; the answer comes at the latest then. */
	limitMs?: number
	/** So long a report serves everybody who asks. */
	freshMs?: number
}

const LIMIT_MS = 4_000
const FRESH_MS = 5_000

/**
 * Looks at all parts at once. Pages that ask again and again get the same report for a few seconds, and a part that
 * hangs is not asked again before it has answered.
 */
export class Health {
	readonly #options: HealthOptions
	readonly #looking = new Map<Probe, Promise<Part[]>>()
	#running: Promise<Report> | undefined
	#last: { report: Report, at: number } | undefined

	constructor(options: HealthOptions) {
		this.#options = options
	}

	/**
	 * Never rejects, whatever is broken.
	 *
	 * @param freshMs so old may it be
	 */
	async report(freshMs = this.#options.freshMs ?? FRESH_MS): Promise<Report> {
		if (this.#last !== undefined && performance.now() - this.#last.at < freshMs) {
			return this.#last.report
		}
		this.#running ??= this.#make().finally(() => {
			this.#running = undefined
		})
		return this.#running
	}

	async #make(): Promise<Report> {
		const { probes, now, guards } = this.#options
		const parts = (await Promise.all(probes.map((probe) => this.#look(probe)))).flat()
		const states = guards?.() ?? []
		const report = reportOf(parts.map((part) => withBreaker(part, states)), now())
		this.#last = { report, at: performance.now() }
		return report
	}

	async #look(probe: Probe): Promise<Part[]> {
		const { logger, limitMs = LIMIT_MS } = this.#options
		const silent = [{ id: probe.id, ...finding(probe.ifSilent) }]
		if (!this.#looking.has(probe)) {
			const look = (async () => probe.look())()
				.catch((error: unknown) => {
					logger.debug('A part could not be looked at', { part: probe.id, error })
					return silent
				})
				.finally(() => this.#looking.delete(probe))
			this.#looking.set(probe, look)
		}
		const { promise: late, resolve } = Promise.withResolvers<Part[]>()
		const timer = setTimeout(() => resolve(silent), limitMs)
		try {
			return await Promise.race([this.#looking.get(probe) ?? silent, late])
		} finally {
			clearTimeout(timer)
		}
	}
}

/** A FreeSWITCH has a name here only where there are several. */
function withBreaker(part: Part, states: readonly GuardState[]): Part {
	const guard = states.find(({ part: id, name }) => id === part.id && (part.name === undefined || part.name === name))
	return guard === undefined ? part : { ...part, breaker: guard.breaker }
}

/** A part with the time that its answer took. */
export async function timed<Value>(ask: () => Promise<Value>): Promise<{ value: Value, latencyMs: number }> {
	const began = performance.now()
	const value = await ask()
	return { value, latencyMs: Math.round(performance.now() - began) }
}
