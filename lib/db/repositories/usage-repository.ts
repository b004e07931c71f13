// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'

export interface Usage {
	callsToday: number
	calls30Days: number
	lastCallAt: Date | undefined
}

const MONTH_MS = 30 * 24 * 60 * 60 * 1000

/** How much each user calls; no numbers, and nothing of whom. */
export class UsageRepository {
	readonly #orm: MikroORM

	constructor({ orm }: { orm: MikroORM }) {
		this.#orm = orm
	}

	/**
	 * Users who have not called are not in it.
	 *
	 * @param dayFrom when the day began that counts as today
	 */
	async of(userIds: readonly string[], at: Date, dayFrom: Date): Promise<Map<string, Usage>> {
		if (userIds.length === 0) {
			return new Map()
		}
		const rows = await this.#orm.em.getConnection().execute<{ user_id: string, today: number, month: number, last_at: Date | string }[]>(
			`select user_id, (count(*) filter (where created_at >= ?))::int as today, count(*)::int as month, max(created_at) as last_at
				from calls where created_at > ? and user_id in (${userIds.map(() => '?').join(', ')}) group by user_id`,
			[dayFrom, new Date(at.getTime() - MONTH_MS), ...userIds],
		)
		return new Map(rows.map((row) => [row.user_id, { callsToday: row.today, calls30Days: row.month, lastCallAt: new Date(row.last_at) }]))
	}
}
