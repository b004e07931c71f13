// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'
import type { ListedReceipt } from '../services/privacy-api.ts'

import { computed, ref, shallowRef } from 'vue'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'
import { getReceipts } from '../services/privacy-api.ts'

export interface Receipts {
	/** `undefined` until the server has answered. */
	list: Readonly<Ref<readonly ListedReceipt[] | undefined>>
	hasMore: Readonly<Ref<boolean>>
	isLoading: Readonly<Ref<boolean>>
	notice: Readonly<Ref<Notice | undefined>>
	/** Reads the newest ones. */
	load: () => Promise<void>
	loadMore: () => Promise<void>
}

/** The receipts of all erasures, newest first. */
export function useReceipts(): Receipts {
	const list = shallowRef<readonly ListedReceipt[]>()
	const cursor = ref<string | null>(null)
	const isLoading = ref(false)
	const notice = shallowRef<Notice>()

	async function ask(from: string | undefined): Promise<void> {
		isLoading.value = true
		notice.value = undefined
		try {
			const { items, nextCursor } = await getReceipts(from)
			list.value = from === undefined ? items : [...list.value ?? [], ...items]
			cursor.value = nextCursor
		} catch (error) {
			notice.value = failureNotice(error as ApiFailure, t('Could not load the receipts.'))
		}
		isLoading.value = false
	}

	const load = () => ask(undefined)
	void load()
	return {
		list,
		hasMore: computed(() => cursor.value !== null),
		isLoading,
		notice,
		load,
		loadMore: () => cursor.value === null || isLoading.value ? Promise.resolve() : ask(cursor.value),
	}
}
