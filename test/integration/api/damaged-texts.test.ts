// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A row whose encrypted texts were damaged, moved, or lost their key: what stands beside it is shown, and it is followed,
// hung up and masked like any other.

import type { CallJson } from '../../../lib/http/schemas.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'

const NUMBERS = ['+4930123400', '+4930123500', '+4930123600'] as const

let test: TestApp
let demo: ApiClient
let skippedMs = 0

beforeAll(async () => {
	test = await startTestApp({
		freeSwitch: { speed: 1 },
		overrides: { sweepMs: 50, retentionMs: 100, health: { freshMs: 0 }, clock: { now: () => new Date(Date.now() + skippedMs) } },
	})
	demo = await test.prepare({ maxConcurrentPerUser: 5 })
})
afterEach(async () => {
	await demo.request('POST', '/privacy/delete', { scope: 'calls', confirm: true })
})
afterAll(() => test.stop())

async function history(): Promise<CallJson[]> {
	const { status, body } = await demo.get<{ items: CallJson[] }>('/call-history')
	expect(status).toBe(200)
	return body.items
}

/** A call that was answered, has a note and a tag, and goes on. */
async function connected(to: string): Promise<string> {
	const { body: { uuid } } = await demo.call(to)
	await demo.until(uuid, ({ status }) => status === 'connected')
	await demo.request('PUT', `/call/${uuid}`, { note: 'Ask again', tags: ['later'] })
	return uuid
}

async function ended(to: string): Promise<string> {
	const uuid = await connected(to)
	await demo.hangUp(uuid)
	await demo.untilEnded(uuid)
	return uuid
}

const DAMAGES: readonly [what: string, sql: (column: string) => string][] = [
	['a changed letter', (column) => `overlay(${column} placing case substr(${column}, 40, 1) when 'A' then 'B' else 'A' end from 40)`],
	['no base64', (column) => `overlay(${column} placing '!' from 30)`],
	['nothing but the key’s name', (column) => `left(${column}, 9)`],
	['the name of a key that nobody has', (column) => `'00000000' || substr(${column}, 9)`],
	['no key’s name', () => '\'?\''],
	['the text of another row', (column) => `(select ${column} from calls other where other.uuid <> calls.uuid and other.${column} is not null limit 1)`],
]

function damage(uuid: string, sql: (column: string) => string, columns = ['to_number', 'raw_to', 'device_label', 'note', 'tags']): Promise<unknown> {
	return test.database.query(`update calls set ${columns.map((column) => `${column} = ${sql(column)}`).join(', ')} where uuid = '${uuid}'`)
}

describe('a call in whose texts there is', () => {
	it.each(DAMAGES)('%s is shown without them, beside whole ones', async (_what, sql) => {
		const [, uuid] = [await ended(NUMBERS[0]), await ended(NUMBERS[1]), await ended(NUMBERS[2])]
		await damage(uuid, sql)
		const [last, damaged, first] = await history()
		expect([first, last]).toMatchObject([{ to: NUMBERS[0], note: 'Ask again', tags: ['later'] }, { to: NUMBERS[2] }])
		expect([first?.unreadable, last?.unreadable]).toEqual([undefined, undefined])
		expect(damaged).toMatchObject({ uuid, unreadable: true, to: '', device: { label: '' }, tags: [], status: 'ended', outcome: 'completed' })
		expect(damaged).not.toHaveProperty('note')
		expect(await demo.get(`/call-status/${uuid}`)).toMatchObject({ status: 200, body: { unreadable: true } })
		const csv = await demo.request('GET', '/call-history', undefined, { Accept: 'text/csv' })
		expect(NUMBERS.filter((number) => csv.text.includes(number))).toEqual([NUMBERS[0], NUMBERS[2]])
		const exported = await demo.get<{ calls: { to: string }[] }>('/privacy/export')
		expect(exported.body.calls.map(({ to }) => to).toSorted()).toEqual(['', NUMBERS[0], NUMBERS[2]])
	})
})

describe('a call with a damaged text', () => {
	const [[, letter] = ['', () => '']] = DAMAGES

	it('keeps the others: a number can be there without a note', async () => {
		const uuid = await ended(NUMBERS[0])
		await damage(uuid, letter, ['note'])
		const [call] = await history()
		expect(call).toMatchObject({ unreadable: true, to: NUMBERS[0], device: { label: 'Desk' }, tags: ['later'] })
		expect(call).not.toHaveProperty('note')
		expect((await demo.request('PUT', `/call/${uuid}`, { note: 'Once more' })).status).toBe(200)
		expect((await history())[0]).toMatchObject({ note: 'Once more' })
		expect((await history())[0]).not.toHaveProperty('unreadable')
	})

	it('that goes on is hung up, by this process and by the next, and keeps nobody from being followed', async () => {
		const [first, second, third] = [await connected(NUMBERS[0]), await connected(NUMBERS[1]), await connected(NUMBERS[2])]
		await damage(first, letter)
		await damage(second, letter)
		expect((await demo.hangUp(first)).status).toBe(202)
		expect(await demo.untilEnded(first)).toMatchObject({ outcome: 'completed', endedBy: 'user' })
		await test.restart()
		demo = test.as('demo')
		expect((await history()).map(({ status }) => status)).toEqual(['connected', 'connected', 'ended'])
		await demo.hangUp(second)
		await demo.hangUp(third)
		expect(await demo.untilEnded(second)).toMatchObject({ outcome: 'completed', endedBy: 'user', unreadable: true })
		expect(await demo.untilEnded(third)).toMatchObject({ outcome: 'completed', to: NUMBERS[2] })
	})

	it('is masked in its time, and those after it', async () => {
		const [first, second] = [await ended(NUMBERS[0]), await ended(NUMBERS[1])]
		await damage(first, letter)
		// Calls keep their number for 30 days.
		skippedMs = 31 * 24 * 60 * 60 * 1000
		try {
			await expect.poll(async () => (await history()).map(({ masked }) => masked)).toEqual([true, true])
			const calls = new Map((await history()).map((call) => [call.uuid, call]))
			expect(calls.get(first)).toMatchObject({ to: '••••' })
			expect(calls.get(second)).toMatchObject({ to: '+49 ••••00' })
		} finally {
			skippedMs = 0
		}
	})

	it('is told by the doctor and the log, once', async () => {
		const uuid = await ended(NUMBERS[0])
		const found = async () => (await demo.get<{ parts: { code: string, values?: { calls?: number } }[] }>('/admin/health')).body.parts.find(({ code }) => code === 'calls_unreadable')?.values?.calls ?? 0
		const before = await found()
		await damage(uuid, letter)
		await history()
		await history()
		expect(await found()).toBe(before + 1)
	})
})
