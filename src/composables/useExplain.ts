// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { Explanation } from '../services/types.ts'

import { onScopeDispose, shallowRef, watch } from 'vue'
import { pageEnd } from '../services/api.ts'
import { dialled } from '../services/digits.ts'
import { emergencyNumber } from '../services/emergency.ts'
import { explained, explainNumber } from '../services/explain.ts'

const WAIT_MS = 300
const LEAST_DIGITS = 3
/** Nobody waits longer for it than this before a call: the answer to the call itself says the same. */
const LIMIT_MS = 3000

export interface Explain {
	/** What the server says about the text as it is now; undefined while it is not known. */
	explanation: Readonly<Ref<Explanation | undefined>>
	/** Asks about a text that is to be called now. */
	ask: (text: string) => Promise<Explanation | undefined>
}

/** Asks what a number is, and whether it may be called, while it is being typed. */
export function useExplain(text: Readonly<Ref<string>>): Explain {
	const explanation = shallowRef<Explanation>()
	let timer: ReturnType<typeof setTimeout> | undefined
	let request: AbortController | undefined

	function stop(): void {
		clearTimeout(timer)
		request?.abort()
	}

	async function look(): Promise<void> {
		const asked = text.value
		const { signal } = request = new AbortController()
		try {
			const answer = await explainNumber(asked, signal)
			if (asked === text.value) {
				explanation.value = answer
			}
		} catch {
			// Then nothing is known before the call.
		}
	}

	watch(text, (now) => {
		stop()
		explanation.value = explained(now)
		if (explanation.value === undefined && isWorthAsking(now)) {
			timer = setTimeout(() => void look(), WAIT_MS)
		}
	}, { flush: 'sync' })
	onScopeDispose(stop)

	return {
		explanation,
		async ask(wanted) {
			if (wanted === text.value) {
				stop()
			}
			const answer = await askInTime(wanted)
			if (wanted === text.value) {
				explanation.value = answer
			}
			return answer
		},
	}
}

/**
 * Asks about a number, but not for long.
 *
 * @return undefined when there was no answer in time
 */
export async function askInTime(text: string): Promise<Explanation | undefined> {
	const known = explained(text)
	if (known !== undefined || !isWorthAsking(text)) {
		return known
	}
	const limit = new AbortController()
	const timer = setTimeout(() => limit.abort(), LIMIT_MS)
	try {
		return await explainNumber(text, limit.signal)
	} catch {
		return undefined
	} finally {
		clearTimeout(timer)
	}
}

function isWorthAsking(text: string): boolean {
	return pageEnd.value === undefined && dialled(text).length >= LEAST_DIGITS && text.length <= 400 && emergencyNumber(text) === undefined
}
