// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Logger } from '../logger.ts'

/** More are not told apart: where a key is missing, it may be all. */
const MOST_KEPT = 1000

/** Calls that were read since the start, and have a text that nobody can decrypt. Each is told once. */
export class UnreadableCalls {
	readonly #uuids = new Set<string>()
	readonly #logger: Logger

	constructor(logger: Logger) {
		this.#logger = logger
	}

	get count(): number {
		return this.#uuids.size
	}

	note(callUuid: string): void {
		if (this.#uuids.size < MOST_KEPT && !this.#uuids.has(callUuid)) {
			this.#uuids.add(callUuid)
			this.#logger.error('A text of a call cannot be decrypted, and is left out: its row was changed outside of SIPCall, or a key is missing', { callUuid })
		}
	}
}
