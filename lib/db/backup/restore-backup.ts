// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Client } from 'pg'
import type { BackupHeader } from './backup-format.ts'
import type { TableShape } from './tables.ts'

import { escapeIdentifier } from 'pg'
import { SipCallError } from '../../errors.ts'
import { refuse } from './backup-format.ts'
import { readBackup } from './read-backup.ts'
import { inTransaction } from './session.ts'
import { readTables } from './tables.ts'
import { nextOf } from './write-backup.ts'

/** How the database is reached, and what it can be read with. */
export interface DatabaseAccess {
	/** PostgreSQL connection URL. */
	url: string
	/** Ids of the loaded encryption keys. */
	readonly kids: readonly string[]
}

export interface RestoreOptions {
	/** Restore although calls are open: they go on, and SIPCall knows nothing of them any more. */
	force: boolean
	/** How long it waits for others who use the database; 10 seconds when left out. */
	lockTimeoutMs?: number
}

/** Long enough for a query of somebody else, too short to block everybody. */
const LOCK_TIMEOUT_MS = 10_000

/**
 * Whether a backup could be restored now. What is checked here is checked again when it is.
 *
 * @throws {SipCallError} `wrong_state` saying what stands in the way
 */
export async function checkRestore(header: BackupHeader, access: DatabaseAccess, options: RestoreOptions): Promise<void> {
	await inTransaction(access.url, 'read', (client) => fittingTables(client, header, access, options))
}

/**
 * Puts a backup in the place of all data, or changes nothing. Nobody else may be at work on the database: who holds one
 * of its tables for too long makes it fail.
 *
 * @throws {SipCallError} `wrong_state` when it does not fit here, `invalid_request` when it is damaged
 */
export async function restoreBackup(file: string, access: DatabaseAccess, options: RestoreOptions): Promise<void> {
	await inTransaction(access.url, 'write', async (client) => {
		let tables: TableShape[] = []
		let header: BackupHeader | undefined
		for await (const piece of readBackup(file)) {
			if ('header' in piece) {
				header = piece.header
				await lock(client, options.lockTimeoutMs ?? LOCK_TIMEOUT_MS)
				tables = await fittingTables(client, header, access, options)
				await setTriggers(client, tables, 'disable')
				await client.query(`truncate ${tables.map(({ name }) => escapeIdentifier(name)).join(', ')}`)
			} else {
				await insert(client, tables.find(({ name }) => name === piece.table) ?? refuse(), header?.tables.find(({ name }) => name === piece.table)?.columns ?? refuse(), piece.rows)
			}
		}
		await setSequences(client, tables, header ?? refuse())
		await setTriggers(client, tables, 'enable')
		// The calls have changed past the triggers that add them up. A schema from before those has none.
		await client.query(`do $$ begin
			if to_regprocedure('sipcall_forget_call_days(text)') is not null then
				perform sipcall_forget_call_days(sipcall_time_zone());
			end if;
		end $$`)
	})
}

/** Before anybody is counted or asked: what is found must still be true at the commit. */
async function lock(client: Client, timeoutMs: number): Promise<void> {
	await client.query('select set_config(\'lock_timeout\', $1, true)', [String(timeoutMs)])
	const tables = await readTables(client)
	await client.query(`lock table ${tables.map(({ name }) => escapeIdentifier(name)).join(', ')} in access exclusive mode`)
}

async function fittingTables(client: Client, header: BackupHeader, { kids }: DatabaseAccess, { force }: RestoreOptions): Promise<TableShape[]> {
	const { rows: executed } = await client.query<{ name: string }>('select name from schema_migrations order by id')
	const here = executed.map(({ name }) => name)
	const unknown = header.migrations.filter((name) => !here.includes(name))
	if (unknown.length > 0) {
		notNow(`This backup was made by a newer SIPCall, ${header.appVersion} (migration ${unknown.join(', ')} is unknown here). Update SIPCall to that version, then restore.`)
	}
	if (header.migrations.length !== here.length) {
		notNow(`This backup was made by an older SIPCall, ${header.appVersion}. Install that version with an empty database, restore the backup, then update.`)
	}
	const missing = header.kids.filter((kid) => !kids.includes(kid))
	if (missing.length > 0) {
		notNow(`This backup needs the encryption key ${missing.join(', ')}, which is not loaded. Set DATABASE_ENCRYPTION_KEY (or DATABASE_ENCRYPTION_KEYS_PREVIOUS) to the key that was used, or put encryption.key back on the volume, and restart SIPCall.`)
	}
	const tables = await readTables(client)
	const [inBackup, found] = [header.tables, tables].map((list) => JSON.stringify(list.map(({ name, columns }) => [name, columns.map((column) => typeof column === 'string' ? column : column.name).sort()]).sort()))
	if (inBackup !== found) {
		notNow('The tables of this backup are not those of this database. Give SIPCall a database of its own, with nothing else in it.')
	}
	const { rows: [open] } = await client.query<{ count: number }>('select count(*)::int as count from calls where status <> \'ended\'')
	if (!force && open !== undefined && open.count > 0) {
		notNow(`${open.count === 1 ? 'A call is' : `${open.count} calls are`} open, and would go on unknown to SIPCall. Wait for the end, or restore with --force.`)
	}
	return tables
}

function notNow(message: string): never {
	throw new SipCallError('wrong_state', `${message} Nothing was changed.`)
}

async function insert(client: Client, table: TableShape, columns: string[], rows: string[]): Promise<void> {
	const types = new Map(table.columns.map(({ name, type }) => [name, type]))
	// Its cast gives each text back to the column's own type.
	const values = columns.map((name, index) => `(line->>${index})::${types.get(name)}`)
	await client.query(`insert into ${escapeIdentifier(table.name)} (${columns.map((name) => escapeIdentifier(name)).join(', ')}) overriding system value
		select ${values.join(', ')} from json_array_elements($1::json) as line`, [`[${rows.join(',')}]`])
}

/**
 * Never back: a number that somebody has seen must not come to mean something else. By `restart`, which is undone with
 * the transaction; setval() is not.
 */
async function setSequences(client: Client, tables: TableShape[], header: BackupHeader): Promise<void> {
	for (const table of tables) {
		const next = header.tables.find(({ name }) => name === table.name)?.next ?? {}
		for (const { name, sequence } of table.columns) {
			if (sequence !== null) {
				const [inBackup, here] = [BigInt(next[name] ?? '1'), BigInt(await nextOf(client, sequence))]
				await client.query(`alter sequence ${sequence} restart with ${inBackup > here ? inBackup : here}`)
			}
		}
	}
}

/** Rows come back as they were: whatever a trigger would do to them has been done. */
async function setTriggers(client: Client, tables: TableShape[], state: 'enable' | 'disable'): Promise<void> {
	for (const { name, triggers } of tables) {
		for (const trigger of triggers) {
			await client.query(`alter table ${escapeIdentifier(name)} ${state} trigger ${escapeIdentifier(trigger)}`)
		}
	}
}
