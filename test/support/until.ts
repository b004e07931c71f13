// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { setTimeout as delay } from 'node:timers/promises'

/** Whoever asks without a pause takes the time from what is waited for. */
const PAUSE_MS = 5

/** Reads again and again until what is read is so; the test's own limit ends it. */
export async function until<Value>(read: () => Promise<Value>, isSo: (value: Value) => boolean): Promise<Value> {
	for (;;) {
		const value = await read()
		if (isSo(value)) {
			return value
		}
		await delay(PAUSE_MS)
	}
}
