// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// PostgreSQL with a streaming replica: two servers of the package that SIPCall brings along, one of which replays the
// other's log. Both begin as the same empty cluster, so no base backup is needed.

import type { ChildProcess } from 'node:child_process'

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findPostgresBinaries } from '../../lib/embedded/postgres-binaries.ts'
import { ADMIN_ROLE, preparePostgresData, SERVICE_ENV } from '../../lib/embedded/postgres-data.ts'
import { startEmbeddedPostgres } from '../../lib/embedded/postgres.ts'
import { makeSocketFolder } from '../../lib/embedded/socket-folder.ts'
import { findServiceUser, makePrivateFolder, prepareDataDir, takeOwnership } from '../../lib/embedded/unprivileged-user.ts'
import { onServer } from './database-server.ts'
import { RecordedLog } from './recorded-log.ts'
import { until } from './until.ts'

export interface ReplicatedDatabase {
	/** For DATABASE_URL. */
	readonly primaryUrl: string
	/** For DATABASE_REPLICA_URLS. */
	readonly replicaUrl: string
	/** Runs one statement on the primary, past the sidecar. */
	query<Row extends object>(statement: string): Promise<Row[]>
	/** The same on the replica, as its superuser. */
	queryReplica<Row extends object>(statement: string): Promise<Row[]>
	/** The replica stays as it is, and answers. */
	pause(): Promise<void>
	resume(): Promise<void>
	/** Resolves when the replica has all that is committed now. */
	caughtUp(): Promise<void>
	/** kill -9. */
	killReplica(): Promise<void>
	startReplica(): Promise<void>
	stop(): Promise<void>
}

/** As the embedded one is started: nothing of a statement in its log. */
const QUIET = { listen_addresses: '', fsync: 'off', log_min_error_statement: 'panic', log_parameter_max_length_on_error: '0' }

export async function startReplicatedDatabase(): Promise<ReplicatedDatabase> {
	const logger = new RecordedLog()
	const user = await findServiceUser()
	const folder = await prepareDataDir(await mkdtemp(join(tmpdir(), 'sipcall-replicated-')), user)
	const binaries = await findPostgresBinaries(user)
	const data = await preparePostgresData(folder, binaries, user, logger)
	const replicaData = join(folder, 'replica')
	await cp(data, replicaData, { recursive: true, preserveTimestamps: true })
	const primary = await startEmbeddedPostgres({ dataDir: folder, logger })
	const primarySocket = decodeURIComponent(/@([^:/]+):/.exec(primary.url)?.[1] ?? '')
	await writeFile(join(replicaData, 'standby.signal'), '')
	await appendFile(join(replicaData, 'postgresql.auto.conf'), `primary_conninfo = 'host=${primarySocket} port=5432 user=${ADMIN_ROLE}'\nwal_retrieve_retry_interval = 100\n`)
	await makePrivateFolder(replicaData, user)
	await takeOwnership(replicaData, user)
	const socket = await makeSocketFolder(join(folder, 'replica.socket'), '.s.PGSQL.5432.lock', user)
	const replicaUrl = primary.url.replace(encodeURIComponent(primarySocket), encodeURIComponent(socket.path))
	const replicaAdmin = replicaUrl.replace(/\/\/[^@]+@/, `//${ADMIN_ROLE}@`)
	const admin = primary.url.replace(/\/\/[^@]+@/, `//${ADMIN_ROLE}@`)
	let server: ChildProcess | undefined
	// A run that is broken off stops nothing by itself.
	const endWithOwner = () => server?.kill('SIGINT')
	process.once('exit', endWithOwner)
	const endReplica = async (signal: NodeJS.Signals) => {
		if (server?.exitCode === null && server.signalCode === null) {
			const ended = once(server, 'exit')
			server.kill(signal)
			await ended
		}
	}
	const startReplica = async () => {
		for (;;) {
			server = spawn(join(binaries, 'postgres'), ['-D', replicaData, ...Object.entries({ ...QUIET, unix_socket_directories: socket.path }).flatMap(([name, value]) => ['-c', `${name}=${value}`])], {
				env: SERVICE_ENV,
				cwd: replicaData,
				stdio: 'ignore',
				...(user.switched ? { uid: user.uid, gid: user.gid } : {}),
			})
			if (await answers(replicaAdmin, server)) {
				return
			}
			// What a killed one has left in memory is still being tidied up.
		}
	}
	const database: ReplicatedDatabase = {
		primaryUrl: primary.url,
		replicaUrl,
		query: (statement) => onServer(primary.url, statement),
		queryReplica: (statement) => onServer(replicaAdmin, statement),
		pause: async () => {
			await onServer(replicaAdmin, 'select pg_wal_replay_pause()')
			while ((await onServer<{ state: string }>(replicaAdmin, 'select pg_get_wal_replay_pause_state() as state'))[0]?.state !== 'paused') {
				// It pauses as soon as there is something to replay.
				await onServer(admin, 'select pg_log_standby_snapshot()')
			}
		},
		resume: async () => {
			await onServer(replicaAdmin, 'select pg_wal_replay_resume()')
		},
		caughtUp: async () => {
			const [{ lsn } = { lsn: '' }] = await onServer<{ lsn: string }>(admin, 'select pg_current_wal_flush_lsn()::text as lsn')
			await until(() => onServer<{ has: boolean }>(replicaAdmin, `select pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn as has`), ([row]) => row?.has === true)
		},
		killReplica: () => endReplica('SIGKILL'),
		startReplica,
		stop: async () => {
			process.removeListener('exit', endWithOwner)
			await endReplica('SIGINT')
			await primary.stop()
			await socket.remove()
			await rm(folder, { recursive: true, force: true })
		},
	}
	try {
		await startReplica()
		await database.caughtUp()
	} catch (error) {
		await database.stop()
		throw error
	}
	return database
}

/** @return false when it has ended instead */
async function answers(url: string, server: ChildProcess): Promise<boolean> {
	while (server.exitCode === null && server.signalCode === null) {
		try {
			await onServer(url, 'select 1')
			return true
		} catch {
			await delay(50)
		}
	}
	return false
}
