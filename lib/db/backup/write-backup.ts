// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Client } from 'pg'
import type { BackupHeader, BackupTable, BackupTrailer } from './backup-format.ts'
import type { TableShape } from './tables.ts'

import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { escapeIdentifier } from 'pg'
import { FORMAT, tableLine } from './backup-format.ts'
import { inTransaction } from './session.ts'
import { readTables } from './tables.ts'

const ROWS_AT_ONCE = 500

/**
 * Writes the whole database as it is at one moment, and leaves the file on the disk. Encrypted columns stay encrypted.
 *
 * @param options.file must not be there yet
 * @param options.url PostgreSQL connection URL
 */
export async function writeBackup({ file, url, appVersion, at }: { file: string, url: string, appVersion: string, at: Date }): Promise<void> {
	await inTransaction(url, 'read', async (client) => {
		await pipeline(content(client, appVersion, at), createGzip(), createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true }))
	})
}

async function* content(client: Client, appVersion: string, at: Date): AsyncGenerator<string> {
	const hash = createHash('sha256')
	const hashed = (lines: string[]) => {
		const text = lines.map((line) => `${line}\n`).join('')
		hash.update(text)
		return text
	}
	const tables = await readTables(client)
	yield hashed([JSON.stringify(await headerOf(client, tables, appVersion, at))])
	const trailer: BackupTrailer = { rows: {}, sha256: '' }
	for (const table of tables) {
		let rows = 0
		yield hashed([tableLine(table.name)])
		await client.query(`declare backup_rows no scroll cursor for
			select to_json(array[${table.columns.map(({ name }) => `${escapeIdentifier(name)}::text`).join(', ')}])::text as line from ${escapeIdentifier(table.name)}`)
		for (;;) {
			const { rows: fetched } = await client.query<{ line: string }>(`fetch ${ROWS_AT_ONCE} from backup_rows`)
			if (fetched.length === 0) {
				break
			}
			rows += fetched.length
			yield hashed(fetched.map(({ line }) => line))
		}
		await client.query('close backup_rows')
		trailer.rows[table.name] = rows
	}
	trailer.sha256 = hash.digest('hex')
	yield `${JSON.stringify(trailer)}\n`
}

async function headerOf(client: Client, tables: TableShape[], appVersion: string, at: Date): Promise<BackupHeader> {
	const { rows: migrations } = await client.query<{ name: string }>('select name from schema_migrations order by id')
	const { rows: keys } = await client.query<{ kid: string }>('select kid from encryption_keys order by kid')
	const described: BackupTable[] = []
	for (const { name, columns } of tables) {
		const next: Record<string, string> = {}
		for (const column of columns) {
			if (column.sequence !== null) {
				next[column.name] = await nextOf(client, column.sequence)
			}
		}
		described.push({ name, columns: columns.map((column) => column.name), next })
	}
	return {
		format: FORMAT,
		app: 'sipcall',
		appVersion,
		createdAt: at.toISOString(),
		migrations: migrations.map(({ name }) => name),
		kids: keys.map(({ kid }) => kid),
		tables: described,
	}
}

/**
 * The number that a sequence would give next. Sequences know no transactions: it may be ahead of the rows, never behind.
 *
 * @param sequence quoted
 */
export async function nextOf(client: Client, sequence: string): Promise<string> {
	const { rows: [found] } = await client.query<{ next: string }>(`select (last_value + is_called::int)::text as next from ${sequence}`)
	return found?.next ?? '1'
}
