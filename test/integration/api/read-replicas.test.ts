// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a sidecar reads from a streaming replica of PostgreSQL, and what it does not. While the replica's replay is paused
// it has what the primary has lost: whoever sees that was answered by the replica.

import type { MetricsJson } from '../../../lib/http/routes/metrics.ts'
import type { CallJson } from '../../../lib/http/schemas.ts'
import type { ApiClient, Replica, TestApp } from '../../support/app.ts'
import type { ReplicatedDatabase } from '../../support/streaming-replica.ts'

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'
import { startReplicatedDatabase } from '../../support/streaming-replica.ts'

const TOKEN = 'a-token-of-the-collector-0123456789abcdef'
const NUMBERS = ['+4930123401', '+4930123501', '+4930123601', '+4930123701']

interface Page {
	items: CallJson[]
	nextCursor: string | null
}

let database: ReplicatedDatabase
let test: TestApp
let other: Replica
let demo: ApiClient
let guest: ApiClient

beforeAll(async () => {
	database = await startReplicatedDatabase()
	test = await startTestApp({
		// A call may last for 3,600 s, which is more than a minute here.
		freeSwitch: { speed: 50 },
		environment: { DATABASE_URL: database.primaryUrl, DATABASE_REPLICA_URLS: JSON.stringify([database.replicaUrl]) },
		// A replica may be paused, or slow, as long as a test lasts.
		overrides: { readReplicas: { lookMs: 50, mostLagMs: 3_600_000, silentMs: 3_600_000 }, replicas: { tickMs: 50 }, health: { freshMs: 0 } },
	})
	demo = await test.prepare({ maxConcurrentPerUser: 2, metricsToken: TOKEN })
	guest = test.as('guest')
	other = await test.startReplica()
})
beforeEach(async () => {
	await guest.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1001' }] })
	for (const client of [demo, guest]) {
		await client.request('POST', '/privacy/delete', { scope: 'calls', confirm: true })
		for (const to of NUMBERS) {
			await client.untilEnded((await client.call(to)).body.uuid)
		}
	}
	for (const client of [demo, guest, other.as('demo')]) {
		await expect.poll(() => isReadFromReplica(client)).toBe(true)
	}
})
afterEach(() => database.resume())
afterAll(async () => {
	await test.stop()
	await database.stop()
})

/** Whether what the client reads now as CSV is the replica's answer, as the replica itself says. */
async function isReadFromReplica(client: ApiClient): Promise<boolean> {
	const [before] = await database.queryReplica<{ at: string }>('select clock_timestamp()::text as at')
	await csv(client)
	const asked = await database.queryReplica(`select from pg_stat_activity where query_start > '${before?.at}' and query like '%"calls"%' and pid <> pg_backend_pid()`)
	return asked.length > 0
}

async function csv(client: ApiClient): Promise<string> {
	const { status, text } = await client.request('GET', '/call-history', undefined, { Accept: 'text/csv' })
	expect(status).toBe(200)
	return text
}

/** The newest call, and on the second page the others. */
async function pages(client: ApiClient): Promise<[Page, Page]> {
	const first = await client.get<Page>('/call-history?limit=1')
	const second = await client.get<Page>(`/call-history?cursor=${first.body.nextCursor}`)
	expect([first.status, second.status]).toEqual([200, 200])
	return [first.body, second.body]
}

const numbersOf = ({ items }: Page) => items.map(({ to }) => to)
const numbersIn = (text: string) => NUMBERS.filter((number) => text.includes(number))
const callTo = async (client: ApiClient, number: string) => (await client.get<Page>(`/call-history?number=${encodeURIComponent(number)}`)).body.items[0]
const metrics = async () => (await demo.get<MetricsJson>('/admin/metrics')).body

/** The value of a sample, by the line's beginning as it is written. */
async function sample(name: string): Promise<number | undefined> {
	const text = await (await fetch(`${test.url}/metrics`, { headers: { Authorization: `Bearer ${TOKEN}` } })).text()
	const line = text.split('\n').find((one) => one.startsWith(name))
	return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

const part = async () => (await demo.get<{ parts: { id: string, name?: string, code: string, state: string }[] }>('/admin/health')).body.parts.filter(({ id }) => id === 'read_replica')

describe('with a read replica', () => {
	it('pages beyond the first, CSV, sums and exports come from there; the first page and a call’s status do not', async () => {
		const [newest, second, , oldest] = await Promise.all([...NUMBERS].toReversed().map((number) => callTo(guest, number)))
		const { outcomes } = (await metrics()).totals
		await database.pause()
		await database.query(`update calls set outcome = 'failed' where uuid = '${second?.uuid}'`)
		await database.query(`delete from calls where uuid in ('${newest?.uuid}', '${oldest?.uuid}')`)
		const [first, further] = await pages(guest)
		expect(first.items).toMatchObject([{ to: NUMBERS[2], outcome: 'failed' }])
		expect(numbersOf(further)).toEqual([NUMBERS[1], NUMBERS[0]])
		expect(numbersIn(await csv(guest))).toEqual(NUMBERS)
		const exported = await guest.get<{ calls: { to: string, events: unknown[] }[] }>('/privacy/export')
		expect(exported.body.calls.map(({ to }) => to)).toEqual(NUMBERS.toReversed())
		expect(exported.body.calls[0]?.events.length).toBeGreaterThan(1)
		expect((await metrics()).totals.outcomes).toEqual(outcomes)
		expect((await guest.get(`/call-status/${newest?.uuid}`)).status).toBe(404)
	})

	it('the overview has the calls that go on now, though the replica does not', async () => {
		const { calls } = (await metrics()).totals
		await database.pause()
		const { body: { uuid } } = await demo.call('+4930123400')
		await demo.until(uuid, ({ status }) => status === 'connected')
		const { live, totals } = await metrics()
		expect(live).toMatchObject([{ uuid, status: 'connected' }])
		expect(totals.calls).toBe(calls)
		await demo.hangUp(uuid)
		await demo.untilEnded(uuid)
		expect((await metrics()).live).toEqual([])
	})

	it('a user sees what was changed in the own calls at once, and others go on reading there', async () => {
		const call = await callTo(demo, '+4930123401')
		await database.pause()
		expect((await demo.request('PUT', `/call/${call?.uuid}`, { note: 'Ask again' })).status).toBe(200)
		expect((await pages(demo))[1].items.at(-1)).toMatchObject({ uuid: call?.uuid, note: 'Ask again' })
		expect(await csv(demo)).toContain('Ask again')
		// The other server has heard of it.
		await expect.poll(() => csv(other.as('demo'))).toContain('Ask again')
		expect(await isReadFromReplica(guest)).toBe(true)
		expect(await isReadFromReplica(other.as('guest'))).toBe(true)
		await database.resume()
		await expect.poll(() => isReadFromReplica(demo)).toBe(true)
	})

	it('nobody sees what was erased, on any server', async () => {
		await database.pause()
		expect((await demo.request('POST', '/privacy/delete', { scope: 'number', number: NUMBERS[0], confirm: true })).status).toBe(200)
		expect(numbersIn(await csv(demo))).toEqual(NUMBERS.slice(1))
		await expect.poll(async () => numbersIn(await csv(other.as('demo')))).toEqual(NUMBERS.slice(1))
		// Rows that are deleted tell nothing by themselves.
		expect((await demo.request('POST', '/admin/privacy/delete', { userId: 'guest', confirm: true })).status).toBe(200)
		expect(numbersIn(await csv(guest))).toEqual([])
		await expect.poll(async () => numbersIn(await csv(other.as('guest')))).toEqual([])
	})

	it('the doctor and the metrics tell of it, and of one that is gone; then the primary answers, and nothing fails', async () => {
		const name = (await part())[0]?.name
		const { calls } = (await metrics()).totals
		expect(await part()).toMatchObject([{ name: expect.stringMatching(/:5432$/), code: 'read_replica_ok', state: 'ok' }])
		expect(await sample('sipcall_database_replica_up{')).toBe(1)
		expect(await sample('sipcall_database_replica_lag_seconds{')).toBe(0)
		await database.killReplica()
		try {
			expect((await pages(guest)).map(numbersOf)).toEqual([[NUMBERS[3]], [NUMBERS[2], NUMBERS[1], NUMBERS[0]]])
			expect(numbersIn(await csv(guest))).toEqual(NUMBERS)
			expect((await metrics()).totals.calls).toBe(calls)
			await expect.poll(part).toMatchObject([{ name, code: 'read_replica_away', state: 'degraded' }])
			expect(await sample('sipcall_database_replica_up{')).toBe(0)
			expect(await sample('sipcall_database_replica_lag_seconds{')).toBeUndefined()
			// Calling does not need it.
			expect((await demo.get<{ state: string }>('/admin/health')).body.state).not.toBe('down')
			await demo.untilEnded((await demo.call('+4930123401')).body.uuid)
		} finally {
			await database.startReplica()
		}
		await expect.poll(() => isReadFromReplica(guest)).toBe(true)
		expect(await part()).toMatchObject([{ name, code: 'read_replica_ok' }])
	})
})
