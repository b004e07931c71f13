// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Signed marks within the audit log, at which what is older may be cut off. Pure: rows and keys come from outside.

import type { AuditRow, Mac } from './audit.ts'

import { createHmac } from 'node:crypto'
import { canonicalJson } from './audit.ts'

/** Up to here all was in order when it was signed. */
export interface AuditCheckpoint {
	/** Of the last entry that it covers, and its hash. */
	seq: number
	hash: string
	/** When the youngest entry behind the checkpoint before was written, by its own time. */
	at: Date
	kid: string
	signature: string
}

/** What stands in the place of all entries that were dropped. */
export interface AuditBeginning {
	/** Of the last entry that was dropped, and its hash: the first one that is left is bound to it. */
	seq: number
	hash: string
	droppedAt: Date
	/** The setting by which it was old enough. */
	auditDays: number
	kid: string
	signature: string
}

/** A range ends with its day (UTC), or is as long as this: a step of retention never drops less than a whole one. */
export const RANGE_ENTRIES = 1_000

export function signCheckpoint(checkpoint: Omit<AuditCheckpoint, 'signature'>, mac: Mac): AuditCheckpoint {
	return { ...checkpoint, signature: signatureOf('checkpoint', checkpoint, mac) ?? '' }
}

/** False also when its key is not loaded. */
export function isValidCheckpoint({ signature, ...checkpoint }: AuditCheckpoint, mac: Mac): boolean {
	return signatureOf('checkpoint', checkpoint, mac) === signature
}

export function signBeginning(beginning: Omit<AuditBeginning, 'signature'>, mac: Mac): AuditBeginning {
	return { ...beginning, signature: signatureOf('beginning', beginning, mac) ?? '' }
}

/** False also when its key is not loaded. */
export function isValidBeginning({ signature, ...beginning }: AuditBeginning, mac: Mac): boolean {
	return signatureOf('beginning', beginning, mac) === signature
}

/**
 * How many of the entries behind a checkpoint the next one covers.
 *
 * @param rows those behind the last checkpoint, as many as a range may have
 * @return 0 while their day is not over
 */
export function lengthOfRange(rows: readonly Pick<AuditRow, 'at'>[], now: Date): number {
	const [first] = rows
	if (first === undefined) {
		return 0
	}
	const next = rows.findIndex(({ at }) => dayOf(at) !== dayOf(first.at))
	if (next > 0) {
		return next
	}
	return rows.length >= RANGE_ENTRIES || dayOf(first.at) !== dayOf(now) ? rows.length : 0
}

/** A clock that was once ahead must not keep a range for as long as it was ahead. */
export function ageOfRange(rows: readonly Pick<AuditRow, 'at'>[], now: Date): Date {
	return new Date(Math.min(now.getTime(), Math.max(...rows.map(({ at }) => at.getTime()))))
}

function dayOf(at: Date): string {
	return at.toISOString().slice(0, 10)
}

/** With a key of its own, derived from the chain's: so neither can be made by whoever may only ask for the other. */
function signatureOf(what: 'checkpoint' | 'beginning', content: object & { kid: string }, mac: Mac): string | undefined {
	const key = mac(content.kid, 'key of checkpoints')
	return key === undefined ? undefined : createHmac('sha256', key).update(`${what}\n${canonicalJson(content)}`).digest('hex')
}
