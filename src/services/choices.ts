// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What can be chosen from long lists: countries by name and code, and time zones. */

import { getCanonicalLocale } from '@nextcloud/l10n'
import { countryName } from './contact-words.ts'

export interface Choice { value: string, name: string }

/**
 * The countries that have phone numbers, as libphonenumber knows them. The list of codes is all that is needed of it here.
 */
const COUNTRIES = 'AC AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW'.split(' ')

/** @return in the order of the names in the user's language */
export function countryOptions(): Choice[] {
	const collator = new Intl.Collator(getCanonicalLocale())
	return COUNTRIES.map((value) => ({ value, name: `${countryName(value)} (${value})` })).sort((a, b) => collator.compare(a.name, b.name))
}

/**
 * @param known zones that are in use, which the browser need not know
 */
export function zoneOptions(known: readonly string[]): Choice[] {
	return [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone'), ...known])].sort().map((value) => ({ value, name: value }))
}

/** For the test that compares them with the server's. */
export function countryCodes(): readonly string[] {
	return COUNTRIES
}
