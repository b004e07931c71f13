// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** CardDAV beneath `/remote.php/dav/`: finding address books, asking them, reading and writing cards. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressBook, AddressBooks } from './address-books.ts'
import type { DavArea, Resource } from './dav-properties.ts'
import type { Identity } from './identity.ts'
import type { ShellUser } from './users.ts'
import type { XmlElement, XmlNode } from './xml.ts'

import { passes } from './card-filter.ts'
import { askedProperties, bookResource, cardResource, DAV, homeOf, missingResponse, multistatus, principalOf, responseFor, rootOf, syncToken } from './dav-properties.ts'
import { escapeXml } from './ocs-answer.ts'
import { handOut, readVCard } from './vcard.ts'
import { child, readXml } from './xml.ts'

const XML = 'application/xml; charset=utf-8'
const CSP = { 'Content-Security-Policy': 'default-src \'none\';' }
const BEGIN = '1, 3, extended-mkcol, access-control, calendarserver-principal-property-search'
const END = 'nc-paginate, nextcloud-checksum-update, nc-calendar-search, nc-enable-birthday-calendar'
const CALENDARS = 'calendar-access, calendar-proxy, calendar-auto-schedule, calendar-availability, nc-calendar-trashbin, nc-calendar-webcal-cache, calendarserver-subscribed, oc-calendar-publishing, calendarserver-sharing'
const CAPABILITIES: Record<DavArea, string> = {
	'': `${BEGIN}, ${END}`,
	principals: `${BEGIN}, oc-resource-sharing, ${CALENDARS}, addressbook, ${END}`,
	addressbooks: `${BEGIN}, oc-resource-sharing, addressbook, ${END}`,
}

const NO_BASIC = 'No \'Authorization: Basic\' header found. Either the client didn\'t send one, or the server is misconfigured'
const NOT_AUTHENTICATED = `No public access to this resource., AppAPIAuth has not passed, This request is not for a federated calendar, ${NO_BASIC}, No 'Authorization: Bearer' header found. Either the client didn't send one, or the server is mis-configured, ${NO_BASIC}`

export interface DavRequest {
	request: IncomingMessage
	/** Without the query, still encoded. */
	path: string
	body: string
	identity: Identity
}

export function answerDav({ request, path, body, identity }: DavRequest, books: AddressBooks, response: ServerResponse): void {
	const { user } = identity
	if (identity.exApp === 'locked out') {
		sendError(429, 'OCA\\DAV\\Connector\\Sabre\\Exception\\TooManyRequests', 'Reached maximum delay', response)
		return
	}
	if (user === undefined || user.enabled === false) {
		response.setHeader('WWW-Authenticate', 'Basic realm="Nextcloud", charset="UTF-8"')
		sendError(401, 'Sabre\\DAV\\Exception\\NotAuthenticated', NOT_AUTHENTICATED, response)
		return
	}
	const [area = '', kind = '', owner = '', bookUri = '', cardUri = ''] = path.slice(DAV.length + 1).split('/').map(decodeURIComponent)
	const isOwn = kind === 'users' && owner === user.id
	const book = isOwn && area === 'addressbooks' ? books.get(user.id, bookUri) : undefined
	const method = request.method ?? 'GET'
	const notFound = (name: string) => sendError(404, 'Sabre\\DAV\\Exception\\NotFound', `Node with name '${name}' could not be found`, response)

	if (area !== '' && !isOwn) {
		notFound(cardUri || bookUri || owner)
	} else if (bookUri !== '' && book === undefined) {
		sendError(404, 'Sabre\\DAV\\Exception\\NotFound', `Addressbook with name '${bookUri}' could not be found`, response)
	} else if (book !== undefined && cardUri !== '') {
		answerCard(method, { user, book, cardUri, body }, request, response)
	} else if (method === 'PROPFIND') {
		const hasChildren = request.headers.depth !== '0'
		propfind(body, resourcesAt(), area === '' || area === 'principals' ? area : 'addressbooks', response)

		function resourcesAt(): Resource[] {
			if (user === undefined || area === '') {
				return user === undefined ? [] : [rootOf(user)]
			}
			if (area === 'principals') {
				return [principalOf(user)]
			}
			if (book === undefined) {
				return [homeOf(user), ...(hasChildren ? books.list(user.id).map((one) => bookResource(user, one)) : [])]
			}
			return [bookResource(user, book), ...(hasChildren ? [...book.cards.values()].map((card) => cardResource(user, book, card)) : [])]
		}
	} else if (method === 'REPORT' && book !== undefined) {
		report(body, user, book, response)
	} else {
		sendError(501, 'Sabre\\DAV\\Exception\\NotImplemented', `The stand-in does not know ${method} here`, response)
	}
}

function propfind(body: string, resources: readonly Resource[], area: DavArea, response: ServerResponse): void {
	const request = parsed(body, response)
	if (request !== undefined) {
		const asked = askedProperties(request)
		sendMultistatus(multistatus(resources.map((resource) => responseFor(resource, asked)), area), response, CAPABILITIES[area])
	}
}

function report(body: string, user: ShellUser, book: AddressBook, response: ServerResponse): void {
	const request = parsed(body, response)
	if (request === undefined) {
		return
	}
	const asked = askedProperties(request)
	const shown = (cards: Iterable<Parameters<typeof cardResource>[2]>) => [...cards].map((card) => responseFor(cardResource(user, book, card), asked))
	if (request.name === 'addressbook-query') {
		const found = [...book.cards.values()].filter((card) => passes(readVCard(card.text), child(request, 'filter')))
		const limit = child(child(request, 'limit'), 'nresults')?.text
		sendMultistatus(multistatus(shown(found.slice(0, limit === undefined ? undefined : Number(limit)))), response)
	} else if (request.name === 'addressbook-multiget') {
		const responses = request.children.filter(({ name }) => name === 'href').map(({ text: href }): XmlNode => {
			const card = book.cards.get(decodeURIComponent(href.split('/').at(-1) ?? ''))
			return card === undefined ? missingResponse(href) : responseFor(cardResource(user, book, card), asked)
		})
		sendMultistatus(multistatus(responses), response)
	} else if (request.name === 'sync-collection') {
		const given = child(request, 'sync-token')?.text ?? ''
		const since = given === '' ? { changed: [...book.cards.values()], deleted: [] } : book.changesSince(Number(/\/(\d+)$/.exec(given)?.[1]))
		if (since === undefined) {
			sendError(403, 'Sabre\\DAV\\Exception\\InvalidSyncToken', 'Invalid or unknown sync token', response, '\n  <d:valid-sync-token/>')
			return
		}
		const { href } = bookResource(user, book)
		sendMultistatus(multistatus([
			...shown(since.changed),
			...since.deleted.map((uri) => missingResponse(href + uri)),
			['d:sync-token', syncToken(book.token)],
		], 'addressbooks', true), response)
	} else {
		sendError(415, 'Sabre\\DAV\\Exception\\ReportNotSupported', `The {${request.namespace}}${request.name} REPORT is not supported on this url.`, response)
	}
}

interface CardCall {
	user: ShellUser
	book: AddressBook
	cardUri: string
	body: string
}

function answerCard(method: string, { user, book, cardUri, body }: CardCall, request: IncomingMessage, response: ServerResponse): void {
	const card = book.cards.get(cardUri)
	if (method === 'PUT' && book.isWritable) {
		const etag = `"${book.put(cardUri, body).etag}"`
		response.writeHead(card === undefined ? 201 : 204, { 'Content-Length': '0', ...CSP, ETag: etag, 'OC-ETag': etag })
		response.end()
	} else if (card === undefined) {
		sendError(404, 'Sabre\\DAV\\Exception\\NotFound', 'Card not found', response)
	} else if (method === 'GET') {
		const etag = `"${card.etag}"`
		const version = /version="?4\.0/.test(request.headers.accept ?? '') ? '4.0' : '3.0'
		const content = handOut(card.text, undefined, version)
		response.writeHead(200, {
			'Content-Type': 'text/vcard; charset=utf-8',
			'Content-Length': Buffer.byteLength(content),
			...CSP,
			'Last-Modified': card.changedAt.toUTCString(),
			ETag: etag,
			'OC-ETag': etag,
			'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(cardUri)}; filename="${encodeURIComponent(cardUri)}"`,
		})
		response.end(content)
	} else if (method === 'PROPFIND') {
		propfind(body, [cardResource(user, book, card)], 'addressbooks', response)
	} else if (method === 'DELETE' && book.isWritable) {
		book.delete(cardUri)
		response.writeHead(204, { 'Content-Length': '0', ...CSP })
		response.end()
	} else {
		sendError(403, 'Sabre\\DAV\\Exception\\Forbidden', 'Permission denied', response)
	}
}

function parsed(body: string, response: ServerResponse): XmlElement | undefined {
	try {
		return readXml(body)
	} catch {
		sendError(400, 'Sabre\\DAV\\Exception\\BadRequest', 'The body is not XML', response)
		return undefined
	}
}

function sendMultistatus(content: string, response: ServerResponse, dav?: string): void {
	response.writeHead(207, { 'Content-Type': XML, ...CSP, ...(dav === undefined ? {} : { DAV: dav }) })
	response.end(content)
}

function sendError(status: number, exception: string, message: string, response: ServerResponse, detail = ''): void {
	response.writeHead(status, { 'Content-Type': XML, ...CSP })
	response.end(`<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">\n  <s:exception>${exception}</s:exception>\n  <s:message>${escapeXml(message).replaceAll('&quot;', '"')}</s:message>${detail}\n</d:error>\n`)
}
