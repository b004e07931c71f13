// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Settings } from '../../policy/settings.ts'
import type { Route } from '../route.ts'
import type { ContactJson } from '../schemas.ts'

import { readNumber } from '../../calls/number-input.ts'
import { inField, route } from '../route.ts'
import { ContactsQuerySchema, ContactsSchema } from '../schemas.ts'

type Contact = Omit<ContactJson, 'match'>

export interface ContactRoutesOptions {
	addressBooks: {
		search: (userId: string, text: string, homeCountry: string | null) => Promise<Contact[]>
		lookup: (userId: string, e164: string, homeCountry: string | null) => Promise<{ match: 'exact' | 'maybe', contact: Contact }[]>
	}
	/** How the numbers are read that a user types. */
	readingOf: (userId: string) => Promise<Pick<Settings, 'homeCountry'>>
}

export function contactRoutes({ addressBooks, readingOf }: ContactRoutesOptions): Route[] {
	return [
		route({
			method: 'get',
			path: '/contacts',
			right: 'user',
			summary: 'Search the user’s own address books by name or digits, or look up whose number this is',
			query: ContactsQuerySchema,
			answer: { status: 200, schema: ContactsSchema },
			refusals: ['invalid_number', 'nextcloud_unavailable'],
			handle: async ({ caller, query: { search, number } }) => {
				const { homeCountry } = await readingOf(caller.userId)
				if (number === undefined) {
					return { status: 200, body: await addressBooks.search(caller.userId, search ?? '', homeCountry) }
				}
				const { e164 } = inField('number', () => readNumber(number, { homeCountry }))
				const found = await addressBooks.lookup(caller.userId, e164, homeCountry)
				return { status: 200, body: found.map(({ match, contact }) => ({ ...contact, match })) }
			},
		}),
	]
}
