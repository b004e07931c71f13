// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What calls add up to, by day and by user. A call counts once it has ended, on the day on which it was placed.

import type { DayRange } from '../policy/day-range.ts'
import type { Money } from '../policy/rates.ts'
import type { CallOutcome, CallStatus } from './call.ts'

import { addDays, dayAt, dayRange } from '../policy/day-range.ts'

/** What the calls of a group add up to that have one currency, or none. */
export interface Sum {
	/** Empty: no price is known. */
	currency: string
	calls: number
	/** The destination answered. */
	answered: number
	talkMs: number
	costMicros: bigint
	/** What may have been spent at most where nobody knows: it went on unheard. */
	pendingMicros: bigint
}

export interface DaySum extends Sum {
	/** `YYYY-MM-DD`. */
	day: string
	/** undefined: no calls, but what their transfers may cost. */
	outcome: CallOutcome | undefined
	/** The user picked up, so that the destination was dialled. */
	dialled: number
}

export interface UserSum extends Sum {
	userId: string
	/** What the audit log calls the user. */
	reference: string
}

export interface LiveCall {
	uuid: string
	version: number
	userId: string
	reference: string
	/** ISO 3166. */
	country: string | undefined
	status: CallStatus
	createdAt: Date
	answeredAt: Date | undefined
	currency: string
	reservedMicros: bigint
}

export interface StoredMetrics {
	/** Any number of them for a day. */
	days: DaySum[]
	users: UserSum[]
	live: LiveCall[]
}

export interface MetricsStore {
	/**
	 * @param range the days that are added up
	 * @param usersFrom users are added up from then on, to the end of the range: when one of its days began
	 */
	read: (range: DayRange, usersFrom: Date) => Promise<StoredMetrics>
	/** Whether any call has ever been answered. */
	hasAnswered: () => Promise<boolean>
}

const OUTCOMES = ['completed', 'busy', 'no_answer', 'rejected', 'cancelled', 'failed', 'blocked'] as const satisfies readonly CallOutcome[]

export interface Figures {
	calls: number
	outcomes: Record<CallOutcome, number>
	dialled: number
	answered: number
	/** Answer-seizure ratio, 0 … 1 (ITU-T E.411): of the destinations dialled, those that answered. null: none was dialled. */
	answerRate: number | null
	talkSec: number
	/** By currency. */
	cost: Money[]
	/** What may come on top: live calls, and what was handed over. */
	pendingCost: Money[]
	/** Answered calls that no price is known of: they cost something all the same. */
	unpriced: number
}

export interface DayFigures extends Figures {
	day: string
	/** Of the seven days up to this one; null where fewer than five destinations were dialled: then it would say nothing. */
	answerRateMean: number | null
}

/** One user's; without one all others, deleted calls among them. */
export interface UserFigures extends Pick<Figures, 'calls' | 'answered' | 'talkSec' | 'cost'> {
	user: { id: string, reference: string } | undefined
}

export interface Metrics {
	range: DayRange
	totals: Figures
	/** Of as many days right before. */
	before: Figures
	perDay: DayFigures[]
	/** Those who called most first; the others last, together. */
	perUser: UserFigures[]
	live: LiveCall[]
}

const MEAN_DAYS = 7
const FEWEST_FOR_MEAN = 5
const MOST_USERS = 100

/**
 * Figures of a row of days.
 *
 * @param first `YYYY-MM-DD`; not after `last`
 */
export async function metricsOf(store: MetricsStore, first: string, last: string, timeZone: string): Promise<Metrics> {
	const range = dayRange(first, last, timeZone)
	const reach = Math.max(range.days.length, MEAN_DAYS - 1)
	const wide = dayRange(addDays(first, -reach), last, timeZone)
	const { days, users, live } = await store.read(wide, range.from)
	const byDay = Map.groupBy([...days, ...live.map((call) => pendingOf(call, timeZone))], ({ day }) => day)
	const sumsOf = (list: readonly string[]) => list.flatMap((day) => byDay.get(day) ?? [])
	const totals = figuresOf(sumsOf(range.days))
	return {
		range,
		totals,
		before: figuresOf(sumsOf(wide.days.slice(reach - range.days.length, reach))),
		perDay: range.days.map((day, index) => ({
			day,
			...figuresOf(byDay.get(day) ?? []),
			answerRateMean: meanOf(figuresOf(sumsOf(wide.days.slice(reach + index + 1 - MEAN_DAYS, reach + index + 1)))),
		})),
		perUser: perUser(users, totals),
		live,
	}
}

/** A live call counts as money only. */
function pendingOf({ createdAt, currency, reservedMicros }: LiveCall, timeZone: string): DaySum {
	return { day: dayAt(createdAt, timeZone), outcome: undefined, currency, calls: 0, dialled: 0, answered: 0, talkMs: 0, costMicros: 0n, pendingMicros: reservedMicros }
}

function figuresOf(sums: readonly DaySum[]): Figures {
	const add = (part: (sum: DaySum) => number) => sums.reduce((total, sum) => total + part(sum), 0)
	const [dialled, answered] = [add((sum) => sum.dialled), add((sum) => sum.answered)]
	return {
		calls: add(({ calls }) => calls),
		outcomes: Object.fromEntries(OUTCOMES.map((outcome) => [outcome, add((sum) => sum.outcome === outcome ? sum.calls : 0)])) as Figures['outcomes'],
		dialled,
		answered,
		answerRate: dialled === 0 ? null : answered / dialled,
		talkSec: secondsOf(sums),
		cost: moneyOf(sums, ({ costMicros }) => costMicros),
		pendingCost: moneyOf(sums, ({ pendingMicros }) => pendingMicros),
		unpriced: add((sum) => sum.currency === '' ? sum.answered : 0),
	}
}

function meanOf({ dialled, answerRate }: Figures): number | null {
	return dialled < FEWEST_FOR_MEAN ? null : answerRate
}

function perUser(users: readonly UserSum[], totals: Figures): UserFigures[] {
	const known = [...Map.groupBy(users, ({ userId }) => userId)].map(([id, sums]): UserFigures => ({
		user: { id, reference: sums[0]?.reference ?? '' },
		calls: sums.reduce((total, { calls }) => total + calls, 0),
		answered: sums.reduce((total, { answered }) => total + answered, 0),
		talkSec: secondsOf(sums),
		cost: moneyOf(sums, ({ costMicros }) => costMicros),
	}))
	const listed = known.toSorted((a, b) => b.calls - a.calls || b.talkSec - a.talkSec || compare(a.user?.reference ?? '', b.user?.reference ?? '')).slice(0, MOST_USERS)
	const calls = totals.calls - listed.reduce((total, user) => total + user.calls, 0)
	return calls === 0 ? listed : [...listed, othersOf(totals, listed, calls)]
}

/** What the days have, and nobody in the list. */
function othersOf(totals: Figures, listed: readonly UserFigures[], calls: number): UserFigures {
	const left = (part: (user: UserFigures) => number, total: number) => Math.max(0, listed.reduce((rest, user) => rest - part(user), total))
	const cost = totals.cost.map(({ micros, currency }) => ({
		currency,
		micros: String(listed.flatMap((user) => user.cost).reduce((rest, money) => money.currency === currency ? rest - BigInt(money.micros) : rest, BigInt(micros))),
	}))
	return { user: undefined, calls, answered: left(({ answered }) => answered, totals.answered), talkSec: left(({ talkSec }) => talkSec, totals.talkSec), cost: cost.filter(({ micros }) => micros !== '0') }
}

function secondsOf(sums: readonly Sum[]): number {
	return Math.round(sums.reduce((total, { talkMs }) => total + talkMs, 0) / 1000)
}

function moneyOf<Part extends Sum>(sums: readonly Part[], amount: (sum: Part) => bigint): Money[] {
	const byCurrency = new Map<string, bigint>()
	for (const sum of sums) {
		byCurrency.set(sum.currency, (byCurrency.get(sum.currency) ?? 0n) + amount(sum))
	}
	return [...byCurrency].filter(([currency, micros]) => currency !== '' && micros > 0n).map(([currency, micros]) => ({ micros: String(micros), currency })).toSorted((a, b) => compare(a.currency, b.currency))
}

function compare(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0
}
