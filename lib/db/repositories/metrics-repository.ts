// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager, MikroORM } from '@mikro-orm/postgresql'
import type { CallOutcome, CallStatus } from '../../calls/call.ts'
import type { DaySum, MetricsStore, StoredMetrics, UserSum } from '../../calls/metrics.ts'
import type { DayRange } from '../../policy/day-range.ts'
import type { ReadReplicas } from '../read-replicas.ts'

import { IsolationLevel } from '@mikro-orm/core'
import { runBound } from '../bound-query.ts'

interface SumColumns {
	outcome: CallOutcome | ''
	currency: string
	calls: number
	dialled: number
	answered: number
	talk_ms: string
	cost_micros: string
	pending_micros: string
}

interface UserColumns extends Omit<SumColumns, 'outcome' | 'dialled'> {
	user_id: string
	reference: string | null
}

interface LiveColumns {
	uuid: string
	version: number
	user_id: string
	reference: string | null
	country: string | null
	status: CallStatus
	created_at: Date | string
	answered_at: Date | string | null
	currency: string | null
	reserved_micros: string | null
}

const IS_PENDING = 'sipcall_is_pending(transfer, talk_ms, cost_micros, reserved_micros, carrier_cost)'
const CURRENCY = 'sipcall_paid_currency(currency, carrier_cost) as currency'
/** What calls add up to, however they are grouped. */
const SUMS = `count(*)::int as calls, count(answered_at)::int as answered, coalesce(sum(talk_ms), 0)::text as talk_ms,
	coalesce(sum(sipcall_paid_micros(cost_micros, carrier_cost)) filter (where not ${IS_PENDING}), 0)::text as cost_micros, coalesce(sum(cost_micros) filter (where ${IS_PENDING}), 0)::text as pending_micros`

/** What calls add up to. No number is read, encrypted or not. */
export class MetricsRepository implements MetricsStore {
	readonly #orm: MikroORM
	readonly #readReplicas: Pick<ReadReplicas, 'read'>

	/** @param options.readReplicas what has ended is added up there; left out = on the primary */
	constructor({ orm, readReplicas = { read: (work) => work(orm) } }: { orm: MikroORM, readReplicas?: Pick<ReadReplicas, 'read'> }) {
		this.#orm = orm
		this.#readReplicas = readReplicas
	}

	/**
	 * Gives a reference to whoever has calls and none: a restore brings calls back, and nobody's reference.
	 */
	async referToCallers(): Promise<void> {
		await runBound(this.#orm.em.fork(), `insert into audit_subjects (user_id, reference)
			select user_id, encode(gen_random_bytes(16), 'hex') from (select distinct user_id from calls) callers on conflict (user_id) do nothing`)
	}

	async hasAnswered(): Promise<boolean> {
		const [row] = await runBound<{ found: boolean }>(this.#orm.em.fork(), 'select exists (select from calls where answered_at is not null) or exists (select from call_sums where answered > 0) as found')
		return row?.found === true
	}

	/**
	 * All of one moment, so that a call that ends or is deleted meanwhile counts once. Where a replica adds up, the calls that
	 * go on are asked for on the primary, and after that: one that ends in between is missing for a moment, and never there twice.
	 */
	async read(range: DayRange, usersFrom: Date): Promise<StoredMetrics> {
		const { live, ...sums } = await this.#readReplicas.read((orm) => orm.em.fork().transactional(async (em) => {
			// PostgreSQL cannot know how few groups there will be, and would sort the calls of a year on the disk.
			await runBound(em, 'set local work_mem = \'32MB\'')
			const { alone, summed } = splitAt(range, await firstSummedDay(em, range))
			return {
				days: [...await sumsOfCalls(em, alone), ...await summedDays(em, summed), ...await sumsOfTransfers(em, range), ...await keptSums(em, range)],
				users: [...await sumsOfUsers(em, usersFrom, alone.to), ...await summedUsers(em, summed, range.starts.findIndex((start) => start >= usersFrom))],
				live: orm === this.#orm ? await liveCalls(em) : undefined,
			}
		}, { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true }))
		return { ...sums, live: live ?? await liveCalls(this.#orm.em.fork()) }
	}
}

/**
 * The first day of the range whose calls are in the sums of days; the length of the range = none is. They count only where they
 * are days of this zone, and where PostgreSQL's table of time zones has these days begin when our own calendar does.
 */
async function firstSummedDay(em: EntityManager, { timeZone, days, starts }: DayRange): Promise<number> {
	const [state] = await runBound<{ time_zone: string, since: string }>(em, 'select time_zone, since::text from call_days_state')
	if (state?.time_zone !== timeZone) {
		return days.length
	}
	const [check] = await runBound<{ agrees: boolean }>(em, 'select bool_and(start at time zone $1 = day::timestamp) as agrees from unnest($2::timestamptz[], $3::date[]) as asked (start, day)', [timeZone, starts, days])
	const first = state.since === '-infinity' ? 0 : state.since === 'infinity' ? -1 : days.findIndex((day) => day >= state.since)
	return check?.agrees === true && first >= 0 ? first : days.length
}

/** What is added up call by call, and the days after that, which are added up already. */
function splitAt(range: DayRange, first: number): { alone: DayRange, summed: Summed } {
	const { days, starts, from, to } = range
	return {
		alone: { ...range, days: days.slice(0, first), starts: starts.slice(0, first), to: starts[first] ?? to, from },
		summed: { days, first },
	}
}

/** Days of a range from one on. */
interface Summed {
	days: readonly string[]
	first: number
}

async function summedDays(em: EntityManager, { days, first }: Summed): Promise<DaySum[]> {
	if (first >= days.length) {
		return []
	}
	const rows = await runBound<SumColumns & { day: string }>(em, `select day::text, outcome, currency, sum(calls)::int as calls, sum(dialled)::int as dialled, sum(answered)::int as answered, sum(talk_ms)::text as talk_ms,
			sum(cost_micros)::text as cost_micros, sum(pending_micros)::text as pending_micros
		from call_days where day between $1::date and $2::date group by 1, 2, 3 having sum(calls) > 0`, [days[first], days.at(-1)])
	return rows.map((row) => daySum(row.day, row))
}

/** @param usersFirst users are added up from this day on */
async function summedUsers(em: EntityManager, { days, first }: Summed, usersFirst: number): Promise<UserSum[]> {
	const begin = days[Math.max(first, usersFirst)]
	if (begin === undefined || usersFirst < 0) {
		return []
	}
	const rows = await runBound<UserColumns>(em, `select sums.*, reference from (
			select user_id, currency, sum(calls)::int as calls, sum(answered)::int as answered, sum(talk_ms)::text as talk_ms, sum(cost_micros)::text as cost_micros, sum(pending_micros)::text as pending_micros
			from call_user_days where day between $1::date and $2::date group by 1, 2
		) sums left join audit_subjects using (user_id)`, [begin, days.at(-1)])
	return rows.map(({ user_id: userId, reference, ...row }) => ({ userId, reference: reference ?? '', ...sumOf(row) }))
}

/** In which day of the range something was: our own calendar's days, in whatever time zone. */
const DAY = 'width_bucket(created_at, $1::timestamptz[]) - 1 as day'

async function sumsOfCalls(em: EntityManager, { starts, days, from, to }: DayRange): Promise<DaySum[]> {
	if (days.length === 0) {
		return []
	}
	const rows = await runBound<SumColumns & { day: number }>(em, `select ${DAY}, outcome, ${CURRENCY}, count(user_answered_at)::int as dialled, ${SUMS}
		from calls where status = 'ended' and created_at >= $2 and created_at < $3 group by 1, 2, 3`, [starts, from, to])
	return rows.map((row) => daySum(days[row.day] ?? '', row))
}

async function sumsOfTransfers(em: EntityManager, { starts, days, from, to }: DayRange): Promise<DaySum[]> {
	const rows = await runBound<SumColumns & { day: number }>(em, `select ${DAY}, '' as outcome, coalesce(currency, '') as currency, 0 as calls, 0 as dialled, 0 as answered, '0' as talk_ms,
			'0' as cost_micros, sum(reserved_micros)::text as pending_micros
		from transfers where reserved_micros is not null and created_at >= $2 and created_at < $3 group by 1, 3`, [starts, from, to])
	return rows.map((row) => daySum(days[row.day] ?? '', row))
}

/** Of deleted calls, by the days that counted when they were deleted. */
async function keptSums(em: EntityManager, { days }: DayRange): Promise<DaySum[]> {
	const rows = await runBound<SumColumns & { day: string }>(em, `select day::text, outcome, currency, calls, dialled, answered, talk_ms::text, cost_micros::text, pending_micros::text
		from call_sums where day between $1::date and $2::date`, [days[0], days.at(-1)])
	return rows.map((row) => daySum(row.day, row))
}

async function sumsOfUsers(em: EntityManager, from: Date, to: Date): Promise<UserSum[]> {
	if (from >= to) {
		return []
	}
	const rows = await runBound<UserColumns>(em, `select sums.*, reference from (
			select user_id, ${CURRENCY}, ${SUMS} from calls where status = 'ended' and created_at >= $1 and created_at < $2 group by 1, 2
		) sums left join audit_subjects using (user_id)`, [from, to])
	return rows.map(({ user_id: userId, reference, ...row }) => ({ userId, reference: reference ?? '', ...sumOf(row) }))
}

async function liveCalls(em: EntityManager): Promise<StoredMetrics['live']> {
	const rows = await runBound<LiveColumns>(em, `select uuid, version, user_id, reference, country, status, calls.created_at, answered_at, currency, reserved_micros::text
		from calls left join audit_subjects using (user_id) where status <> 'ended' order by calls.created_at, uuid`)
	return rows.map((row) => ({
		uuid: row.uuid,
		version: row.version,
		userId: row.user_id,
		reference: row.reference ?? '',
		country: row.country ?? undefined,
		status: row.status,
		createdAt: new Date(row.created_at),
		answeredAt: row.answered_at === null ? undefined : new Date(row.answered_at),
		currency: row.currency ?? '',
		reservedMicros: BigInt(row.reserved_micros ?? 0),
	}))
}

function daySum(day: string, row: SumColumns): DaySum {
	return { day, outcome: row.outcome === '' ? undefined : row.outcome, dialled: row.dialled, ...sumOf(row) }
}

function sumOf(row: Omit<SumColumns, 'outcome' | 'dialled'>): Omit<UserSum, 'userId' | 'reference'> {
	return {
		currency: row.currency,
		calls: row.calls,
		answered: row.answered,
		talkMs: Number(row.talk_ms),
		costMicros: BigInt(row.cost_micros),
		pendingMicros: BigInt(row.pending_micros),
	}
}
