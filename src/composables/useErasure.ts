// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'
import type { ErasureCounts, ErasureWish, Receipt } from '../services/privacy-api.ts'

import { ref, shallowRef } from 'vue'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'
import { erase, previewErasure } from '../services/privacy-api.ts'

export interface Erasure {
	/** `undefined` until the server has answered. */
	counts: Readonly<Ref<ErasureCounts | undefined>>
	/** Once it is done. */
	receipt: Readonly<Ref<Receipt | undefined>>
	notice: Readonly<Ref<Notice | undefined>>
	isErasing: Readonly<Ref<boolean>>
	/** @return whether the server did it */
	carryOut: () => Promise<boolean>
}

/** One erasure, from what it would do to its receipt. */
export function useErasure(wish: ErasureWish): Erasure {
	const counts = shallowRef<ErasureCounts>()
	const receipt = shallowRef<Receipt>()
	const notice = shallowRef<Notice>()
	const isErasing = ref(false)

	function refused(failure: ApiFailure, heading: string): Notice {
		return {
			...failureNotice(failure, heading),
			// The words for calls speak of dialling.
			...(failure.problem?.code === 'storage_unavailable' ? { text: t('The database does not answer right now. Try again in a minute.') } : {}),
		}
	}

	async function look(): Promise<void> {
		try {
			counts.value = await previewErasure(wish)
		} catch (error) {
			notice.value = refused(error as ApiFailure, t('Could not find out what would be erased.'))
		}
	}

	void look()
	return {
		counts,
		receipt,
		notice,
		isErasing,
		async carryOut() {
			isErasing.value = true
			notice.value = undefined
			try {
				receipt.value = await erase(wish)
			} catch (error) {
				notice.value = refused(error as ApiFailure, t('Nothing is known to be erased.'))
			}
			isErasing.value = false
			return receipt.value !== undefined
		},
	}
}
