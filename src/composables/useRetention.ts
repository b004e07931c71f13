// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { RetentionPreview } from '../services/privacy-api.ts'

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
export function useRetention(days: () => { callsDays: number, maskAfterDays: number } | undefined): { preview: Readonly<Ref<RetentionPreview | undefined>>, refresh: () => void } {
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
			const answer = await getRetention({ callsDays: wanted.callsDays, maskAfterDays: wanted.maskAfterDays }, mine.signal)
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
