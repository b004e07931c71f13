// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Counts attempts to call, in Redis where there is one, else in PostgreSQL; in memory while that one is away.

import type { Redis } from 'ioredis'
import type { RateLimiterAbstract } from 'rate-limiter-flexible'
import type { CallLimiter, Quota, QuotaRefusal, QuotaUse } from '../calls/ports.ts'
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

/**
 * What each user has of a limit while the counters cannot be reached, in each sidecar: a tenth, at least one. It comes on
 * top of what was counted before, so a limit can be passed by that much and no more.
 */
export function allowanceOf(max: number): number {
	return Math.max(1, Math.floor(max / 10))
}

class FlexibleCallLimiter implements CallLimiter {
	readonly #make: MakeLimiter
	/** Quotas are settings: a limiter for each that was used; those of one kind work on the same counters. */
	readonly #limiters = new Map<string, RateLimiterAbstract>()

	constructor(make: MakeLimiter) {
		this.#make = make
	}

	/** All windows in one go: one trip to Redis, and where it hangs one wait. */
	async consume<Kind extends Quota>(userId: string, quotas: readonly Kind[]): Promise<QuotaRefusal<Kind> | undefined> {
		const counted = await Promise.all(quotas.map(async (quota) => ({ quota, msBeforeNext: await this.#consumeOne(userId, quota) })))
		const refusals = counted.flatMap(({ quota, msBeforeNext }) => msBeforeNext === undefined ? [] : [{ quota, msBeforeNext }])
		const [longest] = refusals.toSorted((a, b) => b.msBeforeNext - a.msBeforeNext)
		if (longest === undefined) {
			return undefined
		}
		// A refused attempt costs nothing, and must not keep the window that refused it closed.
		await Promise.all(quotas.map((quota) => this.#limiterFor(quota).reward(userId)))
		return { quota: longest.quota, retryAfterSec: Math.max(1, Math.ceil(longest.msBeforeNext / 1000)) }
	}

	async look<Kind extends Quota>(userId: string, quotas: readonly Kind[]): Promise<QuotaUse<Kind>[]> {
		return Promise.all(quotas.map(async (quota) => {
			const state = await this.#limiterFor(quota).get(userId)
			// What ran out is not there any more; -1 is a counter without an end, of which there is none.
			const isCounting = state !== null && state.msBeforeNext > 0
			return { quota, used: isCounting ? Math.min(state.consumedPoints, quota.max) : 0, resetSec: isCounting ? Math.ceil(state.msBeforeNext / 1000) : undefined }
		}))
	}

	async forget(userId: string, quota: Quota): Promise<void> {
		await this.#limiterFor(quota).delete(userId)
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

	#limiterFor({ kind, max, windowSec, isFullInMemory }: Quota): RateLimiterAbstract {
		const id = `${kind}:${max}:${windowSec}`
		const known = this.#limiters.get(id)
		if (known !== undefined) {
			return known
		}
		const window: Window = { points: max, duration: windowSec, keyPrefix: `${KEY_PREFIX}:${kind}` }
		const made = this.#make({ ...window, insuranceLimiter: new RateLimiterMemory({ ...window, points: isFullInMemory === true ? max : allowanceOf(max) }) })
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
