// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CarrierHealth, CarrierLimits, TrunkProvider } from '../../../lib/calls/trunk-provider.ts'
import type { ComparedSettings } from '../../../lib/health/carrier.ts'

import { describe, expect, it } from 'vitest'
import { lookAtCarrier, moneyText } from '../../../lib/health/carrier.ts'
import { DEFAULT_SETTINGS } from '../../../lib/policy/settings.ts'

const usd = (amount: number) => ({ micros: String(amount * 1_000_000), currency: 'USD' })

function company({ health = {}, limits, callerIds }: { health?: Partial<CarrierHealth>, limits?: CarrierLimits, callerIds?: string[] } = {}): TrunkProvider {
	return {
		kind: 'company',
		displayName: 'Company',
		health: async () => ({ faults: [], credit: usd(4), latencyMs: 7, ...health }),
		limits: () => limits,
		callerIds: async () => callerIds === undefined ? undefined : new Set(callerIds),
	}
}

async function codes(provider: TrunkProvider, settings: Partial<ComparedSettings> = {}): Promise<string[]> {
	const { findings } = await lookAtCarrier(provider, { ...DEFAULT_SETTINGS, homeCountry: 'DE', ...settings })
	return findings.map(({ code }) => code)
}

describe('a company that can be asked', () => {
	it('is told with its credit', async () => {
		const { findings, latencyMs } = await lookAtCarrier(company(), { ...DEFAULT_SETTINGS })
		expect(findings).toMatchObject([{ code: 'carrier_credit', state: 'ok', text: 'Company answers. 4.00 USD can still be spent.' }])
		expect(latencyMs).toBe(7)
		expect(await codes(company({ health: { credit: undefined, faults: ['balance_not_told'] } }))).toEqual(['carrier_ok', 'carrier_balance_not_told'])
	})

	it.each(['unreachable', 'limited', 'key_refused', 'account_blocked'] as const)('and is %s is told by that alone', async (fault) => {
		expect(await codes(company({ health: { faults: [fault], credit: undefined }, limits: { countries: ['US'] }, callerIds: [] }), { callerIds: [{ number: '+4930123456', label: 'Desk' }] })).toEqual([`carrier_${fault}`])
	})

	it('and has no credit is not told to be well', async () => {
		expect(await codes(company({ health: { faults: ['no_credit'], credit: usd(0) } }))).toEqual(['carrier_no_credit'])
	})
})

describe('where a company’s rules and ours differ', () => {
	it.each<[string, CarrierLimits, Partial<ComparedSettings>, string[]]>([
		['they are the same', { countries: ['DE'], dailySpend: usd(50), concurrentCalls: 10, maxPerMinute: usd(1) }, { dailySpendLimit: usd(50), rates: [{ prefix: '+49', perMinute: usd(1) }] }, []],
		['nothing is limited', {}, { dailySpendLimit: usd(50) }, []],
		['it lets more countries through', { countries: ['DE', 'US', 'CU'] }, {}, ['carrier_more_countries']],
		['it refuses a country', { countries: ['DE'] }, { allowedCountries: ['DE', 'FR'] }, ['carrier_fewer_countries']],
		['it would pay for more', { dailySpend: usd(100) }, { dailySpendLimit: usd(50) }, ['carrier_spends_more']],
		['it would pay for less', { dailySpend: usd(20) }, { dailySpendLimit: usd(50) }, ['carrier_spends_less']],
		['the currencies differ', { dailySpend: usd(20) }, { dailySpendLimit: { micros: '1', currency: 'EUR' } }, []],
		['it carries fewer calls', { concurrentCalls: 2 }, {}, ['carrier_fewer_calls']],
		['a rate is above its highest', { maxPerMinute: usd(1) }, { rates: [{ prefix: '+88', perMinute: usd(2) }] }, ['carrier_too_dear']],
	])('%s', async (_what, limits, settings, expected) => {
		expect(await codes(company({ limits }), settings)).toEqual(['carrier_credit', ...expected])
	})

	it('names countries up to a dozen, and caller IDs by their place', async () => {
		const countries = Array.from('ABCDEFGHIJKLM', (letter) => `Z${letter}`)
		const { findings } = await lookAtCarrier(company({ limits: { countries: ['DE', ...countries] }, callerIds: ['+4930123456'] }), { ...DEFAULT_SETTINGS, homeCountry: 'DE', callerIds: [{ number: '+4930123456', label: 'Desk' }, { number: '+4930123457', label: 'Other' }] })
		expect(findings[1]?.values).toEqual({ company: 'Company', countries: `${countries.slice(0, 12).join(', ')},\u00A0…` })
		expect(findings[2]).toMatchObject({ code: 'carrier_caller_id', values: { position: 2 } })
		expect(JSON.stringify(findings)).not.toContain('30123')
	})
})

describe('an amount in a sentence', () => {
	it.each([['400000000', '400.00 USD'], ['5', '0.000005 USD'], ['40100', '0.0401 USD'], ['0', '0.00 USD'], ['-3200000', '-3.20 USD']])('of %s millionths is %s', (micros, text) => {
		expect(moneyText({ micros, currency: 'USD' })).toBe(text)
	})
})
