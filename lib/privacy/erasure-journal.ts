// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The erasure journal: what was erased and when, so that data from before can lose it again. A line holds keyed hashes
// only: whoever has a number or a user can be told whether it is meant, and nobody can read either from it. Pure: keys
// come from outside.

import type { Mac } from './audit.ts'
import type { WrappedSealKey } from './key-ring.ts'
import type { ErasureScope } from './receipts.ts'

import { z } from 'zod'
import { canonicalJson } from './audit.ts'
import { ERASURE_SCOPES } from './receipts.ts'

/** What equal values of different kinds are kept apart by. `index`: the blind index of a number, all that a transfer has of it. */
export type JournalKind = 'user' | 'number' | 'index'

const Hash = z.string().regex(/^[0-9a-f]{64}$/)
const Kid = z.string().regex(/^[0-9a-f]{8}$/)

const Entry = z.strictObject({
	/** That of the erasure, and of its receipt. */
	id: z.uuid(),
	/** What was made until then is erased. */
	at: z.iso.datetime(),
	scope: z.enum(ERASURE_SCOPES),
	/** Hash of the user; left out when everybody's is meant. */
	user: Hash.optional(),
	/** Whether also what was decided for the user goes, and who the user is in the audit log. */
	isForgotten: z.boolean().optional(),
	number: Hash.optional(),
	index: Hash.optional(),
	/** Of the key in all hashes. */
	kid: Kid,
	mac: Hash,
})
const Key = z.strictObject({ key: z.strictObject({ kid: Kid, purpose: z.literal('erasure journal'), wrapped: z.string() }) })
const Beginning = z.strictObject({ beginning: z.iso.datetime() })

/** An entry, and the line that it stands in. */
export type JournalEntry = z.output<typeof Entry> & { line: string }

/** What a journal says. */
export interface Journal {
	/** Since when every erasure is in it; undefined when it does not say. */
	beginning: Date | undefined
	/** Keys of entries whose master may be gone, under a master that is not. */
	keys: WrappedSealKey[]
	/** In the order of the lines; of two with one id the later one counts. */
	entries: Map<string, JournalEntry>
	/** Numbers of lines that are not as they were written, from 1. */
	damaged: number[]
	/** Ids of keys that entries need and that are not known. */
	missingKids: string[]
}

const DAY_MS = 24 * 60 * 60 * 1000
/** Backups that are kept elsewhere may be no older. */
const KEPT_DAYS = 730

/**
 * From when on entries are needed.
 *
 * @param backups when those were made that are known
 */
export function neededSince(now: Date, backups: readonly Date[]): Date {
	return new Date(Math.min(now.getTime() - KEPT_DAYS * DAY_MS, ...backups.map((madeAt) => madeAt.getTime())))
}

/**
 * @param what the values in clear; the user is left out when everybody's is meant
 */
export function entryLine({ id, at, scope, isForgotten, ...values }: { id: string, at: Date, scope: ErasureScope, isForgotten?: boolean } & Partial<Record<JournalKind, string>>, kid: string, mac: Mac): string {
	const hashes = Object.fromEntries(Object.entries(values).map(([kind, value]) => [kind, journalHash(kind as JournalKind, value, kid, mac)]))
	const entry = { id, at: at.toISOString(), scope, ...(isForgotten === true ? { isForgotten } : {}), ...hashes, kid }
	return canonicalJson({ ...entry, mac: entryMac(entry, mac) })
}

export function keyLine(key: WrappedSealKey): string {
	return canonicalJson({ key })
}

export function beginningLine(at: Date): string {
	return canonicalJson({ beginning: at.toISOString() })
}

/** @return undefined when the key is not known */
export function journalHash(kind: JournalKind, value: string, kid: string, mac: Mac): string | undefined {
	return mac(kid, `${kind}\n${value}`)
}

/**
 * @param takeKey takes over a key that stands in the journal, for the entries behind it; it throws when that is damaged
 */
export function readJournal(lines: readonly string[], takeKey: (key: WrappedSealKey) => void, mac: Mac): Journal {
	const journal: Journal = { beginning: undefined, keys: [], entries: new Map(), damaged: [], missingKids: [] }
	const missing = new Set<string>()
	for (const [index, line] of lines.entries()) {
		const value = parseJson(line)
		const [entry, key, beginning] = [Entry.safeParse(value).data, Key.safeParse(value).data?.key, Beginning.safeParse(value).data?.beginning]
		if (beginning !== undefined) {
			journal.beginning = new Date(beginning)
		} else if (key !== undefined) {
			try {
				takeKey(key)
				journal.keys.push(key)
			} catch {
				journal.damaged.push(index + 1)
			}
		} else if (entry !== undefined) {
			const expected = entryMac(entry, mac)
			if (expected === undefined) {
				missing.add(entry.kid)
			} else if (expected !== entry.mac) {
				journal.damaged.push(index + 1)
			} else {
				journal.entries.delete(entry.id)
				journal.entries.set(entry.id, { ...entry, line })
			}
		} else {
			journal.damaged.push(index + 1)
		}
	}
	journal.missingKids = [...missing].sort()
	return journal
}

function entryMac(entry: Omit<z.output<typeof Entry>, 'mac'> & { mac?: string }, mac: Mac): string | undefined {
	const { mac: _, ...said } = entry
	return mac(entry.kid, `line\n${canonicalJson(said)}`)
}

function parseJson(line: string): unknown {
	try {
		return JSON.parse(line)
	} catch {
		return undefined
	}
}
