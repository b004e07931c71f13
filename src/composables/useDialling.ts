// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { Call, CallRequest, Explanation, Refusal } from '../services/types.ts'
import type { Explain } from './useExplain.ts'

import { computed, ref, shallowRef, watch } from 'vue'
import { serverNow } from '../services/api.ts'
import { refusalOf } from '../services/explain.ts'
import { numberWords } from '../services/number-words.ts'
import { refusalWords } from '../services/refusal-words.ts'

/** A second call within this time may be a slip. */
const JUST_SEC = 10

/** Why somebody is asked: the policy wants it, the same number was just called, or the user wants it before every call. */
export interface Question {
	to: string
	/** What the server says of the number; left out when it gave no answer in time. */
	explanation?: Explanation | undefined
	/** The last call to it, and how long ago that began. */
	before?: { call: Call, seconds: number } | undefined
}

export interface Dialling {
	/** Somebody wants to call, and is asked first. */
	question: Readonly<Ref<Question | undefined>>
	/** Why the number in the field will not be called; a number that is not complete is told under the field instead. */
	refusal: Readonly<Ref<Refusal | undefined>>
	/** The field holds an emergency number that only the server knows. */
	emergency: Readonly<Ref<string | undefined>>
	/** What is wrong with the number in the field, once somebody has left it or wants to call. */
	numberFault: Readonly<Ref<string>>
	/** Country, kind and rate of the number in the field. */
	about: Readonly<Ref<string>>
	/** The server is being asked about a number that is to be called. */
	isAsking: Readonly<Ref<boolean>>
	/** A click that wants to call: asks about the number, and the person where the policy wants it, and calls then. */
	place: (to: string) => Promise<void>
	/** The answer to the question. */
	answer: (isYes: boolean) => void
	/** The field was left. */
	leave: () => void
}

export interface DiallingOptions {
	number: Ref<string>
	explain: Explain
	/** The first call there needs no question. */
	homeCountry: () => string | null
	/** The user wants to be asked before every call. */
	asksAlways: () => boolean
	/** The newest call to a number, of those that the page knows. */
	lastCallTo: (e164: string) => Call | undefined
	isAdmin: () => boolean
	isCallOff: () => boolean
	/** What goes along with a call: which phone, which caller ID. */
	choices: () => Omit<CallRequest, 'to'>
	dial: (request: CallRequest) => void
	/** The number has been put into the field, with what is wrong with it. */
	onRefused: () => void
}

/** From the wish to call a number to the call. */
export function useDialling(options: DiallingOptions): Dialling {
	const { number, explain: { explanation, ask } } = options
	const question = shallowRef<Question>()
	const isAsking = ref(false)
	/** Nobody is told that a number is not complete while it is being typed. */
	const isJudged = ref(false)
	watch(number, () => {
		isJudged.value = false
		question.value = undefined
	}, { flush: 'sync' })

	const fault = computed(() => refusalOf(explanation.value))
	const isHidden = (refusal: Refusal) => refusal.code === 'invalid_number' || refusal.code === 'emergency_number'

	function dial(to: string): void {
		options.dial({ to, ...options.choices() })
	}

	return {
		question,
		refusal: computed(() => fault.value !== undefined && !isHidden(fault.value) ? fault.value : undefined),
		emergency: computed(() => fault.value?.code === 'emergency_number' ? explanation.value?.input : undefined),
		numberFault: computed(() => isJudged.value && fault.value?.code === 'invalid_number' && explanation.value !== undefined
			? refusalWords(fault.value, explanation.value, options.isAdmin()).text
			: ''),
		about: computed(() => explanation.value === undefined ? '' : numberWords(explanation.value)),
		isAsking,
		async place(to) {
			if (options.isCallOff() || isAsking.value) {
				return
			}
			isAsking.value = true
			const known = await ask(to)
			isAsking.value = false
			if (options.isCallOff()) {
				return
			}
			if (known !== undefined && refusalOf(known) !== undefined) {
				// Seen where it can be mended, also for a call from the list.
				number.value = to
				await ask(to)
				isJudged.value = true
				options.onRefused()
				return
			}
			const before = justCalled(options.lastCallTo(known?.e164 ?? to))
			if (before !== undefined || options.asksAlways() || mustAsk(known, options.homeCountry())) {
				question.value = { to, explanation: known, before }
			} else {
				dial(to)
			}
		},
		answer(isYes) {
			const { to } = question.value ?? {}
			question.value = undefined
			if (isYes && to !== undefined && !options.isCallOff()) {
				dial(to)
			}
		},
		leave() {
			isJudged.value = true
		},
	}
}

/** The first call at home is what everybody begins with. */
function mustAsk(known: Explanation | undefined, homeCountry: string | null): boolean {
	return known?.confirm === 'expensive' || (known?.confirm !== undefined && known.country !== homeCountry)
}

function justCalled(call: Call | undefined): Question['before'] {
	const seconds = call === undefined ? Infinity : Math.max(0, Math.round((serverNow() - Date.parse(call.createdAt)) / 1000))
	return call === undefined || seconds >= JUST_SEC ? undefined : { call, seconds }
}
