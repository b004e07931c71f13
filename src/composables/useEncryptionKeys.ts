// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'
import type { EncryptionKeys } from '../services/privacy-api.ts'

import { computed, onScopeDispose, shallowRef } from 'vue'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'
import { getKeys, rotateKeys } from '../services/privacy-api.ts'

/** While rows are being changed. */
const EVERY_MS = 2000

export interface EncryptionKeysView {
	/** `undefined` until the server has answered. */
	keys: Readonly<Ref<EncryptionKeys | undefined>>
	isRunning: Readonly<Ref<boolean>>
	/** The server has been asked for a new key and has not answered. */
	isStarting: Readonly<Ref<boolean>>
	notice: Readonly<Ref<Notice | undefined>>
	load: () => Promise<void>
	/** @return whether there is a new key */
	change: () => Promise<boolean>
}

/** Which keys the stored data are under, and how far a change is, whoever began it. */
export function useEncryptionKeys(): EncryptionKeysView {
	const keys = shallowRef<EncryptionKeys>()
	const notice = shallowRef<Notice>()
	const isStarting = shallowRef(false)
	const leaving = new AbortController()
	let timer: ReturnType<typeof setTimeout> | undefined

	async function follow(request: Promise<EncryptionKeys>, onFailure: string): Promise<boolean> {
		clearTimeout(timer)
		notice.value = undefined
		try {
			keys.value = await request
			if (keys.value.state === 'running' && !leaving.signal.aborted) {
				timer = setTimeout(() => void load(), EVERY_MS)
			}
			return true
		} catch (error) {
			if (!leaving.signal.aborted) {
				notice.value = failureNotice(error as ApiFailure, onFailure)
			}
			return false
		}
	}

	async function load(): Promise<void> {
		await follow(getKeys(leaving.signal), t('The state of the encryption key is unknown.'))
	}

	onScopeDispose(() => {
		leaving.abort()
		clearTimeout(timer)
	})
	void load()

	return {
		keys,
		isRunning: computed(() => keys.value?.state === 'running'),
		isStarting,
		notice,
		load,
		change: async () => {
			isStarting.value = true
			return follow(rotateKeys(), t('The encryption key could not be changed.')).finally(() => {
				isStarting.value = false
			})
		},
	}
}
