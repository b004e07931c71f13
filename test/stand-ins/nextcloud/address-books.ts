// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Address books and their cards, with the numbering that sync-collection needs. */

import type { ShellUser, Users } from './users.ts'

import { createHash } from 'node:crypto'
import { handOut } from './vcard.ts'

export const SYSTEM_BOOK = 'z-server-generated--system'
const RECENT_BOOK = 'z-app-generated--contactsinteraction--recent'

export interface Card {
	/** The last part of its address, such as `c1.vcf`. */
	uri: string
	/** As stored. */
	text: string
	etag: string
	changedAt: Date
}

interface Change {
	uri: string
	token: number
	isDeleted: boolean
}

export class AddressBook {
	readonly uri: string
	readonly displayName: string
	/** Written by the ExApp's user, not by Nextcloud itself. */
	readonly isWritable: boolean
	readonly cards = new Map<string, Card>()
	readonly #changes: Change[] = []
	#token = 1

	constructor(uri: string, displayName: string, isWritable = true) {
		this.uri = uri
		this.displayName = displayName
		this.isWritable = isWritable
	}

	get token(): number {
		return this.#token
	}

	put(uri: string, text: string): Card {
		const card = { uri, text, etag: createHash('md5').update(text).digest('hex'), changedAt: new Date() }
		this.cards.set(uri, card)
		this.#changes.push({ uri, token: ++this.#token, isDeleted: false })
		return card
	}

	delete(uri: string): boolean {
		const isThere = this.cards.delete(uri)
		if (isThere) {
			this.#changes.push({ uri, token: ++this.#token, isDeleted: true })
		}
		return isThere
	}

	/** What changed after a token; undefined for a token that was never given out. */
	changesSince(token: number): { changed: Card[], deleted: string[] } | undefined {
		if (!Number.isInteger(token) || token < 1 || token > this.#token) {
			return undefined
		}
		const uris = new Set(this.#changes.filter((change) => change.token > token).map(({ uri }) => uri))
		return {
			changed: [...uris].flatMap((uri) => this.cards.get(uri) ?? []),
			deleted: [...uris].filter((uri) => !this.cards.has(uri)),
		}
	}
}

export class AddressBooks {
	readonly #users: Users
	readonly #books = new Map<string, Map<string, AddressBook>>()
	/** What each user's `contacts` begins with. */
	readonly #seed: (userId: string) => Readonly<Record<string, string>>

	constructor(users: Users, seed: (userId: string) => Readonly<Record<string, string>>) {
		this.#users = users
		this.#seed = seed
	}

	/** In the order in which they are listed. */
	list(userId: string): AddressBook[] {
		return [...this.#of(userId).values(), this.#systemBook(), new AddressBook(RECENT_BOOK, 'Recently contacted', false)]
	}

	get(userId: string, uri = 'contacts'): AddressBook | undefined {
		return this.list(userId).find((book) => book.uri === uri)
	}

	add(userId: string, uri: string, displayName: string): AddressBook {
		const book = new AddressBook(uri, displayName)
		this.#of(userId).set(uri, book)
		return book
	}

	/** Puts a card into a book, which is made when it is not there. */
	put(userId: string, uri: string, text: string, book = 'contacts'): Card {
		return (this.#of(userId).get(book) ?? this.add(userId, book, book)).put(uri, text)
	}

	delete(userId: string, uri: string, book = 'contacts'): boolean {
		return this.#of(userId).get(book)?.delete(uri) === true
	}

	#of(userId: string): Map<string, AddressBook> {
		const known = this.#books.get(userId)
		if (known !== undefined) {
			return known
		}
		const contacts = new AddressBook('contacts', 'Contacts')
		for (const [uri, text] of Object.entries(this.#seed(userId))) {
			contacts.put(uri, text)
		}
		const books = new Map([['contacts', contacts]])
		this.#books.set(userId, books)
		return books
	}

	/** All accounts that say more of themselves than their id; made anew at each look. */
	#systemBook(): AddressBook {
		const book = new AddressBook(SYSTEM_BOOK, 'Accounts', false)
		for (const user of this.#users.list()) {
			if (user.displayName !== user.id && user.enabled !== false) {
				book.put(`Database:${user.id}.vcf`, accountCard(user))
			}
		}
		return book
	}
}

function accountCard({ id, displayName, phone, email = `${id}@cloud.example` }: ShellUser): string {
	return handOut([
		'BEGIN:VCARD',
		'VERSION:3.0',
		`UID:${id}`,
		`FN;X-NC-SCOPE=v2-federated:${displayName}`,
		...(email === '' ? [] : [`EMAIL;TYPE=OTHER;X-NC-SCOPE=v2-federated:${email}`]),
		...(phone ? [`TEL;TYPE=VOICE;X-NC-SCOPE=v2-local:${phone}`] : []),
		'END:VCARD',
	].join('\r\n'), undefined)
}
