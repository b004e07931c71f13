// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'
import type { AuditEntry } from '../../../lib/privacy/audit.ts'
import type { TestDatabase } from '../../support/database.ts'

import { randomBytes, randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { migrate, openDatabase } from '../../../lib/db/orm.ts'
import { AuditRepository } from '../../../lib/db/repositories/audit-repository.ts'
import { ErasureRepository } from '../../../lib/db/repositories/erasure-repository.ts'
import { JournalRepository } from '../../../lib/db/repositories/journal-repository.ts'
import { checkAuditLog } from '../../../lib/privacy/audit.ts'
import { JournalFile } from '../../../lib/privacy/journal-file.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { createTestDatabase } from '../../support/database.ts'
import { keptLog } from '../../support/kept-log.ts'

const logger = keptLog()
const keys = new KeyRing([randomBytes(32)])

let database: TestDatabase
let orms: MikroORM[]
let log: AuditRepository

beforeEach(async () => {
	database = await createTestDatabase()
	orms = []
	log = await anotherSidecar()
})

afterEach(async () => {
	await Promise.all(orms.map((orm) => orm.close(true)))
	await database.drop()
})

async function anotherSidecar(): Promise<AuditRepository> {
	const orm = await openDatabase({ url: database.url, keys, logger, poolSize: 5 })
	orms.push(orm)
	await migrate(orm, keys)
	return new AuditRepository({ orm, keys })
}

function entry(change: Partial<AuditEntry> = {}): AuditEntry {
	return { at: new Date('2026-11-24T09:00:00.123Z'), actor: { kind: 'admin', userId: 'demo' }, action: 'user.changed', targetUserId: 'guest', detail: { limits: { old: { b: 1, a: 2 }, new: {} } }, ...change }
}

async function purge(userId: string): Promise<void> {
	const orm = orms[0] as MikroORM
	const journal = new JournalRepository({ orm, keys, audit: log, file: new JournalFile(database.volume), now: () => new Date(), logger })
	const store = new ErasureRepository({ orm, keys, audit: log, journal })
	const [id, wish] = [randomUUID(), { target: { scope: 'all', userId }, actor: { kind: 'console' } } as const]
	await store.begin(id, wish, new Date())
	await store.finish(id, wish, new Date())
}

async function check() {
	const steps = checkAuditLog({ after: (seq) => log.after(seq), checkpoints: (after, upTo) => log.checkpoints(after, upTo), beginning: () => log.beginning(), head: () => log.head(), noted: async () => undefined }, (kid, text) => keys.auditMac(kid, text))
	for (;;) {
		const { done, value } = await steps.next()
		if (done === true) {
			return value
		}
	}
}

/** As somebody would who owns the database. */
async function tamper(statement: string): Promise<void> {
	await database.query(`grant update on audit_log to current_user; alter table audit_log disable trigger user; ${statement}; alter table audit_log enable trigger user`)
}

describe('the audit log in the database', () => {
	it('gives back what was put in, and people by name', async () => {
		await log.append(entry())
		await log.append(entry({ actor: { kind: 'system' }, action: 'audit.lost', detail: { when: new Date(0), text: 'a\0\uD800', none: undefined } }))
		const { items, nextCursor } = await log.page({ limit: 10 })
		expect(nextCursor).toBeUndefined()
		expect(items).toMatchObject([
			{ seq: 2, actor: { kind: 'system', ref: undefined, id: undefined }, target: { id: 'guest' }, detail: { when: '1970-01-01T00:00:00.000Z', text: 'a\uFFFD' } },
			{ seq: 1, at: entry().at, actor: { kind: 'admin', id: 'demo' }, target: { id: 'guest' }, detail: { limits: { old: { a: 2, b: 1 }, new: {} } } },
		])
		expect(items[0]?.target?.ref).toBe(items[1]?.target?.ref)
		expect(await check()).toMatchObject({ entries: 2 })
	})

	it('takes nothing back: neither update, nor delete, nor truncate', async () => {
		await log.append(entry())
		for (const statement of ['update audit_log set actor = null', 'delete from audit_log', 'truncate audit_log', 'delete from audit_head', 'truncate audit_head']) {
			await expect(database.query(statement)).rejects.toMatchObject({ code: '42501' })
		}
		expect(await check()).toMatchObject({ entries: 1 })
	})

	it('is one chain, however many sidecars add at once', async () => {
		const others = [log, await anotherSidecar(), await anotherSidecar()]
		await Promise.all(Array.from({ length: 90 }, (_, index) => others[index % 3]?.append(entry({ actor: { kind: 'user', userId: `user${index % 7}` }, detail: { index } }))))
		const result = await check()
		expect(result).toMatchObject({ entries: 90 })
		expect(result.broken).toBeUndefined()
		expect(new Set((await log.page({ limit: 200 })).items.map(({ detail }) => detail.index)).size).toBe(90)
	})

	it.each([
		['an altered entry', 'update audit_log set detail = \'{}\' where seq = 2', 2],
		['another time', 'update audit_log set at = at + interval \'1 ms\' where seq = 3', 3],
		['a deleted entry', 'delete from audit_log where seq = 2', 2],
		['a deleted end', 'delete from audit_log where seq >= 3', 3],
		['two entries that changed places', 'update audit_log set seq = 9 where seq = 1; update audit_log set seq = 1 where seq = 2; update audit_log set seq = 2 where seq = 9', 1],
		['an entry that was put in', 'insert into audit_log select 5, at, actor_kind, actor, action, target, detail, kid, hash from audit_log where seq = 4', 5],
	])('shows %s, also after more entries', async (_what, statement, seq) => {
		for (let count = 0; count < 4; count++) {
			await log.append(entry({ detail: { count } }))
		}
		await tamper(statement)
		expect((await check()).broken).toMatchObject({ seq })
		// An entry that was put in behind the end takes the number of the next one, which then is refused.
		await log.append(entry()).catch(() => {})
		expect((await check()).broken).toMatchObject({ seq })
	})

	it('forgets who a user was, all at once with the user’s data, and stays in order', async () => {
		await log.append(entry())
		await purge('guest')
		const { items } = await log.page({ limit: 10 })
		expect(items.map(({ action, target }) => [action, target?.id])).toEqual([['user.purged', undefined], ['user.changed', undefined]])
		expect(items[0]?.target?.ref).toBe(items[1]?.target?.ref)
		expect(await database.query('select user_id from audit_subjects')).toEqual([{ user_id: 'demo' }])
		expect(await check()).toEqual({ entries: 2, hash: expect.any(String) })
		// Whoever comes back is somebody new.
		await log.append(entry())
		expect((await log.page({ limit: 1 })).items[0]?.target?.ref).not.toBe(items[0]?.target?.ref)
	})

	it('erases nobody whose erasure cannot be written down', async () => {
		await log.append(entry())
		await database.query('alter table audit_log add constraint full_disk check (action <> \'user.purged\')')
		await expect(purge('guest')).rejects.toThrow('full_disk')
		expect(await database.query('select user_id from audit_subjects order by 1')).toEqual([{ user_id: 'demo' }, { user_id: 'guest' }])
	})

	it('finds what somebody did, or what was done to her, by the id, and by the reference also when nobody knows the id any more', async () => {
		await log.append(entry({ actor: { kind: 'admin', userId: 'demo' }, targetUserId: 'guest' }))
		await log.append(entry({ actor: { kind: 'user', userId: 'guest' }, targetUserId: 'guest' }))
		await log.append(entry({ actor: { kind: 'system' }, targetUserId: 'demo' }))
		await log.append({ at: new Date(), actor: { kind: 'user', userId: 'cafe' }, action: 'call.refused', detail: {} })
		const seqs = async (query: object) => (await log.page({ limit: 100, ...query })).items.map(({ seq }) => seq)
		const [demo, guest] = await Promise.all(['demo', 'guest'].map((id) => log.referencesOf(id)))
		expect(guest).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)])
		expect([await seqs({ actor: demo }), await seqs({ target: demo }), await seqs({ actor: guest }), await seqs({ target: guest })]).toEqual([[1], [3], [2], [2, 1]])
		expect(await seqs({ actor: demo, target: guest })).toEqual([1])
		const shown = guest?.[0]?.slice(0, 8) ?? ''
		expect([await seqs({ target: await log.referencesOf(shown) }), await seqs({ actor: await log.referencesOf(shown) })]).toEqual([[2, 1], [2]])
		// An id that might be the beginning of a reference is both.
		expect(await log.referencesOf('cafe')).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), 'cafe'])
		expect(await seqs({ actor: (await log.referencesOf('cafe')).slice(0, 1) })).toEqual([4])
		await purge('guest')
		expect(await log.referencesOf('guest')).toEqual([])
		expect([await seqs({ actor: await log.referencesOf('guest') }), await seqs({ target: await log.referencesOf(shown) })]).toEqual([[], [5, 2, 1]])
		for (const unknown of ['nobody', '', '%', '4f2', guest?.[0]?.toUpperCase() ?? '']) {
			expect(await log.referencesOf(unknown)).toEqual([])
		}
	})

	it('is read page by page, each entry once, also while entries are added', async () => {
		for (let count = 1; count <= 7; count++) {
			await log.append(entry({ detail: { count }, action: count % 2 === 0 ? 'user.changed' : 'user.locked', at: new Date(count * 1000) }))
		}
		const seen: number[] = []
		for (let cursor: string | undefined, isMore = true; isMore;) {
			const page = await log.page({ limit: 3, cursor })
			seen.push(...page.items.map(({ seq }) => seq))
			await log.append(entry())
			cursor = page.nextCursor
			isMore = cursor !== undefined
		}
		expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1])
		const seqs = async (query: object) => (await log.page({ limit: 100, ...query })).items.map(({ seq }) => seq)
		expect(await seqs({ action: 'user.locked' })).toEqual([7, 5, 3, 1])
		expect(await seqs({ from: new Date(3000), to: new Date(5000) })).toEqual([4, 3])
		for (const cursor of ['', 'x', 'MA', 'LTE', 'OTk5OTk5OTk5OTk5OTk5OTk5OTk']) {
			await expect(log.page({ limit: 1, cursor })).rejects.toMatchObject({ code: 'invalid_request' })
		}
	})
})
