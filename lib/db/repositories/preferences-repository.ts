// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager, MikroORM } from '@mikro-orm/postgresql'
import type { Choices, Preferences, PreferencesChange } from '../../calls/preferences.ts'
import type { UserPreferencesRow } from '../entities/user-preferences.entity.ts'

import { changed, NO_PREFERENCES } from '../../calls/preferences.ts'
import { UserPreferencesEntity } from '../entities/user-preferences.entity.ts'
import { insertRow } from '../insert-row.ts'

/** What users have chosen for themselves. */
export class PreferencesRepository {
	readonly #orm: MikroORM

	constructor({ orm }: { orm: MikroORM }) {
		this.#orm = orm
	}

	async of(userId: string): Promise<Preferences> {
		return read(this.#orm.em.fork(), userId)
	}

	/**
	 * Changes what is given, also while another page of the same user changes something else.
	 *
	 * @return all of it, as it is then
	 */
	async change(userId: string, change: PreferencesChange): Promise<Preferences> {
		return this.#orm.em.fork().transactional(async (em) => {
			await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`preferences ${userId}`])
			const next = changed(await read(em, userId), change)
			const { seenMissedAt, ...choices } = next
			await em.nativeDelete(UserPreferencesEntity, { userId })
			await insertRow(em, UserPreferencesEntity, { userId, chosen: JSON.stringify(choices satisfies Choices), seenMissedAt })
			return next
		})
	}

	/** How many calls to the user nobody has picked up since the user last looked. */
	async countMissed(userId: string, since: Date | null): Promise<number> {
		const [row] = await this.#orm.em.getConnection().execute<{ count: number }[]>(
			'select count(*)::int as count from calls where user_id = ? and direction = \'inbound\' and status = \'ended\' and outcome <> \'completed\' and created_at > ?',
			[userId, since ?? new Date(0)],
		)
		return row?.count ?? 0
	}
}

async function read(em: EntityManager, userId: string): Promise<Preferences> {
	const row = await em.findOne(UserPreferencesEntity, { userId }, { disableIdentityMap: true })
	return row === null ? NO_PREFERENCES : preferencesOf(row)
}

function preferencesOf({ chosen, seenMissedAt }: UserPreferencesRow): Preferences {
	const { notifications, ...choices } = JSON.parse(chosen) as Partial<Choices>
	return { ...NO_PREFERENCES, ...choices, notifications: { ...NO_PREFERENCES.notifications, ...notifications }, seenMissedAt: seenMissedAt ?? null }
}
