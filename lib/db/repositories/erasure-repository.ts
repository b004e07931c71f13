// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager, MikroORM } from '@mikro-orm/postgresql'
import type { ErasureStore, ErasureTarget, ErasureWish } from '../../privacy/erasure.ts'
import type { KeyRing } from '../../privacy/key-ring.ts'
import type { ErasureCounts, SignedReceipt } from '../../privacy/receipts.ts'
import type { AuditRepository } from './audit-repository.ts'

import { isOwnErasure } from '../../privacy/erasure.ts'
import { signReceipt } from '../../privacy/receipts.ts'
import { runBound } from '../bound-query.ts'
import { decrypted, encrypted } from '../encrypted-text.ts'
import { countNumber, eraseNumber } from './number-erasure.ts'
import { findReceipt, insertReceipt } from './receipt-repository.ts'
import { countUser, eraseUser } from './user-erasure.ts'

/** Any fixed number: erasures take turns, so that two of them never wait for each other's rows. */
const ERASE_LOCK = 0x3a5e

export class ErasureRepository implements ErasureStore {
	readonly #orm: MikroORM
	readonly #keys: KeyRing
	readonly #audit: AuditRepository

	constructor({ orm, keys, audit }: { orm: MikroORM, keys: KeyRing, audit: AuditRepository }) {
		this.#orm = orm
		this.#keys = keys
		this.#audit = audit
	}

	async begin(id: string, wish: ErasureWish, at: Date): Promise<void> {
		await runBound(this.#orm.em.fork(), `insert into erasures (id, begun_at, wish) values ($1::uuid, $2, ${encrypted('$3', '$1::uuid', 'wish')})`, [id, at, JSON.stringify(wish)])
	}

	async unfinished(): Promise<{ id: string, wish: ErasureWish }[]> {
		const rows = await runBound<{ id: string, wish: string }>(this.#orm.em.fork(), `select id, ${decrypted('wish', 'id', 'wish')} as wish from erasures order by begun_at`)
		return rows.map(({ id, wish }) => ({ id, wish: JSON.parse(wish) as ErasureWish }))
	}

	async finish(id: string, wish: ErasureWish, at: Date): Promise<{ receipt: SignedReceipt, changed: string[] }> {
		return this.#orm.em.fork().transactional(async (em) => {
			await runBound(em, 'select pg_advisory_xact_lock($1)', [ERASE_LOCK])
			if ((await runBound(em, 'delete from erasures where id = $1 returning id', [id])).length === 0) {
				const done = await findReceipt(em, id)
				if (done === undefined) {
					throw new TypeError('An erasure is neither to be done nor done')
				}
				return { receipt: done.receipt, changed: [] }
			}
			const { counts, changed } = await this.#erase(em, wish, at)
			const isForgotten = isForgetting(wish)
			await this.#audit.append({
				at,
				actor: wish.actor,
				action: isForgotten ? 'user.purged' : 'data.erased',
				detail: { receipt: id, scope: wish.target.scope, ...counts },
				...(wish.target.userId === undefined ? {} : { targetUserId: wish.target.userId }),
			}, em)
			const subject = await this.#subjectOf(em, wish.target)
			if (isForgotten) {
				await runBound(em, 'delete from audit_subjects where user_id = $1', [wish.target.userId])
			}
			const receipt = signReceipt({ receiptId: id, deletedAt: at, scope: wish.target.scope, by: wish.actor.kind, counts }, subject, this.#keys.auditKid, (kid, text) => this.#keys.receiptMac(kid, text))
			await insertReceipt(em, receipt, subject)
			return { receipt, changed }
		})
	}

	count(wish: ErasureWish): Promise<ErasureCounts> {
		const em = this.#orm.em.fork()
		const { target } = wish
		return target.scope === 'number'
			? countNumber(em, target, this.#keys)
			: countUser(em, target, isForgetting(wish))
	}

	async #erase(em: EntityManager, wish: ErasureWish, at: Date): Promise<{ counts: ErasureCounts, changed: string[] }> {
		const { target } = wish
		return target.scope === 'number'
			? eraseNumber(em, target, this.#keys, at)
			: { counts: await eraseUser(em, target, isForgetting(wish), this.#keys, at), changed: [] }
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
