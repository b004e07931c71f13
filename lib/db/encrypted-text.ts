// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Type } from '@mikro-orm/core'

/**
 * SQL that encrypts a text for its place: row and column stand in front of it inside, so it can be read nowhere else.
 *
 * @param text SQL for the text
 * @param row SQL for the row's id
 */
export function encrypted(text: string, row: string, column: string): string {
	return `sipcall_encrypt(${text}, ${row}::text, '${column}')`
}

/**
 * SQL for a text that `encrypted` has made for this place. It fails with PostgreSQL's code 39000, as it does for a wrong
 * key, when what stands there was made for another.
 */
export function decrypted(stored: string, row: string, column: string): string {
	return `sipcall_decrypt(${stored}, ${row}::text, '${column}')`
}

/** What stands for a text that cannot be decrypted; a control character, which no text of a user has. */
export const UNREADABLE = '\u0001'

/** SQL for the same, `UNREADABLE` where it fails. */
export function decryptedOrMark(stored: string, row: string, column: string): string {
	return `sipcall_try_decrypt(${stored}, ${row}::text, '${column}')`
}

/**
 * A text that stands encrypted in the database: `kid:base64` of an OpenPGP message made by pgcrypto. The two SQL
 * functions are made by migrations; they take the keys from the connection, where `orm.ts` puts them. Entities only read
 * it: rows are written by `insertRow`, which binds the text instead of writing it into the statement.
 */
export class EncryptedText extends Type<string | null | undefined, string | null | undefined> {
	override convertToJSValueSQL(key: string): string {
		const { meta, prop } = this
		const [column, row] = [prop, meta?.getPrimaryProp()].map((property) => property?.fieldNames[0])
		if (column === undefined || row === undefined) {
			throw new TypeError('An encrypted text belongs to a column of a table with one key')
		}
		return this.read(key, key.replace(/[^."]+(?="?$)/, row), column)
	}

	/** SQL for the text. */
	protected read(stored: string, row: string, column: string): string {
		return decrypted(stored, row, column)
	}

	override getColumnType(): string {
		return 'text'
	}
}

/** The same in a row that is worth reading without it: `UNREADABLE` where it cannot be decrypted. */
export class MarkedText extends EncryptedText {
	protected override read(stored: string, row: string, column: string): string {
		return decryptedOrMark(stored, row, column)
	}
}
