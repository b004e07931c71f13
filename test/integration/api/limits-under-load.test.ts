// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Many calls at the same moment, at a limit of ten: through Redis, through PostgreSQL, and while Redis dies.

import type { EmbeddedRedis } from '../../../lib/embedded/redis.ts'
import type { TestApp } from '../../support/app.ts'

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { startEmbeddedRedis } from '../../../lib/embedded/redis.ts'
import { Guard } from '../../../lib/guard.ts'
import { allowanceOf, COUNTERS_GUARD, createPostgresCallLimiter } from '../../../lib/redis/call-limiter.ts'
import { startTestApp } from '../../support/app.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const LIMIT = 10
const CALLS = 200

const undo: (() => Promise<unknown>)[] = []

afterEach(async () => {
	for (let step = undo.pop(); step !== undefined; step = undo.pop()) {
		await step()
	}
})

async function ownRedis(): Promise<EmbeddedRedis> {
	const folder = await mkdtemp(path.join(tmpdir(), 'sipcall-load-'))
	undo.push(() => rm(folder, { recursive: true, force: true }))
	const redis = await startEmbeddedRedis({ dataDir: folder, logger: new RecordedLog() })
	if (redis === undefined) {
		throw new Error('There is no Redis here')
	}
	undo.push(() => redis.stop())
	return redis
}

async function appOn(redisUrl: string): Promise<TestApp> {
	const test = await startTestApp({ environment: { REDIS_URL: redisUrl } })
	undo.push(() => test.stop())
	await test.prepare({ callsPerMinute: LIMIT, maxConcurrentPerUser: 1000, maxConcurrent: 1000 })
	return test
}

/** Asks for all of them at once; `meanwhile` runs when the first is answered. */
async function burst(test: TestApp, meanwhile?: () => Promise<unknown>): Promise<{ placed: number, statuses: number[] }> {
	const demo = test.as('demo')
	const first = Promise.withResolvers<void>()
	const asked = Array.from({ length: CALLS }, async () => {
		const { status } = await demo.call('+4930123417')
		first.resolve()
		return status
	})
	await first.promise
	await meanwhile?.()
	const statuses = await Promise.all(asked)
	return { placed: statuses.filter((status) => status === 202).length, statuses: [...new Set(statuses)] }
}

async function storedCalls(test: TestApp): Promise<number> {
	const [row] = await test.database.query<{ calls: number }>('select count(*)::int as calls from calls')
	return row?.calls ?? Number.NaN
}

describe(`${CALLS} calls at the same moment, at a limit of ${LIMIT}`, () => {
	it.skipIf(inject('redisSocket') === undefined)('let through exactly the limit with Redis, and each is one row and one originate', async () => {
		const redis = await ownRedis()
		const test = await appOn(`unix:${redis.socketPath}`)
		const { placed } = await burst(test)
		expect(placed).toBe(LIMIT)
		expect(await storedCalls(test)).toBe(LIMIT)
		expect(test.freeSwitch.originates).toHaveLength(LIMIT)
	})

	it('let through exactly the limit without Redis, where PostgreSQL counts', async () => {
		const test = await startTestApp({ redis: false })
		undo.push(() => test.stop())
		const { limiter, stop } = createPostgresCallLimiter(test.database.url, new RecordedLog(), new Guard({ ...COUNTERS_GUARD, part: 'database' }))
		undo.push(stop)
		const answers = await Promise.all(Array.from({ length: CALLS }, () => limiter.consume('demo', [{ kind: 'callsPerMinute', max: LIMIT, windowSec: 60 }])))
		expect(answers.filter((refusal) => refusal === undefined)).toHaveLength(LIMIT)
	})

	it.skipIf(inject('redisSocket') === undefined)('let through at most the limit and the allowance when Redis dies in the middle, and fail nobody', async () => {
		const redis = await ownRedis()
		const test = await appOn(`unix:${redis.socketPath}`)
		const { placed, statuses } = await burst(test, () => redis.stop())
		expect(placed).toBeGreaterThanOrEqual(allowanceOf(LIMIT))
		expect(placed).toBeLessThanOrEqual(LIMIT + allowanceOf(LIMIT))
		expect(await storedCalls(test)).toBe(placed)
		expect(statuses.every((status) => [202, 429, 503].includes(status))).toBe(true)
	})

	it('let through the allowance alone while nobody can count', async () => {
		const test = await appOn('redis://127.0.0.1:1')
		const { placed } = await burst(test)
		expect(placed).toBe(allowanceOf(LIMIT))
	})

	it('never hold more lines than there are, and give each back: what is free is what the calls table says', async () => {
		const test = await startTestApp({ freeSwitch: { speed: 1 }, overrides: { sweepMs: 50 } })
		undo.push(() => test.stop())
		const demo = await test.prepare({ maxConcurrentPerUser: 7, maxConcurrent: 5 })
		const answers = await Promise.all(Array.from({ length: 40 }, () => demo.call('+4930123400')))
		const placed = answers.filter(({ status }) => status === 202)
		expect(placed).toHaveLength(5)
		// The next process finds the same lines in use; process.test.ts does it by kill -9.
		await test.restart()
		const again = test.as('demo')
		expect((await again.call('+4930123400')).status).toBe(429)
		await Promise.all(placed.slice(0, 2).map(({ body }) => again.hangUp(body.uuid)))
		await Promise.all(placed.slice(0, 2).map(({ body }) => again.untilEnded(body.uuid)))
		const next = await Promise.all(Array.from({ length: 10 }, () => again.call('+4930123400')))
		expect(next.filter(({ status }) => status === 202)).toHaveLength(2)
		const [row] = await test.database.query<{ open: number }>('select count(*)::int as open from calls where status <> \'ended\'')
		expect(row?.open).toBe(5)
	})
})
