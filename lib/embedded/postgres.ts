// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Logger } from '../logger.ts'

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { SipCallError } from '../errors.ts'
import { endLeftover, ownerMark } from './leftover-process.ts'
import { findPostgresBinaries } from './postgres-binaries.ts'
import { ADMIN_ROLE, preparePostgresData, SERVICE_ENV } from './postgres-data.ts'
import { emptySocketFolder, makeSocketFolder } from './socket-folder.ts'
import { SupervisedProcess } from './supervised-process.ts'
import { findServiceUser, prepareDataDir } from './unprivileged-user.ts'

const PORT = 5432
const ROLE = 'sipcall'
const DATABASE = 'sipcall'
const STOP_TIMEOUT_MS = 5_000
const LEFTOVER_TIMEOUT_MS = 15_000
const READY_TIMEOUT_MS = 120_000
const READY_POLL_MS = 25
const FAILED_STARTS = 4

/**
 * What the server is told, beyond its defaults. Statements hold plain phone numbers (MikroORM sends literals) and bound
 * parameters hold the encryption key, so neither may reach the server's log: no statement, no parameter, no detail of
 * an error, and no error of a statement at all, since its text may quote a value. Who sent the statement hears of it.
 */
const SETTINGS: Record<string, string> = {
	listen_addresses: '',
	port: String(PORT),
	unix_socket_permissions: '0700',
	log_statement: 'none',
	log_min_error_statement: 'panic',
	log_min_duration_statement: '-1',
	log_parameter_max_length: '0',
	log_parameter_max_length_on_error: '0',
	log_error_verbosity: 'terse',
	log_min_messages: 'log',
	log_connections: 'off',
	log_disconnections: 'off',
	log_destination: 'stderr',
	logging_collector: 'off',
	log_line_prefix: '',
	log_timezone: 'UTC',
	timezone: 'UTC',
	fsync: 'on',
	jit: 'off',
	shared_buffers: '64MB',
	work_mem: '4MB',
	maintenance_work_mem: '32MB',
	max_wal_size: '256MB',
	// Containers often have little /dev/shm, which parallel workers would need.
	max_parallel_workers_per_gather: '0',
	huge_pages: 'off',
}

export interface EmbeddedPostgres {
	/**
	 * For DATABASE_URL: the socket's folder stands percent-encoded in the place of the host, which node-pg, MikroORM
	 * and libpq all understand. The role owns its database and may create others; it is no superuser.
	 */
	readonly url: string
	/** Ends the server for good, after an orderly checkpoint when that takes less than 5 s. Repeatable. */
	stop(): Promise<void>
	/** The server's process id; undefined while it is being restarted and after stop(). */
	pid(): number | undefined
}

export interface EmbeddedPostgresOptions {
	/** Where the cluster and its socket are kept; made when missing. */
	dataDir: string
	logger: Logger
	/** The folder of `initdb` and `postgres`; the npm package's, else the distribution's, when left out. */
	binaries?: string
}

/**
 * Runs a PostgreSQL 16 of SIPCall's own, reachable through a Unix socket by the sidecar's user (and root) alone.
 * Resolves when it has answered a query and the database exists; from then on it is restarted whenever it dies.
 *
 * @throws {SipCallError} storage_unavailable saying what to do, when it cannot be started
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
	const logger = options.logger.child({ component: 'postgresql' })
	const user = await findServiceUser()
	const dataDir = await prepareDataDir(options.dataDir, user)
	const binaries = await findPostgresBinaries(user, options.binaries)
	const data = await preparePostgresData(dataDir, binaries, user, logger)
	const socketFolder = await makeSocketFolder(join(dataDir, 'postgresql-16.socket'), `.s.PGSQL.${PORT}.lock`, user)
	const clearTheWay = async () => {
		await endLeftover({
			pidFile: join(data, 'postmaster.pid'),
			program: 'postgres',
			argument: data,
			stopSignal: 'SIGINT',
			stopTimeoutMs: LEFTOVER_TIMEOUT_MS,
			logger,
		})
		await emptySocketFolder(socketFolder.path)
	}
	const settings = { ...SETTINGS, unix_socket_directories: socketFolder.path, cluster_name: ownerMark() }
	const server = new SupervisedProcess({
		name: 'postgres',
		command: join(binaries, 'postgres'),
		args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
		env: SERVICE_ENV,
		cwd: data,
		...(user.switched ? { user } : {}),
		logger,
		// "Fast shutdown": ends open connections instead of waiting for them.
		stopSignal: 'SIGINT',
		stopTimeoutMs: STOP_TIMEOUT_MS,
		beforeStart: clearTheWay,
	})
	const stop = async () => {
		await server.stop()
		await socketFolder.remove()
	}
	try {
		// Once outside the supervisor: another living SIPCall on the same data is an error, not a reason to try again.
		await clearTheWay()
		server.start()
		await untilReady(server, socketFolder.path)
		await createDatabase(socketFolder.path)
	} catch (error) {
		await stop()
		throw error
	}
	return {
		url: `postgresql://${ROLE}@${encodeURIComponent(socketFolder.path)}:${PORT}/${DATABASE}`,
		stop,
		pid: () => server.pid(),
	}
}

async function untilReady(server: SupervisedProcess, socketFolder: string): Promise<void> {
	const until = performance.now() + READY_TIMEOUT_MS
	for (;;) {
		try {
			await asAdmin(socketFolder, (client) => client.query('select 1'))
			return
		} catch (cause) {
			if (server.exits() >= FAILED_STARTS || performance.now() > until) {
				throw new SipCallError('storage_unavailable', `The embedded PostgreSQL does not start. Its last words: ${server.lastLines().join(' · ') || 'none'}`, { cause })
			}
			await delay(READY_POLL_MS)
		}
	}
}

async function createDatabase(socketFolder: string): Promise<void> {
	await asAdmin(socketFolder, async (client) => {
		const { rows: [found] } = await client.query<{ role: boolean, database: boolean }>(
			'select exists (select from pg_roles where rolname = $1) as role, exists (select from pg_database where datname = $2) as database',
			[ROLE, DATABASE],
		)
		if (!found?.role) {
			await client.query(`create role ${ROLE} login createdb`)
		}
		if (!found?.database) {
			await client.query(`create database ${DATABASE} owner ${ROLE}`)
		}
	})
}

async function asAdmin<T>(socketFolder: string, work: (client: Client) => Promise<T>): Promise<T> {
	const client = new Client({ host: socketFolder, port: PORT, user: ADMIN_ROLE, database: 'postgres' })
	// Without a listener, a connection lost between two queries would end the whole process.
	client.on('error', () => {})
	await client.connect()
	try {
		return await work(client)
	} finally {
		await client.end()
	}
}
