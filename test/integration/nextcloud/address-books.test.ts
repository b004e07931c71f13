// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// From the route to the wire, against a server that answers what a real Nextcloud answered.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FetchDavClientOptions } from '../../../lib/nextcloud/dav-client.ts'

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openApiDocument } from '../../../lib/http/openapi.ts'
import { parse } from '../../../lib/http/route.ts'
import { contactRoutes } from '../../../lib/http/routes/contacts.ts'
import { AddressBooks } from '../../../lib/nextcloud/address-books.ts'
import { FetchDavClient } from '../../../lib/nextcloud/dav-client.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const SECRET = 'probe-secret-0123456789'
const RECORDING = readFileSync(new URL('../../fixtures/nextcloud/08-carddav-impersonated.http', import.meta.url), 'utf8')

/** The recorded answer to an exchange, by its number. */
function recorded(number: number): { status: number, body: string } {
	const exchange = RECORDING.split(/^### /m).find((text) => text.startsWith(`${number}. `)) ?? ''
	const [, status = '', body = ''] = /^HTTP\/1\.1 (\d+) [\s\S]*?\n\n([\s\S]*)$/m.exec(exchange) ?? []
	return { status: Number(status), body: body.trim() }
}

const BOOKS = recorded(3)
const CARDS = recorded(4)
const REFUSED = recorded(11)

type Answer = (request: IncomingMessage, response: ServerResponse) => void

interface Seen {
	line: string
	headers: IncomingMessage['headers']
	body: string
}

let seen: Seen[]
let answer: Answer
let url: string
let stop: () => Promise<void>
let log: RecordedLog
let nowMs: number

function asRecorded({ method }: IncomingMessage, response: ServerResponse): void {
	send(response, method === 'PROPFIND' ? BOOKS : CARDS)
}

function send(response: ServerResponse, { status, body }: { status: number, body: string }): void {
	response.writeHead(status, { 'Content-Type': 'application/xml; charset=utf-8' }).end(body)
}

beforeEach(async () => {
	seen = []
	answer = asRecorded
	log = new RecordedLog()
	nowMs = 1_000_000_000_000
	const server = createServer((request, response) => {
		let body = ''
		request.setEncoding('utf8').on('data', (chunk: string) => {
			body += chunk
		}).on('end', () => {
			seen.push({ line: `${request.method} ${request.url}`, headers: request.headers, body })
			answer(request, response)
		})
	})
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', resolve)
	})
	url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
	stop = () => new Promise((resolve) => {
		server.closeAllConnections()
		server.close(() => resolve())
	})
})

afterEach(() => stop())

function addressBooks(options: Partial<FetchDavClientOptions> = {}): AddressBooks {
	const now = () => nowMs
	const dav = new FetchDavClient({ nextcloudUrl: url, appId: 'sipcall', appVersion: '1.0.0', appSecret: SECRET, logger: log, now, ...options })
	return new AddressBooks({ dav, now, logger: log })
}

async function get(query: Record<string, unknown>, homeCountry: string | null = 'DE', books = addressBooks()): Promise<unknown> {
	const [route] = contactRoutes({ addressBooks: books, readingOf: async () => ({ homeCountry }) })
	if (route === undefined) {
		throw new Error('there is no route')
	}
	const answered = await route.handle({
		caller: { userId: 'alice', proof: 'nextcloud' },
		params: undefined,
		query: parse(route.query, query, ''),
		body: undefined,
		request: {} as Parameters<typeof route.handle>[0]['request'],
		signal: new AbortController().signal,
	})
	expect(answered.status).toBe(200)
	return route.answer.schema.parse(answered.body)
}

const ERIKA = {
	name: 'Erika Beispiel',
	uid: 'c1-example',
	numbers: [
		{ e164: '+491701234567', display: '+49 170 1234567', type: 'mobile' },
		{ e164: '+49305550100', display: '+49 30 5550100', type: 'work' },
	],
}

describe('GET /contacts', () => {
	it('finds a contact of the recorded address book by name and by digits', async () => {
		expect(await get({ search: 'beispiel' })).toEqual([ERIKA])
		expect(await get({ search: '0170 123' })).toEqual([ERIKA])
		expect(await get({ search: '491701' }, null)).toEqual([ERIKA])
	})

	it('leaves out contacts whose numbers cannot be dialled', async () => {
		// +999999999999, and +1-555-0100 without an area code.
		expect(await get({ search: 'Leon' })).toEqual([])
		expect(await get({ search: 'Otto' })).toEqual([])
	})

	it('tells whose number it is, exactly or maybe', async () => {
		expect(await get({ number: '0170 1234567' })).toEqual([{ ...ERIKA, match: 'exact' }])
		expect(await get({ number: '+43 30 5550100' })).toEqual([{ ...ERIKA, match: 'maybe' }])
		expect(await get({ number: '+49 30 999999' })).toEqual([])
	})

	it.each([
		[{}, 'invalid_request', ''],
		[{ search: 'a', number: '030 123456' }, 'invalid_request', ''],
		[{ search: '' }, 'invalid_request', 'search'],
		[{ search: 'a'.repeat(101) }, 'invalid_request', 'search'],
		[{ search: ['a', 'b'] }, 'invalid_request', 'search'],
		[{ search: 'a\0' }, 'invalid_request', 'search'],
		[{ number: '' }, 'invalid_request', 'number'],
		[{ number: 'Anna' }, 'invalid_number', 'number'],
	])('refuses %j, and asks nobody', async (query, code, field) => {
		await expect(get(query)).rejects.toMatchObject({ code, errors: [{ field }] })
		expect(seen).toEqual([])
	})

	it('stands in the API’s description with its two questions', () => {
		const routes = contactRoutes({ addressBooks: addressBooks(), readingOf: async () => ({ homeCountry: 'DE' }) })
		expect(openApiDocument(routes, '1.0.0')).toMatchObject({ paths: { '/contacts': { get: { parameters: [{ in: 'query', name: 'search' }, { in: 'query', name: 'number' }] } } } })
	})
})

describe('asking Nextcloud', () => {
	it('is done in the user’s name with the app’s proof, without cookies, and reads only', async () => {
		answer = (request, response) => {
			response.setHeader('Set-Cookie', 'nc_session=1; path=/')
			asRecorded(request, response)
		}
		const books = addressBooks()
		await books.search('alice', 'Erika', 'DE')
		nowMs += 60_000
		await books.search('alice', 'Erika', 'DE')
		const home = '/remote.php/dav/addressbooks/users/alice/'
		expect(seen.map(({ line }) => line)).toEqual([`PROPFIND ${home}`, `REPORT ${home}contacts/`, `PROPFIND ${home}`, `REPORT ${home}contacts/`])
		for (const { headers, body } of seen) {
			expect(headers).toMatchObject({
				'ex-app-id': 'sipcall',
				'ex-app-version': '1.0.0',
				'authorization-app-api': Buffer.from(`alice:${SECRET}`).toString('base64'),
				depth: '1',
			})
			expect(headers.cookie).toBeUndefined()
			expect(body).toMatch(/^<.*>$/s)
		}
	})

	it.each([
		['müller', 'm%C3%BCller'],
		['a/b?c#d', 'a%2Fb%3Fc%23d'],
		['user@example.com', 'user%40example.com'],
		['../bob', '..%2Fbob'],
		['a%2Fb', 'a%252Fb'],
	])('names the user %s in the path', async (userId, encoded) => {
		await addressBooks({ nextcloudUrl: `${url}/cloud` }).search(userId, 'x', 'DE')
		expect(seen[0]?.line).toBe(`PROPFIND /cloud/remote.php/dav/addressbooks/users/${encoded}/`)
	})

	it.each(['.', '..', '', '\ud800'])('is not done for the user %j, who would name another place', async (userId) => {
		await expect(addressBooks().search(userId, 'x', 'DE')).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
		expect(seen).toEqual([])
	})

	it('never follows a redirect: the secret would go along', async () => {
		answer = (_request, response) => response.writeHead(307, { Location: '/elsewhere' }).end()
		await expect(addressBooks().search('alice', 'x', 'DE')).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
		expect(seen).toHaveLength(1)
	})

	it('ends at its time limit, also in the middle of an answer', async () => {
		answer = () => {}
		await expect(addressBooks({ timeoutMs: 50 }).search('alice', 'x', 'DE')).rejects.toMatchObject({ code: 'nextcloud_unavailable', cause: { name: 'TimeoutError' } })
		answer = (_request, response) => {
			response.writeHead(207).write(BOOKS.body.slice(0, 100))
		}
		await expect(addressBooks({ timeoutMs: 50 }).search('alice', 'x', 'DE')).rejects.toMatchObject({ code: 'nextcloud_unavailable', cause: { name: 'TimeoutError' } })
	})

	it('ends when the answer is longer than allowed, whatever its head says', async () => {
		const closed = Promise.withResolvers<void>()
		answer = (_request, response) => {
			response.on('close', () => closed.resolve()).writeHead(207)
			const more = () => {
				while (response.write('x'.repeat(10_000))) { /* until the other side takes no more */ }
			}
			response.on('drain', more)
			more()
		}
		await expect(addressBooks({ maxAnswerBytes: 100_000 }).search('alice', 'x', 'DE')).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
		await closed.promise
	})

	it('reads characters that are cut in two on the way', async () => {
		const bytes = Buffer.from(CARDS.body.replace('Erika', 'Jürgen 😀'))
		const cut = bytes.indexOf('ü') + 1
		answer = ({ method }, response) => {
			if (method === 'PROPFIND') {
				send(response, BOOKS)
			} else {
				response.writeHead(207).write(bytes.subarray(0, cut), () => setImmediate(() => response.end(bytes.subarray(cut))))
			}
		}
		expect((await addressBooks().search('alice', 'jurgen', 'DE'))[0]?.name).toBe('Jürgen 😀 Beispiel')
	})

	it.each([429, 500, 503])('says so when Nextcloud answers %i', async (status) => {
		answer = (_request, response) => send(response, { status, body: '' })
		await expect(get({ search: 'x' })).rejects.toMatchObject({ code: 'nextcloud_unavailable', retryAfterSec: 30 })
	})

	it('says so when nobody answers', async () => {
		await stop()
		await expect(get({ search: 'x' })).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
	})
})

describe('a refused proof (401)', () => {
	beforeEach(() => {
		answer = (_request, response) => send(response, REFUSED)
	})

	it('is shown again after a minute only, so that Nextcloud does not lock the app out; other users go on', async () => {
		const books = addressBooks()
		await expect(books.search('gone', 'x', 'DE')).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
		answer = asRecorded
		nowMs += 59_999
		await expect(books.search('gone', 'x', 'DE')).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
		expect(seen).toHaveLength(1)
		expect(await books.search('alice', 'Erika', 'DE')).toEqual([ERIKA])
		nowMs += 1
		expect(await books.search('gone', 'Erika', 'DE')).toEqual([ERIKA])
	})

	it('of two users means the secret: nobody asks for a minute', async () => {
		const books = addressBooks()
		for (const userId of ['alice', 'bob', 'carol', 'dave']) {
			await expect(books.search(userId, 'x', 'DE')).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
		}
		expect(seen).toHaveLength(2)
		answer = asRecorded
		nowMs += 60_000
		expect(await books.search('carol', 'Erika', 'DE')).toEqual([ERIKA])
	})

	it('leaves no secret in the log', async () => {
		await expect(addressBooks().search('alice', 'x', 'DE')).rejects.toThrow()
		expect(log.lines.filter(({ level }) => level === 'warn').length).toBeGreaterThan(0)
		expect(JSON.stringify(log.lines)).not.toMatch(new RegExp(`${SECRET}|${Buffer.from(`alice:${SECRET}`).toString('base64')}`))
	})
})
