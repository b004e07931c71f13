// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ReadNumber } from '../number/tools.ts'

import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import { hasLetters } from '../services/digits.ts'
import { emergencyNumber } from '../services/emergency.ts'
import { loadNumberTools, numberTools } from '../services/number-tools.ts'

/** Someone who types 1120 has typed 112 on the way. */
const EMERGENCY_WAIT_MS = 600

export interface NumberField {
	/** Numbers of a pasted text, when it has several. */
	choices: Readonly<Ref<readonly ReadNumber[]>>
	/** The emergency number that the field holds, once it has rested there or somebody wants to call it. */
	emergency: Readonly<Ref<string | undefined>>
	/** To be called when the field gets the focus: the tools are fetched then. */
	onFocus: () => void
	onInput: (event: Event) => void
	onPaste: (event: ClipboardEvent) => void
	/**
	 * Looks before a call whether the text may be sent at all.
	 *
	 * @return false for an emergency number, which is then told
	 */
	mayBeSent: (text: string) => boolean
}

/**
 * What happens to a text in the number field: spaces come by themselves while digits are typed; what is pasted is read as
 * a whole.
 *
 * @param number the field's text
 * @param country of the user, for national forms
 */
export function useNumberField(number: Ref<string>, country: () => string | null): NumberField {
	const choices = shallowRef<readonly ReadNumber[]>([])
	const emergency = ref<string>()
	let timer: ReturnType<typeof setTimeout> | undefined

	watch(number, (text) => {
		choices.value = []
		clearTimeout(timer)
		const found = emergencyNumber(text)
		if (found === undefined) {
			emergency.value = undefined
		} else {
			timer = setTimeout(() => {
				emergency.value = found
			}, EMERGENCY_WAIT_MS)
		}
	}, { flush: 'sync' })
	onScopeDispose(() => clearTimeout(timer))

	function take(text: string, isNewest: () => boolean): void {
		void loadNumberTools().then((tools) => {
			if (tools === undefined || !isNewest()) {
				return
			}
			const found = tools.readNumbers(text, country())
			const [only, ...others] = found
			if (only !== undefined && others.length === 0) {
				number.value = shown(only)
			} else {
				choices.value = found
			}
		})
	}

	return {
		choices,
		emergency,
		onFocus: () => void loadNumberTools(),
		onInput(event) {
			const input = event.target
			if (!(input instanceof HTMLInputElement) || (event instanceof InputEvent && event.isComposing)) {
				return
			}
			// In the midst of a number somebody is mending it: the caret must stay where it is.
			const isAtEnd = input.selectionStart === input.value.length
			if (isAtEnd && !hasLetters(input.value)) {
				number.value = numberTools()?.formatTyped(input.value, country()) ?? input.value
			}
		},
		onPaste(event) {
			const input = event.target
			const text = event.clipboardData?.getData('text/plain') ?? ''
			const replacesAll = input instanceof HTMLInputElement && input.selectionStart === 0 && input.selectionEnd === input.value.length
			if (!replacesAll || !/\p{Nd}/u.test(text)) {
				return
			}
			event.preventDefault()
			const line = text.replace(/\s+/g, ' ').trim()
			number.value = line
			take(text, () => number.value === line)
		},
		mayBeSent(text) {
			const found = emergencyNumber(text)
			emergency.value = found
			return found === undefined
		},
	}
}

function shown({ display, extension }: ReadNumber): string {
	return extension === undefined ? display : `${display} ext. ${extension}`
}
