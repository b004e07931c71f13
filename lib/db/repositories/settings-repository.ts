// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'
import type { SettingsCopy } from '../../policy/settings-store.ts'
import type { SavedSettings } from '../../policy/settings.ts'

import { CompiledQuery } from 'kysely'
import { PRIVATE_SETTINGS } from '../../policy/settings-changes.ts'
import { decrypted, encrypted } from '../encrypted-text.ts'

/** The last good copy of Nextcloud's app config, for the time when Nextcloud is away. Secrets and numbers in it are encrypted. */
export class SettingsRepository implements SettingsCopy {
	readonly #orm: MikroORM

	constructor({ orm }: { orm: MikroORM }) {
		this.#orm = orm
	}

	async load(): Promise<SavedSettings> {
		const { rows } = await this.#orm.em.fork().getKysely().executeQuery<{ key: string, value: unknown }>(CompiledQuery.raw(
			`select key, case when key = any($1) then ${decrypted('value #>> \'{}\'', 'key', 'value')}::jsonb else value end as value from settings`,
			[[...PRIVATE_SETTINGS]],
		))
		return Object.fromEntries(rows.map(({ key, value }) => [key, value ?? null]))
	}

	/** With bound parameters: MikroORM would write a password into the text of the statement. */
	async replace(settings: SavedSettings, at: Date): Promise<void> {
		await this.#orm.em.fork().transactional(async (em) => {
			const database = em.getKysely()
			await database.executeQuery(CompiledQuery.raw('delete from settings'))
			for (const [key, value] of Object.entries(settings)) {
				await database.executeQuery(CompiledQuery.raw(
					`insert into settings (key, value, updated_at) values ($1, case when $1 = any($2) then to_jsonb(${encrypted('$3', '$1', 'value')}) else $3::jsonb end, $4)`,
					[key, [...PRIVATE_SETTINGS], JSON.stringify(value), at],
				))
			}
		})
	}
}
