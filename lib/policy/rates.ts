// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a call costs as far as the admin has told. Money is whole millionths of a currency, as a text of digits on the
// wire and a bigint in here, so that nothing is ever rounded away.

/** As the outer contract writes it. */
export interface Money {
	/** Millionths, a whole number. */
	micros: string
	/** ISO 4217. */
	currency: string
}

/** What calls to numbers that begin so cost. */
export interface Rate {
	/** Beginning of an E.164 number; the longest match counts. */
	prefix: string
	perMinute: Money
	/** For each answered call. */
	perCall?: Money | undefined
}

/** The rate for a number; undefined when no prefix covers it. */
export function rateFor(e164: string, rates: readonly Rate[]): Rate | undefined {
	return rates.filter(({ prefix }) => e164.startsWith(prefix)).toSorted((a, b) => b.prefix.length - a.prefix.length)[0]
}

/** The currency of what something may cost; undefined when no rate covers it. All rates are of one currency. */
export function currencyOf(charge: { rate?: Rate | undefined, ownRate?: Rate | undefined } | undefined): string | undefined {
	return (charge?.rate ?? charge?.ownRate)?.perMinute.currency
}

/**
 * What an answered call costs, by the second, rounded up.
 *
 * @return millionths of the rate's currency
 */
export function costMicros({ perMinute, perCall }: Rate, talkMs: number): bigint {
	const perMinuteMs = BigInt(perMinute.micros) * BigInt(Math.ceil(talkMs / 1000))
	return (perMinuteMs + 59n) / 60n + BigInt(perCall?.micros ?? 0)
}
