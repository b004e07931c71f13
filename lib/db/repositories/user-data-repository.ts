// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'
import type { DepartureStore } from '../../privacy/departures.ts'

/** Every table that names a user. A table that is added and missing here fails a test. */
export const USER_TABLES = ['calls', 'devices', 'idempotency_keys', 'sign_ins', 'departed_users', 'user_rules', 'transfers', 'device_verifications', 'audit_subjects', 'user_preferences', 'call_user_days'] as const

/** Of whom something is stored, and who of them is missing in Nextcloud. */
export class UserDataRepository implements DepartureStore {
	readonly #orm: MikroORM

	constructor({ orm }: { orm: MikroORM }) {
		this.#orm = orm
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
