// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { describe, expect, it } from 'vitest'
import { readRedisTarget } from '../../../lib/redis/target.ts'

describe('REDIS_URL', () => {
	it.each(['redis://:secret@redis:6379/1', 'rediss://redis', 'unix:/run/redis.sock', '/run/redis.sock'])('%s is taken as it is', (url) => {
		expect(readRedisTarget(url)).toBe(url)
	})

	it.each([
		['redis-sentinel://one#limits', { sentinels: [{ host: 'one', port: 26379 }], name: 'limits', db: 0 }],
		['redis-sentinel://one:26380,two,[2001:db8::7]:26381#my%20limits', { sentinels: [{ host: 'one', port: 26380 }, { host: 'two', port: 26379 }, { host: '2001:db8::7', port: 26381 }], name: 'my limits' }],
		['redis-sentinel://:p%40ss@one/3#limits', { password: 'p@ss', db: 3 }],
		['redis-sentinel://p%40ss@one#limits', { password: 'p@ss' }],
		['redis-sentinel://calls:pass@one?sentinelUsername=watch&sentinelPassword=p%26s#limits', { username: 'calls', password: 'pass', sentinelUsername: 'watch', sentinelPassword: 'p&s' }],
		['rediss-sentinel://one#limits', { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }],
	])('%s names Sentinels', (url, target) => {
		expect(readRedisTarget(url)).toMatchObject(target)
	})

	it('has neither names nor passwords, nor TLS, that it does not give', () => {
		expect(Object.keys(readRedisTarget('redis-sentinel://one#limits') ?? {}).filter((key) => /user|pass|tls/i.test(key))).toEqual([])
	})

	it.each([
		'',
		'redis',
		'http://redis',
		'redis-sentinel://one',
		'redis-sentinel://one#',
		'redis-sentinel://#limits',
		'redis-sentinel://one,#limits',
		'redis-sentinel://one,,two#limits',
		'redis-sentinel://one:0#limits',
		'redis-sentinel://one:65536#limits',
		'redis-sentinel://one:x#limits',
		'redis-sentinel://one two#limits',
		'redis-sentinel://one/x#limits',
		'redis-sentinel://2001:db8::7#limits',
		'redis-sentinel://:%zz@one#limits',
		'redis-sentinel://one#%zz',
		'redis-cluster://one#limits',
		' redis-sentinel://one#limits',
	])('%j is none', (url) => {
		expect(readRedisTarget(url)).toBeUndefined()
	})
})
