// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Money } from './types.ts'

import { numberFormat } from './formats.ts'

/**
 * A sum in the user's locale, with at least two digits behind the point and at most four: a minute may cost less than a
 * cent. Made from whole millionths, so that no sum is bent by binary fractions.
 */
export function moneyWords({ micros, currency }: Money): string {
	const amount = BigInt(micros)
	const digits = String(amount < 0n ? -amount : amount).padStart(7, '0')
	const decimal = `${amount < 0n ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}` as `${number}`
	return numberFormat({ style: 'currency', currency, minimumFractionDigits: 2, maximumFractionDigits: 4 }).format(decimal)
}
