// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { Contact } from '../services/types.ts'

import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { pageEnd, searchContacts } from '../services/api.ts'
import { dialled, hasLetters } from '../services/digits.ts'

const WAIT_MS = 250
const LEAST_LETTERS = 2
const LEAST_DIGITS = 3
const MOST_ROWS = 30

/** One number of one contact. */
export interface ContactRow {
	key: string
	name: string
	e164: string
	display: string
	type: Contact['numbers'][number]['type']
}

export interface ContactSearch {
	rows: Readonly<Ref<readonly ContactRow[]>>
	/** Long enough to be looked for. */
	isSearch: Readonly<Ref<boolean>>
	/** The rows are the answer to the text as it is now. */
	isSettled: Readonly<Ref<boolean>>
	hasFailed: Readonly<Ref<boolean>>
}

/** Looks a text up in the user's address books while it is being typed. */
export function useContactSearch(text: Readonly<Ref<string>>, onFound: (contacts: readonly Contact[]) => void): ContactSearch {
	const rows = shallowRef<readonly ContactRow[]>([])
	const settledFor = ref('')
	const hasFailed = ref(false)
	let timer: ReturnType<typeof setTimeout> | undefined
	let request: AbortController | undefined

	const wanted = computed(() => {
		const search = text.value.trim()
		return hasLetters(search) ? search.length >= LEAST_LETTERS : dialled(search).length >= LEAST_DIGITS
	})

	async function search(): Promise<void> {
		const asked = text.value.trim()
		const { signal } = request = new AbortController()
		try {
			// The server compares digits without the spaces that people put between them.
			const contacts = await searchContacts((hasLetters(asked) ? asked : dialled(asked)).slice(0, 100), signal)
			if (!signal.aborted) {
				onFound(contacts)
				rows.value = rowsOf(contacts)
				hasFailed.value = false
				settledFor.value = asked
			}
		} catch {
			if (!signal.aborted) {
				rows.value = []
				hasFailed.value = true
				settledFor.value = asked
			}
		}
	}

	watch(text, () => {
		clearTimeout(timer)
		request?.abort()
		// While somebody types on, what was found stays until there is better; it never answers another question.
		if (!text.value.trim().startsWith(settledFor.value)) {
			rows.value = []
		}
		if (wanted.value && pageEnd.value === undefined) {
			timer = setTimeout(() => void search(), WAIT_MS)
		} else {
			rows.value = []
			hasFailed.value = false
			settledFor.value = ''
		}
	})
	onScopeDispose(() => {
		clearTimeout(timer)
		request?.abort()
	})

	return {
		rows,
		isSearch: wanted,
		isSettled: computed(() => wanted.value && settledFor.value === text.value.trim()),
		hasFailed,
	}
}

function rowsOf(contacts: readonly Contact[]): ContactRow[] {
	return contacts.flatMap(({ name, numbers, uid }, at) => numbers
		.map(({ e164, display, type }) => ({ key: `${at} ${uid} ${e164}`, name, e164, display, type })))
		.slice(0, MOST_ROWS)
}
