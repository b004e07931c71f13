// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ReadNumber } from '../number/tools.ts'
import type { Contact, Explanation } from '../services/types.ts'

import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { findContact } from '../services/api.ts'
import { dialled } from '../services/digits.ts'
import { emergencyNumber } from '../services/emergency.ts'
import { loadNumberTools } from '../services/number-tools.ts'
import { askInTime } from './useExplain.ts'

/** Whose number it is may never hold a call up. */
const LOOKUP_LIMIT_MS = 1500

export interface LinkedNumber {
	/** The number as it will be called; undefined while it is being read, or when the link holds none that can be read. */
	number: Readonly<Ref<ReadNumber | undefined>>
	/** What goes to the server. */
	to: Readonly<Ref<string>>
	/** The link's own text, where it says something else than the number. */
	otherText: Readonly<Ref<string | undefined>>
	contact: Readonly<Ref<{ name: string, more: number, isSure: boolean } | undefined>>
	emergency: string | undefined
	/** All that is asked before the click has been answered. */
	isReady: Readonly<Ref<boolean>>
	/** What the server says about the number; undefined also when it gave no answer in time. */
	explanation: Readonly<Ref<Explanation | undefined>>
}

/** What a phone link holds, made readable. */
export function useLinkedNumber(raw: string, country: string | null, onFound: (contacts: readonly Contact[]) => void): LinkedNumber {
	const number = shallowRef<ReadNumber>()
	const contact = shallowRef<LinkedNumber['contact']['value']>()
	const explanation = shallowRef<Explanation>()
	const isReady = ref(false)
	const text = withoutScheme(raw)
	const to = computed(() => number.value?.e164 ?? raw.slice(0, 400))
	const lookup = new AbortController()
	onScopeDispose(() => lookup.abort())

	async function read(): Promise<void> {
		const tools = await loadNumberTools()
		const [only, ...others] = tools?.readNumbers(raw, country) ?? []
		number.value = others.length === 0 && only?.extension === undefined ? only : undefined
		void lookUp()
		explanation.value = await askInTime(to.value)
		isReady.value = true
	}

	async function lookUp(): Promise<void> {
		if (number.value === undefined) {
			return
		}
		const limit = setTimeout(() => lookup.abort(), LOOKUP_LIMIT_MS)
		try {
			const found = await findContact(number.value.e164, lookup.signal)
			onFound(found.filter(({ match }) => match === 'exact'))
			const best = found.filter(({ match }) => match === 'exact')
			const [first, ...others] = best.length > 0 ? best : found
			contact.value = first && { name: first.name, more: best.length > 0 ? others.length : 0, isSure: best.length > 0 }
		} catch {
			// The number alone is enough.
		} finally {
			clearTimeout(limit)
		}
	}
	void read()

	return {
		number,
		to,
		otherText: computed(() => number.value !== undefined && dialled(text) === number.value.e164 ? undefined : text),
		contact,
		emergency: emergencyNumber(text),
		isReady,
		explanation,
	}
}

function withoutScheme(raw: string): string {
	const text = raw.replace(/^\s*(?:(?:tel:)+|sips?:([^@?]*).*)/is, '$1')
	try {
		return decodeURIComponent(text)
	} catch {
		return text
	}
}
