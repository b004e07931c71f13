// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The sums of days against the calls themselves, whatever becomes of those.

import type { MikroORM } from '@mikro-orm/postgresql'
import type { StoredMetrics } from '../../../lib/calls/metrics.ts'
import type { TestDatabase } from '../../support/database.ts'

import fc from 'fast-check'
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../lib/db/orm.ts'
import { CallDaysRepository } from '../../../lib/db/repositories/call-days-repository.ts'
import { MetricsRepository } from '../../../lib/db/repositories/metrics-repository.ts'
import { dayRange } from '../../../lib/policy/day-range.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { createTestDatabase } from '../../support/database.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const ZONES = ['UTC', 'Europe/Berlin', 'Asia/Kolkata'] as const
/** The clocks of Berlin change within it. */
const [FIRST, LAST] = ['2026-03-20', '2026-04-05'] as const
const BEGIN_MS = Date.parse('2026-03-20T12:00:00.000Z')
const HOUR_MS = 60 * 60 * 1000

let database: TestDatabase
let orm: MikroORM
let days: CallDaysRepository
let metrics: MetricsRepository

beforeEach(async () => {
	database = await createTestDatabase({ hasSchema: true })
	orm = await openDatabase({ url: database.url, keys: new KeyRing([randomBytes(32)]), logger: new RecordedLog(), poolSize: 8 })
	days = new CallDaysRepository({ orm, logger: new RecordedLog() })
	metrics = new MetricsRepository({ orm })
})

afterEach(async () => {
	await orm.close(true)
	await database.drop()
})

interface GivenCall {
	user: number
	hour: number
	isOpen: boolean
	outcome: string
	talkMs: number | null
	micros: number | null
	isPending: boolean
	carrier: 'none' | 'asked' | 'told'
}

const literal = (value: string | number | null) => value === null ? 'null' : `'${value}'`
const carrierOf = ({ carrier }: Pick<GivenCall, 'carrier'>) => literal({ none: null, asked: '{"looks":1,"state":"pending"}', told: '{"looks":1,"cost":{"micros":"777","currency":"USD"}}' }[carrier])

async function place({ user, hour, isOpen, outcome, talkMs, micros, isPending, ...more }: GivenCall): Promise<void> {
	const at = new Date(BEGIN_MS + hour * HOUR_MS).toISOString()
	await database.query(`insert into calls (uuid, version, user_id, to_number, to_index, raw_to, device_id, device_label, direction, status, outcome, created_at, ended_at, changed_at, user_answered_at, answered_at,
			talk_ms, on_hold, legs, job_uuid, country, currency, cost_micros, reserved_micros, transfer, carrier_cost)
		values (gen_random_uuid(), 1, 'user${user}', 'x', 'x', 'x', gen_random_uuid(), 'x', 'outbound', '${isOpen ? 'connected' : 'ended'}', ${literal(isOpen ? null : outcome)}, '${at}', ${literal(isOpen ? null : at)}, '${at}', '${at}',
			${literal(talkMs === null ? null : at)}, ${literal(talkMs)}, false, '[]', gen_random_uuid(), 'FR', ${literal(micros === null ? null : 'EUR')}, ${literal(micros)}, ${literal(micros)}, ${literal(isPending ? 'done' : null)}, ${carrierOf(more)})`)
}

/** Some calls, by chance but the same ones each time. */
const some = (which: number) => `(('x' || left(md5(uuid::text || ${which}), 4))::bit(16)::int % 3 = 0)`

const CHANGES: Readonly<Record<string, (which: number) => string>> = {
	end: (which) => `update calls set status = 'ended', outcome = 'completed', ended_at = created_at, talk_ms = 5000, answered_at = created_at, version = version + 1 where status <> 'ended' and ${some(which)}`,
	correct: (which) => `update calls set outcome = 'busy', talk_ms = null, answered_at = null, version = version + 1 where status = 'ended' and ${some(which)}`,
	price: (which) => `update calls set carrier_cost = '{"looks":2,"cost":{"micros":"4242","currency":"USD"}}' where status = 'ended' and ${some(which)}`,
	mask: (which) => `update calls set to_number = 'y', version = version + 1 where ${some(which)}`,
	delete: (which) => `delete from calls where ${some(which)}`,
	deleteUser: (which) => `delete from calls where user_id = 'user${which % 3}'`,
}

async function setZone(zone: string): Promise<void> {
	await database.query(`insert into settings (key, value, updated_at) values ('timeZone', '"${zone}"', now()) on conflict (key) do update set value = excluded.value`)
}

/** What is read, in an order that says nothing. */
async function figures(zone: string): Promise<Omit<StoredMetrics, 'live'>> {
	const range = dayRange(FIRST, LAST, zone)
	const { days: ofDays, users } = await metrics.read(range, range.starts[5] ?? range.from)
	const keyOf = (value: object) => JSON.stringify(value, (_key, part: unknown) => typeof part === 'bigint' ? String(part) : part)
	const byKey = <Value extends object>(list: readonly Value[]) => list.toSorted((a, b) => keyOf(a) < keyOf(b) ? -1 : 1)
	return { days: byKey(ofDays), users: byKey(users.map((user) => ({ ...user, reference: '' }))) }
}

/** The same, from the calls alone. */
async function ofCalls(zone: string): Promise<Omit<StoredMetrics, 'live'>> {
	const [{ since } = { since: '' }] = await database.query<{ since: string }>('select since::text from call_days_state')
	await database.query('update call_days_state set since = \'infinity\'')
	try {
		return await figures(zone)
	} finally {
		await database.query(`update call_days_state set since = '${since}'`)
	}
}

async function isWhole(zone: string): Promise<boolean> {
	return (await database.query(`select from call_days_state where since = '-infinity' and time_zone = '${zone}'`)).length === 1
}

describe('the sums of days', () => {
	it('say what the calls say, whatever becomes of them and whenever they are made', async () => {
		const call = fc.record({
			user: fc.nat(2),
			// Few days, so that calls meet in the same sums; around the change of clocks.
			hour: fc.integer({ min: 8 * 24, max: 10 * 24 }),
			isOpen: fc.boolean(),
			outcome: fc.constantFrom('completed', 'busy'),
			talkMs: fc.option(fc.nat(100_000), { freq: 3 }),
			micros: fc.option(fc.nat(1_000_000), { freq: 3 }),
			isPending: fc.boolean(),
			carrier: fc.constantFrom('none', 'asked', 'told'),
		}) as fc.Arbitrary<GivenCall>
		const step = fc.oneof(
			{ weight: 6, arbitrary: fc.record({ do: fc.constant('place' as const), calls: fc.array(call, { minLength: 2, maxLength: 8 }) }) },
			{ weight: 6, arbitrary: fc.record({ do: fc.constant('change' as const), change: fc.constantFrom(...Object.keys(CHANGES)), which: fc.nat(20) }) },
			{ weight: 2, arbitrary: fc.record({ do: fc.constant('sum up' as const) }) },
			{ weight: 1, arbitrary: fc.record({ do: fc.constant('zone' as const), zone: fc.constantFrom(...ZONES) }) },
			{ weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const) }) },
		)
		await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
			await database.query('delete from calls')
			await database.query('delete from call_sums')
			let zone: string = 'UTC'
			await setZone(zone)
			for (const one of steps) {
				if (one.do === 'place') {
					for (const given of one.calls) {
						await place(given)
					}
				} else if (one.do === 'change') {
					await database.query(CHANGES[one.change]?.(one.which) ?? '')
				} else if (one.do === 'sum up') {
					await days.run()
				} else if (one.do === 'zone') {
					zone = one.zone
					await setZone(zone)
				} else {
					await database.query('select sipcall_forget_call_days(sipcall_time_zone())')
				}
				expect(await figures(zone)).toEqual(await ofCalls(zone))
			}
			await days.run()
			expect(await isWhole(zone)).toBe(true)
			expect(await figures(zone)).toEqual(await ofCalls(zone))
			// Nothing is left of anybody who has no calls.
			expect(await database.query('select from call_user_days where user_id not in (select user_id from calls where status = \'ended\')')).toEqual([])
		}), { numRuns: 25 })
	})

	it('lose no call that ends while its day is added up', async () => {
		for (let index = 0; index < 120; index++) {
			await place({ user: index % 4, hour: index % 200, isOpen: true, outcome: 'completed', talkMs: null, micros: 100, isPending: false, carrier: 'none' })
		}
		const rows = await database.query<{ uuid: string }>('select uuid from calls')
		const work = rows.map(({ uuid }) => uuid)
		const endAll = async () => {
			for (let uuid = work.pop(); uuid !== undefined; uuid = work.pop()) {
				await database.query(`update calls set status = 'ended', outcome = 'completed', ended_at = created_at, talk_ms = 1000, answered_at = created_at, version = 2 where uuid = '${uuid}'`)
			}
		}
		const sumUp = async () => {
			while (work.length > 0) {
				await database.query('select sipcall_forget_call_days(\'UTC\')').catch(() => {})
				// The state may be taken for longer than is waited for: then the next one does it.
				await days.run().catch(() => {})
			}
		}
		await Promise.all([endAll(), endAll(), endAll(), sumUp()])
		await days.run()
		expect(await isWhole('UTC')).toBe(true)
		const found = await figures('UTC')
		expect(found).toEqual(await ofCalls('UTC'))
		expect(found.days.reduce((sum, { calls }) => sum + calls, 0)).toBe(120)
	})

	it('wait for a call that is ending while its day is added up', async () => {
		await place({ user: 1, hour: 34, isOpen: true, outcome: 'completed', talkMs: null, micros: 100, isPending: false, carrier: 'none' })
		await database.query('select sipcall_forget_call_days(\'UTC\')')
		const client = new Client(database.url)
		await client.connect()
		try {
			await client.query('begin')
			await client.query('update calls set status = \'ended\', outcome = \'completed\', ended_at = created_at, talk_ms = 1000, version = 2')
			await expect(days.run()).rejects.toThrow(/lock timeout/)
			await client.query('commit')
		} finally {
			await client.end()
		}
		await days.run()
		expect(await isWhole('UTC')).toBe(true)
		expect((await figures('UTC')).days).toMatchObject([{ calls: 1, outcome: 'completed' }])
	})

	it('do not count where they are of another zone, or of a day that begins at another time here', async () => {
		await place({ user: 1, hour: 34, isOpen: false, outcome: 'completed', talkMs: 1000, micros: 100, isPending: false, carrier: 'none' })
		await days.run()
		// What nobody can see who does not read them.
		await database.query('update call_days set calls = calls + 1000')
		const count = async (zone: string) => (await figures(zone)).days.reduce((sum, { calls }) => sum + calls, 0)
		expect(await count('UTC')).toBe(1001)
		expect(await count('Europe/Berlin')).toBe(1)
		// PostgreSQL knows this name for another place than our own calendar has.
		await database.query('update call_days_state set time_zone = \'Asia/Kolkata\'')
		const { days: ofDays } = await metrics.read({ ...dayRange(FIRST, LAST, 'UTC'), timeZone: 'Asia/Kolkata' }, new Date(BEGIN_MS))
		expect(ofDays.reduce((sum, { calls }) => sum + calls, 0)).toBe(1)
	})
})
