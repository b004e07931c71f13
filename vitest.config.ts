// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { defineConfig } from 'vitest/config'

export default defineConfig({
	test: {
		include: ['test/{unit,integration,e2e}/**/*.test.ts'],
		globalSetup: ['test/support/global-setup.ts'],
		// No test depends on speed: these limits only end a test that hangs.
		testTimeout: 60_000,
		hookTimeout: 120_000,
		maxWorkers: 2,
	},
})
