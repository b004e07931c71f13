// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Client } from 'pg'

/**
 * Erases again what users had erased of themselves after the backup was made. Receipts are in no backup and say whose
 * they were; those of numbers, and of users who were forgotten, say nothing that could be found again.
 *
 * A database from before there were receipts has nothing to erase again. What the calls have cost is counted already: to be run while the triggers of the tables are off.
 *
 * @param madeAt when the backup was made
 */
export async function eraseAgain(client: Client, madeAt: string): Promise<void> {
	const { rows: [receipts] } = await client.query<{ table: string | null }>('select to_regclass(\'erasure_receipts\')::text as table')
	if (receipts === undefined || receipts.table === null) {
		return
	}
	const erased = (scopes: string) => `select user_id from audit_subjects join erasure_receipts on subject = reference where deleted_at >= $1 and scope in (${scopes})`
	for (const table of ['transfers', 'idempotency_keys', 'calls']) {
		await client.query(`delete from ${table} where user_id in (${erased('\'all\', \'calls\'')})`, [madeAt])
	}
	await client.query(`delete from devices where user_id in (${erased('\'all\'')})`, [madeAt])
}
