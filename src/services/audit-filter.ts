// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { AuditFilter } from './admin-api.ts'

import { personMeant } from './audit-words.ts'

/** As the page's fields have it; empty narrows nothing. */
export interface AuditFields {
	action: string
	/** As people type whom they mean: the id, or what the table shows. */
	actor: string
	target: string
	/** First and last day, as `2026-11-24` in the browser's time zone. */
	from: string
	to: string
}

/** A year of two digits is one that is still being typed. */
const isDay = (day: string) => /^\d{4}-\d\d-\d\d$/.test(day) && day >= '1876'

function startOf(day: string, later = 0): string {
	const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
	return new Date(year, month - 1, date + later).toISOString()
}

export function filterOf({ action, actor, target, from, to }: AuditFields): AuditFilter {
	return {
		...(action === '' ? {} : { action }),
		...(actor.trim() === '' ? {} : { actor: personMeant(actor) }),
		...(target.trim() === '' ? {} : { target: personMeant(target) }),
		...(isDay(from) ? { from: startOf(from) } : {}),
		...(isDay(to) ? { to: startOf(to, 1) } : {}),
	}
}
