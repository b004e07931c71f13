// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Amounts as people write them, and as the API has them: whole millionths, as a text of digits. */

import { numberFormat } from './formats.ts'

/**
 * Millionths of an amount such as `0.02`, `0,02` or `12`.
 *
 * @return undefined when it is no amount
 */
export function microsOf(text: string): string | undefined {
	const [, whole, fraction = ''] = /^\s*(\d{1,12})(?:[.,](\d{1,6}))?\s*$/.exec(text) ?? []
	return whole === undefined ? undefined : (BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))).toString()
}

/** The amount for a field, with the user's decimal sign and without a currency. */
export function amountText(micros: string): string {
	const [whole = '', fraction = ''] = decimal(micros).split('.')
	const places = fraction.replace(/0+$/, '')
	return places === '' ? whole : `${whole}${decimalSign()}${places.padEnd(2, '0')}`
}

/** With a point and six places, whatever the size: no amount goes through a floating-point number. */
function decimal(micros: string): string {
	const digits = micros.padStart(7, '0')
	return `${digits.slice(0, -6)}.${digits.slice(-6)}`
}

/** The amount for people to read, with its currency. */
export function moneyWords({ micros, currency }: { micros: string, currency: string }): string {
	try {
		return numberFormat({ style: 'currency', currency, minimumFractionDigits: 2, maximumFractionDigits: 6 }).format(decimal(micros) as `${number}`)
	} catch {
		return `${amountText(micros)} ${currency}`
	}
}

function decimalSign(): string {
	return numberFormat({ numberingSystem: 'latn' }).formatToParts(1.5).find(({ type }) => type === 'decimal')?.value === ',' ? ',' : '.'
}
