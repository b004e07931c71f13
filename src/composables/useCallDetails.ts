// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'
import type { Call, CallLogEntry } from '../services/types.ts'

import { computed, shallowRef, watch } from 'vue'
import { getCall, getCallLog } from '../services/api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'

export interface CallDetails {
	call: Readonly<Ref<Call | undefined>>
	/** undefined while it is being read */
	log: Readonly<Ref<readonly CallLogEntry[] | undefined>>
	notice: Readonly<Ref<Notice | undefined>>
	load: () => Promise<void>
	/** Forgets what is known, and reads it. */
	reload: () => Promise<void>
	/** Newer news of the call, where it is this one. */
	take: (call: Call) => void
}

/**
 * One call and what happened to it.
 *
 * @param uuid of the call that is looked at
 * @param known the call as the page has it already, if it does
 */
export function useCallDetails(uuid: Readonly<Ref<string | undefined>>, known: (uuid: string) => Call | undefined): CallDetails {
	const fetched = shallowRef<Call>()
	const log = shallowRef<readonly CallLogEntry[]>()
	const notice = shallowRef<Notice>()

	const call = computed(() => {
		if (uuid.value === undefined) {
			return undefined
		}
		const shown = known(uuid.value)
		return shown ?? (fetched.value?.uuid === uuid.value ? fetched.value : undefined)
	})

	async function load(): Promise<void> {
		const asked = uuid.value
		if (asked === undefined) {
			return
		}
		notice.value = undefined
		try {
			if (call.value === undefined) {
				fetched.value = await getCall(asked)
			}
			const entries = await getCallLog(asked)
			if (asked === uuid.value) {
				log.value = entries
			}
		} catch (error) {
			if (asked === uuid.value) {
				notice.value = failureNotice(error as ApiFailure, t('Could not load the call.'))
			}
		}
	}

	watch(uuid, () => {
		log.value = undefined
		void load()
	}, { immediate: true })
	// What happens to a live call stands in its timeline as well.
	watch(() => call.value?.version, (version, before) => {
		if (version !== undefined && before !== undefined && log.value !== undefined) {
			void load()
		}
	})

	function take(news: Call): void {
		if (fetched.value?.uuid === news.uuid && fetched.value.version < news.version) {
			fetched.value = news
		}
	}

	function reload(): Promise<void> {
		fetched.value = undefined
		return load()
	}

	return { call, log, notice, load, reload, take }
}
