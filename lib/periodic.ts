// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Work that is done again and again as long as the process runs. Whatever it is, doing it late must harm nobody.

import type { Logger } from './logger.ts'

export interface PeriodicTask {
	/** For the log: what stays as it is when the task fails. */
	name: string
	everyMs: number
	run: () => Promise<unknown>
}

/**
 * Runs each task for the first time after its period, one run at a time.
 *
 * @return ends all of them
 */
export function runPeriodically(tasks: readonly PeriodicTask[], logger: Logger): () => void {
	const timers = tasks.map(({ name, everyMs, run }) => {
		let isRunning = false
		return setInterval(() => {
			if (isRunning) {
				return
			}
			isRunning = true
			run()
				.catch((error: unknown) => logger.warn('A periodic task failed; it is tried again the next time', { task: name, error }))
				.finally(() => {
					isRunning = false
				})
		}, everyMs)
	})
	return () => timers.forEach((timer) => clearInterval(timer))
}
