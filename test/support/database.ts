// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'

export interface TestDatabase {
	/** For DATABASE_URL. */
	url: string
	/** Runs one statement in it, past the sidecar, and gives its rows. */
	query<Row extends object = Record<string, unknown>>(statement: string): Promise<Row[]>
	/** Removes it, and cuts the connections that are still open. */
	drop(): Promise<void>
}

/** A fresh, empty database in the run's PostgreSQL: one per test file, dropped in its `afterAll`. */
export async function createTestDatabase(): Promise<TestDatabase> {
	const serverUrl = inject('databaseUrl')
	const name = `test_${randomBytes(8).toString('hex')}`
	await onServer(serverUrl, `create database ${name}`)
	// No URL object: it would not take the socket's folder for a host.
	const url = serverUrl.replace(/[^/]+$/, name)
	return {
		url,
		query: (statement) => onServer(url, statement),
		drop: async () => {
			await dropDatabase(serverUrl, name)
		},
	}
}

/** PostgreSQL's own housekeeping may be at work in it, and only a superuser may end that: then it is tried again. */
async function dropDatabase(serverUrl: string, name: string): Promise<void> {
	for (let attempt = 1; ; attempt++) {
		try {
			await onServer(serverUrl, `drop database if exists ${name} with (force)`)
			return
		} catch (error) {
			const isHousekeeping = error instanceof Error && 'code' in error && error.code === '42501'
			if (!isHousekeeping || attempt === 100) {
				throw error
			}
		}
	}
}

async function onServer<Row extends object>(url: string, statement: string): Promise<Row[]> {
	const client = new Client({ connectionString: url })
	client.on('error', () => {})
	await client.connect()
	try {
		return (await client.query<Row>(statement)).rows
	} finally {
		await client.end()
	}
}
