// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Client } from 'pg'
import { cutConnection } from './cut-connection.ts'

/** How far a server is in the log that PostgreSQL's primary writes and its replicas replay. */
export interface LogPosition {
	/** Whether it only replays. */
	isReplica: boolean
	/** The same on the primary and on its replicas, and nowhere else. */
	database: string
	/** Bytes of the log up to which everything is there. */
	bytes: bigint
}

/** A server that has not answered by then is not there. */
const SILENT_MS = 3_000

/**
 * The position alone says on an idle system whether a replica has everything: the time of the last transaction gets old
 * there. What a primary has written by itself belongs to it, what a replica has only received does not.
 */
const POSITION = `select pg_is_in_recovery() as is_replica, (select system_identifier from pg_control_system()) || ' ' || current_database() as database,
	pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, '0/0')::text as bytes`

/** One connection to a server, held open to ask it again and again. */
export class LogWatch {
	/** For people: never with a password. */
	readonly name: string
	readonly #url: string
	readonly #silentMs: number
	#client: Client | undefined

	/**
	 * @param url PostgreSQL connection URL
	 * @param silentMs for tests
	 */
	constructor(url: string, silentMs = SILENT_MS) {
		this.#url = url
		this.#silentMs = silentMs
		const { host, port } = new Client({ connectionString: url })
		this.name = `${host}:${port}`
	}

	/**
	 * @throws {Error} when it does not answer within three seconds; the next time it is connected to anew
	 */
	async look(): Promise<LogPosition> {
		try {
			const client = this.#client ?? await this.#connect()
			const { rows: [row] } = await client.query<{ is_replica: boolean, database: string, bytes: string }>(POSITION)
			if (row === undefined) {
				throw new TypeError('PostgreSQL gave no row for its position')
			}
			return { isReplica: row.is_replica, database: row.database, bytes: BigInt(row.bytes) }
		} catch (error) {
			this.close()
			throw error
		}
	}

	/** Whoever is looking gets an error. */
	close(): void {
		if (this.#client !== undefined) {
			cutConnection(this.#client)
			this.#client = undefined
		}
	}

	async #connect(): Promise<Client> {
		const client = new Client({ connectionString: this.#url, connectionTimeoutMillis: this.#silentMs, query_timeout: this.#silentMs, application_name: 'sipcall watch' })
		// Without a listener its end would end the process; the next look tells of it as well.
		client.on('error', () => {})
		this.#client = client
		await client.connect()
		return client
	}
}
