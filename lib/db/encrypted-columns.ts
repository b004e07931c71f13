// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// All that stands encrypted in the database: the one list that a change of the key, its progress and the search for
// missing keys work on. A test compares it with what a database really holds.

import { PRIVATE_SETTINGS } from '../policy/settings-changes.ts'
import { decrypted, encrypted } from './encrypted-text.ts'

export interface EncryptedTable {
	name: string
	/** By which its rows are gone through. */
	key: string
	/** PostgreSQL's type of the key. */
	keyType: 'uuid' | 'text'
	columns: readonly EncryptedColumn[]
}

export interface EncryptedColumn {
	name: string
	/** SQL for `kid:base64`, null where nothing is encrypted; the column itself when left out. */
	read?: string
	/** SQL for the column's value with such a text in it. */
	write?: (text: string) => string
}

const plain = (...names: string[]): EncryptedColumn[] => names.map((name) => ({ name }))

/** Encrypted by PostgreSQL, each for its row and column. */
export const ENCRYPTED_TABLES: readonly EncryptedTable[] = [
	{ name: 'calls', key: 'uuid', keyType: 'uuid', columns: plain('to_number', 'raw_to', 'extension', 'device_label', 'caller_id', 'note', 'tags') },
	{ name: 'devices', key: 'id', keyType: 'uuid', columns: plain('label', 'address') },
	{ name: 'user_preferences', key: 'user_id', keyType: 'text', columns: plain('chosen') },
	{ name: 'user_rules', key: 'user_id', keyType: 'text', columns: plain('lock_reason') },
	{ name: 'erasures', key: 'id', keyType: 'uuid', columns: plain('wish') },
	{
		name: 'settings',
		key: 'key',
		keyType: 'text',
		columns: [{
			name: 'value',
			read: `case when key in (${PRIVATE_SETTINGS.map((key) => `'${key}'`).join(', ')}) then value #>> '{}' end`,
			write: (text) => `to_jsonb(${text})`,
		}],
	},
]

/** Encrypted by the sidecar itself, which writes all of them anew when the key changes; see stored-keys.ts. */
export const WRAPPED_COLUMNS = [{ table: 'index_key', column: 'wrapped' }, { table: 'seal_keys', column: 'wrapped' }] as const

/** SQL for the text of a column. */
export function readColumn({ name, read }: EncryptedColumn): string {
	return read ?? name
}

/** SQL for what a column holds, in clear. */
export function decryptColumn({ key }: EncryptedTable, column: EncryptedColumn): string {
	return decrypted(readColumn(column), key, column.name)
}

/** SQL for the same text under the active key. */
export function encryptAgain(table: EncryptedTable, column: EncryptedColumn): string {
	const text = encrypted(decryptColumn(table, column), table.key, column.name)
	return column.write?.(text) ?? text
}

/** SQL for the id of the key that a column is under. */
export function kidOf(column: EncryptedColumn): string {
	return `left(${readColumn(column)}, 8)`
}
