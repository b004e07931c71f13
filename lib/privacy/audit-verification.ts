// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Checking the whole audit log behind a request: a big one takes longer than Nextcloud's PHP proxy may hold an answer.

import type { Logger } from '../logger.ts'
import type { AuditCheck } from './audit.ts'

/** Of the last check since the server was started. Nothing of it is stored: what could be altered would prove nothing. */
export type AuditVerificationState
	= | { state: 'none' }
		/** `entries`: how many are in order so far. */
		| { state: 'running', startedAt: Date, entries: number }
		| { state: 'done', startedAt: Date, checkedAt: Date } & AuditCheck
		/** The log could not be read to its end, which says nothing about it. */
		| { state: 'failed', startedAt: Date, entries: number }

export interface AuditVerificationOptions {
	check: () => AsyncGenerator<number, AuditCheck>
	now: () => Date
	logger: Logger
}

/** One check at a time. */
export class AuditVerification {
	readonly #options: AuditVerificationOptions
	#state: AuditVerificationState = { state: 'none' }
	#running: Promise<void> | undefined
	#isStopped = false

	constructor(options: AuditVerificationOptions) {
		this.#options = options
	}

	get state(): AuditVerificationState {
		return this.#state
	}

	/**
	 * Begins a check, unless one is under way.
	 *
	 * @return the state of the one that runs now
	 */
	start(): AuditVerificationState {
		if (this.#running === undefined && !this.#isStopped) {
			const startedAt = this.#options.now()
			this.#state = { state: 'running', startedAt, entries: 0 }
			this.#running = this.#run(startedAt).finally(() => {
				this.#running = undefined
			})
		}
		return this.#state
	}

	/** Ends a check at the entries that it is reading. */
	async stop(): Promise<void> {
		this.#isStopped = true
		await this.#running
	}

	async #run(startedAt: Date): Promise<void> {
		const { check, now, logger } = this.#options
		let entries = 0
		try {
			const steps = check()
			for (let step = await steps.next(); !this.#isStopped; step = await steps.next()) {
				if (step.done === true) {
					this.#state = { state: 'done', startedAt, checkedAt: now(), ...step.value }
					if (step.value.broken !== undefined) {
						logger.error('The audit log is broken', { entry: step.value.broken.seq, why: step.value.broken.why })
					}
					return
				}
				entries = step.value
				this.#state = { state: 'running', startedAt, entries }
			}
		} catch (error) {
			logger.warn('The audit log could not be checked to its end', { error })
		}
		this.#state = { state: 'failed', startedAt, entries }
	}
}
