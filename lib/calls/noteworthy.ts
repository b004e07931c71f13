// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Which refusals somebody should be able to look up later, and what may be told of them: never the number.

import type { Settings } from '../policy/settings.ts'

import { SipCallError } from '../errors.ts'
import { parseNumber } from '../numbering/parse-number.ts'
import { SUSPICIOUS_RULES } from '../policy/rules.ts'

export interface NoteworthyRefusal {
	code: string
	/** Left out for emergency numbers, which no rule decides on. */
	rule?: string
	/** ISO 3166 alpha-2, where the number belongs to one. */
	country?: string
}

/** Told in the middle of a click: must return at once and not throw. */
export type OnRefused = (userId: string, refusal: NoteworthyRefusal) => void

/** The rule behind a refusal that says somebody tries what is not allowed; undefined for all others. */
export function suspiciousRule(error: unknown): string | undefined {
	const refusal = error instanceof SipCallError ? error.extra?.refusal as { rule?: { id?: string } } | undefined : undefined
	const id = refusal?.rule?.id
	return id !== undefined && SUSPICIOUS_RULES.has(id) ? id : undefined
}

/** @return undefined for what happens to everybody, such as a mistyped number or a limit */
export function noteworthyRefusal(error: unknown, to: string, { homeCountry }: Pick<Settings, 'homeCountry'>): NoteworthyRefusal | undefined {
	if (error instanceof SipCallError && error.code === 'emergency_number') {
		return { code: error.code, ...(homeCountry === null ? {} : { country: homeCountry }) }
	}
	const rule = suspiciousRule(error)
	if (!(error instanceof SipCallError) || rule === undefined) {
		return undefined
	}
	const number = parseNumber(to, homeCountry)
	return { code: error.code, rule, ...('fault' in number || number.country === undefined ? {} : { country: number.country }) }
}
