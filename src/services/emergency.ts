// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { fold } from './digits.ts'

/**
 * Numbers that are emergency numbers in so many places that a person may mean them anywhere. The server knows those of
 * every country besides; these must be told even when it cannot be reached.
 */
const NUMBERS = new Set(['112', '911', '999', '110', '000', '111', '113', '115', '117', '118', '119', '15', '17', '18', '19', '10', '100', '101', '102', '103', '108', '120', '122', '190', '192', '193', '997', '998'])

/** @return the number, when the whole text is one */
export function emergencyNumber(text: string): string | undefined {
	const digits = fold(text).replace(/^\s*tel:/i, '').replace(/[\s().\-/]/g, '')
	return NUMBERS.has(digits) ? digits : undefined
}
