// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'
import type { ListFilter, Narrowing } from '../services/history-filter.ts'
import type { Call } from '../services/types.ts'
import type { Round } from './usePolling.ts'

import { computed, ref, shallowRef, watch } from 'vue'
import { getHistory } from '../services/api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { isListed, queryOf } from '../services/history-filter.ts'
import { t } from '../services/l10n.ts'
import { roundOf } from './usePolling.ts'

const PAGE_SIZE = 50

export interface History {
	/** Calls that have ended, newest first. Live ones have a card instead. */
	rows: Readonly<Ref<readonly Call[]>>
	isLoading: Readonly<Ref<boolean>>
	hasMore: Readonly<Ref<boolean>>
	notice: Readonly<Ref<Notice | undefined>>
	/** When the list was last known to be true; for the mark on old rows. */
	loadedAt: Readonly<Ref<number | undefined>>
	/** Reads the newest page. */
	refresh: () => Promise<Round>
	loadMore: () => Promise<void>
	/** Forgets what is there, and reads the newest page. */
	reload: () => Promise<Round>
	/** Takes over a call that somebody else was told of, if it belongs into the list. */
	put: (call: Call) => void
}

/**
 * @param filter which calls are listed
 * @param narrowing what makes the list shorter
 * @param onLive told of each call that is still going on
 */
export function useHistory(filter: Readonly<Ref<ListFilter>>, narrowing: Readonly<Ref<Narrowing>>, onLive: (call: Call) => void): History {
	const calls = shallowRef<readonly Call[]>([])
	const cursor = shallowRef<string | null>(null)
	const isLoading = ref(true)
	const notice = shallowRef<Notice>()
	const loadedAt = ref<number>()
	let positions = new Map<string, number>()
	/** An answer to what is no longer asked for is dropped. */
	let generation = 0

	function replace(list: readonly Call[]): void {
		calls.value = list
		positions = new Map(list.map(({ uuid }, at) => [uuid, at]))
	}

	/** A call may come twice: the one with the higher version is the newer news. Thousands may be there already. */
	function merge(incoming: readonly Call[]): void {
		const merged = [...calls.value]
		let isSorted = true
		for (const call of incoming) {
			const at = positions.get(call.uuid)
			const known = at === undefined ? undefined : merged[at]
			if (at === undefined) {
				isSorted &&= (merged.at(-1)?.createdAt ?? call.createdAt) >= call.createdAt
				positions.set(call.uuid, merged.length)
				merged.push(call)
			} else if (known !== undefined && known.version < call.version) {
				merged[at] = call
			}
		}
		if (isSorted) {
			calls.value = merged
		} else {
			replace(merged.sort((a, b) => a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0))
		}
	}

	async function loadPage(from: string | undefined): Promise<Round> {
		const asked = ++generation
		isLoading.value = from !== undefined || calls.value.length === 0
		try {
			const { items, nextCursor } = await getHistory(PAGE_SIZE, queryOf(filter.value, narrowing.value), from)
			if (asked !== generation) {
				return 'go_on'
			}
			const isConnected = items.some(({ uuid }) => positions.has(uuid))
			if (from === undefined && !isConnected) {
				// More calls than a page since the last look: what lies between is read by scrolling.
				replace([])
			}
			if (from !== undefined || !isConnected) {
				cursor.value = nextCursor
			}
			merge(items)
			notice.value = undefined
			loadedAt.value = Date.now()
			items.filter(({ status }) => status !== 'ended').forEach(onLive)
			return 'go_on'
		} catch (error) {
			if (asked === generation) {
				notice.value = failureNotice(error as ApiFailure, t('Could not load the calls.'))
			}
			return roundOf(error as ApiFailure)
		} finally {
			if (asked === generation) {
				isLoading.value = false
			}
		}
	}

	function reload(): Promise<Round> {
		replace([])
		cursor.value = null
		return loadPage(undefined)
	}

	watch([filter, narrowing], reload)

	return {
		rows: computed(() => calls.value.filter(({ status }) => status === 'ended')),
		isLoading,
		hasMore: computed(() => cursor.value !== null),
		notice,
		loadedAt,
		reload,
		// Scrolling goes first: its answer shows what is new as well as soon as it is done.
		refresh: () => isLoading.value && calls.value.length > 0 ? Promise.resolve('go_on' as const) : loadPage(undefined),
		async loadMore() {
			if (cursor.value !== null && !isLoading.value) {
				await loadPage(cursor.value)
			}
		},
		put(call) {
			if (isListed(call, filter.value, narrowing.value)) {
				merge([call])
			}
		},
	}
}
