// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { RedisOptions } from 'ioredis'

/** What ioredis has to know of Sentinels. */
export type SentinelTarget = Pick<RedisOptions, 'sentinels' | 'name' | 'username' | 'password' | 'sentinelUsername' | 'sentinelPassword' | 'db' | 'tls' | 'sentinelTLS' | 'enableTLSForSentinelMode' | 'sentinelCommandTimeout' | 'failoverDetector'>

/** Where Redis Sentinel listens unless it is told otherwise. */
const SENTINEL_PORT = 26379

/** Then the next one is asked. */
const SENTINEL_TIMEOUT_MS = 1_000

const PLAIN = /^rediss?:\/\/|^unix:|^\//
/** Several hosts in one address are nothing that `URL` reads. */
const SENTINEL = /^(rediss?)-sentinel:\/\/(?:(?:([^:@/]*):)?([^:@/]*)@)?([^@/?#]+)(?:\/(\d{0,4}))?(?:\?([^#]*))?#(.+)$/
const ADDRESS = /^(?:\[([\da-f:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/i

/**
 * Reads REDIS_URL: the URL of one Redis, the path of a Unix socket, or what Redis Sentinel looks after, written as Lettuce
 * does: `redis-sentinel://[[user:]password@]host[:port][,host[:port]…][/database][?sentinelUsername=…&sentinelPassword=…]#name`,
 * `rediss-sentinel` for TLS with Redis and with the Sentinels.
 *
 * @return for ioredis; undefined when it is none of these
 */
export function readRedisTarget(text: string): string | SentinelTarget | undefined {
	if (PLAIN.test(text)) {
		return text
	}
	const [, scheme, username, password, hosts = '', database, query, name = ''] = SENTINEL.exec(text) ?? []
	const sentinels = hosts.split(',').map(readAddress)
	if (scheme === undefined || !sentinels.every((address) => address !== undefined)) {
		return undefined
	}
	const own = new URLSearchParams(query)
	try {
		return {
			sentinels,
			name: decodeURIComponent(name),
			...given({
				username: decoded(username),
				password: decoded(password),
				sentinelUsername: own.get('sentinelUsername') ?? undefined,
				sentinelPassword: own.get('sentinelPassword') ?? undefined,
			}),
			db: Number(database ?? 0),
			...(scheme === 'rediss' ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
			sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
			// Also where the old primary still answers, but only us.
			failoverDetector: true,
		}
	} catch {
		// A % that begins nothing.
		return undefined
	}
}

function readAddress(text: string): { host: string, port: number } | undefined {
	const [, inBrackets, plain, port = SENTINEL_PORT] = ADDRESS.exec(text) ?? []
	const host = inBrackets ?? plain
	return host === undefined || Number(port) < 1 || Number(port) > 65_535 ? undefined : { host, port: Number(port) }
}

function decoded(text: string | undefined): string | undefined {
	return text === undefined || text === '' ? undefined : decodeURIComponent(text)
}

function given<Value>(values: Record<string, Value | undefined>): Record<string, Value> {
	return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== undefined))
}
