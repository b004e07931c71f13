// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { SerializedError } from 'vitest'
import type { Reporter, TestModule } from 'vitest/node'

import { writeSync } from 'node:fs'

/**
 * Ends the run's output with one line, `N passed, N failed` (and `, N skipped` when there are any). It is written when
 * the process exits, behind whatever other reporters and the clean-up had to say, and also when the run broke off.
 */
export default class CountsReporter implements Reporter {
	#passed = 0
	#failed = 0
	#skipped = 0
	#finished = false

	onInit(): void {
		process.once('exit', (code) => {
			// A run that broke off has tests nobody counted.
			const failed = this.#failed === 0 && (code !== 0 || !this.#finished) ? 1 : this.#failed
			const skipped = this.#skipped === 0 ? '' : `, ${this.#skipped} skipped`
			writeSync(1, `${this.#passed} passed, ${failed} failed${skipped}\n`)
		})
	}

	onTestRunEnd(testModules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
		this.#passed = 0
		this.#skipped = 0
		// An error outside any test, or a file that could not be loaded, fails the run like a test does.
		this.#failed = unhandledErrors.length
		for (const testModule of testModules) {
			this.#failed += testModule.errors().length
			for (const test of testModule.children.allTests()) {
				const { state } = test.result()
				this.#passed += Number(state === 'passed')
				this.#failed += Number(state === 'failed' || state === 'pending')
				this.#skipped += Number(state === 'skipped')
			}
		}
		this.#finished = true
	}
}
