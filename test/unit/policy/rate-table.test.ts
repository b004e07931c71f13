// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Rate } from '../../../lib/policy/rates.ts'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MOST_RATES, readRateTable } from '../../../lib/policy/rate-table.ts'

const HEADING = 'prefix,perMinute,currency,perCall'
const eur = (micros: string) => ({ micros, currency: 'EUR' })

function read(csv: string, currency?: string): Rate[] {
	const result = readRateTable(csv, currency)
	if ('faults' in result) {
		throw new TypeError(JSON.stringify(result.faults))
	}
	return result.rates
}

function faults(csv: string, currency?: string): string[] {
	const result = readRateTable(csv, currency)
	return 'faults' in result ? result.faults.map(({ field, message }) => `${field}: ${message}`) : []
}

describe('a table of prices', () => {
	it.each([
		['commas', `${HEADING}\n+49,0.02,EUR,\n+4930,0.0125,EUR,0.1\n`],
		['semicolons, a byte order mark, line ends of Windows and commas in amounts', `\uFEFF${HEADING.replaceAll(',', ';')}\r\n+49;0,02;EUR;\r\n+4930;0,0125;EUR;0,1\r\n`],
		['tabs, another order and another spelling of the heading', 'Per Minute\tPER_CALL\tCurrency\tPrefix\n0.02\t\teur\t49\n0.0125\t0.1\tEUR\t4930'],
		['quotation marks and empty lines', '\n"prefix","per-minute","currency","percall"\n"+49","0.02","EUR",""\n\n "+4930" ,0.0125,EUR,"0.1"\n\n'],
	])('is read with %s', (_what, csv) => {
		expect(read(csv)).toEqual([
			{ prefix: '+49', perMinute: eur('20000') },
			{ prefix: '+4930', perMinute: eur('12500'), perCall: eur('100000') },
		])
	})

	it('may leave the price of a call out of its heading, and rounds up what is smaller than a millionth', () => {
		expect(read('prefix,currency,perMinute\n1,USD,0.00000001')).toEqual([{ prefix: '+1', perMinute: { micros: '1', currency: 'USD' } }])
	})

	it.each([
		['', 'csv.1: The heading must name'],
		['+49,0.02,EUR', 'csv.1: The heading must name'],
		['prefix,perMinute', 'csv.1: The heading must name'],
		['prefix,perMinute,currency,name\n+49,0.02,EUR,Germany', 'csv.1: The heading must name'],
		['prefix,perMinute,currency,currency\n+49,0.02,EUR,EUR', 'csv.1: The heading must name'],
		['\n\nprefix,perMinute\n', 'csv.3: The heading must name'],
		['prefix,perMinute,currency\n', 'csv.2: There is no price in this table'],
		['prefix,perMinute,currency\n+49,0.02', 'csv.2: Not as many fields'],
		['prefix,perMinute,currency\n+49,0.02,EUR,', 'csv.2: Not as many fields'],
		['prefix,perMinute,currency\n"+49,0.02,EUR', 'csv.2: Not as many fields'],
		['prefix,perMinute,currency\n"+49"1,0.02,EUR', 'csv.2: Not as many fields'],
		['prefix,perMinute,currency\n0049,0.02,EUR', 'csv.2: Not the beginning of an E.164 number such as +4930'],
		['prefix,perMinute,currency\n,0.02,EUR', 'csv.2: Not the beginning of an E.164 number such as +4930'],
		['prefix,perMinute,currency\n+1234567890123456,0.02,EUR', 'csv.2: Not the beginning of an E.164 number such as +4930'],
		['prefix,perMinute,currency\n+49,-0.02,EUR', 'csv.2: Not an amount such as 0.02'],
		['prefix,perMinute,currency\n+49,,EUR', 'csv.2: Not an amount such as 0.02'],
		['prefix,perMinute,currency\n+49,1e3,EUR', 'csv.2: Not an amount such as 0.02'],
		['prefix,perMinute,currency,perCall\n+49,1,EUR,free', 'csv.2: Not an amount such as 0.02'],
		['prefix,perMinute,currency\n+49,0.02,€', 'csv.2: Not an ISO 4217 currency such as EUR'],
		['prefix,perMinute,currency\n+49,0.02,EUR\n+43,0.02,USD', 'csv.3: Not the currency of the other amounts, EUR'],
		['prefix,perMinute,currency\n+49,0.02,EUR\n\n49,0.03,EUR', 'csv.4: This beginning stands in line 2 already'],
	])('%j is refused with its line and why', (csv, fault) => {
		expect(faults(csv)).toEqual([expect.stringContaining(fault)])
	})

	it('is in the currency of the limits that are set', () => {
		expect(faults(`${HEADING}\n+49,0.02,EUR,`, 'USD')).toEqual(['csv.2: Not the currency of the other amounts, USD'])
	})

	it('is refused as a whole, with each of its wrong lines up to 20', () => {
		expect(faults(`${HEADING}\n+49,0.02,EUR,\nx,0.02,EUR,\n+43,y,EUR,`)).toEqual(['csv.3: Not the beginning of an E.164 number such as +4930', 'csv.4: Not an amount such as 0.02'])
		expect(faults(`${HEADING}\n${'x,0,EUR,\n'.repeat(30)}`)).toHaveLength(20)
	})

	it(`has ${MOST_RATES} prices at most`, () => {
		const lines = (count: number) => `${HEADING}\n${Array.from({ length: count }, (_none, at) => `${100_000 + at},0.01,EUR,`).join('\n')}`
		expect(read(lines(MOST_RATES))).toHaveLength(MOST_RATES)
		expect(faults(lines(MOST_RATES + 1))).toEqual([`csv.${MOST_RATES + 2}: More than ${MOST_RATES} prices`])
	})

	it('comes back as it was written, for any prices', () => {
		const price = fc.record({ perMinute: fc.nat(10_000_000), perCall: fc.option(fc.nat(10_000_000), { nil: undefined }) })
		const amount = (micros: number | undefined) => micros === undefined ? '' : `${Math.floor(micros / 1_000_000)}.${String(micros % 1_000_000).padStart(6, '0')}`
		fc.assert(fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 999_999 }), { minLength: 1, maxLength: 30 }), fc.array(price, { minLength: 30, maxLength: 30 }), fc.constantFrom(',', ';', '\t'), (prefixes, prices, separator) => {
			const rows = prefixes.map((prefix, at) => [`"+${prefix}"`, amount(prices[at]?.perMinute), 'EUR', amount(prices[at]?.perCall)].join(separator))
			expect(read([HEADING.replaceAll(',', separator), ...rows].join('\n'))).toEqual(prefixes.map((prefix, at) => ({
				prefix: `+${prefix}`,
				perMinute: eur(String(prices[at]?.perMinute)),
				...(prices[at]?.perCall === undefined ? {} : { perCall: eur(String(prices[at].perCall)) }),
			})))
		}))
	})

	it('that is anything at all never throws', () => {
		fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.boolean(), (text, hasHeading) => {
			readRateTable(hasHeading ? `${HEADING}\n${text}` : text, undefined)
		}))
	})
})
