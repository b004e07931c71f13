// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** A decimal number as a text, or as JSON has it; no exponent, which no price has. */
const DECIMAL = /^(-?)(\d{1,12})(?:\.(\d{1,30}))?$/

/**
 * An amount in millionths, exactly; what is smaller than one is rounded up, so that nothing that was paid counts as less.
 *
 * @param amount such as `"0.0401"`
 * @return a whole number as a text; undefined when it is no amount
 */
export function microsOf(amount: unknown): string | undefined {
	const match = typeof amount === 'string' || typeof amount === 'number' ? DECIMAL.exec(String(amount)) : null
	if (match === null) {
		return undefined
	}
	const [, sign, whole = '', fraction = ''] = match
	const micros = BigInt(whole + fraction.slice(0, 6).padEnd(6, '0'))
	const hasRest = /[1-9]/.test(fraction.slice(6))
	return String(sign === '-' ? -micros : micros + (hasRest ? 1n : 0n))
}
