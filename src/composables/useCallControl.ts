// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { InjectionKey, Ref } from 'vue'
import type { Notice } from '../services/failure-words.ts'
import type { Call } from '../services/types.ts'

import { inject, ref, shallowRef } from 'vue'
import { ApiFailure, getCall, holdCall, sendDigits, transferCall } from '../services/api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'

/** What takes over the server's answers about a call, for the whole page. */
export const CALL_TAKER: InjectionKey<(call: Call) => void> = Symbol('call taker')

/** Tags of the calls that the page knows, the newest first. */
export const KNOWN_TAGS: InjectionKey<() => readonly string[]> = Symbol('known tags')

export interface CallControl {
	/** A command is on its way. */
	isBusy: Readonly<Ref<boolean>>
	notice: Readonly<Ref<Notice | undefined>>
	setHold: (isHeld: boolean) => Promise<void>
	/** Sends keys in the order in which they were pressed, those that come meanwhile together. */
	press: (digit: string) => Promise<void>
	/** @return whether the switch has taken it */
	transfer: (to: string) => Promise<boolean>
	dismiss: () => void
}

/** The API takes so many keys at once. */
const MOST_DIGITS = 32

/** What can be done with a call in which two people talk. Whatever has come of it is what the server says, never a guess. */
export function useCallControl(uuid: () => string): CallControl {
	const take = inject(CALL_TAKER, () => {})
	const isBusy = ref(false)
	const notice = shallowRef<Notice>()
	let digits = ''
	let isSending = false

	async function run(heading: string, command: () => Promise<Call>): Promise<boolean> {
		notice.value = undefined
		try {
			take(await command())
			return true
		} catch (error) {
			const failure = error as ApiFailure
			notice.value = failureNotice(failure, heading)
			if (failure instanceof ApiFailure && failure.kind === 'problem') {
				// The card was behind, or is in doubt: it shows what is true now.
				await getCall(uuid()).then(take, () => {})
			}
			return false
		}
	}

	async function runAlone(heading: string, command: () => Promise<Call>): Promise<boolean> {
		if (isBusy.value) {
			return false
		}
		isBusy.value = true
		const isDone = await run(heading, command)
		isBusy.value = false
		return isDone
	}

	return {
		isBusy,
		notice,
		dismiss() {
			notice.value = undefined
		},
		async setHold(isHeld) {
			await runAlone(isHeld ? t('The call was not put on hold.') : t('The call was not resumed.'), () => holdCall(uuid(), isHeld))
		},
		async press(digit) {
			digits += digit
			if (isSending) {
				return
			}
			isSending = true
			while (digits !== '') {
				const now = digits.slice(0, MOST_DIGITS)
				digits = digits.slice(MOST_DIGITS)
				if (!await run(t('The keys were not sent.'), () => sendDigits(uuid(), now))) {
					digits = ''
				}
			}
			isSending = false
		},
		transfer: (to) => runAlone(t('The call was not transferred.'), () => transferCall(uuid(), to)),
	}
}
