// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { Metrics } from '../services/admin-api.ts'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'
import type { OverviewRange } from '../services/overview-range.ts'
import type { Round } from './usePolling.ts'

import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import { endCall, getMetrics, saveSettings } from '../services/admin-api.ts'
import { pageEnd, serverNow } from '../services/api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'
import { queryOf } from '../services/overview-range.ts'
import { roundOf, usePolling } from './usePolling.ts'

const FRESH_MS = 15_000

export interface Overview {
	/** Which days; what is no range is not asked for. */
	range: Ref<OverviewRange>
	/** `undefined` until the server has answered; the last answer while it does not. */
	metrics: Readonly<Ref<Metrics | undefined>>
	/** Why what is shown may be old. */
	notice: Readonly<Ref<Notice | undefined>>
	/** Why what somebody wanted was not done. */
	refusal: Readonly<Ref<Notice | undefined>>
	/** Calls that an administrator has ended here, until they are gone. */
	ending: Readonly<Ref<ReadonlySet<string>>>
	load: () => Promise<void>
	end: (uuid: string) => Promise<void>
	showNames: (areShown: boolean) => Promise<void>
}

/** What the overview shows, asked for every 15 seconds while it can be seen. */
export function useOverview(): Overview {
	const range = ref<OverviewRange>({ kind: '7', from: '', to: '' })
	const metrics = shallowRef<Metrics>()
	const notice = shallowRef<Notice>()
	const refusal = shallowRef<Notice>()
	const ending = shallowRef<ReadonlySet<string>>(new Set())
	let asking: AbortController | undefined

	async function ask(): Promise<Round> {
		const query = queryOf(range.value, metrics.value?.timeZone, serverNow())
		if (query === undefined) {
			return 'go_on'
		}
		asking?.abort()
		const mine = new AbortController()
		asking = mine
		try {
			const answer = await getMetrics(query, mine.signal)
			if (asking === mine) {
				metrics.value = answer
				notice.value = undefined
				const live = new Set(answer.live.map(({ uuid }) => uuid))
				ending.value = new Set([...ending.value].filter((uuid) => live.has(uuid)))
			}
			return 'go_on'
		} catch (error) {
			if (mine.signal.aborted) {
				return 'go_on'
			}
			notice.value = failureNotice(error as ApiFailure, t('Could not load the overview.'))
			return roundOf(error as ApiFailure)
		}
	}

	const polling = usePolling({ metrics: { run: ask, everyMs: () => pageEnd.value === undefined ? FRESH_MS : undefined } })
	onScopeDispose(() => asking?.abort())

	/** At once, in the place of what is under way. */
	async function load(): Promise<void> {
		polling.heard('metrics')
		if (await ask() === 'go_on') {
			polling.resume()
		}
	}

	async function attempt(work: () => Promise<unknown>, failed: string): Promise<boolean> {
		refusal.value = undefined
		try {
			await work()
			return true
		} catch (error) {
			refusal.value = failureNotice(error as ApiFailure, failed)
			return false
		}
	}

	watch(range, load)
	void load()

	return {
		range,
		metrics,
		notice,
		refusal,
		ending,
		load,
		async end(uuid) {
			ending.value = new Set([...ending.value, uuid])
			if (!await attempt(() => endCall(uuid), t('The call was not ended.'))) {
				ending.value = new Set([...ending.value].filter((other) => other !== uuid))
			}
			await load()
		},
		async showNames(areShown) {
			if (await attempt(() => saveSettings({ statistics: areShown ? 'named' : 'pseudonymous' }), t('The setting was not saved.'))) {
				await load()
			}
		},
	}
}
