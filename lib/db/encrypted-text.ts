// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Type } from '@mikro-orm/core'

/**
 * A text that stands encrypted in the database: `kid:base64` of an OpenPGP message made by pgcrypto. The two SQL
 * functions are made by the first migration; they take the keys from the connection, where `orm.ts` puts them.
 */
export class EncryptedText extends Type<string | null | undefined, string | null | undefined> {
	override convertToDatabaseValueSQL(key: string): string {
		return `sipcall_encrypt(${key})`
	}

	override convertToJSValueSQL(key: string): string {
		return `sipcall_decrypt(${key})`
	}

	override getColumnType(): string {
		return 'text'
	}
}
