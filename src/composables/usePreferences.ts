// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'
import type { Me, PreferencesChange } from '../services/types.ts'

import { computed, ref, shallowRef } from 'vue'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'
import { useMe } from './useMe.ts'

export interface PreferencesForm {
	me: Readonly<Ref<Me | undefined>>
	/** As the server has them, with what is being saved. */
	preferences: Readonly<Ref<Me['preferences'] | undefined>>
	notice: Readonly<Ref<Notice | undefined>>
	/** What a person is told beside the form. */
	status: Readonly<Ref<string>>
	/** Saves at once; what the server does not take is shown as it was. */
	save: (change: PreferencesChange) => Promise<void>
}

/** What the user chooses for themselves: each change is saved as it is made. */
export function usePreferences(): PreferencesForm {
	const { me, change: changeMe } = useMe()
	const saving = shallowRef<PreferencesChange>()
	const notice = shallowRef<Notice>()
	const isSaved = ref(false)

	return {
		me,
		preferences: computed(() => {
			const known = me.value?.preferences
			return known && { ...known, ...saving.value, notifications: { ...known.notifications, ...saving.value?.notifications } } as Me['preferences']
		}),
		notice,
		status: computed(() => saving.value !== undefined ? t('Saving …') : isSaved.value ? t('Saved') : ''),
		async save(change) {
			saving.value = { ...saving.value, ...change }
			notice.value = undefined
			isSaved.value = false
			try {
				await changeMe({ preferences: change })
				isSaved.value = true
			} catch (error) {
				notice.value = failureNotice(error as ApiFailure, t('Nothing was saved.'))
			}
			saving.value = undefined
		},
	}
}
