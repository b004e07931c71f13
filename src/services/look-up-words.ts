// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { NumberLookUp } from './admin-api.ts'

import { countryName } from './contact-words.ts'
import { t } from './l10n.ts'

const LINE_TYPES: Readonly<Record<NonNullable<NonNullable<NumberLookUp['facts']>['lineType']>, () => string>> = {
	fixed: () => t('Landline'),
	mobile: () => t('Mobile'),
	voip: () => t('Internet telephony'),
	toll_free: () => t('Toll-free'),
	premium: () => t('Premium rate'),
	shared_cost: () => t('Shared cost'),
	other: () => t('Another kind of number'),
}

/** What the phone company has told of a number, line by line; why it has not, in one. */
export function lookUpLines({ facts, fault }: NumberLookUp): string[] {
	if (facts === undefined) {
		switch (fault) {
			case 'limited':
				return [t('The phone company was asked too often. Try again in some minutes.')]
			case 'key_refused':
			case 'not_permitted':
				return [t('The phone company does not let this key look up numbers.')]
			case 'not_found':
			case 'invalid':
				return [t('The phone company knows nothing of this number.')]
			default:
				return [t('The phone company does not answer.')]
		}
	}
	const { country, lineType, carrier, isPorted } = facts
	const lines = [
		...(country === undefined ? [] : [countryName(country)]),
		...(lineType === undefined ? [] : [LINE_TYPES[lineType]()]),
		...(carrier === undefined ? [] : [t('Company: {name}', { name: carrier })]),
		...(isPorted === undefined ? [] : [isPorted ? t('Taken along from another company') : t('Not taken along from another company')]),
	]
	return lines.length === 0 ? [t('The phone company knows nothing of this number.')] : lines
}
