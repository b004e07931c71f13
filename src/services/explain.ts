// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What is known about a number before it is called: the server is asked, and its answer kept for a minute. */

import type { Explanation, Refusal } from './types.ts'

import { postExplain } from './api.ts'

const KEPT_MS = 60_000
const MOST_KEPT = 50

const answers = new Map<string, { at: number, answer: Explanation }>()

/** The answer for a text, if it is there and fresh. */
export function explained(text: string): Explanation | undefined {
	const kept = answers.get(text.trim())
	return kept !== undefined && Date.now() - kept.at < KEPT_MS ? kept.answer : undefined
}

/**
 * Asks whether a number may be called, and what it is.
 *
 * @throws {ApiFailure} then nothing is known: the answer to the call itself will say it
 */
export async function explainNumber(text: string, signal: AbortSignal): Promise<Explanation> {
	const wanted = text.trim()
	const known = explained(wanted)
	if (known !== undefined) {
		return known
	}
	const answer = await postExplain(wanted, signal)
	answers.delete(wanted)
	answers.set(wanted, { at: Date.now(), answer })
	const [oldest] = answers.keys()
	if (answers.size > MOST_KEPT && oldest !== undefined) {
		answers.delete(oldest)
	}
	return answer
}

/** A call that begins or ends changes what is allowed next, and which countries are known. */
export function forgetExplanations(): void {
	answers.clear()
}

/**
 * Refusals that say nothing against the number. A call that goes on gives way to a transfer, and to a click with an
 * answer of its own; which phone rings is chosen beside the number; who may not call, and until when, stands elsewhere.
 */
const NOT_OF_THE_NUMBER = new Set(['already_in_call', 'no_device', 'calling_not_permitted', 'account_locked'])

/** Why this number will not be called, as far as it is the number's fault. */
export function refusalOf(explanation: Explanation | undefined): Refusal | undefined {
	const refusal = explanation?.refusal
	return refusal === undefined || NOT_OF_THE_NUMBER.has(refusal.code) ? undefined : refusal
}
