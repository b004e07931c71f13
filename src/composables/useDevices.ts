// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'
import type { Device } from '../services/types.ts'

import { ref, shallowRef } from 'vue'
import { getMe, putDevices } from '../services/api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'

export interface Devices {
	/** `undefined` until the server has answered: then, and only then, an empty list means that there is none. */
	list: Readonly<Ref<readonly Device[] | undefined>>
	/** The id of the device that rings for the next call. */
	selected: Ref<string | undefined>
	notice: Readonly<Ref<Notice | undefined>>
	/** What the server has against single fields of the form, by field name. */
	fieldErrors: Readonly<Ref<Readonly<Record<string, string>>>>
	load: () => Promise<void>
	/** @return whether the server took it */
	addFirst: (device: { label: string, address: string }) => Promise<boolean>
}

export function useDevices(): Devices {
	const list = shallowRef<readonly Device[]>()
	const selected = ref<string>()
	const notice = shallowRef<Notice>()
	const fieldErrors = shallowRef<Readonly<Record<string, string>>>({})

	async function load(): Promise<void> {
		notice.value = undefined
		try {
			const { devices } = await getMe()
			list.value = devices
			if (!devices.some((device) => device.id === selected.value)) {
				selected.value = (devices.find((device) => device.isDefault) ?? devices[0])?.id
			}
		} catch (error) {
			notice.value = failureNotice(error as ApiFailure, t('Could not load your phones.'))
		}
	}

	return {
		list,
		selected,
		notice,
		fieldErrors,
		load,
		async addFirst({ label, address }) {
			notice.value = undefined
			fieldErrors.value = {}
			try {
				await putDevices([{ kind: 'sip', label, address, isDefault: true }])
			} catch (error) {
				const failure = error as ApiFailure
				// Fields are named by their path in the request, as in devices[0].address.
				fieldErrors.value = Object.fromEntries(failure.problem?.errors
					?.map(({ field, message }) => [field.split('.').at(-1) ?? field, message]) ?? [])
				notice.value = failureNotice(failure, t('The phone was not saved.'))
				return false
			}
			await load()
			return true
		},
	}
}
