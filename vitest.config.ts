// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TestSpecification } from 'vitest/node'

import { defineConfig } from 'vitest/config'
import { BaseSequencer } from 'vitest/node'

/** The walks through all views take longest, then whatever needs a browser: what begins last should be short. */
const LONGEST_FIRST = ['/e2e/views', '/e2e/', '/integration/', '/unit/']

class LongestFirst extends BaseSequencer {
	override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
		const rank = ({ moduleId }: TestSpecification) => LONGEST_FIRST.findIndex((part) => moduleId.includes(part))
		return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
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
		sequence: { sequencer: LongestFirst },
	},
})
