// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The folder, and what an admin is told.

import type { BackupDatabase } from '../../support/backup-database.ts'

import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BackupFolder, KEPT } from '../../../lib/db/backup/backup-folder.ts'
import { Backups } from '../../../lib/db/backup/backups.ts'
import { migrate, openDatabase } from '../../../lib/db/orm.ts'
import { createBackupDatabase } from '../../support/backup-database.ts'
import { createTestDatabase } from '../../support/database.ts'
import { keptLog } from '../../support/kept-log.ts'

const logger = keptLog()

let database: BackupDatabase
let storagePath: string
let backups: Backups
let now: Date

beforeAll(async () => {
	database = await createBackupDatabase()
})

afterAll(() => database.drop())

beforeEach(async () => {
	storagePath = await mkdtemp(path.join(tmpdir(), 'sipcall-backups-'))
	now = new Date('2026-11-22T09:30:00.000Z')
	backups = new Backups({
		storagePath,
		appVersion: '0.1.0',
		now: () => now,
		checkJournal: async () => {},
		access: () => database.access,
		restartWith: (errand) => errand(database.access),
		logger,
	})
})

afterEach(() => rm(storagePath, { recursive: true, force: true }))

const files = () => readdir(path.join(storagePath, 'backups')).then((names) => names.sort())

describe('backups', () => {
	it('are kept in a folder of their owner’s alone, and listed newest first with what they need', async () => {
		expect(await backups.list()).toEqual([])
		expect(await backups.newestManualAt()).toBeUndefined()
		const first = await backups.create()
		now = new Date('2026-11-22T09:30:00.001Z')
		const second = await backups.create()
		expect(first).toMatchObject({ name: 'sipcall-20261122T093000000Z-manual.backup', reason: 'manual', createdAt: new Date('2026-11-22T09:30:00.000Z') })
		expect(first.bytes).toBe((await stat(path.join(storagePath, 'backups', first.name))).size)
		expect(first.header).toMatchObject({ appVersion: '0.1.0', kids: database.access.kids })
		expect(await backups.list()).toEqual([second, first])
		expect((await stat(path.join(storagePath, 'backups'))).mode & 0o777).toBe(0o700)
	})

	it('are kept up to a number, each reason by itself, and nothing else is deleted', async () => {
		await mkdir(path.join(storagePath, 'backups'))
		await writeFile(path.join(storagePath, 'backups', 'notes.txt'), '')
		for (let made = 0; made < KEPT.manual + 2; made++) {
			now = new Date(now.getTime() + 1000)
			await backups.create()
			if (made <= KEPT.migration) {
				await backups.beforeUpgrade(database.access.url, [String(made)])
			}
		}
		const kept = await backups.list()
		expect(kept.filter(({ reason }) => reason === 'manual').map(({ createdAt }) => createdAt.getTime())).toEqual(Array.from({ length: KEPT.manual }, (_, index) => now.getTime() - index * 1000))
		expect(kept.filter(({ reason }) => reason === 'migration')).toHaveLength(KEPT.migration)
		expect(await files()).toContain('notes.txt')
	})

	it('that cannot be read are listed without a header, and do not count as the admin’s newest', async () => {
		const { name } = await backups.create()
		const broken = 'sipcall-20261231T000000000Z-manual.backup'
		await writeFile(path.join(storagePath, 'backups', broken), 'no backup')
		expect((await backups.list()).map((backup) => [backup.name, backup.header === undefined])).toEqual([[broken, true], [name, false]])
		expect(await backups.newestManualAt()).toEqual(now)
		await expect(backups.restore(broken)).rejects.toMatchObject({ code: 'invalid_request' })
	})

	it('are restored by their bare names alone', async () => {
		for (const name of ['', '.', '..', '../encryption.key', '/etc/passwd', 'notes.txt', 'sipcall-20261122T093000000Z-other.backup', '../backups/sipcall-20261122T093000000Z-manual.backup', 'sipcall-20261122T093000000Z-manual.backup\n', '.sipcall-20261122T093000000Z-manual.backup.draft']) {
			await expect(backups.restore(name), name).rejects.toMatchObject({ code: 'invalid_request' })
		}
		await expect(backups.restore('sipcall-20261122T093000000Z-manual.backup')).rejects.toMatchObject({ code: 'not_found' })
	})

	it('are made one at a time', async () => {
		const first = backups.create()
		await expect(backups.create()).rejects.toMatchObject({ code: 'wrong_state' })
		await first
		await expect(backups.create()).resolves.toMatchObject({ reason: 'manual' })
	})

	it('leave nothing behind when they fail, and clear away what a power cut has left', async () => {
		await backups.create()
		const before = await files()
		const draft = path.join(storagePath, 'backups', '.sipcall-20250101T000000000Z-manual.backup.draft')
		await writeFile(draft, 'half')
		await database.client.query('create table circle (id int primary key, next int references circle)')
		await expect(backups.create()).rejects.toThrow('circle')
		await database.client.query('drop table circle')
		expect(await files()).toEqual(before)
	})

	it('tell when the disk is full or the folder cannot be written', async () => {
		const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })
		await expect(new BackupFolder(storagePath).add('manual', now, async (draft) => {
			await writeFile(draft, 'half')
			throw full
		})).rejects.toBe(full)
		expect(await files()).toEqual([])
		await rm(path.join(storagePath, 'backups'), { recursive: true })
		await writeFile(path.join(storagePath, 'backups'), 'no folder')
		await expect(backups.create()).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringMatching(/^The backup could not be written: E[A-Z]+/) as string })
	})

	it('tell when the database is away, without its address', async () => {
		const away = new Backups({ storagePath, appVersion: '0.1.0', now: () => now, checkJournal: async () => {}, access: () => ({ url: 'postgresql://u:secret-word@127.0.0.1:1/x', kids: [] }), restartWith: async () => {}, logger })
		const error: unknown = await away.create().catch((reason: unknown) => reason)
		expect(error).toMatchObject({ code: 'storage_unavailable' })
		expect(String(error)).not.toContain('secret-word')
		expect(await files()).toEqual([])
	})

	it('wait for the start', async () => {
		const starting = new Backups({ storagePath, appVersion: '0.1.0', now: () => now, checkJournal: async () => {}, access: () => undefined, restartWith: async () => {}, logger })
		await expect(starting.create()).rejects.toMatchObject({ code: 'storage_unavailable', retryAfterSec: 5 })
	})

	it('tell why a restore did not even begin, or what it did although SIPCall does not come up', async () => {
		const { name } = await backups.create()
		const failing = (isRun: boolean) => new Backups({
			storagePath,
			appVersion: '0.1.0',
			now: () => now,
			checkJournal: async () => {},
			access: () => undefined,
			restartWith: async (errand) => {
				if (isRun) {
					await errand(database.access)
				}
				throw new Error('internal words')
			},
			logger,
		})
		await expect(failing(false).restore(name)).rejects.toMatchObject({ code: 'storage_unavailable', message: 'SIPCall could not be started for the restore: The log has the reason. Nothing was changed.' })
		await expect(failing(true).restore(name)).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('The backup was restored, but') as string })
	})

	it('tell of a row that cannot be restored by code and table, and never by what stands in it', async () => {
		await database.client.query('insert into devices (id, user_id, kind, label, address, is_default, verified, position) values (gen_random_uuid(), \'secret-word\', \'sip\', \'x\', \'x\', false, false, 0)')
		const { name } = await backups.create()
		await database.client.query('delete from devices')
		await database.client.query('alter table devices add constraint no_such check (user_id <> \'secret-word\')')
		const error: unknown = await backups.restore(name).catch((reason: unknown) => reason)
		await database.client.query('alter table devices drop constraint no_such')
		expect(error).toMatchObject({ code: 'storage_unavailable', message: 'The backup could not be restored: PostgreSQL answered 23514 (table devices). Nothing was changed.' })
		expect(JSON.stringify([error, error instanceof Error && error.cause])).not.toContain('secret-word')
	})
})

describe('the safety copy before an update', () => {
	it('is made of a database in use before it is changed, once, and holds it as it was', async () => {
		const older = await createTestDatabase()
		const orm = await openDatabase({ url: older.url, keys: database.keys, logger })
		try {
			const beforeUpgrade = (executed: readonly string[]) => backups.beforeUpgrade(older.url, executed)
			await orm.migrator.up({ to: '0001-calls' })
			await orm.em.getConnection().execute('insert into devices (id, user_id, kind, label, address, is_default, verified, position) values (gen_random_uuid(), \'x\', \'sip\', sipcall_encrypt(\'x\'), sipcall_encrypt(\'x\'), false, false, 0)')

			await writeFile(path.join(storagePath, 'backups'), 'no folder')
			await expect(migrate(orm, database.keys, { beforeUpgrade })).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('The safety copy before the update could not be written') as string })
			expect(await orm.migrator.getExecuted()).toHaveLength(1)
			await rm(path.join(storagePath, 'backups'))

			const stop = new Error('after the copy')
			for (let attempt = 0; attempt < 2; attempt++) {
				now = new Date(now.getTime() + 1000)
				await expect(migrate(orm, database.keys, {
					beforeUpgrade: async (executed) => {
						await beforeUpgrade(executed)
						throw stop
					},
				})).rejects.toBe(stop)
			}
			expect(await orm.migrator.getExecuted()).toHaveLength(1)
			await migrate(orm, database.keys, { beforeUpgrade })
			const [copy, ...others] = await backups.list()
			expect(others).toEqual([])
			expect(copy).toMatchObject({ reason: 'migration', header: { migrations: ['0001-calls'] } })
			expect(await backups.newestManualAt()).toBeUndefined()

			// The way back: the earlier version with an empty database takes it.
			const empty = await createTestDatabase()
			const earlier = await openDatabase({ url: empty.url, keys: database.keys, logger })
			try {
				await earlier.migrator.up({ to: '0001-calls' })
				await new Backups({ storagePath, appVersion: '0.1.0', now: () => now, checkJournal: async () => {}, access: () => undefined, restartWith: (errand) => errand({ ...database.access, url: empty.url }), logger }).restore(copy?.name ?? '')
				expect(await earlier.em.getConnection().execute('select user_id from devices')).toEqual([{ user_id: 'x' }])
			} finally {
				await earlier.close(true)
				await empty.drop()
			}
		} finally {
			await orm.close(true)
			await older.drop()
		}
	})

	it('is not made of an empty database, nor when there is nothing to change', async () => {
		const fresh = await createTestDatabase()
		const orm = await openDatabase({ url: fresh.url, keys: database.keys, logger })
		try {
			for (let start = 0; start < 2; start++) {
				await migrate(orm, database.keys, { beforeUpgrade: () => Promise.reject(new Error('a copy of nothing')) })
			}
		} finally {
			await orm.close(true)
			await fresh.drop()
		}
	})
})
