// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'

import { onScopeDispose, ref } from 'vue'
import { useTabs } from './useTabs.ts'

/** So long the new tab has to say that it is there. */
const ANSWER_MS = 10_000

export type LinkTestState = 'unknown' | 'waiting' | 'works' | 'nothing'

/** No browser tells whether it opens phone links with this page; a page that was opened by one does. */
export function useLinkTest(): { state: Readonly<Ref<LinkTestState>>, wait: () => void } {
	const state = ref<LinkTestState>('unknown')
	let timer: ReturnType<typeof setTimeout> | undefined
	useTabs((news) => {
		if (news.type === 'handler_ok') {
			clearTimeout(timer)
			state.value = 'works'
		}
	})
	onScopeDispose(() => clearTimeout(timer))
	return {
		state,
		wait() {
			state.value = 'waiting'
			clearTimeout(timer)
			timer = setTimeout(() => {
				state.value = 'nothing'
			}, ANSWER_MS)
		},
	}
}
