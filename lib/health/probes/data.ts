// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How it is looked at what the data need: keys, records that prove what was done, copies.

import type { FindingCode, FindingValues } from '../findings.ts'
import type { Probe } from '../health.ts'
import type { Part } from '../report.ts'

import { finding } from '../findings.ts'

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
	/** Calls with a text that was not to be decrypted, of those that were read. */
	unreadableCalls: () => number
}

/** Says nothing while nothing is wrong. */
export function recordsProbe({ brokenAuditEntry, journal, unreadableCalls }: RecordsInquiry): Probe {
	return {
		id: 'records',
		ifSilent: 'records_unread',
		look: async () => {
			const part = (code: FindingCode, values?: FindingValues): Part => ({ id: 'records', ...finding(code, values) })
			const [seq, read, calls] = [brokenAuditEntry(), await journal(), unreadableCalls()]
			const { damaged, missingKids } = read ?? { damaged: [], missingKids: [] }
			return [
				...(seq === undefined ? [] : [part('audit_broken', { seq })]),
				...(calls === 0 ? [] : [part('calls_unreadable', { calls })]),
				...(read === undefined ? [part('journal_unreadable')] : []),
				...(damaged.length === 0 ? [] : [part('journal_damaged', { lines: damaged.join(', ') })]),
				...(missingKids.length === 0 ? [] : [part('journal_key_missing', { keys: missingKids.join(', ') })]),
			]
		},
	}
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
