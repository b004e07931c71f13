// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager, MikroORM } from '@mikro-orm/postgresql'
import type { ErasureStore, ErasureTarget, ErasureWish } from '../../privacy/erasure.ts'
import type { KeyRing } from '../../privacy/key-ring.ts'
import type { ErasureCounts, SignedReceipt } from '../../privacy/receipts.ts'
import type { AuditRepository } from './audit-repository.ts'
import type { EraseTarget } from './erase-target.ts'
import type { JournalRepository } from './journal-repository.ts'

import { isOwnErasure } from '../../privacy/erasure.ts'
import { signReceipt } from '../../privacy/receipts.ts'
import { runBound } from '../bound-query.ts'
import { decrypted, encrypted } from '../encrypted-text.ts'
import { countTarget, eraseTarget, forgetSubject, takeEraseLock } from './erase-target.ts'
import { findReceipt, insertReceipt } from './receipt-repository.ts'

export class ErasureRepository implements ErasureStore {
	readonly #orm: MikroORM
	readonly #keys: KeyRing
	readonly #audit: AuditRepository
	readonly #journal: JournalRepository
	readonly #onErased: () => void

	/** @param options.onErased told as soon as something is erased here; other replicas hear it as news */
	constructor({ orm, keys, audit, journal, onErased = () => {} }: { orm: MikroORM, keys: KeyRing, audit: AuditRepository, journal: JournalRepository, onErased?: () => void }) {
		this.#orm = orm
		this.#keys = keys
		this.#audit = audit
		this.#journal = journal
		this.#onErased = onErased
	}

	async begin(id: string, wish: ErasureWish, at: Date): Promise<void> {
		await runBound(this.#orm.em.fork(), `insert into erasures (id, begun_at, wish) values ($1::uuid, $2, ${encrypted('$3', '$1::uuid', 'wish')})`, [id, at, JSON.stringify(wish)])
	}

	async unfinished(): Promise<{ id: string, wish: ErasureWish }[]> {
		const rows = await runBound<{ id: string, wish: string }>(this.#orm.em.fork(), `select id, ${decrypted('wish', 'id', 'wish')} as wish from erasures order by begun_at`)
		return rows.map(({ id, wish }) => ({ id, wish: JSON.parse(wish) as ErasureWish }))
	}

	async finish(id: string, wish: ErasureWish, at: Date): Promise<{ receipt: SignedReceipt, changed: string[] }> {
		const finished = await this.#orm.em.fork().transactional(async (em) => {
			await takeEraseLock(em)
			if ((await runBound(em, 'delete from erasures where id = $1 returning id', [id])).length === 0) {
				const done = await findReceipt(em, id)
				if (done === undefined) {
					throw new TypeError('An erasure is neither to be done nor done')
				}
				return { receipt: done.receipt, changed: [] }
			}
			const isForgotten = isForgetting(wish)
			// On the disk before anything is gone for good: whatever comes back later can be told that it went.
			await this.#journal.note(em, id, { ...wish.target, isForgotten }, at)
			const { counts, changed } = await eraseTarget(em, this.#targetOf(wish), this.#keys, { at })
			await this.#audit.append({
				at,
				actor: wish.actor,
				action: isForgotten ? 'user.purged' : 'data.erased',
				detail: { receipt: id, scope: wish.target.scope, ...counts },
				...(wish.target.userId === undefined ? {} : { targetUserId: wish.target.userId }),
			}, em)
			const subject = await this.#subjectOf(em, wish.target)
			if (isForgotten && wish.target.userId !== undefined) {
				await forgetSubject(em, wish.target.userId)
			}
			const receipt = signReceipt({ receiptId: id, deletedAt: at, scope: wish.target.scope, by: wish.actor.kind, counts }, subject, this.#keys.auditKid, (kid, text) => this.#keys.receiptMac(kid, text))
			await insertReceipt(em, receipt, subject)
			// Told with the commit or not at all; rows that go tell nothing by themselves.
			await runBound(em, 'select pg_notify(\'sipcall\', json_build_object(\'of\', \'erasure\', \'origin\', current_setting(\'sipcall.origin\', true))::text)')
			return { receipt, changed }
		})
		this.#onErased()
		return finished
	}

	count(wish: ErasureWish): Promise<ErasureCounts> {
		return countTarget(this.#orm.em.fork(), this.#targetOf(wish))
	}

	#targetOf(wish: ErasureWish): EraseTarget {
		const { target } = wish
		return target.scope === 'number'
			? { ...target, index: this.#keys.blindIndex('number', target.number) }
			: { ...target, isForgotten: isForgetting(wish) }
	}

	async #subjectOf(em: EntityManager, { userId }: ErasureTarget): Promise<string | null> {
		const [subject] = await runBound<{ reference: string }>(em, 'select reference from audit_subjects where user_id = $1', [userId ?? null])
		return subject?.reference ?? null
	}
}

/** Whether nobody can tell any more afterwards who that was. */
function isForgetting(wish: ErasureWish): boolean {
	return wish.target.scope === 'all' && !isOwnErasure(wish)
}
