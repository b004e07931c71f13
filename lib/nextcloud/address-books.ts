// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The user's own address books over CardDAV (RFC 6352): read, kept in memory for a minute, never written anywhere.

import type { Logger } from '../logger.ts'
import type { Contact, NumberMatch, SearchableContact } from './contact-search.ts'
import type { DavAnswer, DavClient, DavRequest } from './dav-client.ts'
import type { DavResource } from './multistatus.ts'

import { setImmediate as nextTurn } from 'node:timers/promises'
import { SipCallError } from '../errors.ts'
import { escapeXml } from '../xml-text.ts'
import { arrange, matchNumber, searchContacts, toSearchable } from './contact-search.ts'
import { readMultistatus } from './multistatus.ts'
import { readVCard } from './vcard.ts'

interface Loaded {
	contacts: readonly SearchableContact[]
	/** When they were all there. */
	at: number
}

const FRESH_MS = 60_000
const MOST_USERS = 200
/** Of all users together; a contact takes about a kilobyte. */
const MOST_CONTACTS = 100_000
/** Of one user, over all books. */
const MOST_CARDS = 20_000
/** Nextcloud needs about a millisecond for a card: each answer stays far within the time limit. */
const CARDS_AT_ONCE = 1_000
/** Reading a number is slow as such things go: other requests get their turn after so many cards. */
const CARDS_PER_TURN = 250

/** All accounts of this Nextcloud, the same for everybody. */
const SYSTEM_BOOK = 'z-server-generated--system'
/** Copies of cards that stand in the other books. */
const RECENT_BOOK = /^z-app-generated--contactsinteraction--/
/** A book that was unshared a moment ago, or one of another app that cannot be asked like this. */
const NO_SUCH_BOOK = [403, 404, 405, 415]

const CARDDAV = 'urn:ietf:params:xml:ns:carddav'
const CARD_DATA = `{${CARDDAV}}address-data`
const NAMESPACES = `xmlns:d="DAV:" xmlns:c="${CARDDAV}"`
const CARD_PROPERTIES = `<d:prop><c:address-data>${['UID', 'FN', 'N', 'ORG', 'TEL'].map((name) => `<c:prop name="${name}"/>`).join('')}</c:address-data></d:prop>`

const FIND_BOOKS = '<d:propfind xmlns:d="DAV:"><d:prop><d:resourcetype/></d:prop></d:propfind>'
const FIND_CARDS = '<d:propfind xmlns:d="DAV:"><d:prop><d:getetag/></d:prop></d:propfind>'
const CARDS_WITH_NUMBER = `<c:addressbook-query ${NAMESPACES}>${CARD_PROPERTIES}<c:filter><c:prop-filter name="TEL"/></c:filter><c:limit><c:nresults>${CARDS_AT_ONCE}</c:nresults></c:limit></c:addressbook-query>`

export class AddressBooks {
	readonly #dav: DavClient
	readonly #now: () => number
	readonly #logger: Logger
	readonly #mostContacts: number
	/** By country and user; the least recently used first. */
	readonly #known = new Map<string, Loaded>()
	readonly #loading = new Map<string, Promise<Loaded['contacts']>>()

	/**
	 * @param options what it works with: `now` in milliseconds, for the age of what is kept; `mostContacts` of all users together
	 */
	constructor({ dav, now, logger, mostContacts = MOST_CONTACTS }: { dav: DavClient, now: () => number, logger: Logger, mostContacts?: number }) {
		this.#dav = dav
		this.#now = now
		this.#logger = logger
		this.#mostContacts = mostContacts
	}

	/**
	 * The user's contacts with this text in their names or these digits in their numbers, the best first; at most 20.
	 *
	 * @param homeCountry ISO country for numbers in national form
	 * @throws {SipCallError} `nextcloud_unavailable` when the books cannot be read as a whole
	 */
	async search(userId: string, text: string, homeCountry: string | null): Promise<Contact[]> {
		return searchContacts(await this.#contactsOf(userId, homeCountry), text, homeCountry)
	}

	/**
	 * Who of the user's contacts has this number; behind them, who has one with the same last eight digits.
	 *
	 * @throws {SipCallError} `nextcloud_unavailable` when the books cannot be read as a whole
	 */
	async lookup(userId: string, e164: string, homeCountry: string | null): Promise<NumberMatch[]> {
		return matchNumber(await this.#contactsOf(userId, homeCountry), e164)
	}

	/** What is kept in memory of a user goes. */
	forget(userId: string): void {
		for (const key of [...this.#known.keys()].filter((known) => known.slice(known.indexOf(':') + 1) === userId)) {
			this.#known.delete(key)
		}
	}

	async #contactsOf(userId: string, homeCountry: string | null): Promise<Loaded['contacts']> {
		// Numbers in national form read differently for each country.
		const key = `${homeCountry ?? ''}:${userId}`
		this.#forgetOld()
		const known = this.#known.get(key)
		if (known !== undefined) {
			this.#known.delete(key)
			this.#known.set(key, known)
			return known.contacts
		}
		const loading = this.#loading.get(key) ?? this.#load(userId, homeCountry)
			.then((contacts) => this.#keep(key, contacts))
			.finally(() => this.#loading.delete(key))
		this.#loading.set(key, loading)
		return loading
	}

	#forgetOld(): void {
		for (const [key, { at }] of this.#known) {
			const ageMs = this.#now() - at
			if (ageMs < 0 || ageMs >= FRESH_MS) {
				this.#known.delete(key)
			}
		}
	}

	#keep(key: string, contacts: Loaded['contacts']): Loaded['contacts'] {
		this.#known.set(key, { contacts, at: this.#now() })
		let total = [...this.#known.values()].reduce((sum, entry) => sum + entry.contacts.length, 0)
		for (const [oldest, entry] of this.#known) {
			if (this.#known.size <= MOST_USERS && total <= this.#mostContacts) {
				break
			}
			total -= entry.contacts.length
			this.#known.delete(oldest)
		}
		return contacts
	}

	async #load(userId: string, homeCountry: string | null): Promise<Loaded['contacts']> {
		try {
			const contacts: SearchableContact[] = []
			let cards = 0
			for (const book of await this.#booksOf(userId)) {
				for await (const page of this.#cardsOf(userId, book)) {
					contacts.push(...await searchable(page, homeCountry))
					cards += page.length
					if (cards >= MOST_CARDS) {
						this.#logger.info('An account has more cards than are read; the rest is left out', { cards })
						return arrange(contacts)
					}
				}
			}
			return arrange(contacts)
		} catch (error) {
			this.#logger.warn('Address books could not be read', { error })
			throw error
		}
	}

	/** Names of the user's own books and those shared with her; the book of all accounts only when there is no other. */
	async #booksOf(userId: string): Promise<string[]> {
		const found = await this.#ask({ method: 'PROPFIND', userId, path: homeOf(userId), depth: 1, body: FIND_BOOKS })
		const books = whole(found)
			.filter(({ properties }) => properties.get('{DAV:}resourcetype')?.children.includes(`{${CARDDAV}}addressbook`) === true)
			.map(({ href }) => lastPart(href))
			.filter((name) => name !== '' && !RECENT_BOOK.test(name))
		const own = books.filter((name) => name !== SYSTEM_BOOK)
		return own.length > 0 ? own : books
	}

	/**
	 * The cards with a number. A query can be cut short but not continued (section 8.6.1), so a book that has more is
	 * listed, and what is missing is fetched in portions.
	 *
	 * @yields {DavResource[]} what the server tells of some of them
	 */
	async* #cardsOf(userId: string, book: string): AsyncGenerator<DavResource[]> {
		const at = { userId, path: [...homeOf(userId), book], depth: 1 } as const
		const answer = await this.#ask({ ...at, method: 'REPORT', body: CARDS_WITH_NUMBER })
		if (NO_SUCH_BOOK.includes(answer.status)) {
			this.#logger.debug('An address book cannot be read, and is passed over', { status: answer.status })
			return
		}
		const found = whole(answer)
		const first = found.filter(({ properties }) => properties.has(CARD_DATA))
		yield first
		// Nextcloud ends its answer without a word; others say so with a 507 (section 8.6.2).
		if (first.length !== CARDS_AT_ONCE && !found.some(({ status }) => status === 507)) {
			return
		}
		const seen = new Set(first.map(({ href }) => href))
		const rest = whole(await this.#ask({ ...at, method: 'PROPFIND', body: FIND_CARDS }))
			.filter(({ href, properties }) => properties.has('{DAV:}getetag') && !seen.has(href))
			.map(({ href }) => `<d:href>${escapeXml(href)}</d:href>`)
		for (let start = 0; start < rest.length; start += CARDS_AT_ONCE) {
			const hrefs = rest.slice(start, start + CARDS_AT_ONCE).join('')
			yield whole(await this.#ask({ ...at, method: 'REPORT', body: `<c:addressbook-multiget ${NAMESPACES}>${CARD_PROPERTIES}${hrefs}</c:addressbook-multiget>` }))
		}
	}

	#ask(request: DavRequest): Promise<DavAnswer> {
		return this.#dav.request(request)
	}
}

async function searchable(cards: readonly DavResource[], homeCountry: string | null): Promise<SearchableContact[]> {
	const contacts: SearchableContact[] = []
	for (const [position, { href, properties }] of cards.entries()) {
		const card = readVCard(properties.get(CARD_DATA)?.text ?? '')
		const contact = card && toSearchable(card, lastPart(href), homeCountry)
		if (contact !== undefined) {
			contacts.push(contact)
		}
		if (position % CARDS_PER_TURN === CARDS_PER_TURN - 1) {
			await nextTurn()
		}
	}
	return contacts
}

function homeOf(userId: string): string[] {
	return ['addressbooks', 'users', userId]
}

/**
 * @throws {SipCallError} `nextcloud_unavailable` for anything but a whole list
 */
function whole({ status, body }: DavAnswer): DavResource[] {
	const resources = status === 207 ? readMultistatus(body) : undefined
	if (resources === undefined) {
		throw new SipCallError('nextcloud_unavailable', 'Nextcloud did not show your address books. Try again in a minute.', {
			cause: new Error(`WebDAV answered ${status} without a whole list`),
			retryAfterSec: 30,
		})
	}
	return resources
}

/** The last part of an address, decoded; empty when it is no address. */
function lastPart(href: string): string {
	try {
		return decodeURIComponent(href.split('/').findLast((part) => part !== '') ?? '')
	} catch {
		return ''
	}
}
