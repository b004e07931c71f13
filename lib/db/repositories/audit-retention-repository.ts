// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager, MikroORM } from '@mikro-orm/postgresql'
import type { AuditRetentionStore, AuditStep } from '../../privacy/audit-retention.ts'
import type { AuditBreak, Mac } from '../../privacy/audit.ts'
import type { KeyRing } from '../../privacy/key-ring.ts'
import type { AuditRepository } from './audit-repository.ts'

import { ageOfRange, isValidBeginning, isValidCheckpoint, lengthOfRange, RANGE_ENTRIES, signBeginning, signCheckpoint } from '../../privacy/audit-checkpoint.ts'
import { breakIn, NO_HASH } from '../../privacy/audit.ts'
import { dueForDrop } from '../../privacy/retention.ts'
import { runBound } from '../bound-query.ts'
import { AUDIT_LOCK, checkpointsBetween, entriesAfter, readBeginning } from './audit-repository.ts'

/** Of one transaction, during which nobody can add an entry: some hundredths of a second. */
const MOST_DROPPED = 10_000

/** The only way by which entries leave the audit log. */
export class AuditRetentionRepository implements AuditRetentionStore {
	readonly #orm: MikroORM
	readonly #keys: KeyRing
	readonly #log: AuditRepository
	readonly #mac: Mac

	constructor({ orm, keys, log }: { orm: MikroORM, keys: KeyRing, log: AuditRepository }) {
		this.#orm = orm
		this.#keys = keys
		this.#log = log
		this.#mac = (kid, text) => keys.auditMac(kid, text)
	}

	signSome(at: Date): Promise<AuditStep> {
		return this.#alone(async (em) => {
			const [last] = await runBound<{ seq: string, hash: string }>(em, `
				select seq::text, hash from (select seq, hash from audit_checkpoints union all select seq, hash from audit_beginning) as marks order by marks.seq desc limit 1`)
			const before = last === undefined ? { seq: 0, hash: NO_HASH } : { seq: Number(last.seq), hash: last.hash }
			const rows = await entriesAfter(em, before.seq, RANGE_ENTRIES)
			const range = rows.slice(0, lengthOfRange(rows, at))
			const end = range.at(-1)
			if (end === undefined) {
				return { entries: 0 }
			}
			const broken = breakIn(range, before, this.#mac)
			if (broken !== undefined) {
				return { broken }
			}
			const { seq, hash, at: age, kid, signature } = signCheckpoint({ seq: end.seq, hash: end.hash, at: ageOfRange(range, at), kid: this.#keys.auditKid }, this.#mac)
			await runBound(em, 'insert into audit_checkpoints (seq, hash, at, kid, signature) values ($1, $2, $3, $4, $5)', [seq, hash, age, kid, signature])
			return { entries: range.length, end: { seq, hash } }
		})
	}

	dropSome(auditDays: number, at: Date): Promise<AuditStep> {
		return this.#alone(async (em) => {
			const beginning = await readBeginning(em)
			const start = beginning ?? { seq: 0, hash: NO_HASH }
			const [due] = await runBound<{ seq: string | null }>(em, `
				select coalesce(max(seq) filter (where seq <= $1::bigint + $4), min(seq))::text as seq from audit_checkpoints
					where seq > $1::bigint and at <= $2 and seq < coalesce((select min(seq) from audit_checkpoints where seq > $1::bigint and at > $2), $3::bigint)`, [start.seq, dueForDrop(auditDays, at), Number.MAX_SAFE_INTEGER, MOST_DROPPED])
			if (due === undefined || due.seq === null) {
				return { entries: 0 }
			}
			const [checkpoint] = await checkpointsBetween(em, Number(due.seq) - 1, Number(due.seq))
			const range = await entriesAfter(em, start.seq, Number(due.seq) - start.seq)
			const broken: AuditBreak | undefined = beginning !== undefined && !isValidBeginning(beginning, this.#mac)
				? { seq: start.seq + 1, why: 'The mark of the log’s beginning was changed.' }
				// What is out of order is evidence, and stays.
				: breakIn(range, start, this.#mac)
			if (broken !== undefined) {
				return { broken }
			}
			const end = range.at(-1)
			if (checkpoint === undefined || end?.seq !== checkpoint.seq || end.hash !== checkpoint.hash || !isValidCheckpoint(checkpoint, this.#mac)) {
				return { broken: { seq: Number(due.seq), why: 'The checkpoint at it was changed or put in.' } }
			}
			const { seq, hash, droppedAt, kid, signature } = signBeginning({ seq: end.seq, hash: end.hash, droppedAt: at, auditDays, kid: this.#keys.auditKid }, this.#mac)
			await runBound(em, `insert into audit_beginning (seq, hash, dropped_at, audit_days, kid, signature) values ($1, $2, $3, $4, $5, $6)
				on conflict (is_only) do update set seq = excluded.seq, hash = excluded.hash, dropped_at = excluded.dropped_at, audit_days = excluded.audit_days, kid = excluded.kid, signature = excluded.signature`, [seq, hash, droppedAt, auditDays, kid, signature])
			await runBound(em, 'delete from audit_log where seq <= $1', [seq])
			await runBound(em, 'delete from audit_checkpoints where seq < $1', [seq])
			await this.#log.append({ at, actor: { kind: 'system' }, action: 'audit.dropped', detail: { from: start.seq + 1, to: seq, entries: range.length, auditDays } }, em)
			return { entries: range.length }
		})
	}

	/** What the next run would drop with these days, and how much is stored. */
	async count(auditDays: number, at: Date): Promise<{ next: number, kept: number }> {
		// No number is left out in the log, so nothing needs to be counted.
		const [row] = await runBound<{ next: string, kept: string }>(this.#orm.em.fork(), `
			with ends as (select min(seq) as first, max(seq) as last from audit_log),
				due as (select max(seq) as seq from audit_checkpoints where at <= $1 and seq < coalesce((select min(seq) from audit_checkpoints where at > $1), $2::bigint))
			select coalesce(greatest(due.seq - first + 1, 0), 0)::text as next, coalesce(last - first + 1, 0)::text as kept from ends, due`, [dueForDrop(auditDays, at), Number.MAX_SAFE_INTEGER])
		return { next: Number(row?.next ?? 0), kept: Number(row?.kept ?? 0) }
	}

	/** In one transaction, while nobody adds an entry. */
	#alone<Result>(work: (em: EntityManager) => Promise<Result>): Promise<Result> {
		return this.#orm.em.fork().transactional(async (em) => {
			await runBound(em, 'select pg_advisory_xact_lock($1)', [AUDIT_LOCK])
			return work(em)
		})
	}
}
