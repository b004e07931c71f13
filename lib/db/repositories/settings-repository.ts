// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'
import type { Settings } from '../../calls/settings.ts'

import { DEFAULT_SETTINGS } from '../../calls/settings.ts'
import { SettingEntity } from '../entities/device.entity.ts'

/** Settings of this instance: what an admin saved, over the environment's, over the defaults. */
export class SettingsRepository {
	readonly #orm: MikroORM
	readonly #environment: Partial<Settings>
	#current: Settings | undefined

	constructor({ orm, environment }: { orm: MikroORM, environment: Partial<Settings> }) {
		this.#orm = orm
		this.#environment = environment
	}

	/** The settings in force; read once and then from memory, since only this process changes them. */
	async get(): Promise<Settings> {
		this.#current ??= { ...DEFAULT_SETTINGS, ...this.#environment, ...await this.saved() }
		return this.#current
	}

	/** What an admin has saved, and nothing else. */
	async saved(): Promise<Partial<Settings>> {
		const rows = await this.#orm.em.fork().findAll(SettingEntity)
		return Object.fromEntries(rows.filter(({ key }) => Object.hasOwn(DEFAULT_SETTINGS, key)).map(({ key, value }) => [key, value ?? null]))
	}

	/** Saves a valid change, all of it or nothing. */
	async save(change: Partial<Settings>, userId: string, now: Date): Promise<Settings> {
		await this.#orm.em.fork().transactional(async (em) => {
			for (const [key, value] of Object.entries(change)) {
				await em.upsert(SettingEntity, { key, value, updatedAt: now, updatedBy: userId })
			}
		})
		this.#current = undefined
		return this.get()
	}
}
