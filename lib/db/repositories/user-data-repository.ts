// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager, MikroORM } from '@mikro-orm/postgresql'
import type { DepartureStore } from '../../privacy/departures.ts'

/** Every table that names a user. A table that is added and missing here fails a test. */
export const USER_TABLES = ['calls', 'devices', 'idempotency_keys', 'sign_ins', 'departed_users', 'user_rules', 'transfers', 'device_verifications', 'audit_subjects', 'user_preferences'] as const

export interface UserDataCounts {
	calls: number
	devices: number
	signIns: number
}

/** All that is stored of one user, taken together. */
export class UserDataRepository implements DepartureStore {
	readonly #orm: MikroORM

	constructor({ orm }: { orm: MikroORM }) {
		this.#orm = orm
	}

	async count(userId: string): Promise<UserDataCounts> {
		const [counts] = await this.#orm.em.getConnection().execute<UserDataCounts[]>(
			`select (select count(*)::int from calls where user_id = ?) as calls,
				(select count(*)::int from devices where user_id = ?) as devices,
				(select count(*)::int from sign_ins where user_id = ?) as "signIns"`,
			[userId, userId, userId],
		)
		return counts ?? { calls: 0, devices: 0, signIns: 0 }
	}

	/**
	 * Deletes all of it, or nothing.
	 *
	 * @param beforeForgotten the last moment at which the user can be referred to; part of the transaction
	 */
	async erase(userId: string, beforeForgotten: (em: EntityManager, counts: UserDataCounts) => Promise<void>): Promise<UserDataCounts> {
		return this.#orm.em.fork().transactional(async (em) => {
			const deleted = async (table: string) => (await em.execute<{ affectedRows: number }>(`delete from ${table} where user_id = ?`, [userId], 'run')).affectedRows
			const counts = { calls: await deleted('calls'), devices: await deleted('devices'), signIns: await deleted('sign_ins') }
			// Keys of this user's calls are gone with them; one that stands for another's would be a fault, and goes as well.
			await deleted('idempotency_keys')
			await deleted('departed_users')
			await deleted('device_verifications')
			await deleted('user_rules')
			await deleted('user_preferences')
			// Transfers went with their calls.
			await beforeForgotten(em, counts)
			await deleted('audit_subjects')
			return counts
		})
	}

	async usersWithData(): Promise<string[]> {
		const rows = await this.#orm.em.getConnection().execute<{ user_id: string }[]>('select user_id from calls union select user_id from devices union select user_id from sign_ins union select user_id from user_rules union select user_id from audit_subjects union select user_id from user_preferences')
		return rows.map((row) => row.user_id)
	}

	async missingSince(): Promise<Map<string, Date>> {
		const rows = await this.#orm.em.getConnection().execute<{ user_id: string, missing_since: Date | string }[]>('select user_id, missing_since from departed_users')
		return new Map(rows.map((row) => [row.user_id, new Date(row.missing_since)]))
	}

	async noteMissing(userIds: readonly string[], at: Date): Promise<void> {
		for (const userId of userIds) {
			await this.#orm.em.getConnection().execute('insert into departed_users (user_id, missing_since) values (?, ?) on conflict do nothing', [userId, at])
		}
	}

	async forgetMissing(userIds: readonly string[]): Promise<void> {
		for (const userId of userIds) {
			await this.#orm.em.getConnection().execute('delete from departed_users where user_id = ?', [userId])
		}
	}
}
