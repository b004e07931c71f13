// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { DavAnswer, DavClient, DavRequest } from '../../../lib/nextcloud/dav-client.ts'

import { describe, expect, it } from 'vitest'
import { SipCallError } from '../../../lib/errors.ts'
import { AddressBooks } from '../../../lib/nextcloud/address-books.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const SYSTEM = 'z-server-generated--system'
const RECENT = 'z-app-generated--contactsinteraction--recent'

function card(name: string, ...lines: string[]): string {
	return ['BEGIN:VCARD', 'VERSION:3.0', `UID:${name}`, `FN:${name}`, ...lines.map((line) => line.includes(':') ? line : `TEL:${line}`), 'END:VCARD'].join('\n')
}

function multistatus(...responses: string[]): DavAnswer {
	return { status: 207, body: `<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav">${responses.join('')}</d:multistatus>` }
}

function response(href: string, properties: string): string {
	return `<d:response><d:href>${href}</d:href><d:propstat><d:prop>${properties}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`
}

function escaped(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

/** Nextcloud's address books as this test wants them: names of books, and their cards. */
class Books implements DavClient {
	readonly requests: DavRequest[] = []
	/** Answers instead of the books, when it returns something. */
	instead: (request: DavRequest) => DavAnswer | Promise<DavAnswer> | undefined = () => undefined
	readonly #books: Record<string, string[]>

	constructor(books: Record<string, string[]>) {
		this.#books = books
	}

	async request(request: DavRequest): Promise<DavAnswer> {
		this.requests.push(request)
		return await this.instead(request) ?? this.#answer(request)
	}

	#answer({ method, path, body }: DavRequest): DavAnswer {
		const home = `/remote.php/dav/${path.slice(0, 3).join('/')}/`
		const [, , , book] = path
		if (book === undefined) {
			return multistatus(
				response(home, '<d:resourcetype><d:collection/></d:resourcetype>'),
				...Object.keys(this.#books).map((name) => response(`${home}${encodeURIComponent(name)}/`, '<d:resourcetype><d:collection/><c:addressbook/></d:resourcetype>')),
			)
		}
		const all = (this.#books[book] ?? []).map((text, position) => ({ text, href: `${home}${encodeURIComponent(book)}/${position}.vcf` }))
		if (method === 'PROPFIND') {
			return multistatus(response(`${home}${book}/`, ''), ...all.map(({ href }) => response(href, '<d:getetag>"1"</d:getetag>')))
		}
		const hrefs = new Set([...body.matchAll(/<d:href>(.*?)<\/d:href>/g)].map(([, href]) => href))
		const limit = Number(/<c:nresults>(\d+)/.exec(body)?.[1] ?? Infinity)
		const asked = hrefs.size > 0 ? all.filter(({ href }) => hrefs.has(href)) : all.filter(({ text }) => text.includes('TEL')).slice(0, limit)
		return multistatus(...asked.map(({ text, href }) => response(href, `<c:address-data>${escaped(text)}</c:address-data>`)))
	}
}

function addressBooks(books: Record<string, string[]> | string[] = [card('Anna Weber', '+49 30 123456')], options: { mostContacts?: number } = {}) {
	const dav = new Books(Array.isArray(books) ? { contacts: books } : books)
	const log = new RecordedLog()
	const state = { dav, log, nowMs: 1_000_000_000_000 }
	return Object.assign(state, { books: new AddressBooks({ dav, now: () => state.nowMs, logger: log, ...options }) })
}

describe('the address books', () => {
	it('are asked for in the user’s name, for cards with a number alone', async () => {
		const { books, dav } = addressBooks()
		await books.search('alice', 'x', 'DE')
		expect(dav.requests.map(({ method, userId, path, depth }) => [method, userId, path.join('/'), depth])).toEqual([
			['PROPFIND', 'alice', 'addressbooks/users/alice', 1],
			['REPORT', 'alice', 'addressbooks/users/alice/contacts', 1],
		])
		expect(dav.requests[1]?.body).toContain('<c:filter><c:prop-filter name="TEL"/></c:filter>')
	})

	it('are all of the user’s, and a card that stands in two of them is one contact', async () => {
		const anna = card('Anna', '+4930100001')
		const { books, dav } = addressBooks({ contacts: [anna], 'team ä_shared_by_bob': [anna, card('Anna', '+4930100002')] })
		expect(await books.search('alice', 'anna', 'DE')).toHaveLength(2)
		expect(dav.requests.at(-1)?.path.at(-1)).toBe('team ä_shared_by_bob')
	})

	it('are not that of recent contacts, and that of all accounts only when there is no other', async () => {
		const all = { contacts: [card('Anna', '+4930100001')], [SYSTEM]: [card('Anna Account', '+4930100002')], [RECENT]: [card('Anna Recent', '+4930100003')] }
		expect((await addressBooks(all).books.search('alice', 'anna', 'DE')).map(({ name }) => name)).toEqual(['Anna'])
		const { contacts, ...others } = all
		expect((await addressBooks(others).books.search('alice', 'anna', 'DE')).map(({ name }) => name)).toEqual(['Anna Account'])
		expect(contacts).toHaveLength(1)
	})

	it('may hold 10,000 cards: what one answer does not hold is fetched in portions', async () => {
		const cards = Array.from({ length: 10_000 }, (_none, number) => card(`Person ${number}`, ...(number % 10 === 9 ? ['EMAIL:a@example.net'] : [`+4930${1_000_000 + number}`])))
		const { books, dav } = addressBooks(cards)
		expect((await books.search('alice', 'person 9998', 'DE'))[0]?.name).toBe('Person 9998')
		expect((await books.lookup('alice', '+49301009998', 'DE'))[0]?.contact.name).toBe('Person 9998')
		expect(dav.requests.map(({ method }) => method)).toEqual(['PROPFIND', 'REPORT', 'PROPFIND', ...Array.from({ length: 9 }, () => 'REPORT')])
	})

	it('are read to 20,000 cards, and the log says that there are more', async () => {
		const cards = Array.from({ length: 21_000 }, (_none, number) => card(`Person ${number}`, `+4930${1_000_000 + number}`))
		const { books, log } = addressBooks({ contacts: cards, more: [card('Zoe', '+4930100001')] })
		expect((await books.search('alice', 'person 19999', 'DE'))[0]?.name).toBe('Person 19999')
		expect(await books.search('alice', 'person 20000', 'DE')).toEqual([])
		expect(log.lines.filter(({ level }) => level === 'info')).toHaveLength(1)
	})

	it('are told to go on by a 507 as well', async () => {
		const { books, dav } = addressBooks([card('Anna', '+4930100001'), card('Annika', '+4930100002')])
		dav.instead = ({ method, body, path }) => method === 'REPORT' && body.includes('addressbook-query')
			? multistatus(response(`/remote.php/dav/${path.join('/')}/0.vcf`, `<c:address-data>${card('Anna', '+4930100001')}</c:address-data>`), '<d:response><d:href>/x/</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status></d:response>')
			: undefined
		expect(await books.search('alice', 'ann', 'DE')).toHaveLength(2)
	})

	it.each([403, 404, 405, 415])('are passed over one by one where Nextcloud has none (%i)', async (status) => {
		const { books, dav } = addressBooks({ gone: [card('Anna A', '+4930100001')], contacts: [card('Anna B', '+4930100002')] })
		dav.instead = ({ path }) => path.at(-1) === 'gone' ? { status, body: '' } : undefined
		expect((await books.search('alice', 'anna', 'DE')).map(({ name }) => name)).toEqual(['Anna B'])
	})

	it.each([
		['no answer', () => Promise.reject(new SipCallError('nextcloud_unavailable', 'away'))],
		['another status', () => ({ status: 200, body: '' })],
		['HTML', () => ({ status: 207, body: '<html>' })],
		['half a list', () => ({ status: 207, body: '<d:multistatus xmlns:d="DAV:"><d:response>' })],
	])('give nothing rather than a part with %s, and are asked again at once', async (_name, answer) => {
		const { books, dav, log } = addressBooks({ contacts: [card('Anna', '+4930100001')], second: [] })
		dav.instead = ({ path }) => path.at(-1) === 'second' ? answer() : undefined
		await expect(books.search('alice', 'anna', 'DE')).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
		await expect(books.lookup('alice', '+4930100001', 'DE')).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
		expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(2)
		dav.instead = () => undefined
		expect(await books.search('alice', 'anna', 'DE')).toHaveLength(1)
	})

	it('give nothing when the user’s folder is not there', async () => {
		const { books, dav } = addressBooks()
		dav.instead = () => ({ status: 404, body: '' })
		await expect(books.search('alice', 'anna', 'DE')).rejects.toMatchObject({ code: 'nextcloud_unavailable', retryAfterSec: 30 })
	})
})

describe('what is kept in memory', () => {
	it('is kept for 60 s and not a millisecond longer', async () => {
		const test = addressBooks()
		await test.books.search('alice', 'anna', 'DE')
		test.nowMs += 59_999
		await test.books.lookup('alice', '+4930123456', 'DE')
		expect(test.dav.requests).toHaveLength(2)
		test.nowMs += 1
		await test.books.search('alice', 'anna', 'DE')
		expect(test.dav.requests).toHaveLength(4)
	})

	it('is read anew when the clock was set back', async () => {
		const test = addressBooks()
		await test.books.search('alice', 'anna', 'DE')
		test.nowMs -= 1
		await test.books.search('alice', 'anna', 'DE')
		expect(test.dav.requests).toHaveLength(4)
	})

	it('is read once for many who want it at the same time, also when that fails', async () => {
		const { books, dav } = addressBooks()
		const { promise, resolve } = Promise.withResolvers<DavAnswer>()
		dav.instead = () => promise
		const answers = Array.from({ length: 20 }, () => books.search('alice', 'anna', 'DE'))
		expect(dav.requests).toHaveLength(1)
		resolve({ status: 404, body: '' })
		expect((await Promise.allSettled(answers)).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'rejected'))
		expect(dav.requests).toHaveLength(1)
		dav.instead = () => undefined
		await Promise.all(Array.from({ length: 20 }, () => books.search('alice', 'anna', 'DE')))
		expect(dav.requests).toHaveLength(3)
	})

	it('is read anew for another home country', async () => {
		const { books } = addressBooks([card('x', '030 123456')])
		expect((await books.search('alice', 'x', 'DE'))[0]?.numbers[0]?.e164).toBe('+4930123456')
		expect((await books.search('alice', 'x', 'SE'))[0]?.numbers[0]?.e164).toBe('+4630123456')
	})

	it('is each user’s own', async () => {
		const { books, dav } = addressBooks()
		dav.instead = ({ userId }) => userId === 'bob' ? multistatus() : undefined
		expect(await books.search('alice', 'anna', 'DE')).toHaveLength(1)
		expect(await books.search('bob', 'anna', 'DE')).toEqual([])
	})

	it('is that of 200 users; the one who has not asked for the longest time goes', async () => {
		const { books, dav } = addressBooks()
		const requestsFor = async (userId: string) => {
			const before = dav.requests.length
			await books.search(userId, 'anna', 'DE')
			return dav.requests.length - before
		}
		for (let user = 0; user < 200; user++) {
			await requestsFor(`user${user}`)
		}
		expect(await requestsFor('user0')).toBe(0)
		await requestsFor('user200')
		expect(await requestsFor('user0')).toBe(0)
		expect(await requestsFor('user1')).toBe(2)
	})

	it('is no more than so many contacts of all users together', async () => {
		const cards = Array.from({ length: 19 }, (_none, number) => card(`Person ${number}`, `+4930${1_000_000 + number}`))
		const { books, dav } = addressBooks(cards, { mostContacts: 100 })
		for (const user of ['a', 'b', 'c', 'd', 'e', 'f']) {
			await books.search(user, 'person', 'DE')
		}
		expect(dav.requests).toHaveLength(12)
		for (const user of ['b', 'c', 'd', 'e', 'f']) {
			await books.search(user, 'person', 'DE')
		}
		expect(dav.requests).toHaveLength(12)
		await books.search('a', 'person', 'DE')
		expect(dav.requests).toHaveLength(14)
	})

	it('leaves nothing of it in the log', async () => {
		const { books, dav, log } = addressBooks()
		dav.instead = () => ({ status: 500, body: card('Anna Weber', '+49 30 123456') })
		await expect(books.search('alice', 'Anna', 'DE')).rejects.toThrow()
		expect(JSON.stringify(log.lines, (_key, value: unknown) => value instanceof Error ? [value.message, value.cause, value.stack] : value)).not.toMatch(/Anna|123456/)
	})
})
