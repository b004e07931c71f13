// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Counts attempts to call, in Redis where there is one, else in PostgreSQL; in memory while that one is away.

import type { Redis } from 'ioredis'
import type { RateLimiterAbstract } from 'rate-limiter-flexible'
import type { CallLimiter, Quota, QuotaRefusal } from '../calls/ports.ts'
import type { Logger } from '../logger.ts'

import { Pool } from 'pg'
import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'

const KEY_PREFIX = 'sipcall'
const POSTGRES_CONNECTIONS = 2
const POSTGRES_TIMEOUT_MS = 1_000

interface Window {
	points: number
	duration: number
	keyPrefix: string
}

type MakeLimiter = (options: Window & { insuranceLimiter: RateLimiterMemory }) => RateLimiterAbstract

class FlexibleCallLimiter implements CallLimiter {
	readonly #make: MakeLimiter
	/** Quotas are settings: a limiter for each that was used; those of one kind work on the same counters. */
	readonly #limiters = new Map<string, RateLimiterAbstract>()

	constructor(make: MakeLimiter) {
		this.#make = make
	}

	async consume<Kind extends Quota>(userId: string, quotas: readonly Kind[]): Promise<QuotaRefusal<Kind> | undefined> {
		const consumed: Quota[] = []
		for (const quota of quotas) {
			const msBeforeNext = await this.#consumeOne(userId, quota)
			if (msBeforeNext !== undefined) {
				// A refused attempt costs nothing: what the wider windows have counted is given back.
				await Promise.all(consumed.map((done) => this.#limiterFor(done).reward(userId)))
				return { quota, retryAfterSec: Math.max(1, Math.ceil(msBeforeNext / 1000)) }
			}
			consumed.push(quota)
		}
		return undefined
	}

	/** @return undefined when it was within the quota, else the milliseconds until it is again */
	async #consumeOne(userId: string, quota: Quota): Promise<number | undefined> {
		try {
			await this.#limiterFor(quota).consume(userId)
			return undefined
		} catch (refusal) {
			if (refusal instanceof RateLimiterRes) {
				return refusal.msBeforeNext
			}
			throw refusal
		}
	}

	#limiterFor({ kind, max, windowSec }: Quota): RateLimiterAbstract {
		const id = `${kind}:${max}`
		const known = this.#limiters.get(id)
		if (known !== undefined) {
			return known
		}
		const window: Window = { points: max, duration: windowSec, keyPrefix: `${KEY_PREFIX}:${kind}` }
		const made = this.#make({ ...window, insuranceLimiter: new RateLimiterMemory(window) })
		this.#limiters.set(id, made)
		return made
	}
}

/**
 * On the sidecar's Redis connection.
 *
 * @param instance keeps the counters of installations apart that share one Redis
 */
export function createRedisCallLimiter(redis: Redis, instance: string): CallLimiter {
	return new FlexibleCallLimiter((options) => new RateLimiterRedis({
		...options,
		keyPrefix: `${options.keyPrefix}:${instance}`,
		storeClient: redis,
		rejectIfRedisNotReady: true,
	}))
}

/** On the table of the first migration, through a small pool of its own: it must not wait for the other queries. */
export function createPostgresCallLimiter(url: string, logger: Logger): { limiter: CallLimiter, stop: () => Promise<void> } {
	const pool = new Pool({ connectionString: url, max: POSTGRES_CONNECTIONS, connectionTimeoutMillis: POSTGRES_TIMEOUT_MS, query_timeout: POSTGRES_TIMEOUT_MS })
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
