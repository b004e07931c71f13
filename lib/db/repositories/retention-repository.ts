// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'
import type { DueBefore, RetentionCounts, RetentionStore } from '../../privacy/retention.ts'

import { maskNumber } from '../../numbering/mask-number.ts'
import { runBound } from '../bound-query.ts'
import { decryptedOrMark, encrypted, UNREADABLE } from '../encrypted-text.ts'
import { LIMITS_MS } from './user-erasure.ts'

const BATCH = 200

export class RetentionRepository implements RetentionStore {
	readonly #orm: MikroORM

	constructor({ orm }: { orm: MikroORM }) {
		this.#orm = orm
	}

	/** What a run would do with these days. */
	async count({ deleted, masked }: DueBefore): Promise<RetentionCounts> {
		const [row] = await runBound<Record<'delete' | 'mask' | 'full' | 'masked' | 'erased', number>>(this.#orm.em.fork(), `
			select (count(*) filter (where status = 'ended' and ended_at <= $1))::int as delete,
				(count(*) filter (where status = 'ended' and ended_at > $1 and ended_at <= $2 and masked_at is null))::int as mask,
				(count(*) filter (where masked_at is null))::int as full,
				(count(*) filter (where masked_at is not null and erased_at is null))::int as masked,
				(count(*) filter (where erased_at is not null))::int as erased
			from calls`, [deleted, masked])
		const { delete: toDelete = 0, mask = 0, full = 0, masked: areMasked = 0, erased = 0 } = row ?? {}
		return { next: { delete: toDelete, mask }, kept: { full, masked: areMasked, erased } }
	}

	async deleteSome(endedBefore: Date): Promise<number> {
		const { affectedRows } = await this.#orm.em.getConnection().execute<{ affectedRows: number }>(
			`delete from calls where uuid in (select uuid from calls where status = 'ended' and ended_at <= ? limit ${BATCH})`,
			[endedBefore],
			'run',
		)
		return affectedRows
	}

	/** The columns are written over, not only hidden: what was there is gone with the next vacuum. */
	async maskSome(endedBefore: Date, at: Date): Promise<number> {
		return this.#orm.em.fork().transactional(async (em) => {
			const rows = await runBound<{ uuid: string, number: string }>(em, `
				select uuid, ${decryptedOrMark('to_number', 'uuid', 'to_number')} as number from calls
					where status = 'ended' and masked_at is null and ended_at <= $1 limit ${BATCH} for update skip locked`, [endedBefore])
			await runBound(em, `
				update calls set to_number = ${encrypted('shown', 'uuid', 'to_number')}, raw_to = ${encrypted('\'\'', 'uuid', 'raw_to')}, to_index = case when created_at < $3 then '' else to_index end,
					extension = null, note = null, tags = null, tag_index = null, rate = null, own_rate = null, masked_at = $4, changed_at = $4, version = version + 1
					from unnest($1::uuid[], $2::text[]) as masked (call, shown) where uuid = call`, [rows.map(({ uuid }) => uuid), rows.map(({ number }) => maskNumber(number === UNREADABLE ? '' : number)), new Date(at.getTime() - LIMITS_MS), at])
			return rows.length
		})
	}

	async forgetIndexes(at: Date): Promise<void> {
		const before = new Date(at.getTime() - LIMITS_MS)
		await this.#orm.em.getConnection().execute('update calls set to_index = \'\' where masked_at is not null and to_index <> \'\' and created_at < ?', [before])
		await this.#orm.em.getConnection().execute('delete from erased_calls where created_at < ?', [before])
	}

	async forgetSpent(before: Date): Promise<void> {
		await this.#orm.em.getConnection().execute('delete from spent_before where created_at < ?', [before])
	}
}
