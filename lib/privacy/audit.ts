// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the audit log is made of: entries, the chain that binds them, and the check of a whole log. Pure: rows and keys
// come from outside.

import type { AuditBeginning, AuditCheckpoint } from './audit-checkpoint.ts'

import { isValidBeginning, isValidCheckpoint } from './audit-checkpoint.ts'

export const AUDIT_ACTIONS = [
	'settings.changed',
	'settings.taken_over',
	'settings.tested',
	'user.changed',
	'user.locked',
	'user.purged',
	'user.exported',
	'data.erased',
	'data.erased_again',
	'phone.verified',
	'call.refused',
	'call.emergency_refused',
	'call.ended',
	'call.tested',
	'backup.made',
	'backup.restored',
	'records.imported',
	'key.changed',
	'key.retired',
	'client.signed_in',
	'client.signed_out',
	'client.token_reused',
	'audit.dropped',
	'audit.exported',
	'audit.lost',
] as const

export type AuditAction = typeof AUDIT_ACTIONS[number]

/** `console`: whoever may run occ; `nextcloud`: its form of settings, which tells nobody's name; `system`: SIPCall itself. */
export const AUDIT_ACTORS = ['user', 'admin', 'system', 'console', 'nextcloud'] as const

export interface AuditActor {
	kind: typeof AUDIT_ACTORS[number]
	userId?: string
}

/** Plain JSON; never a phone number, a note or a secret. */
export type AuditDetail = Readonly<Record<string, unknown>>

export interface AuditEntry {
	at: Date
	actor: AuditActor
	action: AuditAction
	/** Whom it was done to, or whose data. */
	targetUserId?: string
	detail: AuditDetail
}

/** An entry as it is stored: people are references, which mean nothing without the table of subjects. */
export interface AuditRow {
	seq: number
	at: Date
	actorKind: string
	actor: string | null
	action: string
	target: string | null
	detail: AuditDetail
	/** Of the key in the hash. */
	kid: string
	/** 64 hexadecimal digits. */
	hash: string
}

/** Where the log ends. */
export interface AuditHead {
	seq: number
	hash: string
	kid: string
	seal: string
}

/** HMAC-SHA256 in hexadecimal digits with the key of this id; undefined when it is not loaded. */
export type Mac = (kid: string, text: string) => string | undefined

/** What the first entry is bound to. */
export const NO_HASH = ''

/** JSON with sorted keys and without what PostgreSQL's jsonb would change or refuse: one text for each value. */
export function canonicalJson(value: unknown): string {
	return JSON.stringify(plain(value))
}

/** The same value as it will come back from the database. */
export function plain(value: unknown): unknown {
	if (value instanceof Date) {
		return value.toISOString()
	}
	if (typeof value === 'string') {
		return cleanText(value)
	}
	if (Array.isArray(value)) {
		return value.map((item) => plain(item) ?? null)
	}
	if (typeof value === 'object' && value !== null) {
		const members = Object.entries(value).filter(([, member]) => member !== undefined).map(([key, member]): [string, unknown] => [cleanText(key), plain(member)])
		return Object.fromEntries(members.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0))
	}
	return value
}

/** The hash of an entry: over the one before it and all that it says. */
export function hashOf(row: Omit<AuditRow, 'hash'>, previous: string, mac: Mac): string | undefined {
	const { seq, at, actorKind, actor, action, target, detail, kid } = row
	return mac(kid, `entry\n${previous}\n${canonicalJson({ seq, at, actorKind, actor, action, target, detail, kid })}`)
}

/** What proves where the log ends. */
export function sealOf({ seq, hash, kid }: Omit<AuditHead, 'seal'>, mac: Mac): string | undefined {
	return mac(kid, `head\n${seq}\n${hash}`)
}

/** Where the log was found to be out of order. */
export interface AuditBreak {
	/** The first entry concerned. */
	seq: number
	why: string
}

export interface AuditCheck {
	/** The last entry up to which all are in order, from the first one on that is kept. */
	entries: number
	/** Of the last of them. */
	hash: string
	/** What retention has taken off the beginning. */
	dropped?: Pick<AuditBeginning, 'seq' | 'droppedAt' | 'auditDays'>
	broken?: AuditBreak
}

export interface AuditReader {
	/** The entries after this one in their order, some at a time; none when there is none. */
	after: (seq: number) => Promise<AuditRow[]>
	/** Those of the entries after one and up to another. */
	checkpoints: (after: number, upTo: number) => Promise<AuditCheckpoint[]>
	/** undefined as long as nothing was ever dropped. */
	beginning: () => Promise<AuditBeginning | undefined>
	head: () => Promise<AuditHead | undefined>
	/** The end of the log as it was once noted outside of the database; `damaged` when that cannot be read. */
	noted: () => Promise<Pick<AuditHead, 'seq' | 'hash'> | 'damaged' | undefined>
}

/**
 * Goes through the whole log, also while entries are added to it or dropped, and stops at the first that is not in order.
 *
 * @yields {number} up to which entry all are in order so far
 */
export async function* checkAuditLog(log: AuditReader, mac: Mac): AsyncGenerator<number, AuditCheck> {
	// Before the rows: it only ever moves on.
	const noted = await log.noted()
	let front = await frontOf(log, mac)
	let [entries, hash] = [front.seq, front.hash]
	const found = (broken: AuditBreak | undefined): AuditCheck => ({ entries, hash, ...(front.dropped === undefined ? {} : { dropped: front.dropped }), ...(broken === undefined ? {} : { broken }) })
	for (let broken = front.broken; broken === undefined;) {
		const rows = await log.after(entries)
		const last = rows.at(-1)
		const checkpoints = new Map((last === undefined ? [] : await log.checkpoints(entries, last.seq)).map((checkpoint) => [checkpoint.seq, checkpoint]))
		for (const row of rows) {
			if (row.seq !== entries + 1) {
				const now = await frontOf(log, mac)
				if (now.seq > entries) {
					// What would have come next was dropped meanwhile.
					[front, entries, hash, broken] = [now, now.seq, now.hash, now.broken]
					break
				}
			}
			const why = faultOf(row, entries + 1, hash, mac) ?? markFaultOf(row, checkpoints.get(row.seq), noted, mac)
			if (why !== undefined) {
				return found({ seq: entries + 1, why })
			}
			[entries, hash] = [row.seq, row.hash]
		}
		if (broken !== undefined) {
			return found(broken)
		}
		if (rows.length > 0) {
			yield entries
			continue
		}
		// Read after the rows: what was added meanwhile is at most ahead of them.
		const end = await log.head()
		const isAhead = end !== undefined && end.seq > entries
		if (isAhead && (await log.after(entries)).length > 0) {
			continue
		}
		front = await frontOf(log, mac)
		return found(front.broken ?? endFaultOf(end, entries, hash, mac) ?? notedFaultOf(noted, entries))
	}
	return found(front.broken)
}

/**
 * Whether entries that follow each other are bound to each other.
 *
 * @param previous the number and the hash that the first one is bound to
 */
export function breakIn(rows: readonly AuditRow[], previous: { seq: number, hash: string }, mac: Mac): AuditBreak | undefined {
	let { seq, hash } = previous
	for (const row of rows) {
		const why = faultOf(row, seq + 1, hash, mac)
		if (why !== undefined) {
			return { seq: seq + 1, why }
		}
		({ seq, hash } = row)
	}
	return undefined
}

interface Front {
	seq: number
	hash: string
	dropped?: AuditCheck['dropped']
	broken?: AuditBreak
}

/** What the first entry must be bound to. */
async function frontOf(log: AuditReader, mac: Mac): Promise<Front> {
	const beginning = await log.beginning()
	if (beginning === undefined) {
		return { seq: 0, hash: NO_HASH }
	}
	const { seq, hash, kid, droppedAt, auditDays } = beginning
	const front = { seq, hash, dropped: { seq, droppedAt, auditDays } }
	if (mac(kid, '') === undefined) {
		return { ...front, broken: { seq: seq + 1, why: unknownKey(kid) } }
	}
	if (!isValidBeginning(beginning, mac)) {
		return { ...front, broken: { seq: seq + 1, why: 'The mark of the log’s beginning was changed: entries may be missing in front of it.' } }
	}
	// The beginning moves on in one transaction with what is dropped.
	const [first] = await log.after(0)
	return first !== undefined && first.seq <= seq ? { ...front, broken: { seq: first.seq, why: 'It was put in in front of the beginning of the log.' } } : front
}

function faultOf(row: AuditRow, seq: number, previous: string, mac: Mac): string | undefined {
	if (row.seq !== seq) {
		return 'It is missing.'
	}
	const hash = hashOf(row, previous, mac)
	if (hash === undefined) {
		return unknownKey(row.kid)
	}
	return hash === row.hash ? undefined : 'It, or an entry before it, was changed, moved or put in.'
}

/** Marks that do not belong to the chain, and stand beside an entry that does. */
function markFaultOf({ seq, hash }: AuditRow, checkpoint: AuditCheckpoint | undefined, noted: Noted, mac: Mac): string | undefined {
	if (checkpoint !== undefined && !(checkpoint.hash === hash && isValidCheckpoint(checkpoint, mac))) {
		return mac(checkpoint.kid, '') === undefined ? unknownKey(checkpoint.kid) : 'The checkpoint at it was changed or put in.'
	}
	return typeof noted === 'object' && noted.seq === seq && noted.hash !== hash
		? 'Another entry was noted under its number outside of the database: the log was put back to an earlier state, and went on from there.'
		: undefined
}

type Noted = Awaited<ReturnType<AuditReader['noted']>>

function notedFaultOf(noted: Noted, entries: number): AuditBreak | undefined {
	if (noted === 'damaged') {
		return { seq: entries + 1, why: 'What was noted outside of the database was changed or cannot be read: entries may be missing here.' }
	}
	return noted === undefined || noted.seq <= entries ? undefined : { seq: entries + 1, why: `It is missing, with all that followed: outside of the database it is noted that the log went on to entry ${noted.seq}.` }
}

function unknownKey(kid: string): string {
	return `It was sealed with the key ${kid}, which is not loaded: see DATABASE_ENCRYPTION_KEYS_PREVIOUS.`
}

function endFaultOf(head: AuditHead | undefined, entries: number, hash: string, mac: Mac): AuditBreak | undefined {
	if (head === undefined) {
		return entries === 0 ? undefined : { seq: entries + 1, why: 'The mark of the log’s end is missing: nobody knows whether entries are missing here.' }
	}
	if (head.seq > entries) {
		return { seq: entries + 1, why: `It is missing, with all that followed: the log went on to entry ${head.seq}.` }
	}
	if (head.seq < entries) {
		return { seq: head.seq + 1, why: 'It was put in behind the end of the log.' }
	}
	return head.hash === hash && sealOf(head, mac) === head.seal ? undefined : { seq: entries + 1, why: 'The mark of the log’s end was changed: entries may be missing here.' }
}

function cleanText(text: string): string {
	return text.toWellFormed().replaceAll('\0', '')
}
