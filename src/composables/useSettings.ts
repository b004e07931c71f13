// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { SettingsChange, SourcedSettings } from '../services/admin-api.ts'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'
import type { FieldErrors } from '../services/field-errors.ts'

import { ref, shallowRef } from 'vue'
import { getSettings, saveSettings } from '../services/admin-api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { fieldErrorsOf } from '../services/field-errors.ts'
import { t } from '../services/l10n.ts'

export interface SettingsState {
	/** `undefined` until the server has answered. */
	settings: Readonly<Ref<SourcedSettings | undefined>>
	notice: Readonly<Ref<Notice | undefined>>
	fieldErrors: Ref<FieldErrors>
	isSaving: Readonly<Ref<boolean>>
	/** Something was saved, and nothing has been tried since. */
	isSaved: Readonly<Ref<boolean>>
	load: () => Promise<void>
	/** @return whether the server took it */
	save: (change: SettingsChange) => Promise<boolean>
}

/** The settings of the whole app, as an administrator reads and changes them. */
export function useSettings(): SettingsState {
	const settings = shallowRef<SourcedSettings>()
	const notice = shallowRef<Notice>()
	const fieldErrors = shallowRef<FieldErrors>({})
	const isSaving = ref(false)
	const isSaved = ref(false)

	async function load(): Promise<void> {
		notice.value = undefined
		try {
			settings.value = await getSettings()
		} catch (error) {
			notice.value = failureNotice(error as ApiFailure, t('Could not load the settings.'))
		}
	}

	async function save(change: SettingsChange): Promise<boolean> {
		if (isSaving.value) {
			return false
		}
		isSaving.value = true
		isSaved.value = false
		notice.value = undefined
		fieldErrors.value = {}
		try {
			settings.value = await saveSettings(change)
			isSaved.value = true
		} catch (error) {
			const failure = error as ApiFailure
			fieldErrors.value = fieldErrorsOf(failure)
			const text = whereToLook(fieldErrors.value)
			notice.value = { ...failureNotice(failure, t('Nothing was saved.')), ...(text === '' ? {} : { text }) }
		}
		isSaving.value = false
		return isSaved.value
	}

	/** What is said of a setting that this server does not have, as when the page is newer, stands under no field. */
	function whereToLook(errors: FieldErrors): string {
		const isField = (path: string) => Object.hasOwn(settings.value ?? {}, path.split('.')[0] ?? '')
		const others = Object.entries(errors).filter(([path]) => !isField(path)).map(([path, message]) => path === '' ? message : `${path}: ${message}`)
		return [...others, ...(Object.keys(errors).some(isField) ? [t('See the messages under the fields.')] : [])].join(' ')
	}

	void load()
	return { settings, notice, fieldErrors, isSaving, isSaved, load, save }
}
