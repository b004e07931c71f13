// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How long the figures of many calls take, added up call by call and from the sums of days; how long bringing the days in takes,
// and deleting 100,000 calls with their sums being kept. CALLS=10000000 DAYS=30 USERS=5000 is a large company's month. Prints the
// figures; exits 1 only when a sum is wrong.

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import path from 'node:path'
import { metricsOf } from '../../lib/calls/metrics.ts'
import { migrate, openDatabase } from '../../lib/db/orm.ts'
import { CallDaysRepository } from '../../lib/db/repositories/call-days-repository.ts'
import { MetricsRepository } from '../../lib/db/repositories/metrics-repository.ts'
import { RetentionRepository } from '../../lib/db/repositories/retention-repository.ts'
import { startEmbeddedPostgres } from '../../lib/embedded/postgres.ts'
import { createLogger } from '../../lib/logger.ts'
import { addDays, dayAt } from '../../lib/policy/day-range.ts'
import { KeyRing } from '../../lib/privacy/key-ring.ts'

const CALLS = Number(process.env.CALLS ?? 100_000)
const DAYS = Number(process.env.DAYS ?? 347)
const USERS = Number(process.env.USERS ?? 200)
/** A year's worth is looked at in three ways, a month's in one. */
const LOOKS = DAYS > 90 ? [7, 90, 366] : [DAYS]
/** A statement has 30 seconds, also on a slow machine. */
const AT_ONCE = 100_000
/** As wide as real rows are: four encrypted texts of some 200 characters, and the legs. Of millions only what is read. */
const WIDE = CALLS <= 1_000_000
const ROUNDS = CALLS <= 1_000_000 ? 20 : 5
const ZONE = 'Europe/Berlin'

const folder = await mkdtemp(path.join(tmpdir(), 'sipcall-bench-'))
const logger = createLogger({ level: 'error', silent: true })
const postgres = await startEmbeddedPostgres({ dataDir: folder, logger })
const keys = new KeyRing([randomBytes(32)])
const orm = await openDatabase({ url: postgres.url, keys, logger })
try {
	await migrate(orm, keys)
	const run = (statement: string) => orm.em.getConnection().execute(statement)
	await run('alter table calls disable trigger user')
	const text = WIDE ? 'repeat(md5(n::text), 7)' : '\'x\''
	for (let first = 1; first < CALLS; first += AT_ONCE) {
		await run(`insert into calls (uuid, version, user_id, to_number, to_index, raw_to, device_id, device_label, direction, status, outcome, created_at, ended_at, changed_at, user_answered_at, answered_at, talk_ms,
			on_hold, legs, job_uuid, country, currency, reserved_micros, cost_micros)
		select gen_random_uuid(), 5, 'user' || n % ${USERS}, ${text}, md5((n % 5000)::text), ${text}, gen_random_uuid(), ${text}, 'outbound', 'ended',
			(array['completed', 'completed', 'completed', 'busy', 'no_answer', 'cancelled', 'failed'])[1 + n % 7], now() - n * interval '${DAYS * 86_400 / CALLS} seconds', now() - n * interval '${DAYS * 86_400 / CALLS} seconds', now(), now(), case when n % 7 < 3 then now() end,
			case when n % 7 < 3 then 60000 end, false, ${WIDE ? 'jsonb_build_array(repeat(md5(n::text), 20))' : '\'[]\''}, gen_random_uuid(), 'DE', 'EUR', 1200000, case when n % 7 < 3 then 20000 else 0 end from generate_series(${first}, ${Math.min(first + AT_ONCE, CALLS + 1) - 1}) n`)
	}
	await run('alter table calls enable trigger user')
	await run(`select sipcall_forget_call_days('${ZONE}')`)
	await run(`insert into settings (key, value, updated_at) values ('timeZone', '"${ZONE}"', now())`)
	await run('vacuum analyze calls')
	const store = new MetricsRepository({ orm })
	await store.referToCallers()
	const today = dayAt(new Date(), ZONE)
	const look = async (how: string) => {
		for (const days of LOOKS) {
			const taken: number[] = []
			let calls = 0
			for (let round = 0; round < ROUNDS; round++) {
				const start = performance.now()
				calls = (await metricsOf(store, addDays(today, 1 - days), today, ZONE)).totals.calls
				taken.push(performance.now() - start)
			}
			const sorted = taken.toSorted((a, b) => a - b)
			console.log(`${how}, ${days} days, ${calls.toLocaleString('en')} calls, and as many days before: median ${(sorted[Math.floor(ROUNDS / 2)] ?? Number.NaN).toFixed(1)} ms, longest ${(sorted.at(-1) ?? Number.NaN).toFixed(1)} ms`)
		}
		return metricsOf(store, addDays(today, -365), today, ZONE)
	}
	console.log(`${CALLS.toLocaleString('en')} calls of ${USERS} users in ${DAYS} days; ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}`)
	// Of millions it would take longer than a statement may.
	const alone = WIDE ? await look('call by call') : undefined
	const began = performance.now()
	await new CallDaysRepository({ orm, logger }).run()
	console.log(`the days brought in: ${((performance.now() - began) / 1000).toFixed(1)} s, ${((performance.now() - began) / Math.min(DAYS, CALLS)).toFixed(0)} ms for each`)
	await run('vacuum analyze call_days')
	await run('vacuum analyze call_user_days')
	const summed = await look('from the sums of days')
	if (alone === undefined ? summed.totals.calls !== CALLS : JSON.stringify(alone) !== JSON.stringify(summed)) {
		console.error('The sums of days are not those of the calls')
		process.exitCode = 1
	}
	if (WIDE) {
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
	}
} finally {
	await orm.close(true)
	await postgres.stop()
	await rm(folder, { recursive: true, force: true })
}
