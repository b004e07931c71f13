// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ListFilter } from '../services/history-filter.ts'
import type { Call } from '../services/types.ts'
import type { CallDetails } from './useCallDetails.ts'

import { computed, nextTick } from 'vue'
import { useCallDetails } from './useCallDetails.ts'
import { useRouter } from './useRouter.ts'

export interface OpenCall {
	uuid: Readonly<Ref<string | undefined>>
	details: CallDetails
	open: (call: Call) => Promise<void>
	close: () => Promise<void>
}

export interface OpenCallOptions {
	filter: Readonly<Ref<ListFilter>>
	known: (uuid: string) => Call | undefined
	focusRow: (uuid: string) => void
}

/** The call whose details stand beside the list. The focus goes to them, and back to the row. */
export function useOpenCall({ filter, known, focusRow }: OpenCallOptions): OpenCall {
	const { route, goTo } = useRouter()
	const uuid = computed(() => route.value.name === 'call' ? route.value.uuid : undefined)
	return {
		uuid,
		details: useCallDetails(uuid, known),
		async open(call) {
			goTo({ name: 'call', uuid: call.uuid })
			await nextTick()
			document.querySelector<HTMLElement>('#app-sidebar-vue h2')?.focus()
		},
		async close() {
			const closed = uuid.value
			goTo({ name: filter.value === 'missed' ? 'missed' : 'calls' })
			await nextTick()
			if (closed !== undefined) {
				focusRow(closed)
			}
		},
	}
}
