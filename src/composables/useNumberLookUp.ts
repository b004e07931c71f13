// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { NumberLookUp } from '../services/admin-api.ts'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'

import { ref, shallowRef, watch } from 'vue'
import { lookUpNumber } from '../services/admin-api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'

export interface NumberLookUpState {
	told: Readonly<Ref<NumberLookUp | undefined>>
	notice: Readonly<Ref<Notice | undefined>>
	isAsking: Readonly<Ref<boolean>>
	ask: () => Promise<void>
}

/** What the phone company knows of a number: asked only when somebody wants it, since each costs money. */
export function useNumberLookUp(number: Readonly<Ref<string>>): NumberLookUpState {
	const told = shallowRef<NumberLookUp>()
	const notice = shallowRef<Notice>()
	const isAsking = ref(false)

	watch(number, () => {
		told.value = undefined
		notice.value = undefined
	})

	async function ask(): Promise<void> {
		if (isAsking.value) {
			return
		}
		const asked = number.value
		isAsking.value = true
		notice.value = undefined
		try {
			const answer = await lookUpNumber(asked)
			// What was told of another number is not shown beside this one.
			told.value = asked === number.value ? answer : undefined
		} catch (error) {
			notice.value = failureNotice(error as ApiFailure, t('The number was not looked up.'))
		} finally {
			isAsking.value = false
		}
	}

	return { told, notice, isAsking, ask }
}
