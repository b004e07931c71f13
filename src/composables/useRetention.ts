// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { RetentionDays, RetentionPreview } from '../services/privacy-api.ts'

import { onScopeDispose, shallowRef, watch } from 'vue'
import { getRetention } from '../services/privacy-api.ts'

/** So long nothing is typed before the server is asked. */
const QUIET_MS = 300

/**
 * What the next run of retention would do with days that need not be saved.
 *
 * @param days undefined while they are none
 * @return `preview` undefined while it is not known
 */
export function useRetention(days: () => RetentionDays | undefined): { preview: Readonly<Ref<RetentionPreview | undefined>>, refresh: () => void } {
	const preview = shallowRef<RetentionPreview>()
	let timer: ReturnType<typeof setTimeout> | undefined
	let asking: AbortController | undefined

	async function look(): Promise<void> {
		asking?.abort()
		const mine = new AbortController()
		asking = mine
		const wanted = days()
		if (wanted === undefined) {
			return
		}
		try {
			const answer = await getRetention(wanted, mine.signal)
			if (asking === mine) {
				preview.value = answer
			}
		} catch {
			// It only helps; what is wrong is told when something is saved.
		}
	}

	watch(() => JSON.stringify(days()), () => {
		preview.value = undefined
		clearTimeout(timer)
		timer = setTimeout(() => void look(), QUIET_MS)
	})
	onScopeDispose(() => {
		clearTimeout(timer)
		asking?.abort()
	})
	return { preview, refresh: () => void look() }
}
