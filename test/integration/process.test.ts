// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The process itself: exit codes, signals, kill -9 at the worst moment.

import type { IncomingMessage } from 'node:http'
import type { ScriptedFreeSwitch } from '../stand-ins/freeswitch/index.ts'
import type { NextcloudShell } from '../stand-ins/nextcloud/nextcloud-shell.ts'
import type { TestDatabase } from '../support/database.ts'
import type { Sidecar } from '../support/sidecar.ts'

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startScriptedFreeSwitch } from '../stand-ins/freeswitch/index.ts'
import { startNextcloudShell } from '../stand-ins/nextcloud/nextcloud-shell.ts'
import { ApiClient, APP_SECRET, signedHeaders, testEnvironment } from '../support/app.ts'
import { createTestDatabase } from '../support/database.ts'
import { findFreePort } from '../support/free-port.ts'
import { spawnSidecar, untilPrinted, untilUp } from '../support/sidecar.ts'

describe('npm start', () => {
	let database: TestDatabase
	let freeSwitch: ScriptedFreeSwitch
	let nextcloud: NextcloudShell
	let environment: Record<string, string>
	const sidecars: Sidecar[] = []

	beforeEach(async () => {
		database = await createTestDatabase()
		freeSwitch = await startScriptedFreeSwitch({ heartbeatSec: 0 })
		nextcloud = await startNextcloudShell({ appId: 'sipcall', appSecret: APP_SECRET, appVersion: '0.1.0', exAppUrl: 'http://127.0.0.1:1' })
		environment = testEnvironment(database, freeSwitch, nextcloud.url, true)
	})

	afterEach(async () => {
		for (const sidecar of sidecars.splice(0)) {
			sidecar.process.kill('SIGKILL')
			await sidecar.exited
		}
		await nextcloud.stop()
		await freeSwitch.stop()
		await database.drop()
	})

	async function start(extra: Record<string, string> = {}): Promise<Sidecar> {
		const sidecar = spawnSidecar({ ...environment, ...extra }, await findFreePort())
		sidecars.push(sidecar)
		return sidecar
	}

	async function startUp(extra?: Record<string, string>): Promise<{ sidecar: Sidecar, demo: ApiClient }> {
		const sidecar = await start(extra)
		await untilUp(sidecar)
		const demo = new ApiClient(sidecar.url, 'demo')
		for (let calling = ''; calling !== 'ok';) {
			calling = (await demo.get<{ service: { calling: string } }>('/me')).body.service.calling
		}
		return { sidecar, demo }
	}

	/** Resolves when the server has the request in hand: it answers `Expect: 100-continue` at once, the rest later. */
	async function longPoll(url: string): Promise<{ status: Promise<number | undefined> }> {
		const sent = request(url, { headers: { ...signedHeaders('demo'), Expect: '100-continue' } })
		const status = once(sent, 'response').then(([response]) => {
			const { statusCode } = (response as IncomingMessage).resume()
			return statusCode
		})
		sent.end()
		await once(sent, 'continue')
		return { status }
	}

	async function prepare(demo: ApiClient): Promise<void> {
		await demo.request('POST', '/admin/config', { homeCountry: 'DE', allowedGroups: null })
		await demo.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1000' }] })
	}

	it('names every fault of the environment at once, without a value, and exits with 78', async () => {
		const sidecar = await start({ APP_SECRET: '', DATABASE_ENCRYPTION_KEY: 'dG9vIHNob3J0', FREESWITCH_PORT: 'none', LOG_LEVEL: 'loud' })
		expect(await sidecar.exited).toBe(78)
		for (const name of ['APP_SECRET', 'DATABASE_ENCRYPTION_KEY', 'FREESWITCH_PORT', 'LOG_LEVEL']) {
			expect(sidecar.output()).toContain(name)
		}
		expect(sidecar.output()).not.toContain('dG9vIHNob3J0')
	})

	it('makes one originate for a key whose first answer was lost to kill -9 between commit and reply, and no line is lost or won by it', async () => {
		const { sidecar, demo } = await startUp()
		await prepare(demo)
		// The switch hears the originate, the sidecar dies at that moment: nobody got the answer.
		freeSwitch.onCommand = (command) => {
			if (command.startsWith('bgapi originate')) {
				sidecar.process.kill('SIGKILL')
			}
			return undefined
		}
		const key = randomUUID()
		const lost = await demo.call('+4930123400', { key }).catch(() => undefined)
		await sidecar.exited
		freeSwitch.onCommand = undefined
		await freeSwitch.until(() => freeSwitch.originates.length > 0)

		const next = await startUp()
		const answers = await Promise.all(Array.from({ length: 20 }, () => next.demo.call('+4930123400', { key })))
		expect(new Set(answers.map(({ body, status }) => `${status} ${body.uuid}`)).size).toBe(1)
		expect(answers[0]?.status).toBe(202)
		const uuid = answers[0]?.body.uuid ?? ''
		if (lost?.status === 202) {
			expect(lost.body.uuid).toBe(uuid)
		}
		await next.demo.until(uuid, ({ status }) => status === 'connected')
		expect(freeSwitch.originates.length).toBe(1)
		// The killed process took no line with it, and gave none away: the one that is in use counts, and is free again after.
		expect((await next.demo.call('+4930123400')).status).toBe(409)
		await next.demo.hangUp(uuid)
		await next.demo.untilEnded(uuid)
		expect(freeSwitch.channels()).toEqual([])
		const after = await next.demo.call('+4930123400')
		expect(after.status).toBe(202)
		await next.demo.hangUp(after.body.uuid)
		await next.demo.untilEnded(after.body.uuid)
	})

	it('leaves a live call alone on SIGTERM, and stops within 8 seconds even while somebody waits for a change', async () => {
		const { sidecar, demo } = await startUp()
		await prepare(demo)
		const { body } = await demo.call('+4930123400')
		const call = await demo.until(body.uuid, ({ status }) => status === 'connected')
		const waiting = await longPoll(`${sidecar.url}/call-status/${body.uuid}?version=${call.version}&wait=25`)
		const since = performance.now()
		sidecar.process.kill('SIGTERM')
		expect(await sidecar.exited).toBe(0)
		// The contract's limit itself: far above what a stop takes, however slow the machine.
		expect(performance.now() - since).toBeLessThan(8_500)
		expect(await waiting.status).toBe(200)
		expect(freeSwitch.channels().length).toBe(2)
	})

	it('answers /heartbeat and keeps trying while the database is away; everything else is 503 until then', async () => {
		const sidecar = await start({ DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' })
		await untilPrinted(sidecar, '"retryInMs":1000')
		expect(await (await fetch(`${sidecar.url}/heartbeat`)).json()).toEqual({ status: 'ok' })
		const answer = await new ApiClient(sidecar.url, 'demo').get('/me')
		expect(answer).toMatchObject({ status: 503, body: { code: 'storage_unavailable' } })
		expect(answer.headers.get('retry-after')).toBe('5')
		sidecar.process.kill('SIGTERM')
		expect(await sidecar.exited).toBe(0)
	})

	it('refuses a database of a newer version by name, and leaves it untouched', async () => {
		const { sidecar } = await startUp()
		sidecar.process.kill('SIGTERM')
		await sidecar.exited
		await database.query('insert into schema_migrations (name) values (\'9999-from-the-future\')')
		const next = await start()
		await untilPrinted(next, '9999-from-the-future')
		expect((await new ApiClient(next.url, 'demo').get('/me')).status).toBe(503)
	})

	it('refuses a wrong encryption key by its id, and overwrites nothing', async () => {
		const { sidecar, demo } = await startUp()
		await prepare(demo)
		sidecar.process.kill('SIGTERM')
		await sidecar.exited
		const next = await start({ DATABASE_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64') })
		await untilPrinted(next, 'needs the encryption key')
		expect(next.output()).toMatch(/needs the encryption key (?:[0-9a-f]{8}|••••\d\d)/)
		expect((await new ApiClient(next.url, 'demo').get('/me')).status).toBe(503)
		next.process.kill('SIGTERM')
		await next.exited
		const again = await startUp()
		expect((await again.demo.get<{ devices: { address: string }[] }>('/me')).body.devices[0]?.address).toBe('1000')
	})

	it('starts its own PostgreSQL and Redis in the storage folder when no URL is given, and stops them last', async () => {
		const folder = await mkdtemp(path.join(tmpdir(), 'sipcall-process-'))
		try {
			environment = { ...environment, APP_PERSISTENT_STORAGE: folder }
			const { sidecar, demo } = await startUp({ DATABASE_URL: '', REDIS_URL: '', DATABASE_ENCRYPTION_KEY: '' })
			await prepare(demo)
			sidecar.process.kill('SIGTERM')
			expect(await sidecar.exited).toBe(0)
			expect(sidecar.output()).not.toContain('"level":"error"')
			const again = await startUp({ DATABASE_URL: '', REDIS_URL: '', DATABASE_ENCRYPTION_KEY: '' })
			expect((await again.demo.get<{ devices: { address: string }[] }>('/me')).body.devices[0]?.address).toBe('1000')
			again.sidecar.process.kill('SIGTERM')
			await again.sidecar.exited
		} finally {
			await rm(folder, { recursive: true, force: true })
		}
	})
})
