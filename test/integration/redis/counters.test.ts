// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Redis } from 'ioredis'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { describe, expect, inject, it } from 'vitest'
import { startCounters } from '../../../lib/backing.ts'
import { Secret } from '../../../lib/config.ts'
import { Guards } from '../../../lib/guard.ts'
import { Releasers } from '../../../lib/startup.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

describe.skipIf(inject('redisSocket') === undefined)('attempts', () => {
	// Where commands of one turn were sent together, one that Redis had not been taught before was lost there, and ended the process.
	it('in the very turn in which Redis is connected are counted by Redis, of each kind', async () => {
		const socket = inject('redisSocket') ?? ''
		const dataId = randomBytes(8).toString('hex')
		const log = new RecordedLog()
		const releasers = new Releasers(log)
		const { limiter } = await startCounters({ redisUrl: new Secret(`unix:${socket}`), storagePath: tmpdir() }, '', { dataId }, new Guards(), log, releasers)
		const kinds = ['callsPerMinute', 'callsPerHour', 'callsPerDay'].map((kind) => ({ kind, max: 10, windowSec: 3600 }))
		await Promise.all([limiter.consume('demo', kinds), limiter.consume('demo', kinds)])
		const redis = new Redis(socket)
		try {
			const keys = await redis.keys(`*${dataId}*demo`)
			expect(keys).toHaveLength(kinds.length)
			expect(await redis.mget(keys)).toEqual(kinds.map(() => '2'))
		} finally {
			redis.disconnect()
			await releasers.run()
		}
	})
})
