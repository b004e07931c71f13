// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Counts attempts to call, in Redis where there is one, else in PostgreSQL; in memory while that one is away.

import type { Redis } from 'ioredis'
import type { RateLimiterAbstract } from 'rate-limiter-flexible'
import type { CallLimiter } from '../calls/call-service.ts'
import type { Logger } from '../logger.ts'

import { Pool } from 'pg'
import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'

const WINDOW_SEC = 60
const KEY_PREFIX = 'sipcall_calls'
const POSTGRES_CONNECTIONS = 2
const POSTGRES_TIMEOUT_MS = 1_000

type MakeLimiter = (options: { points: number, duration: number, keyPrefix: string, insuranceLimiter: RateLimiterMemory }) => RateLimiterAbstract

class FlexibleCallLimiter implements CallLimiter {
	readonly #make: MakeLimiter
	/** The limit is a setting: a limiter for each value that was used, all on the same counters. */
	readonly #limiters = new Map<number, RateLimiterAbstract>()

	constructor(make: MakeLimiter) {
		this.#make = make
	}

	async consume(userId: string, perMinute: number): Promise<number | undefined> {
		try {
			await this.#limiterFor(perMinute).consume(userId)
			return undefined
		} catch (refusal) {
			if (refusal instanceof RateLimiterRes) {
				return Math.max(1, Math.ceil(refusal.msBeforeNext / 1000))
			}
			throw refusal
		}
	}

	#limiterFor(points: number): RateLimiterAbstract {
		const known = this.#limiters.get(points)
		if (known !== undefined) {
			return known
		}
		const window = { points, duration: WINDOW_SEC, keyPrefix: KEY_PREFIX }
		const made = this.#make({ ...window, insuranceLimiter: new RateLimiterMemory(window) })
		this.#limiters.set(points, made)
		return made
	}
}

export function createRedisCallLimiter(redis: Redis): CallLimiter {
	return new FlexibleCallLimiter((options) => new RateLimiterRedis({ ...options, storeClient: redis, rejectIfRedisNotReady: true }))
}

/** On the table of the first migration, through a small pool of its own: it must not wait for the other queries. */
export function createPostgresCallLimiter(url: string, logger: Logger): { limiter: CallLimiter, stop: () => Promise<void> } {
	const pool = new Pool({ connectionString: url, max: POSTGRES_CONNECTIONS, connectionTimeoutMillis: POSTGRES_TIMEOUT_MS })
	// Without a listener an idle connection's end would end the process.
	pool.on('error', (error) => logger.warn('A connection of the limiter was lost', { error }))
	return {
		limiter: new FlexibleCallLimiter((options) => new RateLimiterPostgres({
			...options,
			storeClient: pool,
			storeType: 'pool',
			tableName: 'rate_limits',
			tableCreated: true,
			clearExpiredByTimeout: true,
		})),
		stop: () => pool.end(),
	}
}
