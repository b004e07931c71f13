// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ReplicaNews, ReplicaSessionOptions } from '../../../lib/db/replica-session.ts'
import type { TestDatabase } from '../../support/database.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { ReplicaSession } from '../../../lib/db/replica-session.ts'
import { createTestDatabase } from '../../support/database.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

let database: TestDatabase
const sessions: ReplicaSession[] = []

beforeAll(async () => {
	database = await createTestDatabase({ hasSchema: true })
})
afterEach(async () => {
	await Promise.all(sessions.splice(0).map((session) => session.stop()))
})
afterAll(() => database.drop())

interface Seen {
	session: ReplicaSession
	news: ReplicaNews[]
	/** Each change of a duty, such as `+events`. */
	duties: string[]
	ups: number
}

async function open(origin: string, duties: string[] = [], options: Partial<ReplicaSessionOptions> = {}): Promise<Seen> {
	const seen: Omit<Seen, 'session'> = { news: [], duties: [], ups: 0 }
	const session = new ReplicaSession({
		url: database.url,
		origin,
		onNews: (news) => seen.news.push(news),
		onUp: () => seen.ups++,
		logger: new RecordedLog(),
		tickMs: 20,
		...options,
	})
	duties.forEach((name) => session.take(name, (isOurs) => seen.duties.push(`${isOurs ? '+' : '-'}${name}`)))
	await session.start()
	sessions.push(session)
	return Object.assign(seen, { session })
}

async function connect(): Promise<Client> {
	const client = new Client({ connectionString: database.url })
	client.on('error', () => {})
	await client.connect()
	return client
}

describe('a replica’s session', () => {
	it('gives a duty to one replica alone, and to another as soon as that one has left', async () => {
		const first = await open('a', ['events'])
		const second = await open('b', ['events'])
		await vi.waitFor(() => expect([first.session.replicas, second.session.replicas]).toEqual([2, 2]))
		expect([first.session.has('events'), second.session.has('events')]).toEqual([true, false])

		await first.session.handOver()
		await vi.waitFor(() => expect(second.duties).toEqual(['+events']))
		expect(first.session.has('events')).toBe(false)
	})

	it('gives each of several duties, also one that is asked for later', async () => {
		const first = await open('a', ['one'])
		const second = await open('b', ['one', 'two'])
		first.session.take('two', (isOurs) => first.duties.push(`${isOurs ? '+' : '-'}two`))
		second.session.take('three', (isOurs) => second.duties.push(`${isOurs ? '+' : '-'}three`))
		await vi.waitFor(() => expect(second.duties).toEqual(['+two', '+three']))
		expect(first.duties).toEqual(['+one'])
	})

	it('tells a replica that was cut off that another has its duty now, and cuts that one off when it is silent', async () => {
		const seen = await open('a', ['events'], { silentMs: 1_000 })
		expect(seen.duties).toEqual(['+events'])
		// Waits for the lock, gets it at once, and is never heard of again.
		const other = await connect()
		const [lock] = await database.query<{ pid: number, classid: number, objid: number }>(`select pid, classid::int, objid::int from pg_locks
			where locktype = 'advisory' and mode = 'ExclusiveLock' and objid <> 0 and database = (select oid from pg_database where datname = current_database())`)
		const taken = other.query('select pg_advisory_lock($1::int, $2::int)', [lock?.classid, lock?.objid])
		await database.query(`select pg_terminate_backend(${lock?.pid})`)
		await taken
		await vi.waitFor(() => expect(seen.duties).toEqual(['+events', '-events']), 10_000)
		await vi.waitFor(() => expect(seen.duties).toEqual(['+events', '-events', '+events']), 10_000)
		expect(seen.ups).toBe(2)
		await expect(other.query('select 1')).rejects.toThrow()
	})

	it('leaves a duty to a replica that is alive, however long it has it', async () => {
		const first = await open('a', ['events'], { silentMs: 1_000 })
		const second = await open('b', ['events'], { silentMs: 1_000 })
		await delay(1_500)
		expect([first.duties, second.duties]).toEqual([['+events'], []])
		expect([first.ups, second.ups]).toEqual([1, 1])
	})

	it('keeps its duties while PostgreSQL cannot be reached: nobody else can have them then', async () => {
		const seen = await open('a', ['events'])
		await database.takeAway()
		await delay(500)
		expect(seen.session.has('events')).toBe(true)
		await database.bringBack()
		await vi.waitFor(() => expect(seen.ups).toBe(2), 10_000)
		expect(seen.duties).toEqual(['+events'])
	})

	it('leaves to another what it cannot do itself, and keeps it while it is alone', async () => {
		const first = await open('a', ['events'])
		first.session.setPossible('events', false)
		await delay(100)
		expect(first.session.has('events')).toBe(true)
		const second = await open('b', ['events'])
		await vi.waitFor(() => expect([first.duties, second.duties]).toEqual([['+events', '-events'], ['+events']]), 10_000)

		first.session.setPossible('events', true)
		second.session.setPossible('events', false)
		await vi.waitFor(() => expect([first.session.has('events'), second.session.has('events')]).toEqual([true, false]), 10_000)
	})

	it('leaves to nobody what no replica can do, until one can', async () => {
		const both = [await open('a', ['events']), await open('b', ['events'])] as const
		both.forEach(({ session }) => session.setPossible('events', false))
		await vi.waitFor(() => expect(both.map(({ session }) => session.has('events'))).toEqual([false, false]), 10_000)
		both[1].session.setPossible('events', true)
		await vi.waitFor(() => expect(both.map(({ session }) => session.has('events'))).toEqual([false, true]), 10_000)
	})

	it('keeps what it cannot do itself while PostgreSQL cannot be reached', async () => {
		const seen = await open('a', ['events'])
		await open('b', ['events'])
		await vi.waitFor(() => expect(seen.session.replicas).toBe(2), 10_000)
		await database.takeAway()
		await vi.waitFor(() => expect(seen.session.isUp).toBe(false), 10_000)
		seen.session.setPossible('events', false)
		await delay(300)
		expect(seen.session.has('events')).toBe(true)
		seen.session.setPossible('events', true)
		await database.bringBack()
	})

	it('sees what others show, and no more once they take it away or are gone', async () => {
		const [first, second, third] = [await open('a'), await open('b'), await open('c')]
		const unseenMs = ({ session }: Seen, name: string) => performance.now() - session.seenAt(name)
		first.session.show('hears one', true)
		second.session.show('hears one', true)
		second.session.show('hears two', true)
		await vi.waitFor(() => expect(Math.max(unseenMs(first, 'hears one'), unseenMs(first, 'hears two'), unseenMs(third, 'hears one'))).toBeLessThan(Infinity), 10_000)
		// Its own sign is no other's.
		expect(second.session.seenAt('hears two')).toBe(-Infinity)

		first.session.show('hears one', false)
		await second.session.stop()
		// Whoever looks each 20 ms would have seen it again meanwhile.
		await vi.waitFor(() => expect(Math.min(unseenMs(third, 'hears one'), unseenMs(third, 'hears two'))).toBeGreaterThan(500), 10_000)
	})

	it('shows again what it showed when its connection was lost', async () => {
		const [first, second] = [await open('a'), await open('b')]
		first.session.show('hears', true)
		await database.takeAway()
		await database.bringBack()
		const since = performance.now()
		await vi.waitFor(() => expect(second.session.seenAt('hears')).toBeGreaterThan(since), 20_000)
	})

	it('does something alone while others are kept from it', async () => {
		const [first, second] = [await open('a'), await open('b')]
		const { promise, resolve } = Promise.withResolvers<void>()
		const done = first.session.alone('spool', async () => {
			await promise
			return 'done'
		})
		await vi.waitFor(async () => expect(await database.query('select from pg_locks where locktype = \'advisory\' and mode = \'ExclusiveLock\' and database = (select oid from pg_database where datname = current_database())')).toHaveLength(1))
		expect(await second.session.alone('spool', async () => 'done as well')).toBeUndefined()
		resolve()
		expect(await done).toBe('done')
		expect(await second.session.alone('spool', async () => 'done later')).toBe('done later')
	})

	it('hears of what other connections store, and not of what its own replica does', async () => {
		const seen = await open('a')
		await database.query('select set_config(\'sipcall.origin\', \'a\', false); insert into app_state (enabled) values (true)')
		await database.query('select set_config(\'sipcall.origin\', \'b\', false); update app_state set enabled = false')
		await database.query('insert into settings (key, value, updated_at) values (\'homeCountry\', \'"DE"\', now())')
		await vi.waitFor(() => expect(seen.news).toMatchObject([{ of: 'enabled', origin: 'b' }, { of: 'settings' }]))
	})
})
