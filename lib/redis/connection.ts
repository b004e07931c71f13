// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { RedisOptions } from 'ioredis'
import type { Logger } from '../logger.ts'
import type { SentinelTarget } from './target.ts'

import { Redis } from 'ioredis'
import { once } from 'node:events'

/** Longer than any healthy Redis takes, shorter than a person's patience while a call is placed. */
const COMMAND_TIMEOUT_MS = 500
/** Meanwhile limits are counted in memory: short, and an attempt costs next to nothing. */
const LONGEST_RETRY_MS = 2_000

/** Why a Redis that answers is of no use. */
export type RedisFault
	/** A replica, or the primary that a failover has left behind. */
	= | 'read_only'
		/** `maxmemory` is reached, or its disk takes no snapshot: it takes no changes. */
		| 'full'
		| 'password_refused'

/** The first word of an error reply, by which Redis names it. */
const FAULTS: Readonly<Record<string, RedisFault>> = { READONLY: 'read_only', OOM: 'full', MISCONF: 'full', NOAUTH: 'password_refused', WRONGPASS: 'password_refused', NOPERM: 'password_refused' }

/** A sidecar's Redis. */
export interface RedisConnection {
	redis: Redis
	/** Resolves when there is a connection, or the time for it is over: what comes before is counted in memory. */
	ready: () => Promise<void>
	/** Told at each connection, once commands can be given. */
	onReady: (listener: () => void) => void
	/** Writes something that goes away by itself: that it answers says too little. */
	look: () => Promise<void>
	/** What is wrong when `look` has failed; undefined = it is away. */
	fault: () => RedisFault | undefined
}

const LOOK_MS = 10_000
/** A start waits so long at most; calls go on without Redis. */
const READY_LIMIT_MS = 2_000

/**
 * Connects to Redis and keeps at it; a Redis that is away makes commands fail at once instead of queueing them.
 *
 * @param target as `readRedisTarget` gives it
 * @param instance keeps what is written apart from that of installations on the same Redis
 */
export function connectRedis(target: string | SentinelTarget, instance: string, logger: Logger): RedisConnection {
	const options = {
		lazyConnect: false,
		enableOfflineQueue: false,
		maxRetriesPerRequest: 0,
		commandTimeout: COMMAND_TIMEOUT_MS,
		retryStrategy: (attempt: number) => Math.min(200 * 2 ** Math.min(attempt, 10), LONGEST_RETRY_MS),
	} satisfies RedisOptions
	const redis = typeof target === 'string' ? new Redis(target, options) : new Redis({ ...target, ...options })
	let isAway = false
	let fault: RedisFault | undefined
	redis.on('ready', () => {
		isAway = false
		logger.info('Connected to Redis')
	})
	redis.on('error', (error) => {
		fault = faultOf(error)
		// Told once: the reconnecting goes on by itself and each attempt fails in the same way.
		logger[isAway ? 'debug' : 'warn']('Redis is away; limits are counted in memory until it is back', { error })
		isAway = true
	})
	return {
		redis,
		ready: async () => {
			if (redis.status !== 'ready') {
				await Promise.race([once(redis, 'ready', { signal: AbortSignal.timeout(READY_LIMIT_MS) }), once(redis, 'close')]).catch(() => {})
			}
		},
		onReady: (listener) => {
			redis.on('ready', listener)
			if (redis.status === 'ready') {
				listener()
			}
		},
		look: async () => {
			try {
				await redis.set(`sipcall:look:${instance}`, 1, 'PX', LOOK_MS)
				fault = undefined
			} catch (error) {
				// Without a connection the reason is that of the last attempt.
				fault = faultOf(error) ?? (redis.status === 'ready' ? undefined : fault)
				throw error
			}
		},
		fault: () => fault,
	}
}

function faultOf(error: unknown): RedisFault | undefined {
	return error instanceof Error ? FAULTS[error.message.split(' ', 1)[0] ?? ''] : undefined
}
