// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How each part is looked at. What a part must be able to do for that is an interface here.

import type { BacklogState } from '../calls/event-backlog.ts'
import type { NodeFigures, SwitchInquiry } from '../calls/switch-inquiry.ts'
import type { Settings } from '../policy/settings.ts'
import type { FindingCode, FindingValues } from './findings.ts'
import type { Probe } from './health.ts'
import type { Part } from './report.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { finding } from './findings.ts'
import { timed } from './health.ts'

/** The way to Nextcloud. */
export interface NextcloudInquiry {
	/** Nextcloud has refused our secret: a few questions more, and it locks our address out. */
	readonly isRefused: boolean
	request: (request: { path: string, timeoutMs?: number }) => Promise<{ status: number, data: unknown, dateMs?: number }>
}

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

/** Within the time that a probe has as a whole. */
const NODE_LIMIT_MS = 3_000
const NEXTCLOUD_TIMEOUT_MS = 1_800
/** The Date header counts in whole seconds. */
const HALF_SECOND_MS = 500
const MOST_SKEW_MS = 2_000
/** A person notices that what the page shows lags behind. */
const MOST_LAG_SEC = 5
const MEGABYTE = 1_000_000
/** The embedded PostgreSQL's write-ahead log may take a quarter of that (`max_wal_size`), and each backup comes on top. */
const LITTLE_FREE_BYTES = 1024 ** 3
/** Little more than what may come to wait for PostgreSQL (lib/spool/spool-file.ts). */
const LEAST_FREE_BYTES = 100 * 1024 ** 2

/** One question that every known app may ask, and which tells whether it is enabled. */
export function nextcloudProbe(nextcloud: NextcloudInquiry, nowMs: () => number): Probe {
	return {
		id: 'nextcloud',
		ifSilent: 'nextcloud_down',
		look: async () => {
			if (nextcloud.isRefused) {
				return [{ id: 'nextcloud', ...finding('nextcloud_refused') }]
			}
			const began = nowMs()
			let answer
			try {
				answer = await timed(() => nextcloud.request({ path: '/apps/app_api/ex-app/state', timeoutMs: NEXTCLOUD_TIMEOUT_MS }))
			} catch {
				return [{ id: 'nextcloud', ...finding(nextcloud.isRefused ? 'nextcloud_refused' : 'nextcloud_down') }]
			}
			const { value: { status, data, dateMs }, latencyMs } = answer
			const part = (found: ReturnType<typeof finding>): Part[] => [{ id: 'nextcloud', ...found, latencyMs }]
			if (status !== 200) {
				return part(finding('nextcloud_down'))
			}
			if (Number(data) !== 1) {
				return part(finding('nextcloud_disabled'))
			}
			const skewMs = dateMs === undefined ? 0 : Math.abs(dateMs + HALF_SECOND_MS - (began + nowMs()) / 2)
			return part(skewMs > MOST_SKEW_MS + HALF_SECOND_MS ? finding('clock_skew', { seconds: Math.round(skewMs / 1000) }) : finding('nextcloud_ok'))
		},
	}
}

/** @param countReplicas all servers on the same database, this one among them */
export function sipcallProbe(version: string, countReplicas: () => number): Probe {
	return {
		id: 'sipcall',
		ifSilent: 'sipcall_starting',
		look: () => {
			const replicas = countReplicas()
			return [{ id: 'sipcall', ...(replicas > 1 ? finding('sipcall_replicas', { version, replicas }) : finding('sipcall_ok', { version })) }]
		},
	}
}

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

/** One line for each node; a name only where there are several. */
export function switchProbe(nodes: () => readonly SwitchInquiry[], figures: (node: string) => NodeFigures | undefined): Probe {
	return {
		id: 'freeswitch',
		ifSilent: 'switch_no_answer',
		look: async () => {
			const all = nodes()
			const hasSeveral = all.length > 1
			const parts = await Promise.all(all.map(async (node): Promise<Part> => {
				// Of several one that hangs must not hide the others.
				const found = hasSeveral ? await soon(() => lookAtNode(node, figures(node.name)), 'switch_no_answer') : await lookAtNode(node, figures(node.name))
				return { id: 'freeswitch', ...(hasSeveral ? { name: node.name } : {}), ...found }
			}))
			return all.length === 0 ? [{ id: 'freeswitch', ...finding('switch_not_set_up') }] : parts
		},
	}
}

async function lookAtNode(node: SwitchInquiry, figures: NodeFigures | undefined): Promise<Omit<Part, 'id'>> {
	if (!node.isReady()) {
		const fault = node.fault()
		return finding(fault === undefined ? 'switch_connecting' : `switch_${fault}`)
	}
	const [{ value: version, latencyMs }, denied] = await Promise.all([timed(() => node.version()), node.denied(), node.hearsEvents()])
	const found = (figures === undefined ? undefined : loadFinding(figures)) ?? rightsFinding(denied) ?? connectionFinding(node, version, figures)
	return { ...found, latencyMs, ...(figures === undefined ? {} : { load: loadOf(figures) }) }
}

/** What keeps a node from taking calls while it is connected. */
function loadFinding({ isAccepting, sessions, maxSessions }: NodeFigures): ReturnType<typeof finding> | undefined {
	if (isAccepting === false) {
		return finding('switch_paused')
	}
	// A call needs two.
	return sessions !== undefined && maxSessions !== undefined && sessions + 2 > maxSessions ? finding('switch_full', { sessions, maxSessions }) : undefined
}

/** Without which no call can be placed and looked after. Without `sofia` only the gateways' states are not told, which is said there. */
const VITAL_COMMANDS = ['originate', 'uuid_kill', 'uuid_exists', 'uuid_dump']

function rightsFinding(denied: readonly string[]): ReturnType<typeof finding> | undefined {
	const [vital, others] = [denied.filter((command) => VITAL_COMMANDS.includes(command)), denied.filter((command) => !VITAL_COMMANDS.includes(command) && command !== 'sofia')]
	return vital.length > 0
		? finding('switch_commands_denied', { commands: vital.join(', ') })
		: others.length > 0 ? finding('switch_controls_denied', { commands: others.join(', ') }) : undefined
}

/** What is worth a word of a node that takes calls, the worst first. */
function connectionFinding({ hasStockPassword }: SwitchInquiry, version: string | undefined, figures: NodeFigures | undefined): ReturnType<typeof finding> {
	const { clockSkewSec = 0, eventLagSec = 0 } = figures ?? {}
	const ofVersion = versionFinding(version)
	if (hasStockPassword) {
		return finding('switch_stock_password')
	}
	if (ofVersion.state !== 'ok') {
		return ofVersion
	}
	if (Math.abs(clockSkewSec) * 1000 > MOST_SKEW_MS) {
		return finding('switch_clock', { seconds: Math.round(Math.abs(clockSkewSec)) })
	}
	return eventLagSec > MOST_LAG_SEC ? finding('switch_events_late', { seconds: Math.round(eventLagSec) }) : ofVersion
}

function loadOf({ sessions, maxSessions, sessionsPerSec, callsPerSec, waiting, refused, heartbeatAgeSec }: NodeFigures): NonNullable<Part['load']> {
	return {
		...(sessions === undefined ? {} : { sessions }),
		...(maxSessions === undefined ? {} : { maxSessions }),
		...(sessionsPerSec === undefined ? {} : { sessionsPerSec }),
		...(heartbeatAgeSec === undefined ? {} : { heartbeatAgeSec: Math.round(heartbeatAgeSec) }),
		callsPerSec,
		waiting,
		refused,
	}
}

async function soon(look: () => Promise<Omit<Part, 'id'>>, ifSilent: FindingCode): Promise<Omit<Part, 'id'>> {
	const silent = finding(ifSilent)
	const late = new AbortController()
	try {
		return await Promise.race([look().catch(() => silent), delay(NODE_LIMIT_MS, silent, { signal: late.signal, ref: false })])
	} finally {
		late.abort()
	}
}

/** What a version of FreeSWITCH means. */
export function versionFinding(version: string | undefined): ReturnType<typeof finding> {
	if (version === undefined) {
		return finding('switch_ok_unversioned')
	}
	const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part))
	return finding(major < 1 || (major === 1 && minor < 10) ? 'switch_old' : 'switch_ok', { version })
}

/** Each gateway on each node: the same name stands for another connection there. */
export function gatewayProbe(nodes: () => readonly SwitchInquiry[], gateways: () => readonly string[]): Probe {
	return {
		id: 'gateway',
		ifSilent: 'gateway_unasked',
		look: async () => {
			const all = nodes()
			const names = gateways()
			if (!all.some((node) => node.isReady())) {
				return names.map((name) => ({ id: 'gateway', name, ...finding('gateway_unasked') }))
			}
			return Promise.all(all.flatMap((node) => names.map(async (gateway): Promise<Part> => {
				const name = all.length > 1 ? `${gateway} (${node.name})` : gateway
				if (!node.isReady()) {
					return { id: 'gateway', name, ...finding('gateway_unasked') }
				}
				const look = async () => {
					const { value: condition, latencyMs } = await timed(() => node.gateway(gateway))
					return { ...finding(`gateway_${condition}`), latencyMs }
				}
				return { id: 'gateway', name, ...all.length > 1 ? await soon(look, 'gateway_unasked') : await look() }
			})))
		},
	}
}

/** Which encryption keys are in use, and what is under them. */
export interface KeyInquiry {
	hasNewer: boolean
	activeSince: Date | undefined
	rows: { total: number, left: number }
	unreadable: number
	earlier: readonly { kid: string, isLoaded: boolean, rows: number, backups: readonly string[] }[]
}

/** A change of the key takes minutes. */
const SLOW_CHANGE_MS = 24 * 60 * 60 * 1000

/** Says nothing while there is nothing to do. */
export function keysProbe(look: () => Promise<KeyInquiry>, nowMs: () => number): Probe {
	return {
		id: 'keys',
		ifSilent: 'keys_uncounted',
		look: async () => {
			const { hasNewer, activeSince, rows, unreadable, earlier } = await look()
			const part = (code: FindingCode, values?: FindingValues): Part[] => [{ id: 'keys', ...finding(code, values) }]
			const missing = earlier.filter((key) => key.rows > 0 && !key.isLoaded)
			const unneeded = earlier.filter((key) => key.rows === 0 && key.isLoaded && key.backups.length === 0)
			const isSlow = rows.left > unreadable && activeSince !== undefined && nowMs() - activeSince.getTime() > SLOW_CHANGE_MS
			return [
				...(missing.length === 0 ? [] : part('key_missing', { keys: missing.map(({ kid }) => kid).join(', ') })),
				...(hasNewer ? part('keys_differ') : []),
				...(unreadable === 0 ? [] : part('rows_unreadable', { rows: unreadable })),
				...(isSlow && !hasNewer ? part('key_change_slow', { ...rows }) : []),
				// Where servers have different keys, the newer one is in use elsewhere.
				...(unneeded.length === 0 || rows.left > 0 || hasNewer ? [] : part('key_unneeded', { keys: unneeded.map(({ kid }) => kid).join(', ') })),
			]
		},
	}
}

/** Whether what proves data protection is as it was written. */
export interface RecordsInquiry {
	/** The first entry of the audit log that is not, as far as was checked. */
	brokenAuditEntry: () => number | undefined
	/** undefined when the volume cannot be read. */
	journal: () => Promise<{ damaged: readonly number[], missingKids: readonly string[] } | undefined>
}

/** Says nothing while nothing is wrong. */
export function recordsProbe({ brokenAuditEntry, journal }: RecordsInquiry): Probe {
	return {
		id: 'records',
		ifSilent: 'records_unread',
		look: async () => {
			const part = (code: FindingCode, values?: FindingValues): Part => ({ id: 'records', ...finding(code, values) })
			const [seq, read] = [brokenAuditEntry(), await journal()]
			const { damaged, missingKids } = read ?? { damaged: [], missingKids: [] }
			return [
				...(seq === undefined ? [] : [part('audit_broken', { seq })]),
				...(read === undefined ? [part('journal_unreadable')] : []),
				...(damaged.length === 0 ? [] : [part('journal_damaged', { lines: damaged.join(', ') })]),
				...(missingKids.length === 0 ? [] : [part('journal_key_missing', { keys: missingKids.join(', ') })]),
			]
		},
	}
}

/** What is known without asking anybody: who may call, and what waits for an admin. */
export interface Notices {
	settings: Pick<Settings, 'homeCountry' | 'allowedCountries' | 'allowedPrefixes' | 'allowedGroups' | 'dailySpendLimit' | 'monthlySpendLimit' | 'oauth'>
	/** Keys of settings in Nextcloud that mean nothing. */
	ignoredSettings: readonly string[]
	/** Why the daily search for removed users found nothing that it dares to act on. */
	departureDoubt: string | undefined
	/** Whose calling was locked by refused calls. */
	lockedUsers: number
}

export function noticesProbe(notices: () => Notices): Probe {
	return {
		id: 'calling',
		ifSilent: 'calling_no_group',
		look: () => {
			const { settings, ignoredSettings, departureDoubt, lockedUsers } = notices()
			return [
				{ id: 'calling', ...finding(callingCode(settings)) },
				...(settings.dailySpendLimit === null && settings.monthlySpendLimit === null ? [{ id: 'spending' as const, ...finding('spending_unlimited') }] : []),
				...(settings.oauth === null ? [{ id: 'sign_in' as const, ...finding('sign_in_not_set_up') }] : []),
				...(ignoredSettings.length === 0 ? [] : [{ id: 'settings' as const, ...finding('settings_ignored', { settings: ignoredSettings.join(', ') }) }]),
				...(departureDoubt === undefined ? [] : [{ id: 'removed_users' as const, ...finding('removed_users', { reason: departureDoubt }) }]),
				...(lockedUsers === 0 ? [] : [{ id: 'locked_users' as const, ...finding('locked_users', { count: lockedUsers }) }]),
			]
		},
	}
}

function callingCode({ homeCountry, allowedCountries, allowedPrefixes, allowedGroups }: Notices['settings']): FindingCode {
	if (allowedGroups !== null && allowedGroups.length === 0) {
		return 'calling_no_group'
	}
	const hasCountry = (allowedCountries ?? (homeCountry === null ? [] : [homeCountry])).length > 0
	return !hasCountry && allowedPrefixes.length === 0 ? 'calling_no_country' : allowedGroups === null ? 'calling_everybody' : 'calling_groups'
}

/** What is known of copies of the data. */
export interface BackupInquiry {
	/** Of the last one that an admin wanted; undefined = there is none. */
	newestAt: () => Promise<Date | undefined>
	/** Since when there are data. */
	since: () => Promise<Date>
}

/** A week is what people forgive; a volume that breaks is not asked. */
const BACKUP_DAYS = 7
const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Says nothing while the last backup is young, or the data are.
 *
 * @param inquiry undefined where somebody else's PostgreSQL holds the data: how that is copied is not known here
 */
export function backupsProbe(inquiry: BackupInquiry | undefined, nowMs: () => number): Probe {
	return {
		id: 'backups',
		ifSilent: 'backups_unread',
		look: async () => {
			if (inquiry === undefined) {
				return []
			}
			const newest = await inquiry.newestAt()
			const days = Math.floor((nowMs() - (newest ?? await inquiry.since()).getTime()) / DAY_MS)
			if (days < BACKUP_DAYS) {
				return []
			}
			return [{ id: 'backups', ...newest === undefined ? finding('backup_none') : finding('backup_overdue', { days }) }]
		},
	}
}
