// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref, WritableComputedRef } from 'vue'
import type { Me } from '../services/types.ts'

import { computed, ref, watch } from 'vue'
import { remember, remembered } from '../services/storage.ts'

const KEY = 'caller-id'

export type CallerId = Me['callerIds'][number]

/**
 * The number that the next call shows, remembered between visits by its name: the browser keeps no number.
 *
 * @return undefined where there is nothing to choose from: then the server decides
 */
export function useCallerId(me: Readonly<Ref<Me | undefined>>): WritableComputedRef<string | undefined> {
	const name = ref(remembered(KEY))
	// What is chosen in the settings is news, and wins over what was chosen beside the field before.
	watch(() => me.value?.preferences.callerId, (_now, before) => {
		if (before !== undefined) {
			name.value = undefined
			remember(KEY, undefined)
		}
	})
	return computed({
		get() {
			const granted = me.value?.callerIds ?? []
			const chosen = granted.find((callerId) => nameOf(callerId, granted) === name.value) ?? granted.find((callerId) => callerId.number === me.value?.preferences.callerId) ?? granted[0]
			return granted.length > 1 ? chosen?.number : undefined
		},
		set(number) {
			const granted = me.value?.callerIds ?? []
			const chosen = granted.find((callerId) => callerId.number === number)
			name.value = chosen && nameOf(chosen, granted)
			remember(KEY, name.value)
		},
	})
}

/** Two may have the same label. */
function nameOf(callerId: CallerId, granted: readonly CallerId[]): string {
	const alike = granted.filter(({ label }) => label === callerId.label)
	return alike.length > 1 ? `${callerId.label} ${alike.indexOf(callerId) + 1}` : callerId.label
}
