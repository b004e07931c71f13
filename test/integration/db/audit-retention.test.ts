// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Old entries leave the audit log in whole signed ranges, and in no other way.

import type { MikroORM } from '@mikro-orm/postgresql'
import type { TestDatabase } from '../../support/database.ts'

import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startAudit } from '../../../lib/audit.ts'
import { openDatabase } from '../../../lib/db/orm.ts'
import { AuditRetentionRepository } from '../../../lib/db/repositories/audit-retention-repository.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { Releasers } from '../../../lib/startup.ts'
import { createTestDatabase } from '../../support/database.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const FIRST = Date.parse('2026-03-01T00:00:00Z')
const keys = new KeyRing([randomBytes(32)])

let database: TestDatabase
let orm: MikroORM
let volume: string
let now: Date
let releasers: Releasers
let audit: ReturnType<typeof startAudit>
let store: AuditRetentionRepository
let logger: RecordedLog

beforeEach(async () => {
	database = await createTestDatabase({ hasSchema: true })
	volume = await mkdtemp(path.join(tmpdir(), 'sipcall-audit-'))
	logger = new RecordedLog()
	orm = await openDatabase({ url: database.url, keys, logger, poolSize: 3 })
	releasers = new Releasers(logger)
	audit = startAudit({ orm, keys, volume, clock: { now: () => now }, logger }, releasers)
	store = new AuditRetentionRepository({ orm, keys, log: audit.log })
})

afterEach(async () => {
	await releasers.run()
	await orm.close(true)
	await database.drop()
	await rm(volume, { recursive: true, force: true })
})

/** The n-th day, noon. */
function day(count: number): Date {
	return new Date(FIRST + count * DAY_MS + DAY_MS / 2)
}

async function append(count: number, entries = 1): Promise<void> {
	for (let index = 0; index < entries; index++) {
		await audit.log.append({ at: day(count), actor: { kind: 'admin', userId: 'demo' }, action: 'user.changed', targetUserId: 'guest', detail: { count, index } })
	}
}

async function check() {
	const steps = audit.check()
	for (;;) {
		const { done, value } = await steps.next()
		if (done === true) {
			return value
		}
	}
}

const seqs = async () => (await database.query<{ seq: string }>('select seq from audit_log order by audit_log.seq')).map(({ seq }) => Number(seq))

async function run(auditDays: number, at: Date): Promise<void> {
	now = at
	await audit.retention.run(auditDays)
}

describe('entries of the audit log that are old enough', () => {
	it('go with all of their day, are told of by an entry, and the rest is still proven', async () => {
		await append(0, 3)
		await append(1, 2)
		await append(2, 2)
		await run(10, day(10))
		// The youngest of the first day is not yet ten days old at that very moment, to the millisecond.
		expect(await seqs()).toEqual([4, 5, 6, 7, 8])
		expect((await audit.log.page({ limit: 1 })).items[0]).toMatchObject({ actor: { kind: 'system' }, action: 'audit.dropped', detail: { from: 1, to: 3, entries: 3, auditDays: 10 } })
		expect(await check()).toEqual({ entries: 8, hash: expect.any(String), dropped: { seq: 3, droppedAt: day(10), auditDays: 10 } })
		await run(10, new Date(day(11).getTime() - 1))
		expect(await seqs()).toEqual([4, 5, 6, 7, 8])
		await run(10, day(12))
		// Both days at once, and one entry for it.
		expect(await seqs()).toEqual([8, 9])
		expect(await check()).toMatchObject({ entries: 9, dropped: { seq: 7, droppedAt: day(12) } })
		expect((await check()).broken).toBeUndefined()
		await append(12)
		expect(await check()).toMatchObject({ entries: 10 })
	})

	it('stay while their day goes on, whatever the setting, and are counted before', async () => {
		await append(0, 2)
		await append(1, 3)
		await run(0, day(1))
		expect(await seqs()).toEqual([3, 4, 5, 6])
		expect(await store.count(0, day(1))).toEqual({ next: 0, kept: 4 })
		// Signed, and kept for longer.
		await run(30, day(2))
		expect(await seqs()).toEqual([3, 4, 5, 6])
		expect([await store.count(30, day(2)), await store.count(0, day(2)), await store.count(30, day(40))]).toEqual([{ next: 0, kept: 4 }, { next: 4, kept: 4 }, { next: 4, kept: 4 }])
		await run(0, day(2))
		// Only that it was done; and no run after it does anything before the day is over.
		expect(await seqs()).toEqual([7])
		await run(0, day(2))
		expect(await seqs()).toEqual([7])
	})

	it('are dropped as a whole or not at all, and the next run goes on where that one was cut off', async () => {
		await append(0, 3)
		await append(1, 2)
		await database.query('alter table audit_log add constraint cut_off check (action <> \'audit.dropped\')')
		await expect(run(5, day(30))).rejects.toThrow('cut_off')
		expect([await seqs(), await database.query('select from audit_beginning')]).toEqual([[1, 2, 3, 4, 5], []])
		expect(await check()).toEqual({ entries: 5, hash: expect.any(String) })
		await database.query('alter table audit_log drop constraint cut_off')
		await run(5, day(30))
		expect(await seqs()).toEqual([6])
		expect((await check()).broken).toBeUndefined()
	})

	it('stay when they are not in order: what shows who did it is not cleared away', async () => {
		await append(0, 3)
		await append(1, 2)
		await run(1000, day(2))
		await database.query('grant update on audit_log to current_user; alter table audit_log disable trigger user; update audit_log set action = \'user.locked\' where seq = 2; alter table audit_log enable trigger user')
		await run(5, day(30))
		await run(5, day(31))
		expect(await seqs()).toEqual([1, 2, 3, 4, 5])
		expect((await check()).broken).toMatchObject({ seq: 2 })
		expect(logger.lines.filter(({ level }) => level === 'error')).toMatchObject([{ message: 'The audit log is broken', fields: { entry: 2 } }])
	})

	it('stay when somebody has made the checkpoint older than it is', async () => {
		await append(0, 3)
		await run(1000, day(2))
		await database.query('grant update on audit_checkpoints to current_user; alter table audit_checkpoints disable trigger user; update audit_checkpoints set at = \'2020-01-01\'; alter table audit_checkpoints enable trigger user')
		await run(100, day(3))
		expect(await seqs()).toEqual([1, 2, 3])
		expect((await check()).broken).toMatchObject({ seq: 3, why: 'The checkpoint at it was changed or put in.' })
	})

	it('are signed a thousand at a time on a busy day, and dropped ten thousand at a time', async () => {
		await orm.em.fork().transactional(async (em) => {
			for (let index = 0; index < 1_005; index++) {
				await audit.log.append({ at: day(0), actor: { kind: 'system' }, action: 'call.refused', detail: {} }, em)
			}
		})
		now = day(0)
		expect([await store.signSome(now), await store.signSome(now)]).toMatchObject([{ entries: 1_000, end: { seq: 1_000 } }, { entries: 0 }])
		expect(await store.signSome(day(1))).toMatchObject({ entries: 5, end: { seq: 1_005 } })
		expect(await store.dropSome(1, day(2))).toEqual({ entries: 1_005 })
		expect(await seqs()).toEqual([1_006])
	})
})

describe('the database', () => {
	beforeEach(async () => {
		await append(0, 3)
		await append(1, 3)
		await append(2, 3)
		await run(8, new Date(day(9).getTime() - 1))
		expect(await seqs()).toEqual([4, 5, 6, 7, 8, 9, 10])
	})

	// Day 0 was dropped, days 1 and 2 have checkpoints at entries 6 and 9. By the role that SIPCall itself uses.
	it('lets nobody take away or change anything else: no entry, no mark, no part of a range', async () => {
		const refused = [
			'delete from audit_log where seq = 4',
			'delete from audit_log where seq <= 6',
			'delete from audit_log where seq = 10',
			'delete from audit_log',
			'truncate audit_log',
			'update audit_log set action = action',
			'delete from audit_head',
			'delete from audit_beginning',
			'truncate audit_beginning',
			'delete from audit_checkpoints where seq = 9',
			'truncate audit_checkpoints',
			'update audit_checkpoints set at = now()',
			// With the delete that would belong to it, so that nothing but the one condition is left to refuse.
			'update audit_beginning set seq = 5, audit_days = 0; delete from audit_log where seq <= 5',
			'update audit_beginning set seq = 6, audit_days = 0; delete from audit_log where seq <= 6',
			'update audit_beginning as b set seq = c.seq, hash = c.hash from audit_checkpoints as c where c.seq = 9; delete from audit_log where seq <= 9',
			'update audit_beginning set seq = 3, audit_days = 0',
			'update audit_beginning as b set seq = c.seq, hash = c.hash, audit_days = 0 from audit_checkpoints as c where c.seq = 6',
			'update audit_beginning as b set seq = c.seq, hash = c.hash, audit_days = 0 from audit_checkpoints as c where c.seq = 6; delete from audit_log where seq <= 5',
			'update audit_beginning as b set seq = c.seq, hash = c.hash, audit_days = 0 from audit_checkpoints as c where c.seq = 6; delete from audit_log where seq <= 7',
		]
		for (const statement of refused) {
			await expect(database.query(statement), statement).rejects.toMatchObject({ code: '42501' })
			expect([await seqs(), await database.query('select from audit_checkpoints')], statement).toEqual([[4, 5, 6, 7, 8, 9, 10], [{}, {}, {}]])
		}
		expect(await check()).toEqual({ entries: 10, hash: expect.any(String), dropped: { seq: 3, droppedAt: expect.any(Date), auditDays: 8 } })
	})

	it('cannot be made to begin later by whoever writes past it without the key: then the check says so', async () => {
		await database.query('update audit_beginning as b set seq = c.seq, hash = c.hash, audit_days = 0 from audit_checkpoints as c where c.seq = 6; delete from audit_log where seq <= 6')
		expect((await check()).broken).toEqual({ seq: 7, why: 'The mark of the log’s beginning was changed: entries may be missing in front of it.' })
	})
})

describe('the note of the log’s end on the volume', () => {
	const file = () => path.join(volume, 'audit.anchor')
	const errors = () => logger.lines.filter(({ level }) => level === 'error').length

	/** As somebody would who can write to the database and has kept a copy of it. */
	async function putBack(seq: number, head: Record<string, unknown> | undefined): Promise<void> {
		await database.query(`alter table audit_log disable trigger user; delete from audit_log where seq > ${seq}; alter table audit_log enable trigger user;
			update audit_head set seq = ${head?.seq}, hash = '${head?.hash}', kid = '${head?.kid}', seal = '${head?.seal}'`)
	}

	it('is its owner’s alone, moves on with the log, and leaves no draft behind', async () => {
		await run(730, day(0))
		expect(await readdir(volume)).toEqual([])
		await append(0, 2)
		await run(730, day(0))
		expect(await readFile(file(), 'utf8')).toMatch(/^2 [0-9a-f]{64} [0-9a-f]{8} [0-9a-f]{64}\n$/)
		expect((await stat(file())).mode & 0o777).toBe(0o600)
		await append(1)
		await run(730, day(1))
		expect(await readFile(file(), 'utf8')).toMatch(/^3 /)
		expect(await readdir(volume)).toEqual(['audit.anchor'])
		expect((await check()).broken).toBeUndefined()
		// The first day is over, and its checkpoint is in the server's own log.
		expect(logger.lines).toMatchObject([{ level: 'info', message: 'The audit log is in order so far', fields: { entry: 2, seal: (await audit.log.hashOf(2))?.slice(0, 16) } }])
	})

	it('shows that the database was put back to how it was, with all of its marks, and is not overwritten', async () => {
		await append(0, 2)
		const earlier = await audit.log.head()
		await append(0, 3)
		await run(730, day(0))
		await putBack(2, { ...earlier })
		expect((await check()).broken).toEqual({ seq: 3, why: 'It is missing, with all that followed: outside of the database it is noted that the log went on to entry 5.' })
		await run(730, day(0))
		await run(730, day(0))
		expect([errors(), await readFile(file(), 'utf8')]).toEqual([1, expect.stringMatching(/^5 /)])
		// Longer than ever.
		await append(1, 6)
		await run(730, day(1))
		expect(await readFile(file(), 'utf8')).toMatch(/^5 /)
		expect((await check()).broken).toMatchObject({ seq: 5, why: expect.stringContaining('put back') })
		// An administrator who has put it back herself says so by taking the note away.
		await rm(file())
		await run(730, day(1))
		expect((await check()).broken).toBeUndefined()
	})

	it('that was changed, or cannot be read, is no proof, and is told', async () => {
		await append(0, 2)
		await run(730, day(0))
		const good = await readFile(file(), 'utf8')
		for (const text of [good.replace(/^2/, '1'), good.slice(0, 50), '']) {
			await writeFile(file(), text)
			expect((await check()).broken).toMatchObject({ seq: 3, why: expect.stringContaining('cannot be read') })
			await run(730, day(0))
			expect(await readFile(file(), 'utf8')).toBe(text)
		}
		await writeFile(file(), good)
		expect((await check()).broken).toBeUndefined()
	})

	it('goes on from one that was dropped since', async () => {
		await append(0, 2)
		await run(730, day(0))
		await append(1, 2)
		now = day(9)
		await store.signSome(now)
		await store.signSome(now)
		await store.dropSome(1, now)
		await run(1, now)
		expect(await readFile(file(), 'utf8')).toMatch(/^5 /)
		expect([errors(), (await check()).broken]).toEqual([0, undefined])
	})

	it('is missed with a warning, once, and never keeps the log from being cut', async () => {
		await rm(volume, { recursive: true })
		await append(0, 2)
		await run(1, day(9))
		await run(1, day(9))
		expect(logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
		expect(await seqs()).toEqual([3])
	})
})
