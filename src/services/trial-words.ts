// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What the server says of a number that is tried on a policy, in words. */

import type { Explained } from './admin-api.ts'

import { ruleName } from './policy-words.ts'
import { problemWords } from './problem-words.ts'

/** The name under which the page has the rule that decides; undefined where none of the policy does. */
export function triedRule({ refusal }: Explained): string | undefined {
	return refusal?.rule && (ruleName(refusal.rule.id) ?? refusal.rule.label)
}

/** A refusal is worded as the problem that the call itself would meet. */
export function triedWhy({ refusal }: Explained): string | undefined {
	return refusal && (problemWords({ type: '', title: '', status: 422, requestId: '', code: refusal.code, detail: refusal.message }) ?? refusal.message)
}
