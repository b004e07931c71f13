// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CallLimiter } from '../../../lib/calls/ports.ts'
import type { EmbeddedRedis } from '../../../lib/embedded/redis.ts'
import type { Answer, ApiClient, TestApp } from '../../support/app.ts'

import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startEmbeddedRedis } from '../../../lib/embedded/redis.ts'
import { Guard } from '../../../lib/guard.ts'
import { COUNTERS_GUARD, createPostgresCallLimiter } from '../../../lib/redis/call-limiter.ts'
import { startTestApp } from '../../support/app.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

interface Problem {
	code: string
	retryAfterSec: number
	limits: { kind: string, used: number, max: number }[]
}

const DESK = { devices: [{ kind: 'sip', label: 'Desk', address: '1001' }] }

let folder: string
let redis: EmbeddedRedis | undefined

beforeAll(async () => {
	// Counters of its own: in the run's Redis other files count for the same users.
	folder = await mkdtemp(join(tmpdir(), 'sipcall-limits-'))
	redis = inject('redisSocket') === undefined ? undefined : await startEmbeddedRedis({ dataDir: folder, logger: new RecordedLog() })
})

afterAll(async () => {
	await redis?.stop()
	await rm(folder, { recursive: true, force: true })
})

function expectRefusal(answer: Answer, kind: string, max: number, windowSec: number): void {
	expect(answer).toMatchObject({ status: 429, body: { code: 'rate_limited', limits: [{ kind, used: max, max }] } })
	const { retryAfterSec } = answer.body as unknown as Problem
	expect(retryAfterSec).toBeGreaterThanOrEqual(1)
	expect(retryAfterSec).toBeLessThanOrEqual(windowSec)
	expect(answer.headers.get('retry-after')).toBe(String(retryAfterSec))
	expect(answer.headers.get('ratelimit-policy')).toBe(`"${kind}";q=${max};w=${windowSec}`)
	expect(answer.headers.get('ratelimit')).toBe(`"${kind}";r=0;t=${retryAfterSec}`)
}

describe.each([
	{ name: 'in Redis', hasRedis: true, limit: 3, allowed: 3 },
	// A tenth is what a user has while nobody can count.
	{ name: 'in memory while Redis is away', hasRedis: false, limit: 30, allowed: 3 },
])('calls a minute, counted $name', ({ hasRedis, limit, allowed }) => {
	let test: TestApp
	let demo: ApiClient
	let guest: ApiClient

	beforeAll(async () => {
		test = await startTestApp(hasRedis && redis !== undefined ? { environment: { REDIS_URL: `unix:${redis.socketPath}` } } : { redis: false })
		demo = await test.prepare({ callsPerMinute: limit })
		guest = test.as('guest')
		await guest.request('PUT', '/me', DESK)
	})

	afterAll(() => test.stop())

	async function place(client: ApiClient, key?: string): Promise<Answer> {
		const answer = await client.call('+4930123401', key === undefined ? {} : { key })
		if (answer.status === 202) {
			await client.untilEnded(answer.body.uuid)
		}
		return answer as unknown as Answer
	}

	it('are spent by calls that were placed, not by refusals or repetitions, and each user has their own', async () => {
		const key = randomUUID()
		expect((await place(demo, key)).status).toBe(202)
		// What never was a call costs nothing.
		for (const [to, status] of [['112', 422], ['hello', 422], ['+33123456789', 422], ['', 400]] as const) {
			expect((await demo.call(to)).status).toBe(status)
		}
		for (let repeat = 0; repeat < 2 * allowed; repeat++) {
			expect((await place(demo, key)).status).toBe(202)
		}
		for (let used = 1; used < allowed; used++) {
			expect((await place(demo)).status).toBe(202)
		}
		const before = test.freeSwitch.originates.length
		const history = await demo.get<{ items: unknown[] }>('/call-history')
		for (let refused = 0; refused < 2; refused++) {
			expectRefusal(await place(demo), 'callsPerMinute', limit, 60)
		}
		expect(test.freeSwitch.originates.length).toBe(before)
		expect(await demo.get('/call-history')).toMatchObject({ body: history.body })
		// The key of a call that was placed still answers it, and the key of a refused one stands for nothing yet.
		expect((await place(demo, key)).status).toBe(202)
		const refusedKey = randomUUID()
		expect((await place(demo, refusedKey)).status).toBe(429)
		expect((await place(guest)).status).toBe(202)
		await demo.request('POST', '/admin/config', { callsPerMinute: 1000 })
		expect((await place(demo, refusedKey)).status).toBe(202)
	})

	it('are never exceeded by calls that are asked for at the same moment', async () => {
		await demo.request('POST', '/admin/config', { callsPerMinute: hasRedis ? 5 : 50, maxConcurrentPerUser: 50, maxConcurrent: 50 })
		const before = test.freeSwitch.originates.length
		const answers = await Promise.all(Array.from({ length: 20 }, () => guest.call('+4930123401')))
		const placed = answers.filter(({ status }) => status === 202)
		// In memory each limit counts anew; in Redis the guest has spent one.
		expect(placed.length).toBeLessThanOrEqual(5)
		expect(placed.length).toBeGreaterThanOrEqual(4)
		expect(answers.filter(({ status }) => status === 429).length).toBe(20 - placed.length)
		await Promise.all(placed.map(({ body }) => guest.untilEnded(body.uuid)))
		expect(test.freeSwitch.originates.length - before).toBe(placed.length)
	})
})

describe('the other limits', () => {
	let test: TestApp
	let demo: ApiClient
	let guest: ApiClient

	beforeAll(async () => {
		// Real time: the calls stay up while others are asked for.
		test = await startTestApp({ redis: false, freeSwitch: { speed: 1 } })
		demo = await test.prepare()
		guest = test.as('guest')
		await guest.request('PUT', '/me', DESK)
	})

	afterAll(() => test.stop())

	/** What the two users are answered while the only line is in use by one of them. */
	async function whileBusy(): Promise<{ own: Answer, other: Answer }> {
		await demo.request('POST', '/admin/config', { maxConcurrentPerUser: 1, maxConcurrent: 1 })
		const { body } = await demo.call('+4930123400')
		await demo.until(body.uuid, ({ status }) => status === 'connected')
		const before = test.freeSwitch.originates.length
		const [own, other] = [await demo.call('+4930123401'), await guest.call('+4930123401')] as unknown as [Answer, Answer]
		const after = test.freeSwitch.originates.length
		await demo.hangUp(body.uuid)
		await demo.untilEnded(body.uuid)
		await demo.request('POST', '/admin/config', { maxConcurrent: 10 })
		expect(after).toBe(before)
		return { own, other }
	}

	it('refuse a second call of one user with 409 and another user’s with 429, both before the switch hears of it', async () => {
		const { own, other } = await whileBusy()
		expect(own).toMatchObject({ status: 409, body: { code: 'already_in_call' } })
		expect(other).toMatchObject({ status: 429, body: { code: 'limit_reached' } })
		expect(Number(other.headers.get('retry-after'))).toBeGreaterThan(0)
	})

	it('have the headers of the contract in every 429: RateLimit and RateLimit-Policy too', async () => {
		const { other } = await whileBusy()
		expect(other.headers.get('ratelimit')).toMatch(/^"maxConcurrent";r=0/)
		expect(other.headers.get('ratelimit-policy')).toMatch(/^"maxConcurrent";q=1/)
	})

	it.each([['callsPerHour', 3600], ['callsPerDay', 86_400]] as const)('hold for %s too, and say when there will be room again', async (kind, windowSec) => {
		await demo.request('POST', '/admin/config', { callsPerMinute: 1000, callsPerHour: 1000, callsPerDay: 1000, [kind]: 1 })
		const caller = kind === 'callsPerHour' ? demo : guest
		const first = await caller.call('+4930123417')
		if (first.status === 202) {
			await caller.untilEnded(first.body.uuid)
		}
		expectRefusal(await caller.call('+4930123417') as unknown as Answer, kind, 1, windowSec)
	})
})

describe('limits counted in PostgreSQL', () => {
	let test: TestApp
	let limiter: CallLimiter
	let stop: () => Promise<void>

	beforeAll(async () => {
		// For its migrated database alone.
		test = await startTestApp({ redis: false });
		({ limiter, stop } = createPostgresCallLimiter(test.database.url, new RecordedLog(), new Guard({ ...COUNTERS_GUARD, part: 'database' })))
	})

	afterAll(async () => {
		await stop()
		await test.stop()
	})

	const minute = (max: number) => ({ kind: 'callsPerMinute' as const, max, windowSec: 60 })
	const hour = (max: number) => ({ kind: 'callsPerHour' as const, max, windowSec: 3600 })

	it('let through as many as they say and tell which one refuses, for each user alone', async () => {
		for (let used = 0; used < 3; used++) {
			expect(await limiter.consume('alice', [hour(100), minute(3)])).toBeUndefined()
		}
		expect(await limiter.consume('alice', [hour(100), minute(3)])).toMatchObject({ quota: { kind: 'callsPerMinute', max: 3 }, retryAfterSec: expect.any(Number) })
		expect(await limiter.consume('bob', [hour(100), minute(3)])).toBeUndefined()
	})

	it('give back to the wider window what the narrower one refused', async () => {
		expect(await limiter.consume('carol', [hour(2), minute(1)])).toBeUndefined()
		for (let refused = 0; refused < 5; refused++) {
			expect(await limiter.consume('carol', [hour(2), minute(1)])).toMatchObject({ quota: { kind: 'callsPerMinute' } })
		}
		expect(await limiter.consume('carol', [hour(2), minute(100)])).toBeUndefined()
		expect(await limiter.consume('carol', [hour(2), minute(100)])).toMatchObject({ quota: { kind: 'callsPerHour' } })
	})

	it('are exact for 40 attempts at once, and shared with another sidecar', async () => {
		const other = createPostgresCallLimiter(test.database.url, new RecordedLog(), new Guard({ ...COUNTERS_GUARD, part: 'database' }))
		try {
			const answers = await Promise.all(Array.from({ length: 40 }, (_, turn) => (turn % 2 === 0 ? limiter : other.limiter).consume('dave', [minute(7)])))
			expect(answers.filter((refusal) => refusal === undefined)).toHaveLength(7)
		} finally {
			await other.stop()
		}
	})

	it('take any user id that Nextcloud may have', async () => {
		for (const userId of ['用户', 'a'.repeat(64), '😀'.repeat(64), 'a:b', '\'; drop table rate_limits; --', '%']) {
			expect(await limiter.consume(userId, [minute(1)])).toBeUndefined()
			expect(await limiter.consume(userId, [minute(1)])).toMatchObject({ quota: { kind: 'callsPerMinute' } })
		}
	})
})
