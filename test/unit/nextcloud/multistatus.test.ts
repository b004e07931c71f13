// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readMultistatus } from '../../../lib/nextcloud/multistatus.ts'

const CARD = '{urn:ietf:params:xml:ns:carddav}address-data'
const BOOKS = '/remote.php/dav/addressbooks/users/alice/'

/** The XML bodies of a recording's multistatus answers, in order. */
function recorded(name: string): string[] {
	const text = readFileSync(new URL(`../../fixtures/nextcloud/${name}`, import.meta.url), 'utf8')
	return [...text.matchAll(/<\?xml version="1\.0"\?>\s*<d:multistatus[^>]*?(?:\/>|>.*?<\/d:multistatus>)/gs)].map(([body]) => body)
}

function wrapped(content: string, attributes = 'xmlns:d="DAV:"'): string {
	return `<?xml version="1.0"?><d:multistatus ${attributes}>${content}</d:multistatus>`
}

function property(content: string, attributes?: string): string | undefined {
	return readMultistatus(wrapped(`<d:response><d:href>/a</d:href><d:propstat><d:prop><d:x>${content}</d:x></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`, attributes))?.[0]?.properties.get('{DAV:}x')?.text
}

const [root, principal, home, cards, , none, sync] = recorded('08-carddav-impersonated.http')

describe('WebDAV’s answer, as recorded', () => {
	it('names address books and what is none', () => {
		const isBook = readMultistatus(home ?? '')?.map(({ href, properties }) => [
			href,
			properties.get('{DAV:}resourcetype')?.children.includes('{urn:ietf:params:xml:ns:carddav}addressbook'),
			properties.get('{http://calendarserver.org/ns/}getctag')?.text,
		])
		expect(isBook).toEqual([
			[BOOKS, false, undefined],
			[`${BOOKS}contacts/`, true, '4'],
			[`${BOOKS}z-server-generated--system/`, true, '10'],
			[`${BOOKS}z-app-generated--contactsinteraction--recent/`, true, 'http://sabre.io/ns/sync/0'],
		])
	})

	it('leaves out properties that are not there (404)', () => {
		const recent = readMultistatus(home ?? '')?.at(-1)
		expect([...recent?.properties.keys() ?? []]).toEqual(['{DAV:}displayname', '{DAV:}resourcetype', '{http://calendarserver.org/ns/}getctag'])
	})

	it('holds cards with their line breaks and quotes', () => {
		const found = readMultistatus(cards ?? '')
		expect(found?.map(({ href }) => href)).toEqual(['c1-example.vcf', 'c2-example.vcf', 'default'].map((card) => `${BOOKS}contacts/${card}`))
		expect(found?.[1]?.properties.get(CARD)?.text).toContain('FN:Otto Vier\r\nTEL;TYPE="voice,home";VALUE=URI:tel:+1-555-0100;ext=12\r\n')
		expect(found?.[1]?.properties.get('{DAV:}getetag')?.text).toBe('"181971864ebf50252dd427cc4991c43d"')
	})

	it('may hold nothing, and may be indented', () => {
		expect(readMultistatus(none ?? '')).toEqual([])
		expect(readMultistatus(sync ?? '')?.map(({ href }) => href.split('/').at(-1))).toEqual(['c1-example.vcf', 'c2-example.vcf', 'default'])
	})

	it('is read in every recording', () => {
		expect([root, principal, ...recorded('01-carddav-seed.http')].map((body) => readMultistatus(body ?? '')?.length)).toEqual([1, 1, 4])
	})
})

describe('WebDAV’s answer', () => {
	it('is told by namespaces, whatever their prefixes, also when they are declared further in', () => {
		const body = '<multistatus xmlns="DAV:"><response xmlns:q=\'urn:ietf:params:xml:ns:carddav\'><href> /a </href><propstat><prop><q:address-data a="1>2">x</q:address-data><z xmlns="">y</z></prop><status>HTTP/2 200</status></propstat></response></multistatus>'
		expect(readMultistatus(body)).toEqual([{ href: '/a', status: undefined, properties: new Map([[CARD, { text: 'x', children: [] }], ['{}z', { text: 'y', children: [] }]]) }])
	})

	it('has a status for a resource as a whole', () => {
		expect(readMultistatus(wrapped('<d:response><d:href>/a/</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status></d:response>'))).toEqual([{ href: '/a/', status: 507, properties: new Map() }])
	})

	it.each([
		['the five entities', '&lt;a&gt; &amp;amp; &quot;&apos;', '<a> &amp; "\''],
		['characters by number', '&#65;&#x42;&#x1F600;&#13;', 'AB😀\r'],
		['no other entity', '&nbsp;&xxe;&constructor;', '&nbsp;&xxe;&constructor;'],
		['no number beyond Unicode', '&#1114112;&#xffffff;', '&#1114112;&#xffffff;'],
		['CDATA as it stands', 'a<![CDATA[<b>&amp;]]>c', 'a<b>&amp;c'],
		['no comment', 'a<!-- <b> -->c', 'ac'],
		['no processing instruction', 'a<?b c?>d', 'ad'],
		['no text of what is in it', 'a<b>c</b>d', 'ad'],
	])('has %s', (_name, content, text) => {
		expect(property(content)).toBe(text)
	})

	it.each([
		['nothing', ''],
		['HTML', '<html><body></body></html>'],
		['an error', '<d:error xmlns:d="DAV:"/>'],
		['another namespace', '<d:multistatus xmlns:d="urn:other"/>'],
		['half an answer', wrapped('<d:response><d:href>/a</d:href></d:response>').slice(0, -20)],
		['a tag that is cut off', '<d:multistatus xmlns:d="DAV:"'],
		['elements that overlap', wrapped('<d:a><d:b></d:a></d:b>')],
		['one closed too many', `${wrapped('')}</d:x>`],
		['two roots', wrapped('') + wrapped('')],
		['a comment without an end', wrapped('<!-- ')],
		['CDATA without an end', wrapped('<![CDATA[ ')],
		['a document type', `<!DOCTYPE d:multistatus [<!ENTITY x "y">]>${wrapped('')}`],
		['an external entity', `<!DOCTYPE x SYSTEM "file:///etc/passwd">${wrapped('')}`],
		['a document type further in', wrapped('<!ENTITY x "y">')],
		['elements too deep', wrapped('<d:a>'.repeat(100) + '</d:a>'.repeat(100))],
	])('is none with %s', (_name, body) => {
		expect(readMultistatus(body)).toBeUndefined()
	})

	it('is read or refused, never thrown over', () => {
		const piece = fc.oneof(fc.constantFrom('<', '>', '</', '/>', '<?', '?>', '<!--', '-->', '<![CDATA[', ']]>', '&', '&#', ';', '"', ' xmlns:d="DAV:"', 'd:response', 'd:multistatus', '='), fc.string({ unit: 'binary' }))
		fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
			readMultistatus(pieces.join(''))
			readMultistatus(wrapped(pieces.join('')))
		}))
	})

	it.each([['<', '<'], ['&', '&'], ['&#', '&#'], ['<a ', '<a '], ['<a b="', '<a b="'], ['<!--', '<!--'], [' xmlns', '<d:a xmlns'], ['an endless attribute', `<d:a xmlns${' '.repeat(1_000_000)}/>`]])('comes to an end with a megabyte of %s', (_name, piece) => {
		expect(() => readMultistatus(wrapped(piece.repeat(Math.ceil(1_000_000 / piece.length))))).not.toThrow()
	})
})
