// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The encryption keys in words. A key itself is nowhere; what is shown is the beginning of its hash. */

import type { EncryptionKeys } from './privacy-api.ts'

import { numberFormat } from './formats.ts'
import { n, t } from './l10n.ts'

/** Of rows there may be many thousands. */
function counted(rows: number): string {
	return numberFormat().format(rows)
}

/** How far a change is. */
export function rowsWords({ rows: { total, left } }: EncryptionKeys): string {
	return t('{done} of {total} rows are under the active key', { done: counted(total - left), total: counted(total) })
}

/** Read out when it changes: so it does not tell each row. */
export function keyStateWords({ state, rows, unreadable, newerElsewhere }: EncryptionKeys): string {
	if (newerElsewhere) {
		return t('Another server of SIPCall has started since with another active encryption key.')
	}
	if (state === 'running' && rows.left > 0) {
		return t('The other rows are being brought under it.')
	}
	if (unreadable > 0) {
		return n('{rows} row cannot be decrypted with any loaded key.', '{rows} rows cannot be decrypted with any loaded key.', unreadable, { rows: counted(unreadable) })
	}
	return rows.left === 0 ? t('All rows are under the active key.') : n('{rows} row waits to be brought under it.', '{rows} rows wait to be brought under it.', rows.left, { rows: counted(rows.left) })
}

/** What an earlier key is still needed for, or what to do with it. */
export function earlierKeyWords({ kid, loaded, rows, backups }: EncryptionKeys['earlier'][number], source: EncryptionKeys['source']): string {
	const needs = [
		...(rows === 0 ? [] : [n('{rows} row', '{rows} rows', rows, { rows: counted(rows) })]),
		...(backups.length === 0 ? [] : [n('%n backup on the volume', '%n backups on the volume', backups.length)]),
	]
	if (needs.length > 0) {
		const words = t('still needed for: {what}', { what: needs.join(', ') })
		return loaded ? words : t('{words}; it is not loaded', { words })
	}
	return source === 'volume'
		? t('no longer needed: its file encryption-{kid}.key may be taken off the volume', { kid })
		: t('no longer needed: take it out of DATABASE_ENCRYPTION_KEYS_PREVIOUS')
}
