// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The company behind the trunk: what it says of the account, and where its rules and ours differ. Whatever it is, calls go
// on; only the gateway's state can keep them from it.

import type { CarrierFault, CarrierLimits, TrunkProvider } from '../calls/trunk-provider.ts'
import type { Money } from '../policy/rates.ts'
import type { Settings } from '../policy/settings.ts'
import type { Finding, FindingCode } from './findings.ts'
import type { Probe } from './health.ts'

import { finding } from './findings.ts'

export type ComparedSettings = Pick<Settings, 'homeCountry' | 'allowedCountries' | 'dailySpendLimit' | 'maxConcurrent' | 'rates' | 'callerIds'>

/** More names than these tell nobody more. */
const MOST_COUNTRIES = 12

const CODES: Readonly<Record<CarrierFault, FindingCode>> = {
	unreachable: 'carrier_unreachable',
	limited: 'carrier_limited',
	key_refused: 'carrier_key_refused',
	balance_not_told: 'carrier_balance_not_told',
	account_blocked: 'carrier_account_blocked',
	no_credit: 'carrier_no_credit',
	trunk_unknown: 'carrier_trunk_unknown',
	trunk_off: 'carrier_trunk_off',
	no_profile: 'carrier_no_profile',
	profile_off: 'carrier_profile_off',
	no_spend_limit: 'carrier_no_spend_limit',
}

export function carrierProbe(provider: () => TrunkProvider, settings: () => ComparedSettings): Probe {
	return {
		id: 'carrier',
		ifSilent: 'carrier_unreachable',
		look: async () => {
			const { findings, latencyMs } = await lookAtCarrier(provider(), settings())
			return findings.map((found, at) => ({ id: 'carrier', ...found, ...(at === 0 && latencyMs !== undefined ? { latencyMs } : {}) }))
		},
	}
}

/** @return at least one finding */
export async function lookAtCarrier(provider: TrunkProvider, settings: ComparedSettings): Promise<{ findings: Finding[], latencyMs: number | undefined }> {
	const health = await provider.health?.()
	if (health === undefined) {
		return { findings: [finding('carrier_generic')], latencyMs: undefined }
	}
	const company = provider.displayName
	const { faults, credit, latencyMs } = health
	const wrong = faults.map((fault) => finding(CODES[fault], { company }))
	const known = credit === undefined ? finding('carrier_ok', { company }) : finding('carrier_credit', { company, credit: moneyText(credit) })
	const isAnswering = !faults.some((fault) => ['unreachable', 'limited', 'key_refused', 'account_blocked'].includes(fault))
	return {
		findings: [
			...(isAnswering && !faults.includes('no_credit') ? [known] : []),
			...wrong,
			...(isAnswering ? differences(company, provider.limits?.(), settings) : []),
			...(isAnswering ? unknownCallerIds(company, await provider.callerIds?.(), settings) : []),
		],
		latencyMs,
	}
}

/** Where the company would pay for more than is allowed here, or refuse what is. */
function differences(company: string, limits: CarrierLimits | undefined, { homeCountry, allowedCountries, dailySpendLimit, maxConcurrent, rates }: ComparedSettings): Finding[] {
	if (limits === undefined) {
		return []
	}
	const { countries, dailySpend, concurrentCalls, maxPerMinute } = limits
	const allowed = allowedCountries ?? (homeCountry === null ? [] : [homeCountry])
	const more = countries?.filter((country) => !allowed.includes(country)) ?? []
	const fewer = countries === undefined ? [] : allowed.filter((country) => !countries.includes(country))
	const dear = maxPerMinute === undefined ? [] : rates.filter(({ perMinute }) => isMore(perMinute, maxPerMinute))
	return [
		...(more.length === 0 ? [] : [finding('carrier_more_countries', { company, countries: listed(more) })]),
		...(fewer.length === 0 ? [] : [finding('carrier_fewer_countries', { company, countries: listed(fewer) })]),
		...(dailySpend !== undefined && dailySpendLimit !== null && isMore(dailySpend, dailySpendLimit) ? [finding('carrier_spends_more', { company, theirs: moneyText(dailySpend), ours: moneyText(dailySpendLimit) })] : []),
		...(dailySpend !== undefined && dailySpendLimit !== null && isMore(dailySpendLimit, dailySpend) ? [finding('carrier_spends_less', { company, theirs: moneyText(dailySpend), ours: moneyText(dailySpendLimit) })] : []),
		...(concurrentCalls !== undefined && concurrentCalls < maxConcurrent ? [finding('carrier_fewer_calls', { company, theirs: concurrentCalls, ours: maxConcurrent })] : []),
		...(maxPerMinute === undefined || dear.length === 0 ? [] : [finding('carrier_too_dear', { company, theirs: moneyText(maxPerMinute), count: dear.length })]),
	]
}

/** By its place in the list: a number stands in no answer that may be copied. */
function unknownCallerIds(company: string, known: ReadonlySet<string> | undefined, { callerIds }: ComparedSettings): Finding[] {
	return callerIds.flatMap(({ number }, at) => known === undefined || known.has(number) ? [] : [finding('carrier_caller_id', { company, position: at + 1 })])
}

/** Amounts of different currencies cannot be compared. */
function isMore(a: Money, b: Money): boolean {
	return a.currency === b.currency && BigInt(a.micros) > BigInt(b.micros)
}

function listed(countries: readonly string[]): string {
	return `${countries.slice(0, MOST_COUNTRIES).join(', ')}${countries.length > MOST_COUNTRIES ? ', …' : ''}`
}

/** `400.00 USD`: exact, with two decimals at least. */
export function moneyText({ micros, currency }: Money): string {
	const digits = micros.replace('-', '').padStart(7, '0')
	const fraction = digits.slice(-6).replace(/0{1,4}$/, '')
	return `${micros.startsWith('-') ? '-' : ''}${digits.slice(0, -6)}.${fraction} ${currency}`
}
