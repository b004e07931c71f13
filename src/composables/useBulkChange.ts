// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { AdminUser } from '../services/admin-api.ts'
import type { AdminUsers } from './useAdminUsers.ts'

import { computed, ref, watch } from 'vue'
import { n, t } from '../services/l10n.ts'

export interface BulkChange {
	/** Ids of users that are shown. */
	selected: Ref<string[]>
	/** How far it is; undefined while nothing is under way. */
	progress: Readonly<Ref<{ done: number, total: number } | undefined>>
	/** What came of the last one. */
	result: Readonly<Ref<{ text: string, hasFailed: boolean } | undefined>>
	/** Allows or forbids calling to all who are selected, one after another. */
	permit: (permission: boolean) => Promise<void>
}

/** One thing done to many users. Who could not be changed stays selected, so that it can be tried again. */
export function useBulkChange(users: Readonly<Ref<readonly AdminUser[] | undefined>>, change: AdminUsers['change']): BulkChange {
	const selected = ref<string[]>([])
	const progress = ref<{ done: number, total: number }>()
	const result = ref<{ text: string, hasFailed: boolean }>()
	// Nothing is done to somebody who cannot be seen.
	watch(users, (now) => {
		selected.value = selected.value.filter((id) => now?.some((user) => user.id === id))
	})

	return {
		selected,
		progress: computed(() => progress.value),
		result: computed(() => result.value),
		async permit(permission) {
			const ids = [...selected.value]
			if (progress.value !== undefined || ids.length === 0) {
				return
			}
			result.value = undefined
			const failed: string[] = []
			for (const [done, id] of ids.entries()) {
				progress.value = { done, total: ids.length }
				const fault = await change(id, { permission })
				if (fault === undefined) {
					selected.value = selected.value.filter((other) => other !== id)
				} else {
					failed.push(t('{name}: {reason}', { name: users.value?.find((user) => user.id === id)?.displayName ?? id, reason: fault.notice.text }))
				}
			}
			progress.value = undefined
			const changed = ids.length - failed.length
			result.value = {
				text: [permission ? n('%n user is allowed to call.', '%n users are allowed to call.', changed) : n('%n user is forbidden to call.', '%n users are forbidden to call.', changed), ...failed].join(' '),
				hasFailed: failed.length > 0,
			}
		},
	}
}
