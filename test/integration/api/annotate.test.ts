// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Notes and tags beside a call, finding calls by tag, and the history as CSV.

import type { CallJson } from '../../../lib/http/schemas.ts'
import type { Answer, ApiClient, TestApp } from '../../support/app.ts'

import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signedHeaders, startTestApp } from '../../support/app.ts'
import { copyCalls } from '../../support/copy-calls.ts'
import { keysOf } from '../../support/stored-text.ts'

let test: TestApp
let demo: ApiClient
let guest: ApiClient

beforeAll(async () => {
	test = await startTestApp({ freeSwitch: { speed: 1 } })
	demo = await test.prepare({ maxConcurrentPerUser: 10 })
	guest = test.as('guest')
	await guest.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1001' }] })
})

afterAll(() => test.stop())

async function ended(to = '+4930123417', client = demo, wish: Record<string, unknown> = {}): Promise<CallJson> {
	const { body, status } = await client.call(to, wish)
	expect(status).toBe(202)
	return client.untilEnded(body.uuid)
}

function write(uuid: string, annotation: unknown, client = demo): Promise<Answer<CallJson & { code: string, errors: { field: string }[] }>> {
	return client.request('PUT', `/call/${uuid}`, annotation)
}

async function query<Row>(sql: string): Promise<Row[]> {
	const client = new Client({ connectionString: test.database.url })
	await client.connect()
	try {
		return (await client.query(sql)).rows as Row[]
	} finally {
		await client.end()
	}
}

describe('a note and tags', () => {
	it('are written during the call and after it, each with a higher version, and nothing else changes', async () => {
		const { body: { uuid } } = await demo.call('+4930123400')
		const talking = await demo.until(uuid, ({ status }) => status === 'connected')
		const noted = await write(uuid, { note: 'Wants an offer – “soon”? 100 % sure\nsecond line', tags: ['Sales', ' follow up '] })
		expect(noted).toMatchObject({ status: 200, body: { ...talking, version: talking.version + 1, note: 'Wants an offer – “soon”? 100 % sure\nsecond line', tags: ['Sales', 'follow up'] } })
		await demo.hangUp(uuid)
		const over = await demo.untilEnded(uuid)
		expect(over).toMatchObject({ note: noted.body.note, tags: noted.body.tags, outcome: 'completed' })
		const later = await write(uuid, { note: '' })
		const { note, ...rest } = over
		expect(note).toBeDefined()
		expect(later.body).toEqual({ ...rest, version: over.version + 1 })
		expect((await write(uuid, { tags: [] })).body).toEqual({ ...rest, version: over.version + 2, tags: [] })
		const { body: log } = await demo.get<{ type: string, detail?: unknown }[]>(`/call/${uuid}/events`)
		expect(log.filter(({ type }) => type === 'annotated').map(({ detail }) => detail)).toEqual([undefined, undefined, undefined])
	})

	it('that are there already change nothing', async () => {
		const call = await ended()
		const first = await write(call.uuid, { note: 'a', tags: ['x', 'X', 'ｘ', 'y'] })
		expect(first.body.tags).toEqual(['x', 'y'])
		expect((await write(call.uuid, { note: 'a', tags: ['x', 'y'] })).body.version).toBe(first.body.version)
	})

	it.each<[string, unknown, string]>([
		['nothing', {}, ''],
		['another field', { note: 'a', status: 'ended' }, ''],
		['a note of 4001 characters', { note: 'a'.repeat(4001) }, 'note'],
		['a note with NUL', { note: 'a\0b' }, 'note'],
		['21 tags', { tags: Array.from({ length: 21 }, (_, index) => `t${index}`) }, 'tags'],
		['a tag of 65 characters', { tags: ['a'.repeat(65)] }, 'tags.0'],
		['an empty tag', { tags: ['ok', '  '] }, 'tags.1'],
		['a tag of two lines', { tags: ['a\nb'] }, 'tags.0'],
		['one tag for a list', { tags: 'sales' }, 'tags'],
		['half a surrogate pair', { tags: ['\uD800'] }, 'tags.0'],
	])('with %s are 400', async (_what, annotation, field) => {
		const call = await ended()
		const answer = await write(call.uuid, annotation)
		expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([400, 'invalid_request', field])
		expect((await demo.get<CallJson>(`/call-status/${call.uuid}`)).body).toEqual(call)
	})

	it('of somebody else’s call are 404', async () => {
		const call = await ended()
		expect(await write(call.uuid, { note: 'mine' }, guest)).toMatchObject({ status: 404, body: { code: 'not_found' } })
	})

	it('stand encrypted in the database, and what finds them is different for each user', async () => {
		const [own, theirs] = [await ended(), await ended('+4930123417', guest)]
		await write(own.uuid, { note: 'geheim?', tags: ['Zitrone'] })
		await write(theirs.uuid, { tags: ['zitrone'] }, guest)
		const rows = await query<{ user_id: string, tag_index: string[] }>('select * from calls where tag_index is not null')
		expect(JSON.stringify(rows)).not.toMatch(/zitrone|geheim/i)
		const of = (userId: string) => rows.filter(({ user_id: id }) => id === userId).flatMap(({ tag_index: index }) => index)
		expect(of('demo').length).toBeGreaterThan(0)
		expect(of('demo').filter((index) => of('guest').includes(index))).toEqual([])
	})
})

describe('the filter for a tag', () => {
	it('gives these calls and no others, page by page, in any case, together with the other filters', async () => {
		const calls = [await ended(), await ended('+4930123421'), await ended(), await ended()]
		const [first, second, third] = calls
		for (const call of [first, second, third]) {
			await write(call?.uuid ?? '', { tags: ['Grün', 'other'] })
		}
		const found: string[] = []
		for (let cursor: string | null = ''; cursor !== null;) {
			const { body }: Answer<{ items: CallJson[], nextCursor: string | null }> = await demo.get(`/call-history?limit=1&tag=${encodeURIComponent(' GRÜN')}${cursor === '' ? '' : `&cursor=${cursor}`}`)
			found.push(...body.items.map(({ uuid }) => uuid))
			cursor = body.nextCursor
		}
		expect(found).toEqual([third, second, first].map((call) => call?.uuid))
		const rejected = await demo.get<{ items: CallJson[] }>('/call-history?tag=gr%C3%BCn&outcome=rejected')
		expect(rejected.body.items.map(({ uuid }) => uuid)).toEqual([second?.uuid])
		expect((await guest.get<{ items: CallJson[] }>('/call-history?tag=gr%C3%BCn')).body.items).toEqual([])
		await write(first?.uuid ?? '', { tags: ['other'] })
		expect((await demo.get<{ items: CallJson[] }>('/call-history?tag=gr%C3%BCn')).body.items.map(({ uuid }) => uuid)).toEqual([third?.uuid, second?.uuid])
	})

	it.each(['', '%20', 'a%0Ab', 'a'.repeat(65)])('%j is 400', async (tag) => {
		expect(await demo.get(`/call-history?tag=${tag}`)).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ field: 'tag' }] } })
	})

	it('is answered by an index, in a history of 20,000 calls', async () => {
		const call = await ended()
		await write(call.uuid, { tags: ['needle'] })
		await copyCalls(test.database.url, keysOf(test.environment), { uuid: call.uuid, rows: 20_000, set: { user_id: '\'nobody\'', created_at: 'call.created_at - at * interval \'1 minute\'', tags: 'null', tag_index: 'array[md5(at::text)]' } })
		await query('analyze calls')
		const plan = await query<{ 'QUERY PLAN': string }>('explain select uuid from calls where user_id = \'nobody\' and tag_index @> array[md5(\'77\')] order by created_at desc, uuid desc limit 51')
		expect(plan.map((row) => row['QUERY PLAN']).join('\n')).toContain('calls_tags')
		expect((await demo.get<{ items: CallJson[] }>('/call-history?tag=needle')).body.items).toHaveLength(1)
	})
})

describe('the history as text/csv', () => {
	function rowsOf(text: string): string[][] {
		const rows: string[][] = []
		let row: string[] = []
		for (const [, quoted, plain, separator] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
			row.push(quoted?.replaceAll('""', '"') ?? plain ?? '')
			if (separator === '\r\n') {
				rows.push(row)
				row = []
			}
		}
		return rows
	}

	async function csv(search = '', client = demo): Promise<{ answer: Answer<unknown>, rows: Record<string, string>[] }> {
		const answer = await client.request('GET', `/call-history${search}`, undefined, { Accept: 'text/csv' })
		const [header = [], ...rows] = rowsOf(answer.text)
		return { answer, rows: rows.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index] ?? '']))) }
	}

	it('has every call that fits, newest first, whatever the limit, as a file', async () => {
		const { answer, rows } = await csv('?limit=1')
		expect([answer.status, answer.headers.get('content-type'), answer.headers.get('content-disposition'), answer.headers.get('cache-control')])
			.toEqual([200, 'text/csv; charset=utf-8; header=present', 'attachment; filename="calls.csv"', 'no-store'])
		const { body } = await demo.get<{ items: CallJson[] }>('/call-history?limit=200')
		expect(rows.length).toBeGreaterThan(10)
		expect(rows.map(({ uuid }) => uuid)).toEqual(body.items.map(({ uuid }) => uuid))
		expect(answer.text.endsWith('\r\n')).toBe(true)
		const filtered = await csv('?outcome=rejected')
		expect(filtered.rows.map(({ outcome }) => outcome)).toEqual(['rejected'])
	})

	it('keeps numbers as they are and lets no spreadsheet compute what somebody wrote', async () => {
		const call = await ended('+4930123421', demo, { note: 'first' })
		await write(call.uuid, { note: '=HYPERLINK("http://evil.example","click"),\r\nmore', tags: ['@sum', 'a,b'] })
		const { answer, rows } = await csv()
		expect(rows.find(({ uuid }) => uuid === call.uuid)).toMatchObject({
			to: '+4930123421',
			status: 'ended',
			outcome: 'rejected',
			cause: 'CALL_REJECTED',
			sip: '603',
			note: '\'=HYPERLINK("http://evil.example","click"),\r\nmore',
			tags: '\'@sum, a,b',
			createdAt: call.createdAt,
		})
		expect(answer.text).toContain('"\'=HYPERLINK(""http://evil.example"",""click""),\r\nmore"')
	})

	it('is only a header where there is nothing, and the user’s own calls alone', async () => {
		const { answer, rows } = await csv('?number=%2B4930000001', guest)
		expect([answer.status, rows]).toEqual([200, []])
		expect(answer.text.split('\r\n')).toEqual([expect.stringMatching(/^uuid,createdAt,direction,to,.*,note,tags,extension$/), ''])
	})

	it('is a proper answer when the request is wrong', async () => {
		const { answer } = await csv('?cursor=hello')
		expect([answer.status, answer.headers.get('content-type'), answer.headers.get('content-disposition')]).toEqual([400, 'application/problem+json', null])
	})

	it.each(['application/json', '*/*', 'text/html', 'application/json, text/csv'])('is JSON for Accept: %s', async (accept) => {
		const answer = await demo.request<{ items: unknown[] }>('GET', '/call-history?limit=1', undefined, { Accept: accept })
		expect(answer.body.items).toHaveLength(1)
	})

	it('streams 20,000 calls as they are read: the first come while the rest is not yet asked for', async () => {
		const answer = await fetch(`${test.url}/call-history`, { headers: { ...signedHeaders('nobody'), Accept: 'text/csv' } })
		const reader = answer.body?.getReader()
		let lines = 0
		let pieces = 0
		for (;;) {
			const piece = await reader?.read()
			if (piece?.done !== false) {
				break
			}
			pieces++
			lines += Buffer.from(piece.value).filter((byte) => byte === 10).length
		}
		expect(lines).toBe(20_001)
		expect(pieces).toBeGreaterThan(20)
	})
})
