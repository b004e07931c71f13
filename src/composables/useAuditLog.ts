// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { AuditEntry } from '../services/admin-api.ts'
import type { ApiFailure } from '../services/api.ts'
import type { AuditFields } from '../services/audit-filter.ts'
import type { Notice } from '../services/failure-words.ts'

import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { getAuditCsv, getAuditLog } from '../services/admin-api.ts'
import { filterOf } from '../services/audit-filter.ts'
import { sinceWords } from '../services/audit-words.ts'
import { saveFile } from '../services/download.ts'
import { failureNotice } from '../services/failure-words.ts'
import { n, t } from '../services/l10n.ts'

export interface AuditLogState {
	fields: Ref<AuditFields>
	/** `undefined` until the server has answered. */
	entries: Readonly<Ref<readonly AuditEntry[] | undefined>>
	hasMore: Readonly<Ref<boolean>>
	isLoading: Readonly<Ref<boolean>>
	isDownloading: Readonly<Ref<boolean>>
	notice: Readonly<Ref<Notice | undefined>>
	/** For screen readers, once it is known. */
	found: Readonly<Ref<string>>
	/** From when on there are entries; empty until the server has answered. */
	since: Readonly<Ref<string>>
	load: () => Promise<void>
	loadMore: () => Promise<void>
	download: () => Promise<void>
}

/** The audit log as an administrator reads it, newest first. */
export function useAuditLog(): AuditLogState {
	const fields = ref<AuditFields>({ action: '', actor: '', target: '', from: '', to: '' })
	const entries = shallowRef<readonly AuditEntry[]>()
	const next = ref<string | null>(null)
	const isLoading = ref(false)
	const isDownloading = ref(false)
	const notice = shallowRef<Notice>()
	const found = ref('')
	const since = ref('')
	let asking: AbortController | undefined

	async function ask(cursor?: string): Promise<void> {
		asking?.abort()
		const mine = new AbortController()
		asking = mine
		isLoading.value = true
		notice.value = undefined
		try {
			const page = await getAuditLog(filterOf(fields.value), cursor, mine.signal)
			if (asking === mine) {
				entries.value = cursor === undefined ? page.items : [...entries.value ?? [], ...page.items]
				next.value = page.nextCursor
				since.value = sinceWords(page)
				found.value = n('%n entry', '%n entries', entries.value.length)
				isLoading.value = false
			}
		} catch (error) {
			if (asking === mine && !mine.signal.aborted) {
				notice.value = failureNotice(error as ApiFailure, t('Could not load the audit log.'))
				isLoading.value = false
			}
		}
	}

	watch(fields, () => void ask(), { deep: true })
	onScopeDispose(() => asking?.abort())
	void ask()

	return {
		fields,
		entries,
		hasMore: computed(() => next.value !== null),
		isLoading,
		isDownloading,
		notice,
		found,
		since,
		load: () => ask(),
		loadMore: () => next.value === null ? Promise.resolve() : ask(next.value),
		async download() {
			if (isDownloading.value) {
				return
			}
			isDownloading.value = true
			notice.value = undefined
			try {
				saveFile(await getAuditCsv(filterOf(fields.value)), 'text/csv;charset=utf-8', 'audit-log.csv')
			} catch (error) {
				notice.value = failureNotice(error as ApiFailure, t('The list was not downloaded.'))
			}
			isDownloading.value = false
		},
	}
}
