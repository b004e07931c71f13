// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { t } from './l10n.ts'

/** The rules that a refusal can name, under one name in the refusal and on the policy's page. */
export const RULE_NAMES = {
	allowedCountries: () => t('Allowed countries'),
	allowedTypes: () => t('Kinds of numbers'),
	carrier: () => t('Countries of the phone company'),
	deniedPrefixes: () => t('Forbidden beginnings'),
	callerIds: () => t('Caller IDs'),
	workingHours: () => t('Hours'),
	brake: () => t('Brake at night'),
	rates: () => t('Prices'),
	maxDistinctPerDay: () => t('Different numbers per day'),
	dailySpendLimit: () => t('Limit per day'),
	monthlySpendLimit: () => t('Limit per month'),
	callsPerDay: () => t('Calls per day'),
	callsPerHour: () => t('Calls per hour'),
	callsPerMinute: () => t('Calls per minute'),
} as const satisfies Readonly<Record<string, () => string>>

/** @return undefined for a rule of a newer server, which brings its own name */
export function refusalRuleName(id: string): string | undefined {
	return Object.hasOwn(RULE_NAMES, id) ? RULE_NAMES[id as keyof typeof RULE_NAMES]() : undefined
}
