// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { TestCall } from '../services/admin-api.ts'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'

import { onScopeDispose, ref, shallowRef } from 'vue'
import { getTestCall, startTestCall } from '../services/admin-api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'

const POLL_MS = 1000
const MOST_FAILURES = 5

export interface TestCallState {
	call: Readonly<Ref<TestCall | undefined>>
	notice: Readonly<Ref<Notice | undefined>>
	/** From the click until the call is over. */
	isGoingOn: Readonly<Ref<boolean>>
	start: (device: string) => Promise<void>
}

/** One test call at a time, asked about once a second until it is over. */
export function useTestCall(): TestCallState {
	const call = shallowRef<TestCall>()
	const notice = shallowRef<Notice>()
	const isGoingOn = ref(false)
	let timer: ReturnType<typeof setTimeout> | undefined
	let isGone = false
	onScopeDispose(() => {
		isGone = true
		clearTimeout(timer)
	})

	async function start(device: string): Promise<void> {
		if (isGoingOn.value) {
			return
		}
		isGoingOn.value = true
		call.value = undefined
		notice.value = undefined
		try {
			call.value = await startTestCall(device)
			follow(call.value.id)
		} catch (error) {
			notice.value = failureNotice(error as ApiFailure, t('The phone was not rung.'))
			isGoingOn.value = false
		}
	}

	function follow(id: string, failures = 0): void {
		if (call.value?.passed !== undefined) {
			isGoingOn.value = false
			return
		}
		timer = setTimeout(async () => {
			try {
				call.value = await getTestCall(id)
				if (!isGone) {
					follow(id)
				}
			} catch (error) {
				const failure = error as ApiFailure
				if (!isGone && !failure.isFinal && failures < MOST_FAILURES) {
					follow(id, failures + 1)
					return
				}
				notice.value = failureNotice(failure, t('The test call’s end is not known: SIPCall does not answer.'))
				isGoingOn.value = false
			}
		}, POLL_MS)
	}

	return { call, notice, isGoingOn, start }
}
