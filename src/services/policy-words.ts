// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Rules, kinds of numbers and weekdays in words, and what has changed between two policies. */

import type { NumberKind, Policy, PolicyKey, Weekday } from './policy-form.ts'

import { countryName } from './contact-words.ts'
import { dateFormat } from './formats.ts'
import { t } from './l10n.ts'
import { moneyWords } from './money.ts'
import { changedKeys, WEEKDAYS } from './policy-form.ts'
import { RULE_NAMES } from './rule-names.ts'

const LABELS: Readonly<Record<PolicyKey, () => string>> = {
	...RULE_NAMES,
	homeCountry: () => t('Home country'),
	allowedPrefixes: () => t('Always allowed beginnings'),
	allowedGroups: () => t('Who may call'),
	maxConcurrentPerUser: () => t('Calls at the same time'),
	maxConcurrent: () => t('Calls of everybody at the same time'),
	maxCallSec: () => t('Longest call, in seconds'),
	timeZone: () => t('Time zone of days and months'),
	confirmAbove: () => t('Ask above this price per minute'),
	lockAfterRefusals: () => t('Lock after refused calls'),
}

const KIND_WORDS: Readonly<Record<NumberKind, () => string>> = {
	FIXED_LINE: () => t('Landline'),
	MOBILE: () => t('Mobile numbers'),
	FIXED_LINE_OR_MOBILE: () => t('Landline or mobile'),
	TOLL_FREE: () => t('Free of charge'),
	VOIP: () => t('Internet telephony'),
	UAN: () => t('Company-wide numbers'),
	PERSONAL_NUMBER: () => t('Personal numbers'),
	PAGER: () => t('Pagers'),
	VOICEMAIL: () => t('Voicemail'),
	SHARED_COST: () => t('Shared cost'),
	PREMIUM_RATE: () => t('Premium rate'),
}

/** The name under which the page has a rule; undefined for one that it does not show. */
export function ruleName(key: string): string | undefined {
	return Object.hasOwn(LABELS, key) ? LABELS[key as PolicyKey]() : undefined
}

export function kindName(kind: NumberKind): string {
	return KIND_WORDS[kind]()
}

export function weekdayName(day: Weekday): string {
	// 2026-11-23 was a Monday.
	return dateFormat({ weekday: 'long', timeZone: 'UTC' }).format(new Date(Date.UTC(2026, 10, 23 + WEEKDAYS.indexOf(day))))
}

/** A country as an administrator looks for it: `Germany (DE)`. */
export function countryWithCode(code: string): string {
	return `${countryName(code)} (${code})`
}

export interface Change {
	key: PolicyKey
	name: string
	/** Lists are told by what went and what came, the rest by both values. */
	removed: string[]
	added: string[]
}

export function describeChanges(before: Policy, now: Policy): Change[] {
	return changedKeys(before, now).map((key) => ({ key, name: LABELS[key](), ...difference(key, before[key], now[key]) }))
}

/** What is no longer, and what is new, in a setting's value. */
export function difference(key: string, before: unknown, now: unknown): Pick<Change, 'removed' | 'added'> {
	const [old, fresh] = [new Set(itemsOf(key, before)), new Set(itemsOf(key, now))]
	return { removed: [...old].filter((item) => !fresh.has(item)), added: [...fresh].filter((item) => !old.has(item)) }
}

function itemsOf(key: string, value: unknown): string[] {
	if (value === null || value === undefined) {
		return [key === 'allowedGroups' ? t('Everybody') : t('None')]
	}
	if (Array.isArray(value)) {
		return value.map((item: unknown) => itemWords(key, item))
	}
	return [itemWords(key, value)]
}

function itemWords(key: string, item: unknown): string {
	if (key === 'allowedCountries' || key === 'homeCountry') {
		return countryWithCode(String(item))
	}
	if (key === 'allowedTypes') {
		return kindName(item as NumberKind)
	}
	if (key === 'rates') {
		const { prefix, perMinute, perCall } = item as NonNullable<Policy['rates']>[number]
		return [prefix, moneyWords(perMinute), ...(perCall === undefined ? [] : [moneyWords(perCall)])].join(' · ')
	}
	if (key === 'dailySpendLimit' || key === 'monthlySpendLimit' || key === 'confirmAbove') {
		return moneyWords(item as { micros: string, currency: string })
	}
	if (key === 'workingHours') {
		const { timeZone, days } = item as NonNullable<Policy['workingHours']>
		const lines = WEEKDAYS.flatMap((day) => days[day] === undefined || days[day].length === 0 ? [] : `${weekdayName(day)} ${days[day].map(({ from, to }) => `${from}–${to}`).join(', ')}`)
		return `${lines.length === 0 ? t('No hours at all') : lines.join('; ')} (${timeZone})`
	}
	if (key === 'lockAfterRefusals') {
		const { count, windowMin, lockMin } = item as NonNullable<Policy['lockAfterRefusals']>
		return t('{count} refused calls within {window} minutes lock calling for {lock} minutes', { count, window: windowMin, lock: lockMin })
	}
	if (key === 'brake') {
		const { from, to, callsPerHour } = item as NonNullable<Policy['brake']>
		return t('From {from} to {to}, after {count} calls within an hour', { from, to, count: callsPerHour })
	}
	return typeof item === 'object' ? JSON.stringify(item) : String(item)
}
