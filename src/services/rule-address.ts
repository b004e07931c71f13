// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Where a rule is changed: the page of the policy, and in its address the rule, `/admin/policy#allowedCountries`. */

import { readAddress } from './routes.ts'

const CONTROLS = 'input, select'

/** @param rule its id, as the server names it */
export function ruleAddress(rule: string): string {
	return `${readAddress(window.location.pathname).root}/admin/policy#${encodeURIComponent(rule)}`
}

/** Brings what the address names into sight, and puts the focus where it is changed. A name of no rule here does nothing. */
export function showRule(): void {
	const rule = window.location.hash.slice(1)
	const field = rule === '' ? null : document.querySelector<HTMLElement>(`[data-rule="${CSS.escape(rule)}"]`)
	// A new country is added more often than the first one is taken away, whose button comes first.
	const control = field?.querySelector<HTMLElement>(CONTROLS) ?? field
	control?.focus({ preventScroll: true })
	control?.scrollIntoView({ block: 'center' })
}
