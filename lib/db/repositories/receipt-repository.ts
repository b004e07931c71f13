// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager, MikroORM } from '@mikro-orm/postgresql'
import type { KeyRing } from '../../privacy/key-ring.ts'
import type { SignedReceipt } from '../../privacy/receipts.ts'

import { isValidReceipt } from '../../privacy/receipts.ts'
import { runBound } from '../bound-query.ts'
import { readSeqCursor, writeSeqCursor } from '../seq-cursor.ts'

export interface StoredReceipt {
	receipt: SignedReceipt
	/** Whether it is as it was signed. */
	valid: boolean
}

interface Columns {
	seq: string
	id: string
	deleted_at: Date | string
	scope: SignedReceipt['scope']
	by: SignedReceipt['by']
	subject: string | null
	counts: SignedReceipt['counts']
	signature: string
}

const COLUMNS = 'seq::text, id, deleted_at, scope, by, subject, counts, signature'

/** Receipts of erasures. */
export class ReceiptRepository {
	readonly #orm: MikroORM
	readonly #keys: KeyRing

	constructor({ orm, keys }: { orm: MikroORM, keys: KeyRing }) {
		this.#orm = orm
		this.#keys = keys
	}

	/**
	 * @param ownerId whose it must be; undefined = anybody's
	 */
	async find(id: string, ownerId?: string): Promise<StoredReceipt | undefined> {
		const [row] = await runBound<Columns>(this.#orm.em.fork(), `select ${COLUMNS} from erasure_receipts
			where id = $1 and ($2::text is null or subject = (select reference from audit_subjects where user_id = $2))`, [id, ownerId ?? null])
		return row === undefined ? undefined : this.#checked(row)
	}

	/** Those of a user who is not forgotten, newest first. */
	async ofUser(userId: string): Promise<SignedReceipt[]> {
		const rows = await runBound<Columns>(this.#orm.em.fork(), `select ${COLUMNS} from erasure_receipts
			where subject = (select reference from audit_subjects where user_id = $1) order by erasure_receipts.seq desc`, [userId])
		return rows.map(receiptOf)
	}

	/**
	 * Newest first, page by page.
	 *
	 * @throws {SipCallError} `invalid_request` for a cursor that is none of ours
	 */
	async page({ limit, cursor }: { limit: number, cursor?: string | undefined }): Promise<{ items: StoredReceipt[], nextCursor: string | undefined }> {
		const before = cursor === undefined ? null : readSeqCursor(cursor)
		const rows = await runBound<Columns>(this.#orm.em.fork(), `select ${COLUMNS} from erasure_receipts
			where $1::bigint is null or erasure_receipts.seq < $1 order by erasure_receipts.seq desc limit $2`, [before, limit + 1])
		const shown = rows.slice(0, limit)
		return { items: shown.map((row) => this.#checked(row)), nextCursor: rows.length > limit ? writeSeqCursor(Number(shown.at(-1)?.seq)) : undefined }
	}

	#checked(row: Columns): StoredReceipt {
		const receipt = receiptOf(row)
		return { receipt, valid: isValidReceipt(receipt, row.subject, (kid, text) => this.#keys.receiptMac(kid, text)) }
	}
}

/** Within the transaction of the erasure. */
export async function insertReceipt(em: EntityManager, { receiptId, deletedAt, scope, by, counts, signature }: SignedReceipt, subject: string | null): Promise<void> {
	await runBound(em, 'insert into erasure_receipts (id, deleted_at, scope, by, subject, counts, signature) values ($1, $2, $3, $4, $5, $6::jsonb, $7)', [receiptId, deletedAt, scope, by, subject, JSON.stringify(counts), signature])
}

export async function findReceipt(em: EntityManager, id: string): Promise<{ receipt: SignedReceipt } | undefined> {
	const [row] = await runBound<Columns>(em, `select ${COLUMNS} from erasure_receipts where id = $1`, [id])
	return row === undefined ? undefined : { receipt: receiptOf(row) }
}

function receiptOf({ id, deleted_at: deletedAt, scope, by, counts, signature }: Columns): SignedReceipt {
	return { receiptId: id, deletedAt: new Date(deletedAt), scope, by, counts, signature }
}
