// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'
import type { RetentionStore } from '../../privacy/retention.ts'

import { maskNumber } from '../../numbering/mask-number.ts'

const BATCH = 200

export class RetentionRepository implements RetentionStore {
	readonly #orm: MikroORM

	constructor({ orm }: { orm: MikroORM }) {
		this.#orm = orm
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
			const rows = await em.execute<{ uuid: string, number: string }[]>(
				`select uuid, sipcall_decrypt(to_number) as number from calls
					where status = 'ended' and masked_at is null and ended_at <= ? limit ${BATCH} for update skip locked`,
				[endedBefore],
			)
			for (const { uuid, number } of rows) {
				await em.execute(
					`update calls set to_number = sipcall_encrypt(?), raw_to = sipcall_encrypt(''), to_index = '', extension = null, note = null, tags = null,
						tag_index = null, rate = null, masked_at = ?, changed_at = ?, version = version + 1 where uuid = ?`,
					[maskNumber(number), at, at, uuid],
				)
			}
			return rows.length
		})
	}

	async forgetSpent(before: Date): Promise<void> {
		await this.#orm.em.getConnection().execute('delete from spent_before where created_at < ?', [before])
	}
}
