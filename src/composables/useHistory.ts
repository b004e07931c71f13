// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'
import type { Call } from '../services/types.ts'

import { computed, ref, shallowRef } from 'vue'
import { getHistory } from '../services/api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'

const PAGE_SIZE = 50

export interface History {
	/** Calls that have ended, newest first. Live ones have a card instead. */
	rows: Readonly<Ref<readonly Call[]>>
	isLoading: Readonly<Ref<boolean>>
	hasMore: Readonly<Ref<boolean>>
	notice: Readonly<Ref<Notice | undefined>>
	/** Reads the newest page and answers all of it, live calls included. */
	load: () => Promise<readonly Call[]>
	loadMore: () => Promise<void>
	/** Takes over a call whose end the server has just told. */
	put: (call: Call) => void
}

export function useHistory(): History {
	const calls = shallowRef<readonly Call[]>([])
	const cursor = shallowRef<string | null>(null)
	const isLoading = ref(true)
	const notice = shallowRef<Notice>()

	/** A call that ended between two pages may come twice: the one with the higher version is the newer news. */
	function merge(incoming: readonly Call[]): void {
		const byId = new Map(calls.value.map((call) => [call.uuid, call]))
		for (const call of incoming) {
			const known = byId.get(call.uuid)
			if (known === undefined || known.version < call.version) {
				byId.set(call.uuid, call)
			}
		}
		calls.value = [...byId.values()].sort((a, b) => b.createdAt.localeCompare(a.createdAt))
	}

	async function loadPage(from: string | undefined): Promise<readonly Call[]> {
		isLoading.value = true
		notice.value = undefined
		try {
			const page = await getHistory(PAGE_SIZE, from)
			cursor.value = page.nextCursor
			merge(page.items)
			return page.items
		} catch (error) {
			notice.value = failureNotice(error as ApiFailure, t('Could not load the calls.'))
			return []
		} finally {
			isLoading.value = false
		}
	}

	return {
		rows: computed(() => calls.value.filter((call) => call.status === 'ended')),
		isLoading,
		hasMore: computed(() => cursor.value !== null),
		notice,
		load: () => loadPage(undefined),
		async loadMore() {
			if (cursor.value !== null && !isLoading.value) {
				await loadPage(cursor.value)
			}
		},
		put: (call) => merge([call]),
	}
}
