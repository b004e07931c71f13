// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Builds the page from its sources as they are now: a test never judges an old build. */
export async function buildPage(): Promise<void> {
	await build({ root: ROOT, configFile: `${ROOT}/vite.config.ts`, logLevel: 'warn' })
}
