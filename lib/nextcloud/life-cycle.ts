// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Install, enable, disable as AppAPI drives them (AppAPI's `AppAPIService`). `/init` is answered at once and goes on
// behind; the report of 100 % makes Nextcloud call `/enabled` before it answers that very report.

import type { Logger } from '../logger.ts'
import type { Progress } from '../progress.ts'
import type { OcsClient } from './ocs-client.ts'

import { SipCallError } from '../errors.ts'

export interface LifeCycleOptions {
	ocs: OcsClient
	/** Resolves when everything behind the routes is up; rejects with why it will not be. */
	untilUp: () => Promise<void>
	/** Of what `untilUp` waits for. */
	progress: Progress
	/** Puts the app's entries into Nextcloud, and begins what runs only while it is enabled. */
	enable: () => Promise<void>
	disable: () => Promise<void>
	logger: Logger
}

/** Nextcloud enables the app inside this call: containers, heartbeat, `/enabled`. */
const LAST_REPORT_TIMEOUT_MS = 120_000
const STATUS_PATH = '/apps/app_api/ex-app/status'

export class LifeCycle {
	readonly #options: LifeCycleOptions
	#isInitialising = false

	constructor(options: LifeCycleOptions) {
		this.#options = options
	}

	/** Begins, or goes on with, the set-up. A second `/init` while one runs changes nothing. */
	init(): void {
		this.#options.ocs.noteKnown()
		if (!this.#isInitialising) {
			this.#isInitialising = true
			void this.#init().finally(() => {
				this.#isInitialising = false
			})
		}
	}

	/**
	 * @return empty when it worked, else what Nextcloud shows to the admin
	 */
	async setEnabled(isEnabled: boolean): Promise<string> {
		const { ocs, untilUp, enable, disable, logger } = this.#options
		ocs.noteKnown()
		try {
			if (isEnabled) {
				await untilUp()
				await enable()
			} else {
				await disable()
			}
			logger.info(isEnabled ? 'Enabled in Nextcloud' : 'Disabled in Nextcloud; live calls go on')
			return ''
		} catch (error) {
			logger.error('Nextcloud could not enable the app', { error })
			return wordsOf(error)
		}
	}

	async #init(): Promise<void> {
		const { untilUp, progress, logger } = this.#options
		// One after the other: a report that is overtaken would take the progress back.
		let reported = this.#report(1, '')
		const unsubscribe = progress.subscribe((percent) => {
			reported = reported.then(() => this.#report(percent, ''))
			reported.catch((error: unknown) => logger.warn('Nextcloud could not be told of the progress', { error }))
		})
		try {
			await untilUp().finally(unsubscribe)
			await reported
			await this.#report(100, '', LAST_REPORT_TIMEOUT_MS)
		} catch (error) {
			logger.error('The set-up failed', { error })
			await this.#report(0, wordsOf(error)).catch((reportError: unknown) => logger.error('Nextcloud could not be told', { error: reportError }))
		}
	}

	async #report(progress: number, error: string, timeoutMs?: number): Promise<void> {
		const { status } = await this.#options.ocs.request({
			method: 'PUT',
			path: STATUS_PATH,
			body: { progress, error },
			...(timeoutMs === undefined ? {} : { timeoutMs }),
		})
		if (status !== 200) {
			this.#options.logger.warn('Nextcloud did not take the progress', { progress, status })
		}
	}
}

function wordsOf(error: unknown): string {
	return error instanceof SipCallError ? error.message : 'SIPCall could not be set up. Its log has the reason.'
}
