// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Client, escapeIdentifier } from 'pg'
import { WRAPPED_COLUMNS } from '../../lib/db/encrypted-columns.ts'
import { KeyRing } from '../../lib/privacy/key-ring.ts'

/** The keys that a sidecar of this environment has. */
export function keysOf(environment: Record<string, string>): KeyRing {
	return new KeyRing([Buffer.from(environment.DATABASE_ENCRYPTION_KEY ?? '', 'base64')])
}

/**
 * Every value of every row of every table, a line each, with what is encrypted in clear: what somebody could read who has
 * the database and its keys. Derived keys are left out: they are no text.
 */
export async function storedText(url: string, keys: KeyRing): Promise<string> {
	const client = new Client({ connectionString: url })
	await client.connect()
	try {
		for (const { kid, passphrase } of keys.storageKeys) {
			await client.query('select set_config($1, $2, false)', [`sipcall.key_${kid}`, passphrase])
		}
		const { rows: columns } = await client.query<{ table_name: string, column_name: string }>('select table_name, column_name from information_schema.columns where table_schema = \'public\' order by 1, 2')
		const lines: string[] = []
		const isWrapped = (table: string, column: string) => WRAPPED_COLUMNS.some((wrapped) => wrapped.table === table && wrapped.column === column)
		for (const { table_name: table, column_name: column } of columns.filter(({ table_name: name, column_name: of }) => !isWrapped(name, of))) {
			const value = `${escapeIdentifier(column)}::text`
			const { rows } = await client.query<{ value: string | null }>(`select case when ${value} ~ '^[0-9a-f]{8}:[A-Za-z0-9+/=]+$' then regexp_replace(sipcall_decrypt(${value}), '^[^\\n]*\\n', '') else ${value} end as value from ${escapeIdentifier(table)}`)
			lines.push(...rows.map((row) => `${table}.${column}: ${row.value}`))
		}
		return lines.join('\n')
	} finally {
		await client.end()
	}
}
