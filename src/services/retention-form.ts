// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The days of retention as a form has them, and back. Pure. */

import type { Settings } from './admin-api.ts'

type Retention = Settings['retention']
export type RetentionKey = keyof Retention
/** As it was typed. */
export type RetentionForm = Record<RetentionKey, string>

/** A hundred years. */
export const MOST_DAYS = 36_500

export function retentionForm(days?: Retention): RetentionForm {
	return { maskAfterDays: String(days?.maskAfterDays ?? ''), callsDays: String(days?.callsDays ?? ''), auditDays: String(days?.auditDays ?? '') }
}

/** @return the days, or which fields hold none */
export function daysOf(form: RetentionForm): { days: Retention | undefined, faults: RetentionKey[] } {
	const faults = (Object.keys(form) as RetentionKey[]).filter((key) => !/^\d{1,5}$/.test(form[key].trim()) || Number(form[key]) > MOST_DAYS)
	return {
		days: faults.length > 0 ? undefined : { maskAfterDays: Number(form.maskAfterDays), callsDays: Number(form.callsDays), auditDays: Number(form.auditDays) },
		faults,
	}
}
