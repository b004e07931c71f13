// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call, Contact } from '../services/types.ts'

import { shallowRef } from 'vue'

export interface Names {
	/** Keeps whose numbers these are. */
	learn: (contacts: readonly Contact[]) => void
	/** The call with the name from the user's own address books, where it is known and the server sent none. */
	named: (call: Call) => Call
}

/** Names of numbers that were looked up while the page is open. They are kept nowhere else. */
export function useNames(): Names {
	const names = shallowRef<ReadonlyMap<string, string>>(new Map())
	return {
		learn(contacts) {
			const found = contacts.flatMap(({ name, numbers }) => numbers.map(({ e164 }) => [e164, name] as const))
			if (found.some(([e164, name]) => names.value.get(e164) !== name)) {
				names.value = new Map([...names.value, ...found])
			}
		},
		named(call) {
			const name = call.contactName === undefined ? names.value.get(call.to) : undefined
			return name === undefined ? call : { ...call, contactName: name }
		},
	}
}
