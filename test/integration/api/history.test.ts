// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CallJson } from '../../../lib/http/schemas.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'

interface Page {
	items: CallJson[]
	nextCursor: string | null
}

const CALLS = 45
/** The scripted FreeSWITCH plays what a number's last two digits say: completed, busy, not answered, refused. */
const ENDINGS = ['01', '17', '19', '21', '04'] as const

let test: TestApp
let demo: ApiClient
let guest: ApiClient
/** Newest first, as the history has them. */
let placed: CallJson[]

beforeAll(async () => {
	test = await startTestApp()
	demo = await test.prepare({ maxConcurrentPerUser: 10, callsPerMinute: 1000 })
	guest = test.as('guest')
	await guest.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1001' }] })
	placed = []
	for (let batch = 0; batch < CALLS; batch += 5) {
		// Five at a time: some of them share their millisecond.
		placed.push(...await Promise.all(ENDINGS.map((ending, position) => place(demo, `+4930${1000 + batch + position}${ending}`))))
	}
	placed = placed.toSorted(newestFirst)
})

afterAll(() => test.stop())

function newestFirst(a: CallJson, b: CallJson): number {
	return b.createdAt.localeCompare(a.createdAt) || (a.uuid < b.uuid ? 1 : -1)
}

async function place(client: ApiClient, to: string): Promise<CallJson> {
	const { status, body } = await client.call(to)
	expect(status).toBe(202)
	return client.untilEnded(body.uuid)
}

async function page(query: string, client = demo): Promise<Page> {
	const { status, body, text } = await client.get<Page>(`/call-history?${query}`)
	expect([status, text]).toEqual([200, expect.any(String)])
	return body
}

async function allPages(query: string, client = demo, between: () => Promise<unknown> = async () => {}): Promise<CallJson[]> {
	const items: CallJson[] = []
	for (let cursor: string | null = ''; cursor !== null;) {
		const next: Page = await page(`${query}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`, client)
		items.push(...next.items)
		cursor = next.nextCursor
		await between()
	}
	return items
}

describe('paging through the history', () => {
	it.each([1, 7, 15, 44, 45, 46, 200])('by %i gives each of 45 calls once, newest first', async (limit) => {
		expect(await allPages(`limit=${limit}`)).toEqual(placed)
	})

	it('is by 50 without a limit, and ends with nextCursor null', async () => {
		expect(await page('')).toEqual({ items: placed, nextCursor: null })
		expect((await page('limit=44')).nextCursor).toBeTypeOf('string')
	})

	it('misses none and doubles none when calls are placed between the pages; the new ones come at the next beginning', async () => {
		const earlier = [...placed]
		const added: CallJson[] = []
		const seen = await allPages('limit=10', demo, async () => added.push(await place(demo, '+4930777701')))
		expect(added.length).toBe(5)
		expect(seen).toEqual(earlier)
		placed = [...added, ...placed].toSorted(newestFirst)
		expect(await allPages('limit=200')).toEqual(placed)
	})

	it('shows only the user’s own calls, and a cursor of somebody else opens nothing', async () => {
		const theirs = await place(guest, '+4930888801')
		expect(await allPages('limit=50', guest)).toEqual([theirs])
		expect(await allPages('limit=200')).toEqual(placed)
		const { nextCursor } = await page('limit=1')
		expect(await page(`cursor=${encodeURIComponent(nextCursor ?? '')}`, guest)).toEqual({ items: [], nextCursor: null })
		expect(await page(`number=${encodeURIComponent('+4930100001')}`, guest)).toEqual({ items: [], nextCursor: null })
	})

	it.each(['limit=0', 'limit=201', 'limit=-1', 'limit=1.5', 'limit=ten', 'limit=', 'limit=1e2'])('with %s is 400', async (query) => {
		expect(await demo.get(`/call-history?${query}`)).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ field: 'limit' }] } })
	})

	const uuid = '9d5a3a0e-6d1b-4c0e-9a55-1d1f1c6f9b11'
	it.each<[string, string]>([
		['empty', ''],
		['no base64', '%%%'],
		['no JSON', Buffer.from('hello').toString('base64url')],
		['another shape', Buffer.from('{"createdAt":1}').toString('base64url')],
		['one value', Buffer.from(JSON.stringify(['2026-01-01T00:00:00.000Z'])).toString('base64url')],
		['no time', Buffer.from(JSON.stringify(['yesterday', uuid])).toString('base64url')],
		['a time before any database’s', Buffer.from(JSON.stringify(['-271821-04-20T00:00:00.000Z', uuid])).toString('base64url')],
		['a time of the year 0', Buffer.from(JSON.stringify(['0000-01-01T00:00:00.000Z', uuid])).toString('base64url')],
		['a time of another form', Buffer.from(JSON.stringify(['1', uuid])).toString('base64url')],
		['dashes for an id', Buffer.from(JSON.stringify(['2026-01-01T00:00:00.000Z', '-'.repeat(36)])).toString('base64url')],
		['SQL for an id', Buffer.from(JSON.stringify(['2026-01-01T00:00:00.000Z', '\' or 1=1 --'])).toString('base64url')],
		['numbers', Buffer.from('[1,2]').toString('base64url')],
		['401 characters', 'a'.repeat(401)],
	])('with a cursor of %s is 400 with the field’s name', async (_name, cursor) => {
		const answer = await demo.get<{ code: string, errors: { field: string }[] }>(`/call-history?cursor=${encodeURIComponent(cursor)}`)
		expect([answer.status, answer.body.code, answer.body.errors?.map(({ field }) => field)]).toEqual([400, 'invalid_request', ['cursor']])
	})
})

describe('a filter of the history', () => {
	it.each(['completed', 'busy', 'no_answer', 'rejected', 'failed'] as const)('for the outcome %s gives these calls and no others, page by page', async (outcome) => {
		const expected = placed.filter((call) => call.outcome === outcome)
		expect(expected.length).toBeGreaterThanOrEqual(CALLS / ENDINGS.length)
		expect(await allPages(`limit=4&outcome=${outcome}`)).toEqual(expected)
	})

	it('takes several statuses or outcomes with commas', async () => {
		expect(await allPages('outcome=busy,rejected&limit=200')).toEqual(placed.filter(({ outcome }) => outcome === 'busy' || outcome === 'rejected'))
		expect(await allPages('status=ended,connected&limit=200')).toEqual(placed)
		expect(await page('status=queued,calling_user,dialing,ringing,connected')).toEqual({ items: [], nextCursor: null })
		for (const query of ['outcome=', 'status=ended,', 'status=Ended', 'outcome=busy;rejected']) {
			expect((await demo.get(`/call-history?${query}`)).status).toBe(400)
		}
	})

	it('by direction gives all outbound calls and no inbound ones', async () => {
		expect(await allPages('direction=outbound&limit=200')).toEqual(placed)
		expect(await page('direction=inbound')).toEqual({ items: [], nextCursor: null })
	})

	it('by time has its beginning in it and its end not', async () => {
		const from = placed.at(30)?.createdAt ?? ''
		const to = placed.at(10)?.createdAt ?? ''
		const expected = placed.filter(({ createdAt }) => createdAt >= from && createdAt < to)
		expect(expected.length).toBeGreaterThan(5)
		expect(await allPages(`limit=3&from=${from}&to=${to}`)).toEqual(expected)
		const inKathmandu = `${new Date(Date.parse(from) + 5.75 * 3_600_000).toISOString().slice(0, -1)}+05:45`
		expect(await allPages(`from=${encodeURIComponent(inKathmandu)}&to=${to}`)).toEqual(expected)
		expect(await page(`from=${to}&to=${from}`)).toEqual({ items: [], nextCursor: null })
		for (const moment of ['0000-01-01T00:00:00Z', '2026-02-30T00:00:00Z', '2026-01-01', '9999-12-31T23:59:59-23:59']) {
			expect(await demo.get(`/call-history?from=${encodeURIComponent(moment)}`)).toMatchObject({ status: 400, body: { errors: [{ field: 'from' }] } })
		}
	})

	it.each(['+4930100001', '030 100001', '030/10 00 01', '+49 (0)30 100001', '0049 30 100001', 'tel:+49-30-100001', '٠٣٠١٠٠٠٠١'])('for the number %j finds the call, however it is spelt', async (number) => {
		const { items } = await page(`number=${encodeURIComponent(number)}`)
		expect(items).toEqual(placed.filter(({ to }) => to === '+4930100001'))
		expect(items).toHaveLength(1)
	})

	it('for a number takes whole numbers only, and says so by the field’s name', async () => {
		expect(await page(`number=${encodeURIComponent('+49301000011')}`)).toEqual({ items: [], nextCursor: null })
		for (const number of ['30', 'hello', '%', '+49', '1'.repeat(200)]) {
			expect(await demo.get(`/call-history?number=${encodeURIComponent(number)}`)).toMatchObject({ status: 422, body: { code: 'invalid_number', errors: [{ field: 'number' }] } })
		}
	})

	it('goes together with the others', async () => {
		const [wanted] = placed.filter(({ outcome }) => outcome === 'busy')
		const query = `outcome=busy&status=ended&direction=outbound&number=${encodeURIComponent(wanted?.to ?? '')}&from=${wanted?.createdAt}`
		expect(await page(query)).toEqual({ items: [wanted], nextCursor: null })
		expect(await page(query.replace('busy', 'rejected'))).toEqual({ items: [], nextCursor: null })
	})
})
