// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How long the figures of 100,000 calls take that were placed within a year by 200 users, and how long deleting them takes with
// their sums being kept. Prints the figures; exits 1 only when a sum is wrong.

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { metricsOf } from '../../lib/calls/metrics.ts'
import { migrate, openDatabase } from '../../lib/db/orm.ts'
import { MetricsRepository } from '../../lib/db/repositories/metrics-repository.ts'
import { RetentionRepository } from '../../lib/db/repositories/retention-repository.ts'
import { startEmbeddedPostgres } from '../../lib/embedded/postgres.ts'
import { createLogger } from '../../lib/logger.ts'
import { addDays, dayAt } from '../../lib/policy/day-range.ts'
import { KeyRing } from '../../lib/privacy/key-ring.ts'

const CALLS = 100_000
/** A statement has 30 seconds, also on a slow machine. */
const AT_ONCE = 10_000
const ROUNDS = 20
const ZONE = 'Europe/Berlin'

const folder = await mkdtemp(path.join(tmpdir(), 'sipcall-bench-'))
const logger = createLogger({ level: 'error', silent: true })
const postgres = await startEmbeddedPostgres({ dataDir: folder, logger })
const keys = new KeyRing([randomBytes(32)])
const orm = await openDatabase({ url: postgres.url, keys, logger })
try {
	await migrate(orm, keys)
	const run = (statement: string) => orm.em.getConnection().execute(statement)
	// As wide as real rows are: four encrypted texts of some 200 characters, and the legs.
	for (let first = 1; first < CALLS; first += AT_ONCE) {
		await run(`insert into calls (uuid, version, user_id, to_number, to_index, raw_to, device_id, device_label, direction, status, outcome, created_at, ended_at, changed_at, user_answered_at, answered_at, talk_ms,
			on_hold, legs, job_uuid, country, currency, reserved_micros, cost_micros)
		select gen_random_uuid(), 5, 'user' || n % 200, repeat(md5(n::text), 7), md5((n % 5000)::text), repeat(md5(n::text), 7), gen_random_uuid(), repeat(md5(n::text), 7), 'outbound', 'ended',
			(array['completed', 'completed', 'completed', 'busy', 'no_answer', 'cancelled', 'failed'])[1 + n % 7], now() - n * interval '5 minutes', now() - n * interval '5 minutes', now(), now(), case when n % 7 < 3 then now() end,
			case when n % 7 < 3 then 60000 end, false, jsonb_build_array(repeat(md5(n::text), 20)), gen_random_uuid(), 'DE', 'EUR', 1200000, case when n % 7 < 3 then 20000 else 0 end from generate_series(${first}, ${first + AT_ONCE - 1}) n`)
	}
	await run('vacuum analyze calls')
	const store = new MetricsRepository({ orm })
	await store.referToCallers()
	const today = dayAt(new Date(), ZONE)
	for (const days of [7, 90, 366]) {
		const taken: number[] = []
		let calls = 0
		for (let round = 0; round < ROUNDS; round++) {
			const start = performance.now()
			calls = (await metricsOf(store, addDays(today, 1 - days), today, ZONE)).totals.calls
			taken.push(performance.now() - start)
		}
		console.log(`${days} days, ${calls.toLocaleString('en')} calls, and as many days before: median ${(taken.toSorted((a, b) => a - b)[ROUNDS / 2] ?? Number.NaN).toFixed(1)} ms`)
	}
	const before = (await metricsOf(store, addDays(today, -365), today, ZONE)).totals
	const retention = new RetentionRepository({ orm })
	const start = performance.now()
	let deleted = 0
	for (let some = await retention.deleteSome(new Date()); some > 0; some = await retention.deleteSome(new Date())) {
		deleted += some
	}
	console.log(`${deleted.toLocaleString('en')} calls deleted, their sums kept: ${((performance.now() - start) / 1000).toFixed(1)} s`)
	const after = (await metricsOf(store, addDays(today, -365), today, ZONE)).totals
	if (JSON.stringify(before) !== JSON.stringify(after) || before.calls === 0) {
		console.error('The sums are not what they were', before, after)
		process.exitCode = 1
	}
} finally {
	await orm.close(true)
	await postgres.stop()
	await rm(folder, { recursive: true, force: true })
}
