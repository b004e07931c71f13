// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A Redis with a replica, and the Sentinel that makes one the other's successor: three processes of the real program.

import type { ChildProcess } from 'node:child_process'

import { Redis } from 'ioredis'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRedisServer } from '../../lib/embedded/redis.ts'
import { findFreePort } from './free-port.ts'

export interface WatchedRedis {
	/** For REDIS_URL. */
	readonly url: string
	readonly ports: readonly [first: number, second: number]
	/** A client of one of the two servers, past the sidecar. */
	to(port: number): Redis
	/** Which of them the Sentinel names. */
	primary(): Promise<number>
	/** As after a maintenance: both answer all the while. */
	failOver(): Promise<void>
	/** kill -9. */
	kill(port: number): Promise<void>
	/** Starts it again with what it was told by the Sentinel. */
	startAgain(port: number): Promise<void>
	stop(): Promise<void>
}

export const REDIS_PASSWORD = 'the-redis-secret'
export const SENTINEL_PASSWORD = 'the-sentinel-secret'
/** Of what the Sentinel looks after. */
const NAME = 'limits'

export async function startWatchedRedis(): Promise<WatchedRedis> {
	const program = await findRedisServer()
	if (program === undefined) {
		throw new Error('There is no Redis here')
	}
	const folder = await mkdtemp(join(tmpdir(), 'sipcall-watched-redis-'))
	const [first, second, sentinel] = [await findFreePort(), await findFreePort(), await findFreePort()] as const
	const servers = new Map<number, ChildProcess>()
	const clients = new Map<number, Redis>()
	// A run that is broken off stops nothing by itself.
	const endWithOwner = () => servers.forEach((server) => server.kill('SIGKILL'))
	process.once('exit', endWithOwner)
	const to = (port: number) => {
		const known = clients.get(port)
		if (known !== undefined) {
			return known
		}
		const client = new Redis({ port, password: port === sentinel ? SENTINEL_PASSWORD : REDIS_PASSWORD, retryStrategy: () => 50, maxRetriesPerRequest: null })
		client.on('error', () => {})
		clients.set(port, client)
		return client
	}
	const startAgain = async (port: number) => {
		const file = join(folder, `${port}.conf`)
		servers.set(port, spawn(program, [file, ...(port === sentinel ? ['--sentinel'] : [])], { argv0: 'redis-server', cwd: folder, stdio: 'ignore' }))
		await to(port).ping()
	}
	const start = async (port: number, lines: readonly string[]) => {
		await writeFile(join(folder, `${port}.conf`), ['bind 127.0.0.1', `port ${port}`, `dir ${folder}`, ...lines, ''].join('\n'))
		await startAgain(port)
	}
	const kill = async (port: number) => {
		const server = servers.get(port)
		if (server?.exitCode === null && server.signalCode === null) {
			const ended = once(server, 'exit')
			server.kill('SIGKILL')
			await ended
		}
	}
	const watched: WatchedRedis = {
		url: `redis-sentinel://:${REDIS_PASSWORD}@127.0.0.1:${sentinel}?sentinelPassword=${SENTINEL_PASSWORD}#${NAME}`,
		ports: [first, second],
		to,
		primary: async () => Number((await to(sentinel).call('SENTINEL', 'get-master-addr-by-name', NAME) as string[])[1]),
		failOver: async () => {
			for (;;) {
				try {
					await to(sentinel).call('SENTINEL', 'failover', NAME)
					return
				} catch {
					// It does not know the replica yet, or one is under way.
				}
			}
		},
		kill,
		startAgain,
		stop: async () => {
			process.removeListener('exit', endWithOwner)
			clients.forEach((client) => client.disconnect())
			await Promise.all([...servers.keys()].map(kill))
			await rm(folder, { recursive: true, force: true })
		},
	}
	try {
		const own = ['save ""', `requirepass ${REDIS_PASSWORD}`, `masterauth ${REDIS_PASSWORD}`, 'repl-diskless-sync-delay 0']
		await start(first, own)
		await start(second, [...own, `replicaof 127.0.0.1 ${first}`])
		await start(sentinel, [`requirepass ${SENTINEL_PASSWORD}`, `sentinel monitor ${NAME} 127.0.0.1 ${first} 1`, `sentinel auth-pass ${NAME} ${REDIS_PASSWORD}`, `sentinel down-after-milliseconds ${NAME} 500`, `sentinel failover-timeout ${NAME} 2000`])
	} catch (error) {
		await watched.stop()
		throw error
	}
	return watched
}
