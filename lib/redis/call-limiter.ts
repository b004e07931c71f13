// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Counts attempts to call, in Redis where there is one, else in PostgreSQL; in memory while that one is away.

import type { Redis } from 'ioredis'
import type { RateLimiterAbstract } from 'rate-limiter-flexible'
import type { CallLimiter, Quota, QuotaRefusal, QuotaUse } from '../calls/ports.ts'
import type { Guard } from '../guard.ts'
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

type MakeLimiter = (window: Window) => RateLimiterAbstract

/** The counters of one quota, and those that count while they cannot be reached. */
interface Counting {
	store: RateLimiterAbstract
	memory: RateLimiterMemory
}

/**
 * What each user has of a limit while the counters cannot be reached, in each sidecar: a tenth, at least one. It comes on
 * top of what was counted before, so a limit can be passed by that much and no more.
 */
export function allowanceOf(max: number): number {
	return Math.max(1, Math.floor(max / 10))
}

class FlexibleCallLimiter implements CallLimiter {
	readonly #make: MakeLimiter
	readonly #guard: Guard
	/** Quotas are settings: counters for each that was used; those of one kind work on the same. */
	readonly #countings = new Map<string, Counting>()

	constructor(make: MakeLimiter, guard: Guard) {
		this.#make = make
		this.#guard = guard
	}

	/** All windows in one go: one trip to Redis, and where it hangs one wait. */
	async consume<Kind extends Quota>(userId: string, quotas: readonly Kind[]): Promise<QuotaRefusal<Kind> | undefined> {
		const counted = await Promise.all(quotas.map(async (quota) => ({ quota, ...await this.#consumeOne(userId, quota) })))
		const refusals = counted.flatMap(({ quota, msBeforeNext }) => msBeforeNext === undefined ? [] : [{ quota, msBeforeNext }])
		const [longest] = refusals.toSorted((a, b) => b.msBeforeNext - a.msBeforeNext)
		if (longest === undefined) {
			return undefined
		}
		// A refused attempt costs nothing, and must not keep the window that refused it closed: it is given back where it was counted.
		await Promise.all(counted.map(({ counter }) => counter.reward(userId).catch(() => {})))
		return { quota: longest.quota, retryAfterSec: Math.max(1, Math.ceil(longest.msBeforeNext / 1000)) }
	}

	async look<Kind extends Quota>(userId: string, quotas: readonly Kind[]): Promise<QuotaUse<Kind>[]> {
		return Promise.all(quotas.map(async (quota) => {
			const { value: state } = await this.#use(quota, (counter) => counter.get(userId))
			// What ran out is not there any more; -1 is a counter without an end, of which there is none.
			const isCounting = state !== null && state.msBeforeNext > 0
			return { quota, used: isCounting ? Math.min(state.consumedPoints, quota.max) : 0, resetSec: isCounting ? Math.ceil(state.msBeforeNext / 1000) : undefined }
		}))
	}

	async forget(userId: string, quota: Quota): Promise<void> {
		await this.#use(quota, (counter) => counter.delete(userId))
	}

	/** @return where it was counted, and, when it was not within the quota, the milliseconds until it is again */
	async #consumeOne(userId: string, quota: Quota): Promise<{ counter: RateLimiterAbstract, msBeforeNext: number | undefined }> {
		const { counter, value } = await this.#use(quota, async (counting) => {
			try {
				await counting.consume(userId)
				return undefined
			} catch (refusal) {
				if (refusal instanceof RateLimiterRes) {
					return refusal.msBeforeNext
				}
				throw refusal
			}
		})
		return { counter, msBeforeNext: value }
	}

	/** With the counters, or while they cannot be reached with those in memory. */
	async #use<Value>(quota: Quota, work: (counter: RateLimiterAbstract) => Promise<Value>): Promise<{ counter: RateLimiterAbstract, value: Value }> {
		const { store, memory } = this.#countingOf(quota)
		try {
			return { counter: store, value: await this.#guard.execute(() => work(store)) }
		} catch {
			return { counter: memory, value: await work(memory) }
		}
	}

	#countingOf({ kind, max, windowSec, isFullInMemory }: Quota): Counting {
		const id = `${kind}:${max}:${windowSec}`
		const known = this.#countings.get(id)
		if (known !== undefined) {
			return known
		}
		const window: Window = { points: max, duration: windowSec, keyPrefix: `${KEY_PREFIX}:${kind}` }
		const made = { store: this.#make(window), memory: new RateLimiterMemory({ ...window, points: isFullInMemory === true ? max : allowanceOf(max) }) }
		this.#countings.set(id, made)
		return made
	}
}

/** Three failures in a row, and for two seconds memory counts without waiting for what is away. */
export const COUNTERS_GUARD = { isFault: () => true, breakAfter: 3, breakMs: 2_000 } as const

/**
 * On the sidecar's Redis connection.
 *
 * @param instance keeps the counters of installations apart that share one Redis
 */
export function createRedisCallLimiter(redis: Redis, instance: string, guard: Guard): CallLimiter {
	return new FlexibleCallLimiter((options) => new RateLimiterRedis({
		...options,
		keyPrefix: `${options.keyPrefix}:${instance}`,
		storeClient: redis,
		rejectIfRedisNotReady: true,
	}), guard)
}

/** On the table of the first migration, through a small pool of its own: it must not wait for the other queries. */
export function createPostgresCallLimiter(url: string, logger: Logger, guard: Guard): { limiter: CallLimiter, stop: () => Promise<void> } {
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
		}), guard),
		stop: () => pool.end(),
	}
}
