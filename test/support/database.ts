// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { databaseUrl, onServer } from './database-server.ts'

export interface TestDatabase {
	/** For DATABASE_URL. */
	url: string
	/** The persistent volume of whoever uses it, and of nobody else. */
	volume: string
	/** Runs one statement in it, past the sidecar, and gives its rows. */
	query<Row extends object = Record<string, unknown>>(statement: string): Promise<Row[]>
	/** Nobody reaches it, and who was connected is cut off: PostgreSQL is away, for this database alone. */
	takeAway(): Promise<void>
	/** It is there again. */
	bringBack(): Promise<void>
	/** Removes both, and cuts the connections that are still open. */
	drop(): Promise<void>
}

/**
 * A fresh database in the run's PostgreSQL: one per test file, dropped in its `afterAll`.
 *
 * @param options.hasSchema with this version's tables; empty when left out
 */
export async function createTestDatabase({ hasSchema = false } = {}): Promise<TestDatabase> {
	const serverUrl = inject('databaseUrl')
	const name = `test_${randomBytes(8).toString('hex')}`
	await onServer(serverUrl, `create database ${name}${hasSchema ? ` template ${inject('databaseTemplate')}` : ''}`)
	const url = databaseUrl(serverUrl, name)
	const volume = await mkdtemp(join(tmpdir(), 'sipcall-volume-'))
	return {
		url,
		volume,
		query: (statement) => onServer(url, statement),
		takeAway: async () => {
			await onServer(serverUrl, `alter database ${name} with connection limit 0`)
			// PostgreSQL's own housekeeping is no affair of this role, and asks nobody's leave.
			await onServer(serverUrl, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and usename = current_user`)
		},
		bringBack: async () => {
			await onServer(serverUrl, `alter database ${name} with connection limit -1`)
		},
		drop: async () => {
			await dropDatabase(serverUrl, name)
			await rm(volume, { recursive: true, force: true })
		},
	}
}

/**
 * PostgreSQL's own housekeeping may be at work in it, for seconds after a test with many rows. `with (force)` ends that for
 * a superuser alone; without it PostgreSQL does so itself, but only once nobody else is connected.
 */
async function dropDatabase(serverUrl: string, name: string): Promise<void> {
	try {
		await onServer(serverUrl, `drop database if exists ${name} with (force)`)
	} catch (error) {
		if (!(error instanceof Error && 'code' in error && error.code === '42501')) {
			throw error
		}
		await onServer(serverUrl, `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${name}' and usename = current_user`)
		await onServer(serverUrl, `drop database ${name}`)
	}
}
