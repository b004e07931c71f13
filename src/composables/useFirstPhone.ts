// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { Device } from '../services/types.ts'

import { computed, ref, watch } from 'vue'
import { canHandleLinks } from '../services/phone-links.ts'

export interface FirstPhone {
	/** There is no phone yet. */
	isFirstUse: Readonly<Ref<boolean>>
	/** The phone to verify, while none of them may ring. */
	unverified: Readonly<Ref<Device | undefined>>
	/** A phone is ready that was not when the page was opened: the moment to make links ring it, too. */
	isLinkOffered: Ref<boolean>
}

/** What comes before the first call. */
export function useFirstPhone(devices: Readonly<Ref<readonly Device[] | undefined>>, mayCall: Readonly<Ref<boolean>>): FirstPhone {
	const isFirstUse = computed(() => mayCall.value && devices.value?.length === 0)
	const unverified = computed(() => mayCall.value && devices.value?.every(({ verified }) => !verified) === true
		? devices.value.find(({ isDefault }) => isDefault) ?? devices.value[0]
		: undefined)
	const wasOffered = ref(false)
	watch(() => isFirstUse.value || unverified.value !== undefined, (isSettingUp) => {
		wasOffered.value ||= !isSettingUp && mayCall.value && canHandleLinks()
	})
	return {
		isFirstUse,
		unverified,
		isLinkOffered: computed({
			get: () => wasOffered.value && !isFirstUse.value && unverified.value === undefined,
			set: (isOffered) => {
				wasOffered.value = isOffered
			},
		}),
	}
}
