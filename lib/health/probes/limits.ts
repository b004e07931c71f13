// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the looks at all parts share.

import type { FindingCode } from '../findings.ts'
import type { Part } from '../report.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { finding } from '../findings.ts'

/** Within the time that a probe has as a whole. */
const NODE_LIMIT_MS = 3_000
/** So far clocks may be apart. */
export const MOST_SKEW_MS = 2_000

/** What a look finds, unless it takes too long: one that hangs must not hide the others. */
export async function soon(look: () => Promise<Omit<Part, 'id'>>, ifSilent: FindingCode): Promise<Omit<Part, 'id'>> {
	const silent = finding(ifSilent)
	const late = new AbortController()
	try {
		return await Promise.race([look().catch(() => silent), delay(NODE_LIMIT_MS, silent, { signal: late.signal, ref: false })])
	} finally {
		late.abort()
	}
}
