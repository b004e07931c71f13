// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'
import type { SettingsCopy } from '../../policy/settings-store.ts'
import type { Settings } from '../../policy/settings.ts'

import { SettingEntity } from '../entities/device.entity.ts'

/** The last good copy of Nextcloud's app config, for the time when Nextcloud is away. */
export class SettingsRepository implements SettingsCopy {
	readonly #orm: MikroORM

	constructor({ orm }: { orm: MikroORM }) {
		this.#orm = orm
	}

	async load(): Promise<Partial<Settings>> {
		const rows = await this.#orm.em.fork().findAll(SettingEntity)
		return Object.fromEntries(rows.map(({ key, value }) => [key, value ?? null]))
	}

	async replace(settings: Partial<Settings>, at: Date): Promise<void> {
		await this.#orm.em.fork().transactional(async (em) => {
			await em.nativeDelete(SettingEntity, {})
			for (const [key, value] of Object.entries(settings)) {
				await em.insert(SettingEntity, { key, value, updatedAt: at })
			}
		})
	}
}
