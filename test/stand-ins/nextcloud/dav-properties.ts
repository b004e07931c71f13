// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What WebDAV tells of the root, of people, of address books and of cards, and the answer's XML around it. */

import type { AddressBook, Card } from './address-books.ts'
import type { ShellUser } from './users.ts'
import type { XmlElement, XmlNode } from './xml.ts'

import { SYSTEM_BOOK } from './address-books.ts'
import { handOut } from './vcard.ts'
import { child, writeXml } from './xml.ts'

export const DAV = '/remote.php/dav'

const PREFIXES: Record<string, string> = {
	'DAV:': 'd',
	'urn:ietf:params:xml:ns:carddav': 'card',
	'http://owncloud.org/ns': 'oc',
	'http://nextcloud.org/ns': 'nc',
}

export type DavArea = '' | 'principals' | 'addressbooks'

/** Which extensions are loaded where, as Nextcloud shows it in its headers and name spaces. */
const CARD = 'xmlns:card="urn:ietf:params:xml:ns:carddav" '
const NAMESPACES: Record<DavArea, string> = {
	'': '',
	principals: `xmlns:cal="urn:ietf:params:xml:ns:caldav" xmlns:cs="http://calendarserver.org/ns/" ${CARD}`,
	addressbooks: CARD,
}

/** One thing with an address: what it knows, by local name; a function looks at how it was asked. */
export interface Resource {
	href: string
	properties: Readonly<Record<string, string | readonly XmlNode[] | ((asked: XmlElement) => string)>>
}

export function rootOf(user: ShellUser): Resource {
	return { href: `${DAV}/`, properties: {
		'current-user-principal': [['d:href', `${DAV}/principals/users/${user.id}/`]],
		resourcetype: [['d:collection']],
	} }
}

export function principalOf(user: ShellUser): Resource {
	return { href: `${DAV}/principals/users/${user.id}/`, properties: {
		'current-user-principal': [['d:href', `${DAV}/principals/users/${user.id}/`]],
		'addressbook-home-set': [['d:href', homeHref(user)]],
		displayname: user.displayName,
		resourcetype: [['d:principal']],
	} }
}

/** The folder of a user's address books; it has no name. */
export function homeOf(user: ShellUser): Resource {
	return { href: homeHref(user), properties: { resourcetype: [['d:collection']] } }
}

export function bookResource(user: ShellUser, book: AddressBook): Resource {
	// The book of recent contacts cannot be synchronised.
	const canSync = book.isWritable || book.uri === SYSTEM_BOOK
	return { href: bookHref(user, book), properties: {
		displayname: book.displayName,
		resourcetype: [['d:collection'], ['card:addressbook']],
		getctag: canSync ? String(book.token) : syncToken(0),
		...(canSync ? { 'sync-token': syncToken(book.token) } : {}),
	} }
}

export function cardResource(user: ShellUser, book: AddressBook, card: Card): Resource {
	return { href: bookHref(user, book) + encodeURIComponent(card.uri).replaceAll('%3A', ':'), properties: {
		getetag: `"${card.etag}"`,
		getcontenttype: 'text/vcard; charset=utf-8',
		getlastmodified: card.changedAt.toUTCString(),
		'address-data': (asked) => {
			const names = asked.children.filter(({ name }) => name === 'prop').map(({ attributes }) => attributes.name?.toUpperCase() ?? '')
			return handOut(card.text, names.length === 0 ? undefined : names, asked.attributes.version === '4.0' ? '4.0' : '3.0')
		},
	} }
}

export function syncToken(token: number): string {
	return `http://sabre.io/ns/sync/${token}`
}

function homeHref(user: ShellUser): string {
	return `${DAV}/addressbooks/users/${encodeURIComponent(user.id)}/`
}

function bookHref(user: ShellUser, book: AddressBook): string {
	return `${homeHref(user)}${book.uri}/`
}

/** What was asked for is there, or is not: each kind in a propstat of its own. */
export function responseFor(resource: Resource, asked: readonly XmlElement[]): XmlNode {
	const found: XmlNode[] = []
	const missing: XmlNode[] = []
	for (const property of asked) {
		const value = resource.properties[property.name]
		if (value === undefined) {
			missing.push([tagOf(property)])
		} else {
			found.push([tagOf(property), typeof value === 'function' ? value(property) : value])
		}
	}
	return ['d:response', [
		['d:href', resource.href],
		...propstat(found, 'HTTP/1.1 200 OK'),
		...propstat(missing, 'HTTP/1.1 404 Not Found'),
	]]
}

export function missingResponse(href: string): XmlNode {
	return ['d:response', [['d:href', href], ['d:status', 'HTTP/1.1 404 Not Found']]]
}

export function multistatus(responses: readonly XmlNode[], area: DavArea = 'addressbooks', isPretty = false): string {
	const tag = `d:multistatus xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns" ${NAMESPACES[area]}xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns"`
	return `<?xml version="1.0"?>\n${writeXml([tag, responses], isPretty ? 0 : Number.NaN)}${isPretty ? '' : '\n'}`
}

/** The properties of a request's `prop`; a few of each when it names none. */
export function askedProperties(request: XmlElement | undefined): XmlElement[] {
	const asked = child(request, 'prop')?.children
	return asked ?? ['resourcetype', 'getetag', 'getcontenttype'].map((name) => ({ namespace: 'DAV:', name, attributes: {}, children: [], text: '' }))
}

function propstat(properties: readonly XmlNode[], status: string): XmlNode[] {
	return properties.length === 0 ? [] : [['d:propstat', [['d:prop', properties], ['d:status', status]]]]
}

function tagOf({ namespace, name }: XmlElement): string {
	const prefix = PREFIXES[namespace]
	return prefix === undefined ? `x1:${name} xmlns:x1="${namespace}"` : `${prefix}:${name}`
}
