// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A connection of its own for a backup or a restore: no limits of time, and one spelling of every value.

import { Client, DatabaseError } from 'pg'
import { SipCallError } from '../../errors.ts'
import { storageFault } from '../storage-fault.ts'

const CONNECT_TIMEOUT_MS = 5_000

const SPELLING = `set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set bytea_output = 'hex'; set extra_float_digits = 1;
	set statement_timeout = 0; set idle_in_transaction_session_timeout = 0`

const BEGIN = {
	read: 'begin isolation level repeatable read, read only',
	write: 'begin',
}

/**
 * Runs the work in one transaction: committed when it resolves, as if it had never been when it throws.
 *
 * @param url PostgreSQL connection URL, TCP or Unix socket
 */
export async function inTransaction<Result>(url: string, mode: keyof typeof BEGIN, work: (client: Client) => Promise<Result>): Promise<Result> {
	const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, application_name: 'sipcall backup' })
	// Without a listener, a connection lost between two queries would end the whole process.
	client.on('error', () => {})
	await client.connect()
	try {
		await client.query(SPELLING)
		await client.query(BEGIN[mode])
		const result = await work(client)
		await client.query('commit')
		return result
	} finally {
		// Ends an open transaction as well: the server rolls it back.
		await client.end()
	}
}

/**
 * Gives a fault of the disk or the database its words. PostgreSQL's own may quote rows, so only the code and the table
 * are told.
 *
 * @param what the beginning of the sentence, such as `The backup could not be written`
 * @return the error to throw; what is neither is a bug and comes back as it is
 */
export function backupFault(error: unknown, what: string, wayOut: string): unknown {
	if (error instanceof SipCallError) {
		return error
	}
	if (error instanceof DatabaseError) {
		const { code, table, constraint } = error
		return new SipCallError('storage_unavailable', `${what}: PostgreSQL answered ${code}${table === undefined ? '' : ` (table ${table})`}. ${wayOut}`, { cause: { name: error.name, code, table, constraint } })
	}
	if (error instanceof Error && 'syscall' in error && 'code' in error) {
		return new SipCallError('storage_unavailable', `${what}: ${error.code === 'ENOSPC' ? 'the disk is full' : error.message}. ${wayOut}`, { cause: error })
	}
	return storageFault(error) === undefined ? error : new SipCallError('storage_unavailable', `${what}: the connection to the database was lost. ${wayOut}`, { cause: error })
}
