// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'

/** What a restarted process must know, because nobody tells it again. */
export class AppStateRepository {
	readonly #orm: MikroORM

	constructor({ orm }: { orm: MikroORM }) {
		this.#orm = orm
	}

	/** Whether Nextcloud has enabled the app; false before it ever has. */
	async isEnabled(): Promise<boolean> {
		const [row] = await this.#orm.em.getConnection().execute<{ enabled: boolean }[]>('select enabled from app_state')
		return row?.enabled ?? false
	}

	async setEnabled(isEnabled: boolean): Promise<void> {
		await this.#orm.em.getConnection().execute('insert into app_state (enabled) values (?) on conflict (only_row) do update set enabled = excluded.enabled', [isEnabled])
	}
}
