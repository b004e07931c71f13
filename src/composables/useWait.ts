// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'

import { onScopeDispose, ref, watch } from 'vue'

/**
 * Counts down to a time.
 *
 * @param until by this computer's clock, in milliseconds
 * @return whole seconds; undefined when there is nothing (more) to wait for
 */
export function useWait(until: () => number | undefined): Readonly<Ref<number | undefined>> {
	const left = ref<number>()
	let timer: ReturnType<typeof setInterval> | undefined

	function count(): void {
		const ms = (until() ?? 0) - Date.now()
		left.value = ms > 0 ? Math.ceil(ms / 1000) : undefined
		if (left.value === undefined) {
			clearInterval(timer)
		}
	}

	watch(until, () => {
		clearInterval(timer)
		timer = setInterval(count, 250)
		count()
	}, { immediate: true })
	onScopeDispose(() => clearInterval(timer))
	return left
}
