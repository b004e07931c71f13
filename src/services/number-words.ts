// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What the server says about a number, in words. */

import type { Explanation } from './types.ts'

import { countryName } from './contact-words.ts'
import { t } from './l10n.ts'
import { moneyWords } from './money-words.ts'

/** libphonenumber's types, by which the policy knows them. */
const KINDS: Readonly<Record<string, () => string>> = {
	FIXED_LINE: () => t('landline'),
	MOBILE: () => t('mobile'),
	FIXED_LINE_OR_MOBILE: () => t('landline or mobile'),
	TOLL_FREE: () => t('free of charge'),
	PREMIUM_RATE: () => t('premium number'),
	SHARED_COST: () => t('shared-cost number'),
	VOIP: () => t('internet number'),
	PERSONAL_NUMBER: () => t('personal number'),
	PAGER: () => t('pager'),
	UAN: () => t('company number'),
	VOICEMAIL: () => t('voicemail'),
}

/** What a minute costs, as far as anybody has told. */
export function rateWords({ estimatedRate }: Pick<Explanation, 'estimatedRate'>): string | undefined {
	return estimatedRate === undefined ? undefined : t('about {price} per minute', { price: moneyWords(estimatedRate) })
}

/** One line: country, kind, rate. Empty for a text that is no number. */
export function numberWords(explanation: Explanation): string {
	const { country, type, e164 } = explanation
	if (e164 === undefined) {
		return ''
	}
	return [country && countryName(country), type && KINDS[type]?.(), rateWords(explanation)].filter(Boolean).join(' · ')
}

/** Why somebody should look twice before this call, though it is allowed. */
export function confirmWords(explanation: Explanation): string | undefined {
	const { confirm, country } = explanation
	const rate = rateWords(explanation)
	if (confirm === 'expensive') {
		return rate === undefined ? t('This call is expensive.') : t('This call is expensive: {rate}.', { rate })
	}
	if (confirm === 'new_country') {
		return country === undefined ? t('This is the first call to such a number.') : t('This is the first call to {country}.', { country: countryName(country) })
	}
	return undefined
}
