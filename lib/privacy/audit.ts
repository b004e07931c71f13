// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the audit log is made of: entries, the chain that binds them, and the check of a whole log. Pure: rows and keys
// come from outside.

export const AUDIT_ACTIONS = [
	'settings.changed',
	'settings.taken_over',
	'settings.tested',
	'user.changed',
	'user.locked',
	'user.purged',
	'user.exported',
	'data.erased',
	'phone.verified',
	'call.refused',
	'call.emergency_refused',
	'call.ended',
	'call.tested',
	'backup.made',
	'backup.restored',
	'key.changed',
	'key.retired',
	'client.signed_in',
	'client.signed_out',
	'client.token_reused',
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

export interface AuditCheck {
	/** How many entries are in order, from the first one on. */
	entries: number
	/** Of the last of them. */
	hash: string
	broken?: { seq: number, why: string }
}

export interface AuditReader {
	/** The entries after this one in their order, some at a time; none when there is none. */
	after: (seq: number) => Promise<AuditRow[]>
	head: () => Promise<AuditHead | undefined>
}

/**
 * Goes through the whole log, also while entries are added to it, and stops at the first that is not in order.
 *
 * @yields {number} how many entries are in order so far
 */
export async function* checkAuditLog(log: AuditReader, mac: Mac): AsyncGenerator<number, AuditCheck> {
	let [entries, hash] = [0, NO_HASH]
	for (;;) {
		const rows = await log.after(entries)
		for (const row of rows) {
			const why = faultOf(row, entries + 1, hash, mac)
			if (why !== undefined) {
				return { entries, hash, broken: { seq: entries + 1, why } }
			}
			[entries, hash] = [row.seq, row.hash]
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
		const broken = endFaultOf(end, entries, hash, mac)
		return { entries, hash, ...(broken === undefined ? {} : { broken }) }
	}
}

function faultOf(row: AuditRow, seq: number, previous: string, mac: Mac): string | undefined {
	if (row.seq !== seq) {
		return 'It is missing.'
	}
	const hash = hashOf(row, previous, mac)
	if (hash === undefined) {
		return `It was sealed with the key ${row.kid}, which is not loaded: see DATABASE_ENCRYPTION_KEYS_PREVIOUS.`
	}
	return hash === row.hash ? undefined : 'It, or an entry before it, was changed, moved or put in.'
}

function endFaultOf(head: AuditHead | undefined, entries: number, hash: string, mac: Mac): { seq: number, why: string } | undefined {
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
