// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { AdminUser, UserChange } from '../services/admin-api.ts'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'
import type { FieldErrors } from '../services/field-errors.ts'

import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { getUsers, putUser } from '../services/admin-api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { fieldErrorsOf } from '../services/field-errors.ts'
import { n, t } from '../services/l10n.ts'

/** So long nothing is typed before the server is asked. */
const QUIET_MS = 300

export interface AdminUsers {
	search: Ref<string>
	/** `undefined` until the server has answered. */
	users: Readonly<Ref<readonly AdminUser[] | undefined>>
	hasMore: Readonly<Ref<boolean>>
	isLoading: Readonly<Ref<boolean>>
	notice: Readonly<Ref<Notice | undefined>>
	/** For screen readers, once it is known. */
	found: Readonly<Ref<string>>
	load: () => Promise<void>
	loadMore: () => Promise<void>
	/** Changes a user. Resolves with what stood in the way. */
	change: (id: string, wish: UserChange) => Promise<{ notice: Notice, fieldErrors: FieldErrors } | undefined>
}

/** Nextcloud's users as administrators see them, in the order in which Nextcloud gives them. */
export function useAdminUsers(): AdminUsers {
	const search = ref('')
	const users = shallowRef<readonly AdminUser[]>()
	const next = ref<number | null>(null)
	const isLoading = ref(false)
	const notice = shallowRef<Notice>()
	const found = ref('')
	let timer: ReturnType<typeof setTimeout> | undefined
	let asking: AbortController | undefined

	async function ask(offset: number): Promise<void> {
		asking?.abort()
		const mine = new AbortController()
		asking = mine
		isLoading.value = true
		notice.value = undefined
		try {
			const page = await getUsers(search.value.trim(), offset, mine.signal)
			if (asking === mine) {
				users.value = offset === 0 ? page.items : [...users.value ?? [], ...page.items]
				next.value = page.nextOffset
				found.value = n('%n user', '%n users', users.value.length)
				isLoading.value = false
			}
		} catch (error) {
			if (asking === mine && !mine.signal.aborted) {
				notice.value = failureNotice(error as ApiFailure, t('Could not load the users.'))
				isLoading.value = false
			}
		}
	}

	watch(search, () => {
		clearTimeout(timer)
		timer = setTimeout(() => void ask(0), QUIET_MS)
	})
	onScopeDispose(() => {
		clearTimeout(timer)
		asking?.abort()
	})
	const load = () => ask(0)
	void load()

	return {
		search,
		users,
		hasMore: computed(() => next.value !== null),
		isLoading,
		notice,
		found,
		load,
		loadMore: () => next.value === null ? Promise.resolve() : ask(next.value),
		async change(id, wish) {
			try {
				const changed = await putUser(id, wish)
				users.value = users.value?.map((user) => user.id === id ? changed : user)
				return undefined
			} catch (error) {
				const failure = error as ApiFailure
				return { notice: failureNotice(failure, t('The user was not changed.')), fieldErrors: fieldErrorsOf(failure) }
			}
		},
	}
}
