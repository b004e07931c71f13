// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { Explained, SettingsChange } from '../services/admin-api.ts'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'

import { onScopeDispose, shallowRef, watch } from 'vue'
import { tryNumber } from '../services/admin-api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'

/** So long nothing is typed or changed before the server is asked. */
const QUIET_MS = 300

export interface Trial {
	user: string
	number: string
	/** Not saved; undefined while it cannot be tried, as with a number that is none. */
	policy: SettingsChange | undefined
}

/** Asks again whenever the question or the policy has changed; an answer to an older question is dropped. */
export function useTryNumber(trial: () => Trial): { result: Readonly<Ref<Explained | undefined>>, notice: Readonly<Ref<Notice | undefined>> } {
	const result = shallowRef<Explained>()
	const notice = shallowRef<Notice>()
	let timer: ReturnType<typeof setTimeout> | undefined
	let asking: AbortController | undefined

	async function ask({ user, number, policy }: Trial): Promise<void> {
		const mine = new AbortController()
		asking = mine
		try {
			const answer = await tryNumber(policy ?? {}, user, number, mine.signal)
			if (asking === mine) {
				result.value = answer
				notice.value = undefined
			}
		} catch (error) {
			if (asking === mine && !mine.signal.aborted) {
				result.value = undefined
				notice.value = failureNotice(error as ApiFailure, t('The number could not be tried.'))
			}
		}
	}

	watch(() => JSON.stringify(trial()), () => {
		clearTimeout(timer)
		asking?.abort()
		asking = undefined
		const now = trial()
		const isComplete = now.user.trim() !== '' && (now.number.match(/\p{Nd}/gu)?.length ?? 0) >= 3 && now.policy !== undefined
		if (!isComplete) {
			result.value = undefined
			notice.value = undefined
			return
		}
		timer = setTimeout(() => void ask({ ...now, user: now.user.trim() }), QUIET_MS)
	})
	onScopeDispose(() => {
		clearTimeout(timer)
		asking?.abort()
	})
	return { result, notice }
}
