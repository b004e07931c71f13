// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What it costs to decide on a call: without asking anybody (the number is read, the facts to ask for are put together, and
// every rule is passed), and with the one question to PostgreSQL and the one to Redis. Prints the figures; exits 1 only when a decision is wrong.

import type { CallingState } from '../../lib/calls/ports.ts'
import type { Settings } from '../../lib/policy/settings.ts'

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { allowDestination, factsFor, quotasOf } from '../../lib/calls/call-rules.ts'
import { migrate, openDatabase } from '../../lib/db/orm.ts'
import { CallRepository } from '../../lib/db/repositories/call-repository.ts'
import { startEmbeddedPostgres } from '../../lib/embedded/postgres.ts'
import { startEmbeddedRedis } from '../../lib/embedded/redis.ts'
import { Guard } from '../../lib/guard.ts'
import { createLogger } from '../../lib/logger.ts'
import { DEFAULT_SETTINGS } from '../../lib/policy/settings.ts'
import { NO_RULE } from '../../lib/policy/user-rule.ts'
import { KeyRing } from '../../lib/privacy/key-ring.ts'
import { COUNTERS_GUARD, createRedisCallLimiter } from '../../lib/redis/call-limiter.ts'
import { connectRedis } from '../../lib/redis/connection.ts'

const DECISIONS = 5_000
const CALLS = 100_000
const ROUNDS = 200
const LIMIT_MS = 0.3

const eur = (micros: string) => ({ micros, currency: 'EUR' })
const settings: Settings = {
	...DEFAULT_SETTINGS,
	homeCountry: 'DE',
	allowedCountries: ['DE', 'AT', 'CH', 'FR'],
	allowedGroups: ['sales', 'support'],
	allowedPrefixes: Array.from({ length: 100 }, (_, at) => `+4930${1000 + at}`),
	deniedPrefixes: Array.from({ length: 500 }, (_, at) => `+49137${at}`),
	callerIds: Array.from({ length: 20 }, (_, at) => ({ number: `+493099990${at}`, label: `Line ${at}`, groups: ['sales'] })),
	timeZone: 'Europe/Berlin',
	workingHours: { timeZone: 'Europe/Berlin', days: { tue: [{ from: '00:00', to: '24:00' }] } },
	maxDistinctPerDay: 100,
	dailySpendLimit: eur('100000000'),
	monthlySpendLimit: eur('1000000000'),
	rates: Array.from({ length: 1000 }, (_, at) => ({ prefix: `+${at + 1}`, perMinute: eur('20000') })),
	brake: { from: '20:00', to: '07:00', callsPerHour: 5 },
}
const state: CallingState = {
	rule: NO_RULE,
	handedOver: 0,
	facts: { openOfUser: 0, openInAll: 3, distinctToday: 5, isCalledToday: false, isCountryKnown: true, callsLastHour: 2, spentToday: 0n, spentThisMonth: 0n },
}
const user = { id: 'anna', groups: ['sales'] }
const at = new Date('2026-11-24T11:00:00.000Z')

const times: number[] = []
for (let turn = 0; turn < DECISIONS; turn++) {
	const to = `030 / ${100000 + turn}`
	const start = performance.now()
	factsFor(user, to, settings, at)
	const { number } = allowDestination({ to, callerId: undefined }, { user, settings, state, at, carrierCountries: ['DE'] })
	times.push(performance.now() - start)
	if (number.e164 !== `+4930${100000 + turn}`) {
		console.error(`${to} was decided on as ${number.e164}`)
		process.exitCode = 1
	}
}
const sorted = times.toSorted((a, b) => a - b)
const of = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(3)
console.log(`${DECISIONS} decisions with 600 prefixes and 1,000 rates; the limit for the median is ${LIMIT_MS} ms`)
console.log(`median ${of(0.5)} ms   95 % ${of(0.95)} ms   slowest ${of(0.9999)} ms`)

// With what must be asked: one statement to PostgreSQL, one turn with Redis.
const folder = await mkdtemp(path.join(tmpdir(), 'sipcall-bench-'))
const logger = createLogger({ level: 'error', silent: true })
const postgres = await startEmbeddedPostgres({ dataDir: folder, logger })
const embeddedRedis = await startEmbeddedRedis({ dataDir: folder, logger })
const keys = new KeyRing([randomBytes(32)])
const orm = await openDatabase({ url: postgres.url, keys, logger })
try {
	await migrate(orm, keys)
	await orm.em.getConnection().execute(`insert into calls (uuid, version, user_id, to_number, to_index, raw_to, device_id, device_label, direction, status, outcome, created_at, ended_at,
			changed_at, on_hold, legs, job_uuid, country, reserved_micros, cost_micros)
		select gen_random_uuid(), 5, 'user' || n % 200, 'x', md5((n % 5000)::text), 'x', gen_random_uuid(), 'x', 'outbound', 'ended', 'completed', now() - n * interval '25 seconds', now(),
			now(), false, '[]', gen_random_uuid(), 'DE', 1200000, 20000 from generate_series(1, ${CALLS}) n`)
	await orm.em.getConnection().execute('analyze calls')
	const store = new CallRepository({ orm, keys, clock: { now: () => new Date() } })
	report(`facts of ${CALLS.toLocaleString('en')} calls, no limit on spending`, await timed(() => store.facts({ ...factsFor({ id: 'user7' }, '030 123456', settings, new Date()), isSpendLimited: false })))
	report('… with one (the sums of a day and a month)', await timed(() => store.facts(factsFor({ id: 'user7' }, '030 123456', settings, new Date()))))
	if (embeddedRedis !== undefined) {
		const { redis } = connectRedis(embeddedRedis.socketPath, 'bench', logger)
		await once(redis, 'ready')
		const limiter = createRedisCallLimiter(redis, 'bench', new Guard({ ...COUNTERS_GUARD, part: 'redis' }))
		const quotas = quotasOf({ ...settings, callsPerMinute: 1_000_000, callsPerHour: 1_000_000, callsPerDay: 1_000_000 })
		await limiter.consume('user7', quotas)
		let writes = 0
		const { stream } = redis as unknown as { stream: { write: (...args: unknown[]) => boolean } }
		const write = stream.write.bind(stream)
		stream.write = (...args) => {
			writes++
			return write(...args)
		}
		report('three windows counted in Redis', await timed(() => limiter.consume('user7', quotas)))
		console.log(`writes to Redis for each: ${(writes / ROUNDS).toFixed(2)}`)
		redis.disconnect()
	}
} finally {
	await orm.close(true)
	await embeddedRedis?.stop()
	await postgres.stop()
	await rm(folder, { recursive: true, force: true })
}

async function timed(step: () => Promise<unknown>): Promise<number[]> {
	const taken: number[] = []
	for (let round = 0; round < ROUNDS; round++) {
		const start = performance.now()
		await step()
		taken.push(performance.now() - start)
	}
	return taken
}

function report(name: string, taken: readonly number[]): void {
	const ordered = taken.toSorted((a, b) => a - b)
	console.log(`${name}: median ${(ordered[Math.floor(ordered.length / 2)] ?? Number.NaN).toFixed(2)} ms`)
}
