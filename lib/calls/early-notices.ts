// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { SwitchNotice } from './ports.ts'

/**
 * Until the open calls have been read once more (FIND_OPEN_MS in call-tracker.ts), whatever kept another replica's word from being
 * heard or understood: what is forgotten earlier may be the only word on how a call ended.
 */
const KEPT_MS = 45_000
const MAX_CALLS = 20_000
const MAX_OF_CALL = 50

/**
 * What the switch tells of calls that are not known here yet: another replica has placed them, and its word is on the way.
 * The switch may well be quicker, and for a phone that is not registered the one thing it tells is all there ever is.
 */
export class EarlyNotices {
	/** By the call's uuid, or a job's; the oldest first. */
	readonly #kept = new Map<string, { at: number, notices: SwitchNotice[] }>()

	/**
	 * @param uuid of the call, or of the job
	 * @param now monotonic milliseconds
	 */
	keep(uuid: string, notice: SwitchNotice, now: number): void {
		const kept = this.#kept.get(uuid)
		if (kept !== undefined) {
			if (kept.notices.length < MAX_OF_CALL) {
				kept.notices.push(notice)
			}
		} else if (this.#kept.size < MAX_CALLS) {
			this.#kept.set(uuid, { at: now, notices: [notice] })
		}
	}

	/** In the order in which they came; they are not kept any more. */
	take(uuids: readonly string[]): SwitchNotice[] {
		return uuids.flatMap((uuid) => {
			const notices = this.#kept.get(uuid)?.notices ?? []
			this.#kept.delete(uuid)
			return notices
		})
	}

	forgetOld(now: number): void {
		for (const [uuid, { at }] of this.#kept) {
			if (now - at < KEPT_MS) {
				return
			}
			this.#kept.delete(uuid)
		}
	}
}
