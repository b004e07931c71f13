// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { SerializedError } from 'vitest'
import type { Reporter, TestModule, TestSuite } from 'vitest/node'

import { writeSync } from 'node:fs'

/**
 * Ends the run's output with a line for each thing that failed, and one line `N passed, N failed` (and `, N skipped` when
 * there are any). They are written when the process exits, behind whatever other reporters and the clean-up had to say,
 * and also when the run broke off: of a long output often only the end is kept.
 */
export default class CountsReporter implements Reporter {
	#passed = 0
	#skipped = 0
	/** Where, and what was said first. */
	#failures: string[] = []
	#finished = false

	onInit(): void {
		process.once('exit', (code) => {
			// A run that broke off has tests nobody counted.
			if (this.#failures.length === 0 && (code !== 0 || !this.#finished)) {
				this.#failures.push('The run broke off')
			}
			const skipped = this.#skipped === 0 ? '' : `, ${this.#skipped} skipped`
			writeSync(1, `${[...this.#failures, `${this.#passed} passed, ${this.#failures.length} failed${skipped}`].join('\n')}\n`)
		})
	}

	onTestRunEnd(testModules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
		this.#passed = 0
		this.#skipped = 0
		// An error outside any test fails the run like a test does.
		this.#failures = unhandledErrors.map((error) => failure('Outside of any test', error))
		for (const testModule of testModules) {
			const place = testModule.relativeModuleId
			// A file that could not be loaded, and what is done before or after all tests.
			const around: (TestModule | TestSuite)[] = [testModule, ...testModule.children.allSuites()]
			this.#failures.push(...around.flatMap((one) => one.errors().map((error) => failure(one.type === 'suite' ? `${place} > ${one.fullName}` : place, error))))
			for (const test of testModule.children.allTests()) {
				const { state, errors } = test.result()
				this.#passed += Number(state === 'passed')
				this.#skipped += Number(state === 'skipped')
				if (state === 'failed' || state === 'pending') {
					this.#failures.push(failure(`${place} > ${test.fullName}`, errors?.[0]))
				}
			}
		}
		this.#finished = true
	}
}

function failure(place: string, error: SerializedError | undefined): string {
	return `failed: ${place}: ${error?.message.split('\n')[0] ?? 'It has not ended'}`
}
