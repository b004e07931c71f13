// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { Explained, SampleNumber, SettingsChange } from '../services/admin-api.ts'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'

import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import { getSampleNumbers, tryNumber } from '../services/admin-api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'

/** So long nothing is typed or changed before the server is asked. */
const QUIET_MS = 300

export interface ExplainedSample {
	kind: SampleNumber['kind']
	explained: Explained
}

export interface SampleNumbers {
	/** `undefined` until the server has answered. */
	samples: Readonly<Ref<readonly ExplainedSample[] | undefined>>
	notice: Readonly<Ref<Notice | undefined>>
	load: () => void
	/** They are those of rules that have been changed since. */
	isOutdated: Readonly<Ref<boolean>>
}

/**
 * What would become of a few numbers under a policy, again whenever that has changed.
 *
 * @param trial `policy` as it stands in a form; undefined while it cannot be tried, `{}` = the saved one
 */
export function useSampleNumbers(trial: () => { user: string, policy: SettingsChange | undefined }): SampleNumbers {
	const samples = shallowRef<readonly ExplainedSample[]>()
	const notice = shallowRef<Notice>()
	const isOutdated = ref(false)
	let timer: ReturnType<typeof setTimeout> | undefined
	let asking: AbortController | undefined

	async function ask(): Promise<void> {
		const { user, policy } = trial()
		if (policy === undefined || user === '') {
			return
		}
		asking?.abort()
		const mine = new AbortController()
		asking = mine
		try {
			const numbers = await getSampleNumbers(policy.homeCountry, mine.signal)
			const found = await Promise.all(numbers.map(async ({ kind, e164 }) => ({ kind, explained: await tryNumber(policy, user, e164, mine.signal) })))
			if (asking === mine) {
				samples.value = found
				notice.value = undefined
				isOutdated.value = false
			}
		} catch (error) {
			if (asking === mine && !mine.signal.aborted) {
				const failure = error as ApiFailure
				samples.value = undefined
				// What is wrong with a policy is said under its field, when it is saved.
				notice.value = failure.problem?.code === 'invalid_request' ? undefined : failureNotice(failure, t('The number could not be tried.'))
			}
		}
	}

	watch(() => JSON.stringify(trial()), (_now, before) => {
		clearTimeout(timer)
		asking?.abort()
		asking = undefined
		isOutdated.value = true
		timer = setTimeout(() => void ask(), before === undefined ? 0 : QUIET_MS)
	}, { immediate: true })
	onScopeDispose(() => {
		clearTimeout(timer)
		asking?.abort()
	})
	return { samples, notice, isOutdated, load: () => void ask() }
}
