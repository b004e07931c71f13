// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { InjectionKey, Ref } from 'vue'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'
import type { Device, Me, MeChange, NewDevice } from '../services/types.ts'
import type { Round } from './usePolling.ts'

import { computed, inject, ref, shallowRef, watch } from 'vue'
import { getMe, putMe } from '../services/api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'
import { remember, remembered } from '../services/storage.ts'
import { roundOf } from './usePolling.ts'

const DEVICE_KEY = 'device'

export interface MyAccount {
	/** `undefined` until the server has answered. */
	me: Readonly<Ref<Me | undefined>>
	/** `undefined` until the server has answered: then, and only then, an empty list means that there is none. */
	devices: Readonly<Ref<readonly Device[] | undefined>>
	/** The id of the device that rings for the next call. */
	selected: Ref<string | undefined>
	/** The server says that no call can be placed: it has no connection to the phone system. */
	isSwitchDown: Readonly<Ref<boolean>>
	notice: Readonly<Ref<Notice | undefined>>
	/** What the server has against single fields of the form, by field name. */
	fieldErrors: Readonly<Ref<Readonly<Record<string, string>>>>
	load: () => Promise<Round>
	/** Takes over what another tab has been told. */
	take: (me: Me) => void
	/**
	 * Replaces the list of phones.
	 *
	 * @param heading what has not been done when the server refuses
	 * @return whether the server took it
	 */
	saveDevices: (devices: readonly NewDevice[], heading: string) => Promise<boolean>
	/** Changes what is given, and rejects with what stood in the way. */
	change: (change: MeChange) => Promise<void>
}

export const ACCOUNT: InjectionKey<MyAccount> = Symbol('account')

/** The account that the whole page shares. */
export function useMe(): MyAccount {
	const account = inject(ACCOUNT)
	if (account === undefined) {
		throw new Error('The account is provided by App.vue')
	}
	return account
}

export function createAccount(): MyAccount {
	const me = shallowRef<Me>()
	const selected = ref<string | undefined>(remembered(DEVICE_KEY))
	const notice = shallowRef<Notice>()
	const fieldErrors = shallowRef<Readonly<Record<string, string>>>({})
	watch(selected, (id) => remember(DEVICE_KEY, id))

	function take(now: Me): void {
		me.value = now
		notice.value = undefined
		if (!now.devices.some(({ id }) => id === selected.value)) {
			selected.value = (now.devices.find(({ isDefault }) => isDefault) ?? now.devices[0])?.id
		}
	}

	async function load(): Promise<Round> {
		try {
			take(await getMe())
			return 'go_on'
		} catch (error) {
			const failure = error as ApiFailure
			// What was loaded once stays: a fault in a later round is told by the page's banner.
			if (me.value === undefined) {
				notice.value = failureNotice(failure, t('Could not load your phones.'))
			}
			return roundOf(failure)
		}
	}

	return {
		me,
		devices: computed(() => me.value?.devices),
		selected,
		isSwitchDown: computed(() => me.value?.service.calling === 'down'),
		notice,
		fieldErrors,
		load,
		take,
		change: async (change) => take(await putMe(change)),
		async saveDevices(devices, heading) {
			notice.value = undefined
			fieldErrors.value = {}
			try {
				take(await putMe({ devices: [...devices] }))
				return true
			} catch (error) {
				const failure = error as ApiFailure
				// Fields are named by their path in the request, as in devices[0].address.
				fieldErrors.value = Object.fromEntries(failure.problem?.errors
					?.map(({ field, message }) => [field.split('.').at(-1) ?? field, message]) ?? [])
				notice.value = failureNotice(failure, heading)
				return false
			}
		},
	}
}
