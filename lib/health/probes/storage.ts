// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How what keeps data is looked at: PostgreSQL and its read replicas, Redis, the volume.

import type { BacklogState } from '../../calls/event-backlog.ts'
import type { Probe } from '../health.ts'
import type { Part } from '../report.ts'

import { finding } from '../findings.ts'
import { timed } from '../health.ts'
import { MOST_SKEW_MS, soon } from './limits.ts'

export interface DatabaseInquiry {
	/** Of those that decide what PostgreSQL logs, the ones that are not as they should be; and its clock. */
	look: () => Promise<{ isReadOnly: boolean, loggingSettings: string[], nowMs: number }>
	/** What somebody has to change there when `look` has failed; undefined = it is away. */
	faultOf: (error: unknown) => 'password_refused' | 'missing' | 'no_pgcrypto' | 'no_right' | 'full' | undefined
}

/** A server that SIPCall may read from. */
export interface ReadReplicaInquiry {
	name: string
	/** As it was found last; nobody is asked. */
	state: () => 'up' | 'late' | 'away' | 'foreign'
	/** So late it may be. */
	mostLagSec: number
	/** As the database's: each server has a log of its own. */
	look: () => Promise<{ loggingSettings: string[] }>
}

/** Where attempts are counted. */
export interface CountersInquiry {
	/** Undefined = PostgreSQL counts. */
	redis: {
		/** Counts something, and rejects when that is not possible. */
		look: () => Promise<void>
		/** Why not; undefined = it is away. */
		fault: () => 'read_only' | 'full' | 'password_refused' | undefined
	} | undefined
}

const MEGABYTE = 1_000_000
/** The embedded PostgreSQL's write-ahead log may take a quarter of that (`max_wal_size`), and each backup comes on top. */
const LITTLE_FREE_BYTES = 1024 ** 3
/** Little more than what may come to wait for PostgreSQL (lib/spool/spool-file.ts). */
const LEAST_FREE_BYTES = 100 * 1024 ** 2

/**
 * Says nothing while there is room.
 *
 * @param freeBytes rejects when the volume is not there
 */
export function volumeProbe(freeBytes: () => Promise<number>): Probe {
	return {
		id: 'volume',
		ifSilent: 'volume_away',
		look: async () => {
			const bytes = await freeBytes()
			const megabytes = Math.floor(bytes / MEGABYTE)
			return bytes < LEAST_FREE_BYTES
				? [{ id: 'volume', ...finding('disk_full', { megabytes }) }]
				: bytes < LITTLE_FREE_BYTES ? [{ id: 'volume', ...finding('disk_low', { megabytes }) }] : []
		},
	}
}

/** Says nothing while nothing waits. */
export function spoolProbe(backlog: () => Pick<BacklogState, 'waiting' | 'isOnDisk'>): Probe {
	return {
		id: 'spool',
		ifSilent: 'spool_waiting',
		look: () => {
			const { waiting: changes, isOnDisk } = backlog()
			return changes === 0 ? [] : [{ id: 'spool', ...finding(isOnDisk ? 'spool_waiting' : 'spool_disk_refuses', { changes }) }]
		},
	}
}

export function databaseProbe(database: DatabaseInquiry, now: () => number): Probe {
	return {
		id: 'database',
		ifSilent: 'database_down',
		look: async () => {
			const began = now()
			let looked
			try {
				looked = await timed(() => database.look())
			} catch (error) {
				return [{ id: 'database', ...finding(`database_${database.faultOf(error) ?? 'down'}`) }]
			}
			const { value: { isReadOnly, loggingSettings, nowMs }, latencyMs } = looked
			const skewMs = nowMs - (began + now()) / 2
			const found = isReadOnly
				? finding('database_read_only')
				: loggingSettings.length > 0
					? finding('database_logs', { settings: loggingSettings.join(', ') })
					: Math.abs(skewMs) > MOST_SKEW_MS ? finding('database_clock', { seconds: Math.round(Math.abs(skewMs) / 1000) }) : finding('database_ok')
			return [{ id: 'database', ...found, latencyMs }]
		},
	}
}

/** One line for each. */
export function readReplicaProbe(replicas: readonly ReadReplicaInquiry[]): Probe {
	return {
		id: 'read_replica',
		ifSilent: 'read_replica_away',
		look: () => Promise.all(replicas.map(async ({ name, state, mostLagSec, look }): Promise<Part> => {
			const found = state()
			if (found === 'away' || found === 'foreign') {
				return { id: 'read_replica', name, ...finding(`read_replica_${found}`) }
			}
			return { id: 'read_replica', name, ...await soon(async () => {
				const { value: { loggingSettings }, latencyMs } = await timed(look)
				const told = loggingSettings.length > 0
					? finding('database_logs', { settings: loggingSettings.join(', ') })
					: found === 'late' ? finding('read_replica_late', { seconds: mostLagSec }) : finding('read_replica_ok')
				return { ...told, latencyMs }
			}, 'read_replica_away') }
		})),
	}
}

export function redisProbe({ redis }: CountersInquiry): Probe {
	return {
		id: 'redis',
		ifSilent: 'redis_down',
		look: async () => {
			if (redis === undefined) {
				return [{ id: 'redis', ...finding('redis_absent') }]
			}
			try {
				const { latencyMs } = await timed(redis.look)
				return [{ id: 'redis', ...finding('redis_ok'), latencyMs }]
			} catch {
				return [{ id: 'redis', ...finding(`redis_${redis.fault() ?? 'down'}`) }]
			}
		},
	}
}
