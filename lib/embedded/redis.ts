// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Logger } from '../logger.ts'

import { access, constants, realpath } from 'node:fs/promises'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { endLeftover, ownerMark } from './leftover-process.ts'
import { emptySocketFolder, makeSocketFolder } from './socket-folder.ts'
import { SupervisedProcess } from './supervised-process.ts'
import { findServiceUser, makePrivateFolder, prepareDataDir } from './unprivileged-user.ts'

const SOCKET_NAME = 'redis.sock'
const STOP_TIMEOUT_MS = 2_000
const READY_TIMEOUT_MS = 30_000
const READY_POLL_MS = 25
const FAILED_STARTS = 3

/** `redis-check-rdb` is the same program: called redis-server, it is one. Debian's redis-tools brings it without a service. */
const PROGRAMS = ['redis-server', 'redis-check-rdb']

export interface EmbeddedRedis {
	/** Absolute path of the Unix socket. */
	readonly socketPath: string
	/** Ends the server for good. Repeatable. */
	stop(): Promise<void>
	/** The server's process id; undefined while it is being restarted and after stop(). */
	pid(): number | undefined
}

export interface EmbeddedRedisOptions {
	/** Where the socket is kept; made when missing. */
	dataDir: string
	logger: Logger
	/** Where to look for the program; the PATH and the usual places when left out. */
	searchFolders?: readonly string[]
}

/**
 * Runs a Redis of SIPCall's own that holds counters in memory alone, reachable through a Unix socket by the sidecar's
 * user (and root). Resolves when it has answered; from then on it is restarted, empty, whenever it dies.
 *
 * @return undefined when there is no Redis on this machine or it does not start: PostgreSQL then does the counting
 * @throws {SipCallError} storage_unavailable when the data folder cannot be used, or another SIPCall uses it
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis | undefined> {
	const logger = options.logger.child({ component: 'redis' })
	const program = await findRedisServer(options.searchFolders)
	if (program === undefined) {
		return undefined
	}
	const user = await findServiceUser()
	const dataDir = await prepareDataDir(options.dataDir, user)
	const folder = join(dataDir, 'redis')
	await makePrivateFolder(folder, user)
	const socketFolder = await makeSocketFolder(join(dataDir, 'redis.socket'), SOCKET_NAME, user)
	const socketPath = join(socketFolder.path, SOCKET_NAME)
	const pidFile = join(folder, 'redis.pid')
	const clearTheWay = async () => {
		await endLeftover({ pidFile, program: 'redis-server', argument: folder, stopSignal: 'SIGTERM', stopTimeoutMs: STOP_TIMEOUT_MS, logger })
		await emptySocketFolder(socketFolder.path)
	}
	const settings: Record<string, string> = {
		port: '0',
		unixsocket: socketPath,
		unixsocketperm: '700',
		dir: folder,
		pidfile: pidFile,
		daemonize: 'no',
		appendonly: 'no',
		save: '',
		maxmemory: '64mb',
		'maxmemory-policy': 'noeviction',
		logfile: '',
		// The command line stays as it was given: that is how a leftover is recognised, and whose it was.
		'set-proc-title': 'no',
		'proc-title-template': ownerMark(),
	}
	const server = new SupervisedProcess({
		name: 'redis-server',
		command: program,
		argv0: 'redis-server',
		args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
		env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', TZ: 'UTC' },
		cwd: folder,
		...(user.switched ? { user } : {}),
		logger,
		stopSignal: 'SIGTERM',
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
		if (await isReady(server, socketPath)) {
			return { socketPath, stop, pid: () => server.pid() }
		}
	} catch (error) {
		await stop()
		throw error
	}
	await stop()
	logger.warn('The embedded Redis does not start: PostgreSQL does the counting', { lastLines: server.lastLines() })
	return undefined
}

function usualFolders(): string[] {
	return [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'].filter((folder) => folder !== '')
}

/** The program's real path; undefined when there is no Redis on this machine. */
export async function findRedisServer(folders: readonly string[] = usualFolders()): Promise<string | undefined> {
	for (const name of PROGRAMS) {
		for (const folder of folders) {
			try {
				// The real file: the service's user need not reach the folder in which a link to it stands.
				const path = await realpath(join(folder, name))
				await access(path, constants.X_OK)
				return path
			} catch {
				// Not here: the next folder.
			}
		}
	}
	return undefined
}

async function isReady(server: SupervisedProcess, socketPath: string): Promise<boolean> {
	const until = performance.now() + READY_TIMEOUT_MS
	while (server.exits() < FAILED_STARTS && performance.now() < until) {
		if (await answersPing(socketPath)) {
			return true
		}
		await delay(READY_POLL_MS)
	}
	return false
}

function answersPing(socketPath: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(socketPath, () => socket.write('PING\r\n'))
		socket.setEncoding('utf8')
		socket.once('data', (answer) => {
			resolve(String(answer).startsWith('+PONG'))
			socket.destroy()
		})
		// Also after an error: not there yet, or gone again.
		socket.once('close', () => resolve(false))
		socket.once('error', () => {})
	})
}
