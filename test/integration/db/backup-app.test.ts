// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A running sidecar whose data are put back.

import type { TestApp } from '../../support/app.ts'

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startApp } from '../../../lib/app.ts'
import { loadConfig } from '../../../lib/config.ts'
import { openDatabase } from '../../../lib/db/orm.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { ApiClient, startTestApp } from '../../support/app.ts'
import { keptLog } from '../../support/kept-log.ts'
import { until } from '../../support/until.ts'

const logger = keptLog()

describe('a running sidecar', () => {
	let storagePath: string
	let test: TestApp
	let demo: ApiClient
	let other: Client

	beforeEach(async () => {
		storagePath = await mkdtemp(path.join(tmpdir(), 'sipcall-backup-app-'))
		test = await startTestApp({ freeSwitch: { speed: 1 }, overrides: { sweepMs: 50 }, environment: { APP_PERSISTENT_STORAGE: storagePath } })
		demo = await test.prepare()
		other = new Client({ connectionString: test.database.url })
		other.on('error', () => {})
		await other.connect()
	})

	afterEach(async () => {
		await other.end()
		await test.stop()
		await rm(storagePath, { recursive: true, force: true })
	})

	async function connected(): Promise<string> {
		const { body } = await until(() => demo.call('+4930123400'), ({ status }) => status === 202)
		await demo.until(body.uuid, (call) => call.status === 'connected')
		return body.uuid
	}

	async function completed(): Promise<string> {
		const uuid = await connected()
		await demo.hangUp(uuid)
		await demo.untilEnded(uuid)
		return uuid
	}

	async function history(): Promise<string[]> {
		const { body } = await demo.get<{ items: { uuid: string }[] }>('/call-history')
		return body.items.map(({ uuid }) => uuid)
	}

	it('has its earlier data after a restore, answers 503 meanwhile, and places calls afterwards', async () => {
		const before = await completed()
		const { body: events } = await demo.get(`/call/${before}/events`)
		const { name } = await test.app.backups.create()
		const after = await completed()
		expect(await history()).toEqual([after, before])

		// A reader holds the restore up for as long as this test looks.
		await other.query('begin')
		await other.query('select 1 from devices')
		const restored = test.app.backups.restore(name)
		let answer = await demo.get('/call-history')
		while (answer.status === 200) {
			answer = await demo.get('/call-history')
		}
		expect(answer).toMatchObject({ status: 503, body: { code: 'storage_unavailable' } })
		expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
		expect((await fetch(`${test.url}/heartbeat`)).status).toBe(200)
		expect((await demo.call('+4930123400')).status).toBe(503)
		expect((await demo.request('GET', '/api/v1/call-history', undefined, { Authorization: 'Bearer abc' })).status).toBe(503)
		await other.query('rollback')
		await restored

		expect(await history()).toEqual([before])
		expect((await demo.get(`/call/${before}/events`)).body).toEqual(events)
		expect((await demo.get(`/call-status/${after}`)).status).toBe(404)
		expect(await history()).toEqual([before])
		const next = await completed()
		expect(await history()).toEqual([next, before])
	})

	it('goes on with what it had when the restore fails, and tells why', async () => {
		const { name } = await test.app.backups.create()
		const call = await completed()
		await test.database.query('alter table devices add constraint none check (false) not valid')
		await expect(test.app.backups.restore(name)).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('23514 (table devices)') as string })
		expect(await history()).toEqual([call])
		const next = await completed()
		expect(await history()).toEqual([next, call])
	})

	it('is not even stopped for a backup that does not fit', async () => {
		const { name } = await test.app.backups.create()
		await writeFile(path.join(storagePath, 'backups', 'sipcall-20260101T000000000Z-manual.backup'), 'no backup')
		const uuid = await connected()
		const clients = test.freeSwitch.clients
		await expect(test.app.backups.restore('sipcall-20260101T000000000Z-manual.backup')).rejects.toMatchObject({ code: 'invalid_request' })
		await expect(test.app.backups.restore(name)).rejects.toMatchObject({ code: 'wrong_state', message: expect.stringContaining('A call is open') as string })
		expect([test.freeSwitch.clients, (await demo.get(`/call-status/${uuid}`)).body.status]).toEqual([clients, 'connected'])
		await test.app.backups.restore(name, { force: true })
		expect(await history()).toEqual([])
		expect(test.freeSwitch.channels()).toHaveLength(2)
	})

	it('restarts its own PostgreSQL and Redis for a restore', async () => {
		await test.app.stop()
		const embedded = await startApp({ ...loadConfig({ ...test.environment, DATABASE_URL: '', REDIS_URL: '', DATABASE_ENCRYPTION_KEY: '' }), listen: { host: '127.0.0.1', port: 0 } }, logger)
		try {
			await embedded.ready
			demo = new ApiClient(embedded.url, 'demo')
			await demo.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1000' }] })
			const { body: before } = await demo.get('/me')
			const { name } = await embedded.backups.create()
			await demo.request('PUT', '/me', { devices: [] })
			await embedded.backups.restore(name)
			expect((await demo.get('/me')).body.devices).toEqual(before.devices)
		} finally {
			await embedded.stop()
		}
	})

	it('ends calls in the books that were open when the backup was made', async () => {
		const uuid = await connected()
		const { name } = await test.app.backups.create()
		await demo.hangUp(uuid)
		expect(await demo.untilEnded(uuid)).toMatchObject({ endedBy: 'user' })
		await test.app.backups.restore(name)
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'system' })
	})

	it('comes up by a restore although the present data need a key that nobody has', async () => {
		const call = await completed()
		const { name } = await test.app.backups.create()
		await test.database.query('insert into encryption_keys (kid, probe) values (\'deadbeef\', \'deadbeef:xxxx\')')
		await test.app.stop()
		const failing = await startApp({ ...loadConfig(test.environment), listen: { host: '127.0.0.1', port: 0 } }, logger)
		try {
			demo = new ApiClient(failing.url, 'demo')
			expect((await demo.get('/call-history')).status).toBe(503)
			await failing.backups.restore(name)
			await failing.ready
			expect(await history()).toEqual([call])
		} finally {
			await failing.stop()
		}
	})

	it('copies its database before an update', async () => {
		await other.query('drop schema public cascade')
		await other.query('create schema public')
		const keys = new KeyRing([Buffer.from(test.environment.DATABASE_ENCRYPTION_KEY ?? '', 'base64')])
		const orm = await openDatabase({ url: test.database.url, keys, logger })
		await orm.migrator.up({ to: '0001-calls' })
		await orm.close(true)
		await test.restart()
		expect(await test.app.backups.list()).toMatchObject([{ reason: 'migration', header: { migrations: ['0001-calls'] } }])
	})
})
