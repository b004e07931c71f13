// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Which server answers, of a real primary and its streaming replica.

import type { MikroORM } from '@mikro-orm/postgresql'
import type { Server, Socket } from 'node:net'
import type { ReplicatedDatabase } from '../../support/streaming-replica.ts'

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { runBound } from '../../../lib/db/bound-query.ts'
import { ConnectionKeys } from '../../../lib/db/connection-keys.ts'
import { migrate, openDatabase } from '../../../lib/db/orm.ts'
import { ReadReplicas } from '../../../lib/db/read-replicas.ts'
import { SipCallError } from '../../../lib/errors.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { RecordedLog } from '../../support/recorded-log.ts'
import { startReplicatedDatabase } from '../../support/streaming-replica.ts'

/** Longer than any test. */
const FOR_EVER_MS = 3_600_000

let database: ReplicatedDatabase
let keys: KeyRing
let connectionKeys: ConnectionKeys
let orm: MikroORM
let log: RecordedLog
let replicas: ReadReplicas | undefined

beforeAll(async () => {
	database = await startReplicatedDatabase()
	keys = new KeyRing([randomBytes(32)])
	connectionKeys = new ConnectionKeys(keys)
	orm = await openDatabase({ url: database.primaryUrl, keys, connectionKeys, logger: new RecordedLog() })
	await migrate(orm, keys)
})
afterEach(async () => {
	await replicas?.stop()
	await database.resume()
})
afterAll(async () => {
	await orm.close(true)
	await database.stop()
})

async function open({ url = database.replicaUrl, mostLagMs = FOR_EVER_MS, silentMs = FOR_EVER_MS } = {}): Promise<ReadReplicas> {
	log = new RecordedLog()
	replicas = await ReadReplicas.open({ primary: orm, primaryUrl: database.primaryUrl, urls: [url], keys, connectionKeys, logger: log, lookMs: 20, mostLagMs, silentMs })
	return replicas
}

const who = async (all: ReadReplicas, userId?: string) => all.read(async (server) => (await runBound<{ who: string }>(server.em.fork(), 'select case when pg_is_in_recovery() then \'replica\' else \'primary\' end as who'))[0]?.who, userId)
const stateOf = (all: ReadReplicas) => all.figures()[0]?.state

/** The log of the primary goes on, so that whoever stays is behind. */
const write = () => database.query('create table if not exists written (at timestamptz); insert into written values (now())')

/** Open, and read from. */
async function inUse(options?: Parameters<typeof open>[0]): Promise<ReadReplicas> {
	const all = await open(options)
	await expect.poll(() => who(all)).toBe('replica')
	return all
}

describe('a read replica', () => {
	it('is read from once it was looked at, and is then not behind', async () => {
		const all = await open()
		expect(await who(all)).toBe('primary')
		await expect.poll(() => who(all)).toBe('replica')
		await expect.poll(() => all.figures()).toEqual([{ name: expect.stringMatching(/replica\.socket:5432$|sipcall-\w+:5432$/), state: 'up', lagSec: 0 }])
	})

	it('that is too far behind is not read from, until it has caught up', async () => {
		const all = await inUse({ mostLagMs: 4_000 })
		await database.pause()
		await write()
		await expect.poll(() => who(all)).toBe('primary')
		expect(stateOf(all)).toBe('late')
		await database.resume()
		await expect.poll(() => who(all)).toBe('replica')
	})

	it('that is killed fails nobody, and is read from again when it is back', async () => {
		const all = await inUse()
		await database.killReplica()
		// A process of its own may still answer for a moment. None of those who ask gets an error.
		for (let answer = await who(all); answer !== 'primary'; answer = await who(all)) {
			expect(answer).toBe('replica')
		}
		expect(all.figures()).toMatchObject([{ state: 'away' }])
		await database.startReplica()
		await expect.poll(() => who(all)).toBe('replica')
		const told = log.lines.filter(({ level }) => level === 'warn' || level === 'info').map(({ level, fields }) => [level, fields.state])
		expect(told).toEqual([['info', undefined], ['warn', 'away'], ['info', undefined]])
	})

	it('that hangs in the middle of an answer is given up, and keeps no connection', async () => {
		const proxy = await startProxy(database.replicaUrl)
		try {
			const all = await inUse({ url: proxy.url, silentMs: 3_000 })
			const begun = Promise.withResolvers<void>()
			let tries = 0
			const answer = all.read(async (server) => server.em.fork().transactional(async (em) => {
				const [row] = await runBound<{ is_replica: boolean }>(em, 'select pg_is_in_recovery() as is_replica')
				if (++tries === 1) {
					proxy.hold()
					begun.resolve()
				}
				await runBound(em, 'select 1')
				return row?.is_replica
			}))
			await begun.promise
			expect(await answer).toBe(false)
			expect(tries).toBe(2)
			expect(await who(all)).toBe('primary')
			// Whoever changes the keys waits for every connection that is in use.
			keys.activate(keys.add(randomBytes(32)))
			await connectionKeys.settled()
			proxy.release()
			await expect.poll(() => who(all)).toBe('replica')
		} finally {
			proxy.stop()
		}
	})

	it('that is none, but the primary itself, is not taken for one', async () => {
		const all = await open({ url: database.primaryUrl })
		await expect.poll(() => stateOf(all)).toBe('foreign')
	})

	it('that has another database is not taken for one, and gets no key', async () => {
		await database.query('create database other')
		await database.caughtUp()
		const all = await open({ url: database.replicaUrl.replace(/[^/]+$/, 'other') })
		await expect.poll(() => stateOf(all)).toBe('foreign')
		expect(await who(all)).toBe('primary')
		expect(await database.queryReplica('select application_name from pg_stat_activity where datname = \'other\'')).toEqual([{ application_name: 'sipcall watch' }])
	})

	it('is not asked for what was changed before it has it: by a user, or for everybody', async () => {
		const all = await inUse()
		await database.pause()
		all.noteChange('demo')
		await write()
		expect(await who(all, 'demo')).toBe('primary')
		expect(await who(all, 'guest')).toBe('replica')
		all.noteChange()
		expect(await who(all, 'guest')).toBe('primary')
		expect(await who(all)).toBe('primary')
		await database.resume()
		await expect.poll(() => who(all, 'demo')).toBe('replica')
	})

	it('that cannot answer, for it has not what the primary has, leaves it to that', async () => {
		const all = await inUse()
		await database.pause()
		await database.query('create table newer as select 7 as value')
		expect(await all.read((server) => runBound(server.em.fork(), 'select value from newer'))).toEqual([{ value: 7 }])
		expect(stateOf(all)).toBe('up')
		await expect(all.read((server) => runBound(server.em.fork(), 'select value from nowhere'))).rejects.toMatchObject({ code: '42P01' })
	})

	it('is not blamed for what the reader has asked wrongly', async () => {
		const all = await inUse()
		let tries = 0
		await expect(all.read(async () => {
			tries++
			throw new SipCallError('invalid_request', 'Unknown cursor')
		})).rejects.toMatchObject({ code: 'invalid_request' })
		expect(tries).toBe(1)
		expect(stateOf(all)).toBe('up')
	})

	it('knows the keys, also after a change of them on connections that were used before', async () => {
		const all = await inUse()
		const read = async (text: string) => all.read(async (server) => (await runBound<{ is_replica: boolean, plain: string }>(server.em.fork(), 'select pg_is_in_recovery() as is_replica, sipcall_decrypt($1) as plain', [text]))[0])
		const encrypt = async () => (await runBound<{ text: string }>(orm.em.fork(), 'select sipcall_encrypt(\'x\') as text'))[0]?.text ?? ''
		const before = await encrypt()
		expect(await read(before)).toEqual({ is_replica: true, plain: 'x' })
		const kid = keys.add(randomBytes(32))
		keys.activate(kid)
		const after = await encrypt()
		expect(after.slice(0, 8)).toBe(kid)
		expect(await read(after)).toEqual({ is_replica: true, plain: 'x' })
		expect(await read(before)).toEqual({ is_replica: true, plain: 'x' })
	})

	it('shows its password nowhere', async () => {
		const all = await inUse({ url: database.replicaUrl.replace('//sipcall@', '//sipcall:hunter2@') })
		await database.killReplica()
		await expect.poll(() => stateOf(all)).toBe('away')
		await database.startReplica()
		expect(JSON.stringify([log.lines, all.figures(), all.inquiries()])).not.toContain('hunter2')
		expect(log.lines.length).toBeGreaterThan(0)
	})
})

it('no change passes a connection that was opened for reading, even to a primary', async () => {
	const readOnly = await openDatabase({ url: database.primaryUrl, keys, logger: new RecordedLog(), isReadOnly: true })
	try {
		expect(await runBound(readOnly.em.fork(), 'select enabled from app_state')).toEqual([])
		await expect(runBound(readOnly.em.fork(), 'insert into app_state (enabled) values (true)')).rejects.toMatchObject({ cause: { code: '25006' } })
		await expect(readOnly.em.fork().transactional((em) => runBound(em, 'insert into app_state (enabled) values (true)'))).rejects.toMatchObject({ cause: { code: '25006' } })
	} finally {
		await readOnly.close(true)
	}
	expect(await database.query('select enabled from app_state')).toEqual([])
})

/** A way to a server on which nothing arrives any more, though nobody hangs up. */
async function startProxy(url: string): Promise<{ url: string, hold: () => void, release: () => void, stop: () => void }> {
	const [, folder = ''] = /@([^:/]+):/.exec(url) ?? []
	const sockets = new Set<Socket>()
	let isHeld = false
	const server: Server = createServer((client) => {
		const target = connect(`${decodeURIComponent(folder)}/.s.PGSQL.5432`)
		for (const [from, to] of [[client, target], [target, client]] as const) {
			sockets.add(from)
			from.on('error', () => {})
			from.on('data', (chunk: Buffer) => to.write(chunk))
			from.on('close', () => {
				sockets.delete(from)
				to.destroy()
			})
			if (isHeld) {
				from.pause()
			}
		}
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	const address = server.address()
	const port = typeof address === 'object' ? address?.port : undefined
	return {
		url: url.replace(`${folder}:5432`, `127.0.0.1:${port}`),
		hold: () => {
			isHeld = true
			sockets.forEach((socket) => socket.pause())
		},
		release: () => {
			isHeld = false
			sockets.forEach((socket) => socket.resume())
		},
		stop: () => {
			sockets.forEach((socket) => socket.destroy())
			server.close()
		},
	}
}
