// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A database with this version's schema, filled with rows that are hard to carry over, and compared by PostgreSQL itself.

import type { DatabaseAccess } from '../../lib/db/backup/restore-backup.ts'
import type { TestDatabase } from './database.ts'

import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { NOT_IN_BACKUPS } from '../../lib/db/backup/tables.ts'
import { migrate, openDatabase } from '../../lib/db/orm.ts'
import { createLogger } from '../../lib/logger.ts'
import { KeyRing } from '../../lib/privacy/key-ring.ts'
import { createTestDatabase } from './database.ts'

export interface BackupDatabase {
	database: TestDatabase
	keys: KeyRing
	access: DatabaseAccess
	client: Client
	/** Each table's rows in PostgreSQL's own notation, in which null, 'null' and '' differ. */
	content(): Promise<Record<string, string[]>>
	drop(): Promise<void>
}

/**
 * @param keys of another database, whose rows it is to hold
 */
export async function createBackupDatabase(keys = new KeyRing([randomBytes(32)])): Promise<BackupDatabase> {
	const database = await createTestDatabase()
	const orm = await openDatabase({ url: database.url, keys, logger: createLogger({ level: 'error', silent: true }) })
	await migrate(orm, keys)
	await orm.close(true)
	const client = new Client({ connectionString: database.url })
	client.on('error', () => {})
	await client.connect()
	const { rows: tables } = await client.query<{ name: string }>('select tablename::text as name from pg_tables where schemaname = current_schema() order by 1')
	return {
		database,
		keys,
		access: { url: database.url, kids: keys.storageKeys.map(({ kid }) => kid) },
		client,
		async content() {
			const content: Record<string, string[]> = {}
			for (const { name } of tables.filter((table) => !NOT_IN_BACKUPS.includes(table.name))) {
				const { rows } = await client.query<{ row: string }>(`select t::text as row from "${name}" t order by 1`)
				content[name] = rows.map(({ row }) => row)
			}
			return content
		},
		async drop() {
			await client.end()
			await database.drop()
		},
	}
}

/** Texts that some layer between two databases could change. */
export const ODD_TEXTS = ['', 'null', 'NULL', '\\N', '{}', '[', '"quoted", \'twice\'', 'line\nbreak\r\n\ttab', 'back\\slash \\u0000', '\u2028 🎵 e\u0301 ﷽', '? $1 %s', '\u0001\u001F\u007F', ' ']

/** One call with every column filled, and what hangs on it. */
export async function addRows(client: Client, { uuid, text, json, at, id }: { uuid: string, text: string, json: unknown, at: string, id?: bigint }): Promise<void> {
	const other = text === '' ? null : text
	const asJson = JSON.stringify(json)
	await client.query(`insert into calls (uuid, version, user_id, to_number, to_index, raw_to, device_id, device_label, caller_id, note, tags, direction, status, outcome,
			ended_by, leg, cause, reason, created_at, user_answered_at, ringing_at, answered_at, ended_at, talk_ms, on_hold, legs, job_uuid, hangup_requested_at, hangup_requested_by, originate_failure,
			extension, tag_index, changed_at, transfer, country, rate, reserved_micros, cost_micros, masked_at, own_rate, currency, erased_at, carrier_cost, carrier_cost_at, node, longest_sec)
		values ($1, 2147483647, $2, $2, $2, $2, $1, $2, $3, $3, $3, 'outbound', 'ended', 'completed', $3, $3, $4, $4, $5, $5, $5, $5, $5, -1, true, $4, $1, $5, $3, $4,
			$2, array[$2, $3], $5, 'done', $3, $4, 9223372036854775807, -1, $5, $4, $3, $5, $4, $5, $3, -1)`, [uuid, text, other, asJson, at])
	await client.query(id === undefined
		? 'insert into call_events (call_uuid, at, type, leg, detail) values ($1, $2, $3, $3, $4)'
		: `insert into call_events (id, call_uuid, at, type, leg, detail) overriding system value values (${id}, $1, $2, $3, $3, $4)`, [uuid, at, text, asJson])
	await client.query('insert into idempotency_keys (user_id, key, body_hash, call_uuid, created_at) values ($1, $2, $1, $3, $4)', [text, `${uuid} ${text}`, uuid, at])
	await client.query('insert into devices (id, user_id, kind, label, address, is_default, verified, position) values ($1, $2, \'sip\', $2, $2, false, true, -5)', [uuid, text])
	await client.query('insert into transfers (call_uuid, user_id, to_index, country, created_at, reserved_micros, currency) values ($1, $2, $2, $2, $3, -9223372036854775808, $2)', [uuid, text, at])
	await client.query('insert into user_preferences (user_id, chosen, seen_missed_at) values ($1, $2, $3)', [`${uuid} ${text}`, text, at])
	await client.query('insert into call_sums values ($1, $2, $3, 2147483647, 0, -1, 9223372036854775807, 1e30, -1e30)', [at, uuid, text])
	await client.query('insert into erasure_journal (id, at, line) values ($1, $2, $3)', [uuid, at, text])
	await client.query('insert into departed_users (user_id, missing_since) values ($1, $2)', [`${uuid} ${text}`, at])
	await client.query('insert into user_rules (user_id, may_call, limits, locked_until, locked_by, lock_reason, approved_countries, updated_at) values ($1, false, $2, $3, \'admin\', $4, array[$4], $3)', [`${uuid} ${text}`, asJson, at, text])
}
