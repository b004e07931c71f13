// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// PostgreSQL goes away in the middle of calls.

import type { HealthJson } from '../../../lib/http/health-schemas.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'
import type { SilentWay } from '../../support/silent-way.ts'

import { readdir, readFile, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTestApp } from '../../support/app.ts'
import { silentWayTo } from '../../support/silent-way.ts'

describe('while PostgreSQL is away', () => {
	let test: TestApp
	let demo: ApiClient

	beforeEach(async () => {
		test = await startTestApp({ freeSwitch: { speed: 1 }, overrides: { sweepMs: 50, replicas: { tickMs: 50 }, health: { freshMs: 0 } } })
		demo = await test.prepare()
	})

	afterEach(async () => {
		await test.database.bringBack()
		await test.stop()
	})

	const folder = () => join(test.database.volume, 'spool')
	const spooled = async () => (await Promise.all((await readdir(folder()).catch(() => [])).map((name) => readFile(join(folder(), name), 'utf8')))).join('')
	const legUuid = (role: 'a' | 'b', call?: string) => test.freeSwitch.channels().find(({ leg, variables }) => leg === role && (call === undefined || variables.sipcall_call === call))?.uuid ?? ''
	const row = async (uuid: string) => (await test.database.query<{ status: string, outcome: string, ended_by: string, version: number }>(`select status, outcome, ended_by, version from calls where uuid = '${uuid}'`))[0]

	/** What the doctor says of what waits. */
	const told = async () => (await demo.get<HealthJson>('/admin/health')).body.parts.filter(({ id }) => id === 'spool').map(({ code }) => code)

	async function connected(): Promise<string> {
		const { body } = await demo.call('+4930123400')
		await demo.until(body.uuid, ({ status }) => status === 'connected')
		return body.uuid
	}

	it('a call is followed to its end, which is stored when it is back', async () => {
		const uuid = await connected()
		await test.database.takeAway()
		test.freeSwitch.hangUp(legUuid('b'))
		const ended = await demo.untilEnded(uuid)
		expect(ended).toMatchObject({ outcome: 'completed', endedBy: 'callee' })
		expect(await spooled()).toContain(uuid)
		expect(await spooled()).not.toContain('30123400')
		expect(await told()).toEqual(['spool_waiting'])

		await test.database.bringBack()
		await vi.waitFor(async () => expect(await row(uuid)).toMatchObject({ status: 'ended', outcome: 'completed', ended_by: 'callee', version: ended.version }), 20_000)
		await vi.waitFor(async () => expect(await readdir(folder())).toEqual([]))
		expect(await told()).toEqual([])
		expect((await demo.get(`/call-status/${uuid}`)).body).toMatchObject({ status: 'ended', version: ended.version, talkSec: ended.talkSec })
	})

	it('a call can be hung up, and is seen as it goes', async () => {
		const { body: { uuid } } = await demo.call('+4930123400')
		await demo.until(uuid, ({ status }) => status === 'connected')
		await test.database.takeAway()
		expect(await demo.hangUp(uuid)).toMatchObject({ status: 202 })
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user' })
		expect(test.freeSwitch.channels()).toEqual([])
		await test.database.bringBack()
		await vi.waitFor(async () => expect(await row(uuid)).toMatchObject({ status: 'ended', ended_by: 'user' }), 20_000)
	})

	it('new calls are refused with 503 and Retry-After, and nothing is dialled', async () => {
		await test.database.takeAway()
		const answer = await demo.call('+4930123400')
		expect(answer).toMatchObject({ status: 503, body: { code: 'storage_unavailable' } })
		expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
		expect(test.freeSwitch.originates).toEqual([])
	})

	it('what happened outlives a process that ends before it is back', async () => {
		const uuid = await connected()
		await test.database.takeAway()
		test.freeSwitch.hangUp(legUuid('b'))
		await demo.untilEnded(uuid)
		const restarted = test.restart()
		await vi.waitFor(async () => expect(await spooled()).toContain(uuid))
		await test.database.bringBack()
		await restarted
		// Without what was put aside nobody could tell who has hung up.
		expect(await row(uuid)).toMatchObject({ status: 'ended', outcome: 'completed', ended_by: 'callee' })
		expect(await readdir(folder())).toEqual([])
	})

	it('a call whose end is stored late, though at the first attempt, counts once', async () => {
		await demo.request('POST', '/admin/config', { metricsToken: 'a-token-of-the-test' })
		// A phone that rings until it declines: one event ends the call.
		await demo.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Silent', address: '1919' }] })
		const { body: { uuid } } = await demo.call('+4930123400')
		await demo.until(uuid, ({ status }) => status === 'calling_user')
		const other = new Client({ connectionString: test.database.url })
		await other.connect()
		await other.query('begin')
		await other.query('select from calls where uuid = $1 for update', [uuid])
		test.freeSwitch.hangUp(legUuid('a'))
		await demo.untilEnded(uuid)
		await other.end()
		await vi.waitFor(async () => expect(await row(uuid)).toMatchObject({ status: 'ended' }), 20_000)
		await vi.waitFor(async () => expect(await readdir(folder())).toEqual([]), 20_000)
		const metrics = await (await fetch(`${test.url}/metrics`, { headers: { Authorization: 'Bearer a-token-of-the-test' } })).text()
		expect(metrics.match(/^sipcall_calls_total\{.*$/gm)).toEqual([expect.stringMatching(/outcome="rejected".*\} 1$/)])
	})

	it('a disk that takes nothing keeps nobody from calling on: what happened is stored from memory', async () => {
		await demo.request('POST', '/admin/config', { maxConcurrentPerUser: 2 })
		const later = await connected()
		const uuid = await connected()
		await symlink('/dev/full', folder())
		await test.database.takeAway()
		test.freeSwitch.hangUp(legUuid('b', uuid))
		await demo.untilEnded(uuid)
		expect(await told()).toEqual(['spool_disk_refuses'])
		// From now on it takes what comes, but not what it has refused.
		await rm(folder())
		test.freeSwitch.hangUp(legUuid('b', later))
		await demo.untilEnded(later)
		expect(await spooled()).toContain(later)
		expect(await told()).toEqual(['spool_disk_refuses'])
		await test.database.bringBack()
		await vi.waitFor(async () => expect(await row(uuid)).toMatchObject({ status: 'ended', ended_by: 'callee' }), 20_000)
		await vi.waitFor(async () => expect(await told()).toEqual([]), 20_000)
	})
})

describe('while PostgreSQL is silent, and no connection ends', () => {
	let test: TestApp
	let demo: ApiClient
	let way: SilentWay

	beforeEach(async () => {
		const wayTo = async (url: string) => {
			way = await silentWayTo(url)
			return way
		}
		test = await startTestApp({ wayTo, freeSwitch: { speed: 1 }, overrides: { sweepMs: 50, replicas: { tickMs: 50, silentMs: 300 }, health: { freshMs: 0 } } })
		demo = await test.prepare()
	})

	afterEach(async () => {
		way.goOn()
		await test.stop()
		await way.stop()
	})

	it('nobody waits for it for long, and when it is known to be silent nobody waits at all', async () => {
		const { body: { uuid } } = await demo.call('+4930123400')
		await demo.until(uuid, ({ status }) => status === 'connected')
		await demo.request('POST', '/admin/config', { metricsToken: 'a-token-of-sixteen-and-more' })
		const metric = async (name: string) => new RegExp(`^${name}\\{part="database",name=""\\} (.*)$`, 'm').exec(await (await fetch(`${test.url}/metrics`, { headers: { Authorization: 'Bearer a-token-of-sixteen-and-more' } })).text())?.[1]
		expect(await metric('sipcall_breaker_state')).toBe('0')
		way.hush()
		// Under way when it is found out: given up then, and not when PostgreSQL's own time would be over.
		expect(await demo.get('/call-history')).toMatchObject({ status: 503, body: { code: 'storage_unavailable' } })
		expect(await metric('sipcall_breaker_state')).toBe('1')
		for (let asked = 0; asked < 50; asked++) {
			expect(await demo.get('/call-history')).toMatchObject({ status: 503, body: { code: 'storage_unavailable' } })
		}
		expect(Number(await metric('sipcall_bulkhead_refused_total'))).toBeGreaterThanOrEqual(50)
		expect(await demo.call('+4930123411')).toMatchObject({ status: 503, body: { code: 'storage_unavailable' } })
		// The call is known in memory.
		expect(await demo.hangUp(uuid)).toMatchObject({ status: 202 })
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user' })

		way.goOn()
		await vi.waitFor(async () => expect(await demo.get('/call-history')).toMatchObject({ status: 200 }), 20_000)
		expect(await metric('sipcall_breaker_state')).toBe('0')
		await vi.waitFor(async () => expect((await test.database.query<{ status: string, ended_by: string }>(`select status, ended_by from calls where uuid = '${uuid}'`))[0]).toEqual({ status: 'ended', ended_by: 'user' }), 20_000)
		expect(test.freeSwitch.originates).toHaveLength(1)
	})
})
