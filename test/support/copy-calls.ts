// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { KeyRing } from '../../lib/privacy/key-ring.ts'

import { Client } from 'pg'
import { ConnectionKeys } from '../../lib/db/connection-keys.ts'
import { ENCRYPTED_TABLES } from '../../lib/db/encrypted-columns.ts'
import { decrypted, encrypted } from '../../lib/db/encrypted-text.ts'

/**
 * Stores likes of a call: a history of many calls in the time of one. What is encrypted is encrypted anew for each.
 *
 * @param url PostgreSQL connection URL
 * @param options.set SQL for columns that are another's, with `call` for the original and `at` for 1 … rows
 */
export async function copyCalls(url: string, keys: KeyRing, { uuid, rows, set = {} }: { uuid: string, rows: number, set?: Record<string, string> }): Promise<void> {
	const client = new Client({ connectionString: url })
	client.on('error', () => {})
	await client.connect()
	try {
		await client.query(new ConnectionKeys(keys).statement())
		const { rows: columns } = await client.query<{ name: string }>('select column_name as name from information_schema.columns where table_name = \'calls\' and column_name <> \'uuid\'')
		const texts = ENCRYPTED_TABLES.find(({ name }) => name === 'calls')?.columns.map(({ name }) => name) ?? []
		const values = columns.map(({ name }) => set[name] ?? (texts.includes(name) ? encrypted(decrypted(`call.${name}`, 'call.uuid', name), 'copy.uuid', name) : `call.${name}`))
		await client.query(`with copy as materialized (select at, gen_random_uuid() as uuid from generate_series(1, $2::int) as at)
			insert into calls (uuid, ${columns.map(({ name }) => name).join(', ')}) select copy.uuid, ${values.join(', ')} from copy, calls call where call.uuid = $1::uuid`, [uuid, rows])
	} finally {
		await client.end()
	}
}
