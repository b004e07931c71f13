// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ErasureCounts, ListedReceipt } from './privacy-api.ts'

import { n, t } from './l10n.ts'

/** What is counted, without what there is none of; calls always. */
export function countWords({ calls, transfers, devices, signIns, rules }: ErasureCounts): string[] {
	return [
		n('%n call', '%n calls', calls),
		...(transfers === 0 ? [] : [n('%n transfer', '%n transfers', transfers)]),
		...(devices === 0 ? [] : [n('%n phone', '%n phones', devices)]),
		...(signIns === 0 ? [] : [n('%n sign-in of another app', '%n sign-ins of other apps', signIns)]),
		...(rules === 0 ? [] : [t('own limits, locks and permission')]),
	]
}

export function scopeWords(scope: ListedReceipt['scope']): string {
	switch (scope) {
		case 'all':
			return t('Everything of a user')
		case 'calls':
			return t('Call history of a user')
		case 'number':
			return t('A number')
	}
}

export function eraserWords(by: ListedReceipt['by']): string {
	switch (by) {
		case 'user':
			return t('The user')
		case 'admin':
			return t('An administrator')
		case 'console':
			return t('The console')
		case 'system':
			return t('SIPCall itself')
	}
}

/** Enough of a number to know which one is meant, and not more: `+49 30 •••`. It reads left to right in any text. */
export function numberStart(display: string): string {
	const groups = display.split(/[\s-]+/)
	return `\u2066${groups.slice(0, Math.min(2, groups.length - 1)).join(' ')} •••\u2069`
}
