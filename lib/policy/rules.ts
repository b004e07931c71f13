// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// May this user call this number now? Every rule in the order in which it is asked; the first one that refuses decides.
// Pure: what a rule needs to know stands in the question. Limits that count attempts come after all of these, because they
// cost the user something (lib/calls/call-rules.ts).

import type { ParsedNumber } from '../numbering/parse-number.ts'
import type { Rate } from './rates.ts'
import type { LimitState, Refusal } from './refusal.ts'
import type { Settings } from './settings.ts'
import type { UserRule } from './user-rule.ts'

import { dayOf, localTime, monthOf } from './calendar.ts'
import { isRefusedByCarrier } from './carrier-countries.ts'
import { chooseCallerId, mayBeCalled, mayCall } from './policy.ts'
import { costMicros, rateFor } from './rates.ts'
import { isWithinHours, minutesOf, nextOpening } from './working-hours.ts'

/** What the calls table says, at the moment of the decision. */
export interface CallFacts {
	/** Calls that are not ended. */
	openOfUser: number
	openInAll: number
	/** Different numbers the user has called today. */
	distinctToday: number
	/** Whether this number is one of them. */
	isCalledToday: boolean
	/** Whether the user has ever called this country. */
	isCountryKnown: boolean
	/** Calls of the user within the last hour. */
	callsLastHour: number
	/** Millionths, of all users; open calls with their estimate. */
	spentToday: bigint
	spentThisMonth: bigint
}

export interface Question {
	groups: readonly string[]
	rule: UserRule
	/** As they are for this user: `settingsFor`. */
	settings: Settings
	number: ParsedNumber
	/** E.164 of the user's own phone, when it is rung through the trunk and so costs as well. */
	ownPhone: string | undefined
	/** undefined = the default one. */
	callerId: string | undefined
	at: Date
	facts: CallFacts
	/** ISO countries that the company behind the trunk lets through; undefined = not known. */
	carrierCountries: readonly string[] | undefined
}

/** The part of a question that is known before there is a number. */
export type AccountQuestion = Pick<Question, 'groups' | 'rule' | 'settings' | 'at'>

export interface Rule<Asked = Question> {
	id: string
	/** The name under which an admin finds it. */
	label: string
	decide: (question: Asked) => Refusal | undefined
}

/** Rules that look at the user alone. */
export const ACCOUNT_RULES: readonly Rule<AccountQuestion>[] = [
	{
		id: 'permission',
		label: 'Who may call',
		decide: ({ groups, rule, settings }) => rule.mayCall === null
			? mayCall(groups, settings)
			: rule.mayCall
				? undefined
				: { code: 'calling_not_permitted', message: 'Your account is not allowed to place calls. Your administrator can allow it.', rule: 'permission', fixableBy: 'admin' },
	},
	{
		id: 'lock',
		label: 'Locked accounts',
		decide: ({ rule: { lock }, at }) => lock === null || lock.until.getTime() <= at.getTime()
			? undefined
			: {
					code: 'account_locked',
					message: lock.by === 'admin'
						? 'Your administrator has locked calling for your account.'
						: 'Calling is locked for your account after too many calls that are not allowed. Your administrator can unlock it.',
					rule: 'lock',
					fixableBy: 'admin',
					untilAt: lock.until,
				},
	},
]

/** Rules that look at the number, the moment and the other calls. */
export const CALL_RULES: readonly Rule[] = [
	{ id: 'destination', label: 'Countries, kinds of numbers and prefixes', decide: ({ number, settings }) => mayBeCalled(number, settings) },
	{
		id: 'carrier',
		label: 'Countries of the phone company',
		decide: ({ number, carrierCountries }) => isRefusedByCarrier(number, carrierCountries)
			? { code: 'destination_not_allowed', message: 'The phone company does not carry calls to this country. Your administrator can allow it there.', rule: 'carrier', fixableBy: 'admin' }
			: undefined,
	},
	{
		id: 'callerIds',
		label: 'Caller IDs',
		decide: ({ callerId, groups, settings }) => {
			const chosen = chooseCallerId(callerId, groups, settings)
			return 'code' in chosen ? chosen : undefined
		},
	},
	{
		id: 'workingHours',
		label: 'Working hours',
		decide: ({ settings: { workingHours }, at }) => {
			if (workingHours === null || isWithinHours(at, workingHours)) {
				return undefined
			}
			const untilAt = nextOpening(at, workingHours)
			return {
				code: 'destination_not_allowed',
				message: 'Calls are not allowed at this time. Your administrator can change the hours.',
				rule: 'workingHours',
				fixableBy: 'admin',
				...(untilAt === undefined ? {} : { untilAt }),
			}
		},
	},
	{
		id: 'brake',
		label: 'First calls to a country at night',
		decide: ({ settings: { brake, timeZone }, number, rule, at, facts }) => brake !== null
			&& number.country !== undefined
			&& !facts.isCountryKnown
			&& !rule.approvedCountries.includes(number.country)
			&& facts.callsLastHour >= brake.callsPerHour
			&& isNight(at, brake, timeZone)
			? { code: 'destination_not_allowed', message: 'This would be your first call to this country, at night and after many others. It is held until your administrator approves it.', rule: 'brake', fixableBy: 'admin' }
			: undefined,
	},
	{
		id: 'maxDistinctPerDay',
		label: 'Different numbers a day',
		decide: ({ settings: { maxDistinctPerDay: max, timeZone }, facts: { distinctToday: used, isCalledToday }, at }) => max === null || isCalledToday || used < max
			? undefined
			: reached('maxDistinctPerDay', `You have called the ${max} different numbers that are allowed in a day. Numbers that you have called today can still be called.`, {
					kind: 'maxDistinctPerDay',
					used,
					max,
					resetsAt: dayOf(at, timeZone).to,
					timeZone,
				}),
	},
	{
		id: 'rates',
		label: 'Rates',
		decide: ({ settings, number, ownPhone }) => !isSpendLimited(settings) || [number.e164, ...(ownPhone === undefined ? [] : [ownPhone])].every((e164) => rateFor(e164, settings.rates) !== undefined)
			? undefined
			: { code: 'destination_not_allowed', message: 'Nobody has said what calls to this number cost, and spending is limited. Your administrator can add a rate.', rule: 'rates', fixableBy: 'admin' },
	},
	{
		id: 'dailySpendLimit',
		label: 'Spending a day',
		decide: ({ settings, number, ownPhone, facts, at }) => settings.dailySpendLimit === null || facts.spentToday + estimateMicros(number, ownPhone, settings) <= BigInt(settings.dailySpendLimit.micros)
			? undefined
			: spent('dailySpendLimit', 'today', dayOf(at, settings.timeZone).to, settings.timeZone),
	},
	{
		id: 'monthlySpendLimit',
		label: 'Spending a month',
		decide: ({ settings, number, ownPhone, facts, at }) => settings.monthlySpendLimit === null || facts.spentThisMonth + estimateMicros(number, ownPhone, settings) <= BigInt(settings.monthlySpendLimit.micros)
			? undefined
			: spent('monthlySpendLimit', 'this month', monthOf(at, settings.timeZone).to, settings.timeZone),
	},
	{
		id: 'maxConcurrentPerUser',
		label: 'Calls at the same time',
		decide: ({ settings: { maxConcurrentPerUser: max }, facts: { openOfUser: used } }) => used < max
			? undefined
			: { code: 'already_in_call', message: 'You are in a call already. End it before you start another one.', rule: 'maxConcurrentPerUser', fixableBy: 'user' },
	},
	{
		id: 'maxConcurrent',
		label: 'Lines',
		decide: ({ settings: { maxConcurrent: max }, facts: { openInAll: used } }) => used < max
			? undefined
			: { ...reached('maxConcurrent', 'All lines are in use. Try again in a minute.', { kind: 'maxConcurrent', used, max }), fixableBy: 'nobody', retryAfterSec: 60 },
	},
]

/** Rules whose refusals name the very setting that decides. */
const SETTING_LABELS: Readonly<Record<string, string>> = {
	allowedGroups: 'Groups that may call',
	deniedPrefixes: 'Denied prefixes',
	allowedCountries: 'Allowed countries',
	allowedTypes: 'Allowed kinds of numbers',
	callsPerMinute: 'Calls a minute',
	callsPerHour: 'Calls an hour',
	callsPerDay: 'Calls a day',
}

/** The name under which an admin finds the rule of a refusal. */
export function ruleLabel(id: string): string {
	return SETTING_LABELS[id] ?? [...ACCOUNT_RULES, ...CALL_RULES].find((rule) => rule.id === id)?.label ?? id
}

/** Refusals of these say that somebody tries what is not allowed; the others happen to everybody. */
export const SUSPICIOUS_RULES: ReadonlySet<string> = new Set(['deniedPrefixes', 'allowedCountries', 'allowedTypes', 'callerIds', 'brake'])

/** The first rule about the user that refuses. */
export function decideAccount(question: AccountQuestion): Refusal | undefined {
	return firstRefusal(ACCOUNT_RULES, question)
}

/** The first of all rules that refuses. */
export function decide(question: Question): Refusal | undefined {
	return decideAccount(question) ?? firstRefusal(CALL_RULES, question)
}

function firstRefusal<Asked>(rules: readonly Rule<Asked>[], question: Asked): Refusal | undefined {
	for (const rule of rules) {
		const refusal = rule.decide(question)
		if (refusal !== undefined) {
			return refusal
		}
	}
	return undefined
}

/** What a person is asked before the call, though it is allowed. */
export function confirmationFor({ settings: { confirmAbove, rates }, number, facts }: Pick<Question, 'settings' | 'number' | 'facts'>): 'expensive' | 'new_country' | undefined {
	const rate = rateFor(number.e164, rates)
	if (confirmAbove !== null && rate !== undefined && BigInt(rate.perMinute.micros) > BigInt(confirmAbove.micros)) {
		return 'expensive'
	}
	return facts.isCountryKnown ? undefined : 'new_country'
}

export function isSpendLimited({ dailySpendLimit, monthlySpendLimit }: Pick<Settings, 'dailySpendLimit' | 'monthlySpendLimit'>): boolean {
	return dailySpendLimit !== null || monthlySpendLimit !== null
}

export interface Charge {
	rate: Rate | undefined
	ownRate: Rate | undefined
	reservedMicros: bigint
}

/**
 * What a call costs at most: as long as it may last, and the user's own phone with it where that is rung through the trunk.
 *
 * @return undefined when no rate covers any of both
 */
export function chargeFor({ e164 }: Pick<ParsedNumber, 'e164'>, ownPhone: string | undefined, { rates, maxCallSec, answerTimeoutSec }: Pick<Settings, 'rates' | 'maxCallSec' | 'answerTimeoutSec'>): Charge | undefined {
	const rate = rateFor(e164, rates)
	const ownRate = ownPhone === undefined ? undefined : rateFor(ownPhone, rates)
	if (rate === undefined && ownRate === undefined) {
		return undefined
	}
	// The own phone is up while the destination still rings.
	const reservedMicros = (rate === undefined ? 0n : costMicros(rate, maxCallSec * 1000))
		+ (ownRate === undefined ? 0n : costMicros(ownRate, (maxCallSec + answerTimeoutSec) * 1000))
	return { rate, ownRate, reservedMicros }
}

function estimateMicros(number: ParsedNumber, ownPhone: string | undefined, settings: Settings): bigint {
	return chargeFor(number, ownPhone, settings)?.reservedMicros ?? 0n
}

function isNight(at: Date, { from, to }: { from: string, to: string }, timeZone: string): boolean {
	const { minutes } = localTime(at, timeZone)
	const [start, end] = [minutesOf(from), minutesOf(to)]
	return start <= end ? minutes >= start && minutes < end : minutes >= start || minutes < end
}

function reached(rule: string, message: string, limit: LimitState): Refusal {
	return { code: 'limit_reached', message, rule, fixableBy: 'admin', limit, ...(limit.resetsAt === undefined ? {} : { untilAt: limit.resetsAt }) }
}

/** Without sums: what the others have spent is none of a user's business. */
function spent(rule: string, when: string, resetsAt: Date, timeZone: string): Refusal {
	return {
		code: 'limit_reached',
		message: `The money for calls is used up for ${when}, or this call might cost more than what is left. Your administrator can raise the limit.`,
		rule,
		fixableBy: 'admin',
		limit: { kind: rule, resetsAt, timeZone },
		untilAt: resetsAt,
	}
}
