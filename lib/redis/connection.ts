// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Logger } from '../logger.ts'

import { Redis } from 'ioredis'

/** Longer than any healthy Redis takes, shorter than a person's patience while a call is placed. */
const COMMAND_TIMEOUT_MS = 500

/**
 * Connects to Redis and keeps at it; a Redis that is away makes commands fail at once instead of queueing them.
 *
 * @param target a URL, or the path of a Unix socket
 */
export function connectRedis(target: string, logger: Logger): Redis {
	const redis = new Redis(target, {
		lazyConnect: false,
		enableOfflineQueue: false,
		maxRetriesPerRequest: 0,
		commandTimeout: COMMAND_TIMEOUT_MS,
		// What is asked in one turn goes out in one write.
		enableAutoPipelining: true,
		retryStrategy: (attempt) => Math.min(200 * 2 ** Math.min(attempt, 10), 10_000),
	})
	let isAway = false
	redis.on('ready', () => {
		isAway = false
		logger.info('Connected to Redis')
	})
	redis.on('error', (error) => {
		// Told once: the reconnecting goes on by itself and each attempt fails in the same way.
		logger[isAway ? 'debug' : 'warn']('Redis is away; limits are counted in memory until it is back', { error })
		isAway = true
	})
	return redis
}
