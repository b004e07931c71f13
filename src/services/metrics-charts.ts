// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Which charts the overview has, made from the figures of the API. */

import type { Metrics } from './admin-api.ts'
import type { DayChart, DaySeries } from './day-chart.ts'

import { talkWords } from './call-words.ts'
import { n, t } from './l10n.ts'
import { comparisonWords, countWords, percentWords, sumWords } from './metrics-words.ts'

type Day = Metrics['perDay'][number]

/** From so many hours in a day on the axis counts hours. */
const HOURS_FROM_SEC = 3 * 3600

/** In the order in which they are shown; none when nobody has called and nothing is pending. */
export function chartsOf(metrics: Metrics): DayChart[] {
	const { totals } = metrics
	if (totals.calls === 0 && totals.pendingCost.length === 0) {
		return []
	}
	const currencies = [...new Set([...totals.cost, ...totals.pendingCost].map(({ currency }) => currency))].sort()
	return [callsChart(metrics), talkChart(metrics), ...currencies.map((currency) => costChart(metrics, currency)), rateChart(metrics)]
}

/** For a spreadsheet: one line a day, a heading on top (RFC 4180). */
export function csvOf({ days, series }: DayChart): string {
	const quoted = (text: string) => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
	const lines = [['day', ...series.map(({ name }) => name)], ...days.map((day, index) => [day, ...series.map(({ raw }) => raw[index] ?? '')])]
	return lines.map((line) => `${line.map(quoted).join(',')}\r\n`).join('')
}

function series(days: readonly Day[], part: Pick<DaySeries, 'name' | 'look'>, read: (day: Day) => { value: number | null, cell: string, raw: string }): DaySeries {
	const found = days.map(read)
	return { ...part, values: found.map(({ value }) => value), cells: found.map(({ cell }) => cell), raw: found.map(({ raw }) => raw) }
}

function callsChart(metrics: Metrics): DayChart {
	const { perDay, totals } = metrics
	const counted = (name: string, look: DaySeries['look'], count: (outcomes: Day['outcomes']) => number) => series(perDay, { name, look }, ({ outcomes }) => {
		const value = count(outcomes)
		return { value, cell: countWords(value), raw: String(value) }
	})
	const answered = totals.answerRate === null ? [] : [t('{percent} answered', { percent: percentWords(totals.answerRate) })]
	return {
		id: 'calls',
		kind: 'bar',
		title: t('Calls by day'),
		finding: [n('{count} call', '{count} calls', totals.calls, { count: countWords(totals.calls) }), ...answered, comparisonWords(metrics)].filter((words) => words !== '').join(', '),
		days: perDay.map(({ day }) => day),
		series: [
			counted(t('Answered'), 'answered', ({ completed }) => completed),
			counted(t('Not reached'), 'not_reached', ({ busy, no_answer: noAnswer, rejected }) => busy + noAnswer + rejected),
			counted(t('Cancelled'), 'cancelled', ({ cancelled }) => cancelled),
			counted(t('Failed'), 'failed', ({ failed }) => failed),
			counted(t('Not allowed'), 'blocked', ({ blocked }) => blocked),
		],
		format: countWords,
	}
}

function talkChart({ perDay, totals }: Metrics): DayChart {
	const isHours = perDay.some(({ talkSec }) => talkSec >= HOURS_FROM_SEC)
	return {
		id: 'talk-time',
		kind: 'bar',
		title: t('Talk time by day'),
		finding: totals.answered === 0
			? t('Nobody has talked.')
			: t('{duration} talked, {mean} a call', { duration: talkWords(totals.talkSec), mean: talkWords(Math.round(totals.talkSec / totals.answered)) }),
		days: perDay.map(({ day }) => day),
		series: [series(perDay, { name: t('Talk time'), look: 'talk' }, ({ talkSec }) => ({ value: talkSec / (isHours ? 3600 : 60), cell: talkWords(talkSec), raw: String(talkSec) }))],
		format: (value) => isHours ? t('{hours} h', { hours: countWords(value) }) : t('{minutes} min', { minutes: countWords(value) }),
	}
}

function costChart({ perDay, totals }: Metrics, currency: string): DayChart {
	const microsOf = (list: Day['cost']) => list.find((money) => money.currency === currency)?.micros ?? '0'
	const amounts = (name: string, look: DaySeries['look'], list: (day: Day) => Day['cost']) => series(perDay, { name, look }, (day) => {
		const micros = microsOf(list(day))
		return { value: Number(micros) / 1e6, cell: sumWords({ micros, currency }), raw: decimalOf(micros) }
	})
	const pending = microsOf(totals.pendingCost)
	return {
		id: `cost-${currency}`,
		kind: 'bar',
		title: t('Cost by day, in {currency}', { currency }),
		finding: pending === '0'
			? t('{amount} spent', { amount: sumWords({ micros: microsOf(totals.cost), currency }) })
			: t('{amount} spent, up to {pending} more pending', { amount: sumWords({ micros: microsOf(totals.cost), currency }), pending: sumWords({ micros: pending, currency }) }),
		days: perDay.map(({ day }) => day),
		series: [amounts(t('Spent'), 'cost', ({ cost }) => cost), amounts(t('Pending, at most'), 'pending', ({ pendingCost }) => pendingCost)],
		format: (value) => sumWords({ micros: String(Math.round(value * 1e6)), currency }),
	}
}

function rateChart({ perDay }: Metrics): DayChart {
	const last = perDay.findLast(({ answerRateMean }) => answerRateMean !== null)?.answerRateMean
	return {
		id: 'answer-rate',
		kind: 'line',
		title: t('Answer rate, mean of seven days'),
		finding: last === undefined || last === null
			? t('Too few calls: fewer than 5 in seven days say nothing.')
			: t('{percent} of the calls that were dialled were answered, in the last seven days with enough of them', { percent: percentWords(last) }),
		days: perDay.map(({ day }) => day),
		series: [series(perDay, { name: t('Answer rate'), look: 'rate' }, ({ answerRateMean }) => answerRateMean === null
			? { value: null, cell: t('Too few calls'), raw: '' }
			: { value: answerRateMean, cell: percentWords(answerRateMean), raw: String(Math.round(answerRateMean * 10_000) / 10_000) })],
		format: percentWords,
		max: 1,
	}
}

/** All places that an amount has, with a point. */
function decimalOf(micros: string): string {
	const digits = micros.padStart(7, '0')
	return `${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/0{1,4}$/, '')
}
