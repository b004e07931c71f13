// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What is told of a leg's end beside the events, or after its call was over: the last word on how a call ended.

import type { CallTracker } from './call-tracker.ts'
import type { Call } from './call.ts'
import type { LegRecord } from './leg-record.ts'
import type { CallStore } from './ports.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { SipCallError } from '../errors.ts'
import { applyRecord } from './leg-record.ts'

export interface CdrIntakeOptions {
	store: Pick<CallStore, 'change'>
	tracker: Pick<CallTracker, 'callOfLeg' | 'openCall' | 'unstoredCall' | 'record' | 'take'>
	/** Told of a call that had ended and whose end is told anew. */
	onCorrected: (call: Call, before: Call) => void
	/** How long whoever brings a record waits for it to be stored. */
	limitMs?: number
}

/** `known`: it changes nothing. `not_ours`: the leg is of no call here, or of none that is left. */
export type CdrResult = 'stored' | 'known' | 'not_ours'

/** mod_json_cdr gives up after 5 s in the configuration that is recommended, and the leg waits for it. */
const LIMIT_MS = 3_000

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export class CdrIntake {
	readonly #options: CdrIntakeOptions

	constructor(options: CdrIntakeOptions) {
		this.#options = options
	}

	/**
	 * Takes what is told of a leg's end. Repetitions change nothing.
	 *
	 * @throws {SipCallError} `storage_unavailable`; of a call that is open here it is stored all the same, as soon as that can be
	 */
	async take(notice: LegRecord & { callUuid?: string }): Promise<CdrResult> {
		const { tracker } = this.#options
		const callUuid = tracker.callOfLeg(notice.report.legUuid) ?? notice.callUuid
		if (callUuid === undefined || !UUID.test(callUuid)) {
			return 'not_ours'
		}
		const known = tracker.unstoredCall(callUuid) ?? tracker.openCall(callUuid)
		return known === undefined ? this.#ofOther(callUuid, notice) : this.#ofKnown(known, notice)
	}

	/** In its turn among the events of the call. */
	async #ofKnown({ uuid: callUuid, version }: Call, notice: LegRecord): Promise<CdrResult> {
		const waiting = new AbortController()
		const call = await Promise.race([
			this.#options.tracker.record(callUuid, notice),
			delay(this.#options.limitMs ?? LIMIT_MS, 'late' as const, { signal: waiting.signal }),
		])
		waiting.abort()
		if (call === 'late') {
			throw new SipCallError('storage_unavailable', 'The call record cannot be stored now. Try again in a few seconds.', { retryAfterSec: 5 })
		}
		if (call === undefined) {
			// It has just ended, or nothing of it can be stored: then it is told why.
			return this.#ofOther(callUuid, notice)
		}
		return call.version > version ? 'stored' : 'known'
	}

	async #ofOther(callUuid: string, notice: LegRecord): Promise<CdrResult> {
		let before: Call | undefined
		const stored = await this.#options.store.change(callUuid, (call) => {
			before = call
			return applyRecord(call, notice)
		})
		if (stored === undefined) {
			return 'not_ours'
		}
		if (!stored.changed) {
			return 'known'
		}
		this.#options.tracker.take(stored.call)
		if (before?.status === 'ended') {
			this.#options.onCorrected(stored.call, before)
		}
		return 'stored'
	}
}
