// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'

import { onScopeDispose, ref, watch } from 'vue'

const LONGEST_WAIT_MS = 15_000

/**
 * What came of one round: go on, wait longer each time (a fault that may pass, with the wait that the server asked
 * for), or never ask again.
 */
export type Round = 'go_on' | 'stop' | { retryAfterMs?: number }

export interface Polling {
	/** Since when rounds fail is of no interest, only that the last one did. */
	isFailing: Readonly<Ref<boolean>>
	/** After a stop: something else has shown that asking is allowed again. */
	resume: () => void
}

/**
 * Repeats a short request while it is wanted and the tab can be seen. Short, because the proxy in front of SIPCall
 * keeps a whole PHP worker busy for every request that is open. There is never more than one round under way: the next
 * is planned when the last has ended.
 */
export function usePolling(options: { round: () => Promise<Round>, isWanted: () => boolean, everyMs: number }): Polling {
	const isFailing = ref(false)
	let timer: ReturnType<typeof setTimeout> | undefined
	let isUnderWay = false
	let isStopped = false
	let waitMs = options.everyMs

	const mayRun = () => !isStopped && !isUnderWay && options.isWanted() && document.visibilityState === 'visible'

	function plan(ms: number): void {
		clearTimeout(timer)
		if (mayRun()) {
			timer = setTimeout(run, ms)
		}
	}

	async function run(): Promise<void> {
		if (!mayRun()) {
			return
		}
		isUnderWay = true
		const result = await options.round()
		isUnderWay = false
		isStopped = result === 'stop'
		isFailing.value = typeof result === 'object'
		if (typeof result === 'object') {
			waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)
			plan(Math.max(waitMs, result.retryAfterMs ?? 0))
		} else {
			waitMs = options.everyMs
			plan(waitMs)
		}
	}

	/** A tab that comes to the front shows what is true now, not what was true when it was left. */
	function onVisibilityChange(): void {
		plan(0)
	}

	document.addEventListener('visibilitychange', onVisibilityChange)
	const unwatch = watch(options.isWanted, () => plan(options.everyMs))
	onScopeDispose(() => {
		isStopped = true
		clearTimeout(timer)
		unwatch()
		document.removeEventListener('visibilitychange', onVisibilityChange)
	})

	return {
		isFailing,
		resume() {
			isStopped = false
			plan(options.everyMs)
		},
	}
}
