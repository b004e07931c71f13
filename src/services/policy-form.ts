// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * The policy as a form has it, and back. A form holds what was typed, also where it is no number yet; what is off and what
 * is empty are told apart, because for the server an empty limit means none.
 */

import type { Settings, SettingsChange } from './admin-api.ts'

import { amountText, microsOf } from './money.ts'

export const COUNTS = {
	callsPerMinute: 1_000_000,
	callsPerHour: 1_000_000,
	callsPerDay: 1_000_000,
	maxConcurrentPerUser: 1000,
	maxConcurrent: 10_000,
	maxCallSec: 86_400,
} as const

export type CountKey = keyof typeof COUNTS
export type Amount = 'dailySpendLimit' | 'monthlySpendLimit' | 'confirmAbove'
export const AMOUNTS = ['dailySpendLimit', 'monthlySpendLimit', 'confirmAbove'] as const satisfies readonly Amount[]

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = typeof WEEKDAYS[number]
export interface Hours { from: string, to: string }

export type NumberKind = Settings['allowedTypes'][number]
export const KINDS = ['FIXED_LINE', 'MOBILE', 'FIXED_LINE_OR_MOBILE', 'TOLL_FREE', 'VOIP', 'UAN', 'PERSONAL_NUMBER', 'PAGER', 'VOICEMAIL', 'SHARED_COST', 'PREMIUM_RATE'] as const satisfies readonly NumberKind[]

export interface PolicyForm {
	/** Empty = none. */
	homeCountry: string
	allowedCountries: string[]
	allowedTypes: NumberKind[]
	allowedPrefixes: string[]
	deniedPrefixes: string[]
	isEverybody: boolean
	groups: string[]
	counts: Record<CountKey, string>
	/** Empty = any. */
	maxDistinctPerDay: string
	timeZone: string
	hasHours: boolean
	hoursTimeZone: string
	hours: Record<Weekday, Hours[]>
	currency: string
	/** Empty = none. */
	amounts: Record<Amount, string>
	rates: { prefix: string, perMinute: string, perCall: string }[]
	hasLock: boolean
	lock: { count: string, windowMin: string, lockMin: string }
	hasBrake: boolean
	brake: { from: string, to: string, callsPerHour: string }
}

/** The settings that this form is about, complete. */
export type Policy = Required<Pick<SettingsChange, 'homeCountry' | 'allowedCountries' | 'allowedTypes' | 'allowedPrefixes' | 'deniedPrefixes' | 'allowedGroups' | CountKey | 'maxDistinctPerDay' | 'timeZone' | 'workingHours' | Amount | 'rates' | 'lockAfterRefusals' | 'brake'>>
export type PolicyKey = keyof Policy

/** What a field has to be, where it is not; by the field's path, as the server names it. */
export type FormFaults = Readonly<Record<string, 'amount' | { min: number, max: number }>>

export function formOf(settings: Settings): PolicyForm {
	const { workingHours, lockAfterRefusals, brake, rates } = settings
	const currency = [settings.dailySpendLimit, settings.monthlySpendLimit, settings.confirmAbove, ...rates.map(({ perMinute }) => perMinute)].find((money) => money !== null)?.currency ?? 'EUR'
	const text = (money: { micros: string } | null | undefined) => money ? amountText(money.micros) : ''
	return {
		homeCountry: settings.homeCountry ?? '',
		allowedCountries: [...settings.allowedCountries ?? []],
		allowedTypes: [...settings.allowedTypes],
		allowedPrefixes: [...settings.allowedPrefixes],
		deniedPrefixes: [...settings.deniedPrefixes],
		isEverybody: settings.allowedGroups === null,
		groups: [...settings.allowedGroups ?? []],
		counts: Object.fromEntries(Object.keys(COUNTS).map((key) => [key, String(settings[key as CountKey])])) as Record<CountKey, string>,
		maxDistinctPerDay: settings.maxDistinctPerDay === null ? '' : String(settings.maxDistinctPerDay),
		timeZone: settings.timeZone,
		hasHours: workingHours !== null,
		hoursTimeZone: workingHours?.timeZone ?? settings.timeZone,
		hours: Object.fromEntries(WEEKDAYS.map((day) => [day, (workingHours?.days[day] ?? []).map((hours) => ({ ...hours }))])) as Record<Weekday, Hours[]>,
		currency,
		amounts: { dailySpendLimit: text(settings.dailySpendLimit), monthlySpendLimit: text(settings.monthlySpendLimit), confirmAbove: text(settings.confirmAbove) },
		rates: rateFields(rates),
		hasLock: lockAfterRefusals !== null,
		lock: { count: String(lockAfterRefusals?.count ?? 10), windowMin: String(lockAfterRefusals?.windowMin ?? 10), lockMin: String(lockAfterRefusals?.lockMin ?? 15) },
		hasBrake: brake !== null,
		brake: { from: brake?.from ?? '20:00', to: brake?.to ?? '07:00', callsPerHour: String(brake?.callsPerHour ?? 5) },
	}
}

export function rateFields(rates: Settings['rates']): PolicyForm['rates'] {
	return rates.map(({ prefix, perMinute, perCall }) => ({ prefix, perMinute: amountText(perMinute.micros), perCall: perCall === undefined ? '' : amountText(perCall.micros) }))
}

/**
 * @return the policy, and what is wrong with it as far as the page can tell; the server says the rest
 */
export function policyOf(form: PolicyForm): { policy: Policy, faults: FormFaults } {
	const faults: Record<string, FormFaults[string]> = {}
	const count = (field: string, text: string, max: number) => {
		const value = /^\d{1,7}$/.test(text.trim()) ? Number(text) : 0
		if (value < 1 || value > max) {
			faults[field] = { min: 1, max }
		}
		return value
	}
	const money = (field: string, text: string) => {
		const micros = microsOf(text)
		if (micros === undefined) {
			faults[field] = 'amount'
		}
		return { micros: micros ?? '0', currency: form.currency.trim().toUpperCase() }
	}
	const amount = (key: Amount) => form.amounts[key].trim() === '' ? null : money(key, form.amounts[key])
	const days = Object.fromEntries(WEEKDAYS.filter((day) => form.hours[day].length > 0).map((day) => [day, form.hours[day].map((hours) => ({ ...hours }))]))
	const policy: Policy = {
		homeCountry: form.homeCountry === '' ? null : form.homeCountry as NonNullable<Policy['homeCountry']>,
		allowedCountries: form.allowedCountries as NonNullable<Policy['allowedCountries']>,
		allowedTypes: form.allowedTypes,
		allowedPrefixes: form.allowedPrefixes,
		deniedPrefixes: form.deniedPrefixes,
		allowedGroups: form.isEverybody ? null : form.groups,
		...Object.fromEntries(Object.entries(COUNTS).map(([key, max]) => [key, count(key, form.counts[key as CountKey], max)])) as Record<CountKey, number>,
		maxDistinctPerDay: form.maxDistinctPerDay.trim() === '' ? null : count('maxDistinctPerDay', form.maxDistinctPerDay, 100_000),
		timeZone: form.timeZone,
		workingHours: form.hasHours ? { timeZone: form.hoursTimeZone, days } : null,
		dailySpendLimit: amount('dailySpendLimit'),
		monthlySpendLimit: amount('monthlySpendLimit'),
		confirmAbove: amount('confirmAbove'),
		rates: form.rates.map(({ prefix, perMinute, perCall }, at) => ({
			prefix: prefix.trim(),
			perMinute: money(`rates.${at}.perMinute`, perMinute),
			...(perCall.trim() === '' ? {} : { perCall: money(`rates.${at}.perCall`, perCall) }),
		})),
		lockAfterRefusals: form.hasLock
			? {
					count: count('lockAfterRefusals.count', form.lock.count, 1000),
					windowMin: count('lockAfterRefusals.windowMin', form.lock.windowMin, 1440),
					lockMin: count('lockAfterRefusals.lockMin', form.lock.lockMin, 100_000),
				}
			: null,
		brake: form.hasBrake ? { from: form.brake.from, to: form.brake.to, callsPerHour: count('brake.callsPerHour', form.brake.callsPerHour, 10_000) } : null,
	}
	return { policy, faults }
}

/**
 * The countries that may be called once another home country is chosen: where it was the home country alone, that follows;
 * otherwise somebody has made the list.
 *
 * @param before the home country until now; empty = none
 */
export function countriesWithHome({ homeCountry, allowedCountries }: Pick<PolicyForm, 'homeCountry' | 'allowedCountries'>, before: string): string[] {
	const alone = (country: string) => country === '' ? [] : [country]
	return allowedCountries.join() === alone(before).join() ? alone(homeCountry) : allowedCountries
}

/** The keys whose values are not the same any more. The order in a list of countries or groups means nothing. */
export function changedKeys(before: Policy, now: Policy): PolicyKey[] {
	const plain = (value: unknown) => JSON.stringify(Array.isArray(value) && value.every((item) => typeof item === 'string') ? value.toSorted() : value)
	return (Object.keys(now) as PolicyKey[]).filter((key) => plain(before[key]) !== plain(now[key]))
}

/** What is sent: what has changed, and the countries that were shown as those of the home country. */
export function changeOf(before: Policy, now: Policy): SettingsChange {
	const keys = new Set<PolicyKey>(changedKeys(before, now))
	if (keys.has('homeCountry')) {
		keys.add('allowedCountries')
	}
	return Object.fromEntries([...keys].map((key) => [key, now[key]])) as SettingsChange
}
