// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { inject } from 'vitest'

/** Resolves when the page has been built from its sources as they are now: a test never judges an old build. */
export async function buildPage(): Promise<void> {
	const answer = await fetch(inject('pageBuilder'), { method: 'POST' })
	if (!answer.ok) {
		throw new Error(`The page cannot be built:\n${await answer.text()}`)
	}
}
