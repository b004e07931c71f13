// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ConfigTest, SettingsChange } from '../services/admin-api.ts'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'
import type { FieldErrors } from '../services/field-errors.ts'

import { computed, ref, shallowRef } from 'vue'
import { testConfig } from '../services/admin-api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { fieldErrorsOf } from '../services/field-errors.ts'
import { t } from '../services/l10n.ts'

export type TestedPart = 'freeswitch' | 'trunk' | 'provider'

/** `invalid`: the fields say what is wrong; `failed`: a step of the test did, or the test could not be made. */
export type TestOutcome = 'passed' | 'failed' | 'invalid'

export interface ConfigTestState {
	/** The last test of each part; gone when the form is another one. */
	results: Readonly<Ref<Readonly<Partial<Record<TestedPart, ConfigTest>>>>>
	running: Readonly<Ref<TestedPart | undefined>>
	notice: Readonly<Ref<Notice | undefined>>
	/** The gateways that FreeSWITCH has told last. */
	gateways: Readonly<Ref<readonly string[]>>
	run: (part: TestedPart) => Promise<TestOutcome>
	forget: () => void
}

/**
 * Tries what stands in a form.
 *
 * @param values all parts of the form, and those of them that differ from what is saved
 * @param fieldErrors where the server's words on single fields go
 */
export function useConfigTest(values: () => { all: SettingsChange, changed: SettingsChange }, fieldErrors: Ref<FieldErrors>): ConfigTestState {
	const results = shallowRef<Readonly<Partial<Record<TestedPart, ConfigTest>>>>({})
	const running = ref<TestedPart>()
	const notice = shallowRef<Notice>()
	const known = shallowRef<readonly string[]>([])

	function valuesOf(part: TestedPart): object {
		const { all, changed } = values()
		switch (part) {
			case 'freeswitch':
				return { ...all.freeswitch }
			case 'trunk':
				return { gateways: all.gateways, callerIds: all.callerIds, ...(changed.freeswitch ? { freeswitch: changed.freeswitch } : {}) }
			case 'provider':
				return { provider: all.provider, callerIds: all.callerIds }
		}
	}

	async function run(part: TestedPart): Promise<TestOutcome> {
		if (running.value !== undefined) {
			return 'failed'
		}
		running.value = part
		notice.value = undefined
		fieldErrors.value = {}
		results.value = { ...results.value, [part]: undefined }
		try {
			const result = await testConfig(part, valuesOf(part))
			results.value = { ...results.value, [part]: result }
			known.value = result.gateways ?? known.value
			return result.passed ? 'passed' : 'failed'
		} catch (error) {
			const failure = error as ApiFailure
			const errors = fieldErrorsOf(failure, 'values.')
			// The connection's own fields are named as in the settings.
			fieldErrors.value = part !== 'freeswitch' ? errors : Object.fromEntries(Object.entries(errors).map(([field, text]) => [`freeswitch.${field}`, text]))
			const isInvalid = Object.keys(errors).length > 0
			notice.value = { ...failureNotice(failure, t('The test could not be made.')), ...(isInvalid ? { text: t('See the messages under the fields.') } : {}) }
			return isInvalid ? 'invalid' : 'failed'
		} finally {
			running.value = undefined
		}
	}

	return {
		results,
		running,
		notice,
		gateways: computed(() => known.value),
		run,
		forget: () => {
			results.value = {}
			notice.value = undefined
		},
	}
}
