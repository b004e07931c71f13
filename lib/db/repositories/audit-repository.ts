// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager, MikroORM } from '@mikro-orm/postgresql'
import type { AuditBeginning, AuditCheckpoint } from '../../privacy/audit-checkpoint.ts'
import type { AuditStore } from '../../privacy/audit-trail.ts'
import type { AuditEntry, AuditHead, AuditReader, AuditRow } from '../../privacy/audit.ts'
import type { KeyRing } from '../../privacy/key-ring.ts'

import { randomBytes } from 'node:crypto'
import { hashOf, NO_HASH, plain, sealOf } from '../../privacy/audit.ts'
import { runBound } from '../bound-query.ts'
import { readSeqCursor, writeSeqCursor } from '../seq-cursor.ts'

export interface AuditQuery {
	limit: number
	cursor?: string | undefined
	action?: string | undefined
	/** References, or beginnings of them, of whom it may be; from `referencesOf`. */
	actor?: readonly string[] | undefined
	target?: readonly string[] | undefined
	from?: Date | undefined
	to?: Date | undefined
}

/** A person in an entry; the id only while somebody may know it. */
export interface AuditSubject {
	ref: string
	id: string | undefined
}

export interface AuditItem {
	seq: number
	at: Date
	actor: { kind: string, ref: string | undefined, id: string | undefined }
	action: string
	target: AuditSubject | undefined
	detail: Readonly<Record<string, unknown>>
}

interface Columns {
	seq: string
	at: Date | string
	actor_kind: string
	actor: string | null
	action: string
	target: string | null
	detail: Record<string, unknown>
	kid: string
	hash: string
}

const COLUMNS = 'seq::text, at, actor_kind, actor, action, target, detail, kid, hash'
/** At least as many digits of a reference as the page shows. */
const REFERENCE = /^[0-9a-f]{4,32}$/
const ROWS_AT_ONCE = 1_000
/** Of our own choice; held by whoever adds an entry, until the commit, by any number of sidecars. */
export const AUDIT_LOCK = 730_415_090

/** The only way into the audit log, and the ways to read it. */
export class AuditRepository implements AuditStore, Omit<AuditReader, 'noted'> {
	readonly #orm: MikroORM
	readonly #keys: KeyRing

	constructor({ orm, keys }: { orm: MikroORM, keys: KeyRing }) {
		this.#orm = orm
		this.#keys = keys
	}

	/**
	 * Adds an entry behind all others.
	 *
	 * @param em a transaction that the entry is to be part of; nobody else can add entries until it ends
	 */
	async append(entry: AuditEntry, em?: EntityManager): Promise<void> {
		await (em === undefined ? this.#orm.em.fork().transactional((own) => this.#append(entry, own)) : this.#append(entry, em))
	}

	async #append({ at, actor, action, targetUserId, detail }: AuditEntry, em: EntityManager): Promise<void> {
		await runBound(em, 'select pg_advisory_xact_lock($1)', [AUDIT_LOCK])
		// A statement of its own: it sees what whoever held the lock before has committed.
		const [last] = await runBound<{ seq: string, hash: string }>(em, `select seq::text, hash from audit_head
			union all (select seq::text, hash from audit_log where not exists (select from audit_head) order by audit_log.seq desc limit 1)`)
		const kid = this.#keys.auditKid
		const row: Omit<AuditRow, 'hash'> = {
			seq: Number(last?.seq ?? 0) + 1,
			at,
			actorKind: actor.kind,
			actor: actor.userId === undefined ? null : await referenceOf(em, actor.userId),
			action,
			target: targetUserId === undefined ? null : await referenceOf(em, targetUserId),
			detail: plain(detail) as Record<string, unknown>,
			kid,
		}
		const mac = (id: string, text: string) => this.#keys.auditMac(id, text)
		const hash = hashOf(row, last?.hash ?? NO_HASH, mac)
		await runBound(em, 'insert into audit_log (seq, at, actor_kind, actor, action, target, detail, kid, hash) values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9)', [row.seq, at, row.actorKind, row.actor, action, row.target, JSON.stringify(row.detail), kid, hash])
		await runBound(em, `insert into audit_head (seq, hash, kid, seal) values ($1, $2, $3, $4)
			on conflict (is_only) do update set seq = excluded.seq, hash = excluded.hash, kid = excluded.kid, seal = excluded.seal`, [row.seq, hash, kid, sealOf({ seq: row.seq, hash: hash ?? '', kid }, mac)])
	}

	/**
	 * Newest first, page by page.
	 *
	 * @throws {SipCallError} `invalid_request` for a cursor that is none of ours
	 */
	async page({ limit, cursor, action, actor, target, from, to }: AuditQuery): Promise<{ items: AuditItem[], nextCursor: string | undefined }> {
		const before = cursor === undefined ? null : readSeqCursor(cursor)
		const parameters: unknown[] = [before, action ?? null, from ?? null, to ?? null, limit + 1]
		// Spelt out, so that the indexes of the two columns can serve.
		const startsWith = (column: string, references: readonly string[] | undefined) => references === undefined
			? 'true'
			: `(false${references.map((reference) => ` or starts_with(${column}, $${parameters.push(reference)})`).join('')})`
		const rows = await runBound<Columns & { actor_id: string | null, target_id: string | null }>(this.#orm.em.fork(), `
			select ${COLUMNS}, (select user_id from audit_subjects where reference = actor) as actor_id, (select user_id from audit_subjects where reference = target) as target_id
				from audit_log
				where ($1::bigint is null or audit_log.seq < $1) and ($2::text is null or action = $2)
					and ($3::timestamptz is null or at >= $3) and ($4::timestamptz is null or at < $4)
					and ${startsWith('actor', actor)} and ${startsWith('target', target)}
				order by audit_log.seq desc limit $5`, parameters)
		const items = rows.slice(0, limit).map((columns): AuditItem => {
			const { seq, at, actorKind, actor, action: done, target, detail } = rowOf(columns)
			return {
				seq,
				at,
				actor: { kind: actorKind, ref: actor ?? undefined, id: columns.actor_id ?? undefined },
				action: done,
				target: target === null ? undefined : { ref: target, id: columns.target_id ?? undefined },
				detail,
			}
		})
		return { items, nextCursor: rows.length > limit ? writeSeqCursor(items.at(-1)?.seq ?? 0) : undefined }
	}

	/**
	 * How whoever is meant stands in the log: by the id in Nextcloud, or by the reference as it is shown, its beginning.
	 *
	 * @return what may be both is both; none when nobody of that name is in the log
	 */
	async referencesOf(person: string): Promise<string[]> {
		const subjects = await runBound<{ reference: string }>(this.#orm.em.fork(), 'select reference from audit_subjects where user_id = $1', [person])
		return [...subjects.map(({ reference }) => reference), ...(REFERENCE.test(person) ? [person] : [])]
	}

	after(seq: number): Promise<AuditRow[]> {
		return entriesAfter(this.#orm.em.fork(), seq, ROWS_AT_ONCE)
	}

	checkpoints(after: number, upTo: number): Promise<AuditCheckpoint[]> {
		return checkpointsBetween(this.#orm.em.fork(), after, upTo)
	}

	beginning(): Promise<AuditBeginning | undefined> {
		return readBeginning(this.#orm.em.fork())
	}

	/** Of the oldest entry that is kept; undefined when there is none. */
	async oldest(): Promise<Date | undefined> {
		const [first] = await runBound<{ at: Date | string }>(this.#orm.em.fork(), 'select at from audit_log order by audit_log.seq limit 1')
		return first === undefined ? undefined : new Date(first.at)
	}

	/** Of an entry; undefined when it is not there. */
	async hashOf(seq: number): Promise<string | undefined> {
		const [row] = await runBound<{ hash: string }>(this.#orm.em.fork(), 'select hash from audit_log where seq = $1', [seq])
		return row?.hash
	}

	async head(): Promise<AuditHead | undefined> {
		const [head] = await runBound<{ seq: string, hash: string, kid: string, seal: string }>(this.#orm.em.fork(), 'select seq::text, hash, kid, seal from audit_head')
		return head === undefined ? undefined : { ...head, seq: Number(head.seq) }
	}
}

/** Random, so that nothing leads back to the user once the row is gone, not even our keys. */
async function referenceOf(em: EntityManager, userId: string): Promise<string> {
	await runBound(em, 'insert into audit_subjects (user_id, reference) values ($1, $2) on conflict (user_id) do nothing', [userId, randomBytes(16).toString('hex')])
	const [subject] = await runBound<{ reference: string }>(em, 'select reference from audit_subjects where user_id = $1', [userId])
	return subject?.reference ?? ''
}

export async function entriesAfter(em: EntityManager, seq: number, limit: number): Promise<AuditRow[]> {
	const rows = await runBound<Columns>(em, `select ${COLUMNS} from audit_log where audit_log.seq > $1 order by audit_log.seq limit $2`, [seq, limit])
	return rows.map(rowOf)
}

export async function checkpointsBetween(em: EntityManager, after: number, upTo: number): Promise<AuditCheckpoint[]> {
	const rows = await runBound<{ seq: string, hash: string, at: Date | string, kid: string, signature: string }>(em, `select seq::text, hash, at, kid, signature from audit_checkpoints
		where audit_checkpoints.seq > $1 and audit_checkpoints.seq <= $2 order by audit_checkpoints.seq`, [after, upTo])
	return rows.map((row) => ({ ...row, seq: Number(row.seq), at: new Date(row.at) }))
}

export async function readBeginning(em: EntityManager): Promise<AuditBeginning | undefined> {
	const [row] = await runBound<{ seq: string, hash: string, dropped_at: Date | string, audit_days: number, kid: string, signature: string }>(em, 'select seq::text, hash, dropped_at, audit_days, kid, signature from audit_beginning')
	return row === undefined ? undefined : { seq: Number(row.seq), hash: row.hash, droppedAt: new Date(row.dropped_at), auditDays: row.audit_days, kid: row.kid, signature: row.signature }
}

function rowOf({ seq, at, actor_kind: actorKind, actor, action, target, detail, kid, hash }: Columns): AuditRow {
	return { seq: Number(seq), at: new Date(at), actorKind, actor, action, target, detail, kid, hash }
}
