// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TestSpecification } from 'vitest/node'

import { defineConfig } from 'vitest/config'
import { BaseSequencer } from 'vitest/node'

/**
 * What needs a browser keeps a processor busy, what talks to other processes mostly waits for them: side by side they take less
 * time than one after the other. The longest begin first, the walks through all views before any other, and the short ones last.
 */
class BusyBesideWaiting extends BaseSequencer {
	override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
		const sorted = await super.sort(files)
		const isIn = (part: string) => ({ moduleId }: TestSpecification) => moduleId.includes(part)
		const busy = [...sorted.filter(isIn('/e2e/views')), ...sorted.filter((file) => isIn('/e2e/')(file) && !isIn('/e2e/views')(file))]
		const short = sorted.filter(isIn('/unit/'))
		const waiting = sorted.filter((file) => !busy.includes(file) && !short.includes(file))
		const perBusy = waiting.length / Math.max(1, busy.length)
		return [
			...busy.flatMap((file, index) => [file, ...waiting.slice(Math.round(index * perBusy), Math.round((index + 1) * perBusy))]),
			...(busy.length === 0 ? waiting : []),
			...short,
		]
	}
}

export default defineConfig({
	test: {
		include: ['test/{unit,integration,e2e,chaos}/**/*.test.ts'],
		globalSetup: ['test/support/global-setup.ts'],
		// No test depends on speed: these limits only end a test that hangs.
		testTimeout: 60_000,
		hookTimeout: 120_000,
		expect: { poll: { timeout: 30_000 } },
		maxWorkers: 2,
		// The files that one worker runs share the modules, and the browser: to load them anew for each file takes as long
		// as many of the tests do. No module keeps a test's state.
		isolate: false,
		sequence: { sequencer: BusyBesideWaiting },
	},
})
