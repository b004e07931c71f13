// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Redis behind a Sentinel, all of them real: when another server becomes the primary, the counting goes there by itself.

import type { Counters } from '../../../lib/backing.ts'
import type { Quota } from '../../../lib/calls/ports.ts'
import type { WatchedRedis } from '../../support/watched-redis.ts'

import { tmpdir } from 'node:os'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { startCounters } from '../../../lib/backing.ts'
import { Secret } from '../../../lib/config.ts'
import { Guards } from '../../../lib/guard.ts'
import { Releasers } from '../../../lib/startup.ts'
import { RecordedLog } from '../../support/recorded-log.ts'
import { REDIS_PASSWORD, SENTINEL_PASSWORD, startWatchedRedis } from '../../support/watched-redis.ts'

/** A Sentinel whose process stood still for 2 s does nothing for the next 30 s (`SENTINEL_TILT_PERIOD`). */
const SENTINEL = { timeout: 90_000 }
const LIMIT_MS = 300_000

const HOURLY: Quota = { kind: 'testCallsPerHour', max: 6, windowSec: 3600 }

let redis: WatchedRedis
let log: RecordedLog
let guards: Guards
let releasers: Releasers
let counters: Counters

beforeEach(async () => {
	redis = await startWatchedRedis()
	log = new RecordedLog()
	guards = new Guards()
	releasers = new Releasers(log)
	counters = await startCounters({ redisUrl: new Secret(redis.url), storagePath: tmpdir() }, '', { dataId: 'here' }, guards, log, releasers)
})

afterEach(async () => {
	await releasers.run()
	await redis.stop()
})

/** How many attempts the server at a port has in its memory. */
async function countedAt(port: number): Promise<number> {
	const [key] = await redis.to(port).keys('*testCallsPerHour*')
	return key === undefined ? 0 : Number(await redis.to(port).get(key))
}

async function roleOf(port: number): Promise<unknown> {
	return (await redis.to(port).call('ROLE') as unknown[])[0]
}

/** @return how many of them were let through */
async function attempt(times: number): Promise<number> {
	let passed = 0
	for (let n = 0; n < times; n++) {
		passed += Number(await counters.limiter.consume('demo', [HOURLY]) === undefined)
	}
	return passed
}

/** Whether Redis is asked, and takes changes. Who looks up what is left of a limit closes the breaker. */
async function isCounting(): Promise<boolean> {
	await counters.limiter.look('demo', [HOURLY])
	await counters.redis?.look()
	return guards.states().every(({ breaker }) => breaker === 'closed')
}

describe.skipIf(inject('redisSocket') === undefined)('with Redis behind a Sentinel', () => {
	it('the primary counts; after a change its successor, which knows what was counted before', async () => {
		const [first, second] = redis.ports
		expect(await attempt(4)).toBe(4)
		expect(await countedAt(first)).toBe(4)
		await expect.poll(() => countedAt(second)).toBe(4)
		await redis.failOver()
		await expect.poll(() => redis.primary(), SENTINEL).toBe(second)
		// The old one answers still, but takes no changes.
		await expect.poll(() => roleOf(first), SENTINEL).toBe('slave')
		await expect.poll(() => isCounting().catch(() => false)).toBe(true)
		expect(await attempt(4)).toBe(2)
		expect(await countedAt(second)).toBe(HOURLY.max)
		expect(counters.redis?.fault()).toBeUndefined()
	}, LIMIT_MS)

	it('nobody has to do anything when the primary dies, nor when it comes back', async () => {
		const [first, second] = redis.ports
		expect(await attempt(2)).toBe(2)
		await expect.poll(() => countedAt(second)).toBe(2)
		await redis.kill(first)
		// A tenth of the limit, at least one, until there is another one.
		expect(await attempt(1)).toBe(1)
		await expect.poll(() => redis.primary(), SENTINEL).toBe(second)
		await expect.poll(() => isCounting().catch(() => false)).toBe(true)
		expect(await attempt(2)).toBe(2)
		await redis.startAgain(first)
		await expect.poll(() => roleOf(first), SENTINEL).toBe('slave')
		await expect.poll(() => countedAt(first)).toBe(4)
		expect(await isCounting()).toBe(true)
		expect(await attempt(4)).toBe(2)
		expect(await countedAt(second)).toBe(HOURLY.max)
	}, LIMIT_MS)

	it('no password of the two is in the log', async () => {
		await redis.kill(redis.ports[0])
		await attempt(3)
		await log.waitFor(({ message }) => message.startsWith('Redis is away'))
		const text = inspect(log.lines, { depth: null })
		expect([REDIS_PASSWORD, SENTINEL_PASSWORD].filter((secret) => text.includes(secret))).toEqual([])
	})
})
