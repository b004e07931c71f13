// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** A refusal in its four parts: what happened, why, what to do, who can change it. */

import type { Explanation, Refusal } from './types.ts'

import { countryName } from './contact-words.ts'
import { t } from './l10n.ts'
import { problemWords } from './problem-words.ts'
import { refusalRuleName } from './rule-names.ts'
import { momentWords } from './time-words.ts'

export interface RefusalWords {
	text: string
	/** Which rule it is, and who can change it; left out where no rule of the policy decides. */
	rule?: string
	/** What can be sent to the administrator: never the number. */
	request?: string
}

const REFUSED_KINDS: Readonly<Record<string, () => string>> = {
	FIXED_LINE: () => t('Landline numbers are not allowed.'),
	MOBILE: () => t('Mobile numbers are not allowed.'),
	PREMIUM_RATE: () => t('Premium numbers are not allowed.'),
	SHARED_COST: () => t('Shared-cost numbers are not allowed.'),
}

/**
 * @param refusal what the server says
 * @param number what it says about the number beside
 * @param isAdmin whoever can change the rule is not sent to somebody else
 */
export function refusalWords(refusal: Refusal, number: Pick<Explanation, 'country' | 'type'>, isAdmin: boolean): RefusalWords {
	const text = reasonText(refusal, number)
	const rule = ruleWords(refusal)
	if (rule === undefined) {
		return { text }
	}
	return {
		text,
		rule: isAdmin ? rule : `${rule} ${t('Your administrator can change it.')}`,
		request: `SIPCall: ${text} ${rule} (${refusal.code})`,
	}
}

/** The rule that an administrator can change. */
export function ruleWords(refusal: Refusal | undefined): string | undefined {
	const { rule, fixableBy } = refusal ?? {}
	return rule === undefined || fixableBy !== 'admin' ? undefined : t('Rule: {rule}.', { rule: refusalRuleName(rule.id) ?? rule.label })
}

function reasonText(refusal: Refusal, { country, type }: Pick<Explanation, 'country' | 'type'>): string {
	switch (refusal.rule?.id) {
		case 'allowedCountries':
			return country === undefined
				? t('SIPCall cannot tell which country this number belongs to, so it does not call it. Begin with + and the country code.')
				: t('Calls to {country} are not allowed.', { country: countryName(country) })
		case 'allowedTypes':
			return type === undefined
				? t('This number belongs to no known range of numbers. Such numbers are not allowed.')
				: REFUSED_KINDS[type]?.() ?? t('This kind of number is not allowed.')
		case 'deniedPrefixes':
			return t('This number is on the list of numbers that may not be called.')
		case 'carrier':
			return t('The phone company does not carry calls to this country.')
		case 'workingHours':
			return refusal.untilAt === undefined
				? t('Calls are not allowed at this time.')
				: t('Calls are not allowed at this time, but from {time} on.', { time: momentWords(new Date(refusal.untilAt)) })
		case 'brake':
			return t('This would be the first call to this country, at night and after many others. It waits until an administrator approves it.')
		case 'rates':
			return t('Nobody has said what calls to this number cost, and spending is limited.')
		default:
			return problemWords({ ...refusal, detail: refusal.message, type: '', title: '', status: 422, requestId: '' }) ?? refusal.message
	}
}
