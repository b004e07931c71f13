// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Figures, LiveCall, Metrics } from '../../calls/metrics.ts'
import type { Settings } from '../../policy/settings.ts'
import type { HealthPartJson } from '../health-schemas.ts'
import type { Route } from '../route.ts'

import { z } from 'zod'
import { SipCallError } from '../../errors.ts'
import { addDays, dayAt, daysBetween } from '../../policy/day-range.ts'
import { PartSchema } from '../health-schemas.ts'
import { route } from '../route.ts'
import { CALL_OUTCOMES, CALL_STATUSES, moment, MoneySchema, time } from '../schemas.ts'

export interface MetricsRoutesOptions {
	/** Figures of days, both included, as `timeZone` counts them. */
	metrics: (first: string, last: string, timeZone: string) => Promise<Metrics>
	/** Names in Nextcloud, asked in an admin's name; who has none is left out. */
	names: (adminId: string, userIds: readonly string[]) => Promise<Map<string, string>>
	settings: () => Pick<Settings, 'timeZone' | 'statistics'>
	health: () => Promise<readonly HealthPartJson[]>
	/** Whether calling has worked, once at least. */
	hasCalled: () => Promise<boolean>
	now: () => Date
}

const LONGEST_DAYS = 366
const USUAL_DAYS = 7

/** A day by the calendar, or a moment, which stands for the day that it is in. */
const dayOrMoment = z.string().max(40).transform((text, context) => {
	const day = z.iso.date().safeParse(text)
	const at = moment.safeParse(text)
	if (day.success ? moment.safeParse(`${text}T00:00:00Z`).success : at.success) {
		return day.data ?? at.data ?? z.NEVER
	}
	context.addIssue('Give a day such as 2026-11-22, or a time such as 2026-11-22T09:30:00.000Z, within the years 1876 to 9999')
	return z.NEVER
})

const Query = z.object({
	from: dayOrMoment.optional().describe('The first day; six days before the last one when left out'),
	to: dayOrMoment.optional().describe('The last day, itself included; of a time, the day right before it. Today when left out'),
})

const count = z.int().min(0)
const rate = z.number().min(0).max(1).nullable()

const FiguresSchema = z.object({
	calls: count.describe('That have ended, by the day on which they were placed'),
	outcomes: z.object(Object.fromEntries(CALL_OUTCOMES.map((outcome) => [outcome, count])) as Record<typeof CALL_OUTCOMES[number], typeof count>),
	dialled: count.describe('The user picked up, so that the destination was dialled'),
	answered: count.describe('The destination answered'),
	answerRate: rate.describe('Answer-seizure ratio: `answered` of `dialled`; null = none was dialled'),
	talkSec: count,
	cost: z.array(MoneySchema).describe('By the rates of the settings, one amount for each currency'),
	pendingCost: z.array(MoneySchema).describe('What may come on top at most: of live calls, and of what was handed over and is not heard any more'),
	unpriced: count.describe('Answered calls that no rate covers: they are in no sum of money'),
})

const UserSchema = z.object({
	ref: z.string().describe('The same for the same user, here and in the audit log'),
	id: z.string().optional().describe('Only where the settings name people'),
	displayName: z.string().optional(),
})

export const MetricsSchema = z.object({
	from: time.describe('When the first day began'),
	to: time.describe('When the last day ends'),
	timeZone: z.string(),
	statistics: z.enum(['pseudonymous', 'named']),
	totals: FiguresSchema.extend({ before: FiguresSchema.describe('Of as many days right before') }),
	perDay: z.array(FiguresSchema.extend({
		day: z.iso.date(),
		answerRateMean: rate.describe('Of the seven days up to this one; null = fewer than five destinations were dialled'),
	})),
	perUser: z.array(FiguresSchema.pick({ calls: true, answered: true, talkSec: true, cost: true }).extend({
		user: UserSchema.optional().describe('Left out: all others together, and calls that were deleted'),
	})).describe('The hundred who called most'),
	live: z.array(z.object({
		uuid: z.uuid(),
		version: z.int(),
		user: UserSchema,
		country: z.string().optional().describe('ISO 3166, of the destination'),
		status: z.enum(CALL_STATUSES),
		createdAt: time,
		answeredAt: time.optional(),
	})),
	hasCalled: z.boolean().describe('A call or a test call has been answered, once at least'),
	health: z.array(PartSchema).describe('As in /admin/health'),
}).meta({ id: 'Metrics' })

export type MetricsJson = z.infer<typeof MetricsSchema>
type UserJson = z.infer<typeof UserSchema>

export function metricsRoutes({ metrics, names, settings, health, hasCalled, now }: MetricsRoutesOptions): Route[] {
	return [
		route({
			method: 'get',
			path: '/admin/metrics',
			right: 'admin',
			summary: 'What calls add up to, by day and by user, and the calls that go on now; no numbers',
			query: Query,
			answer: { status: 200, schema: MetricsSchema },
			refusals: ['forbidden', 'nextcloud_unavailable'],
			handle: async ({ caller, query }) => {
				const { timeZone, statistics } = settings()
				const [first, last] = daysOf(query, timeZone, now())
				const { range, totals, before, perDay, perUser, live } = await metrics(first, last, timeZone)
				const shown = [...perUser.flatMap(({ user }) => user === undefined ? [] : [user.id]), ...live.map(({ userId }) => userId)]
				const known = statistics === 'named' ? await names(caller.userId, shown) : undefined
				const present = ({ id, reference }: { id: string, reference: string }): UserJson => known === undefined
					? { ref: reference }
					: { ref: reference, id, displayName: known.get(id) ?? id }
				const body: MetricsJson = {
					from: range.from.toISOString(),
					to: range.to.toISOString(),
					timeZone,
					statistics,
					totals: { ...totals, before } satisfies Figures & { before: Figures },
					perDay,
					perUser: perUser.map(({ user, ...figures }) => ({ ...figures, ...(user === undefined ? {} : { user: present(user) }) })),
					live: live.map((call) => presentLive(call, present({ id: call.userId, reference: call.reference }))),
					hasCalled: await hasCalled(),
					health: [...await health()],
				}
				return { status: 200, body }
			},
		}),
	]
}

function presentLive({ uuid, version, country, status, createdAt, answeredAt }: LiveCall, user: UserJson): MetricsJson['live'][number] {
	return {
		uuid,
		version,
		user,
		...(country === undefined ? {} : { country }),
		status,
		createdAt: createdAt.toISOString(),
		...(answeredAt === undefined ? {} : { answeredAt: answeredAt.toISOString() }),
	}
}

/**
 * The first and the last day that are asked for.
 *
 * @throws {SipCallError} `invalid_request` where the one is after the other, or too far from it
 */
function daysOf({ from, to }: z.output<typeof Query>, timeZone: string, now: Date): [string, string] {
	const last = to === undefined
		? dayAt(now, timeZone)
		// A time is where the range ends, and is not within it.
		: to instanceof Date ? dayAt(new Date(to.getTime() - 1), timeZone) : to
	const first = from === undefined ? addDays(last, 1 - USUAL_DAYS) : from instanceof Date ? dayAt(from, timeZone) : from
	const days = daysBetween(first, last) + 1
	if (days < 1) {
		throw outOfRange('`from` is after `to`. Exchange them')
	}
	if (days > LONGEST_DAYS) {
		throw outOfRange(`These are ${days} days, and at most ${LONGEST_DAYS} are added up at once. Ask for fewer`)
	}
	return [first, last]
}

function outOfRange(message: string): SipCallError {
	return new SipCallError('invalid_request', `The request is not valid: ${message}.`, { errors: [{ field: 'from', message }] })
}
