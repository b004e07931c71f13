// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { Limit } from '../services/types.ts'
import type { MyAccount } from './useMe.ts'

import { computed, watch } from 'vue'
import { leftWords, reachedLimit } from '../services/limit-words.ts'
import { useWait } from './useWait.ts'

export interface AccountState {
	mayCall: Readonly<Ref<boolean>>
	/** Calling is locked until then; undefined when it is not, or not any more. */
	lockedUntil: Readonly<Ref<Date | undefined>>
	/** The limit that lets no further call through now. */
	reached: Readonly<Ref<Limit | undefined>>
	/** How few calls are left, from when on that is worth a word. */
	left: Readonly<Ref<string | undefined>>
}

/** What the account says about calling at all, whatever the number. What passes by itself does so here as well. */
export function useAccountState({ me, load }: Pick<MyAccount, 'me' | 'load'>): AccountState {
	const limits = computed(() => me.value?.limits ?? [])
	const lock = computed(() => me.value?.lock?.until)
	const lockWait = useWait(() => lock.value === undefined ? undefined : Date.parse(lock.value))
	/** As it was when the account was loaded; the wait below ends it. */
	const limit = computed(() => reachedLimit(limits.value, new Date()))
	const limitWait = useWait(() => limit.value?.resetsAt === undefined ? undefined : Date.parse(limit.value.resetsAt))
	watch([lockWait, limitWait], ([lockNow, limitNow], [lockBefore, limitBefore]) => {
		if ((lockNow === undefined && lockBefore !== undefined) || (limitNow === undefined && limitBefore !== undefined)) {
			void load()
		}
	})
	return {
		mayCall: computed(() => me.value?.permissions.call !== false),
		lockedUntil: computed(() => lock.value === undefined || lockWait.value === undefined ? undefined : new Date(lock.value)),
		reached: computed(() => limit.value?.resetsAt !== undefined && limitWait.value === undefined ? undefined : limit.value),
		left: computed(() => leftWords(limits.value)),
	}
}
