// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** What outlives the key that it was derived from, encrypted under the active one; see key-ring.ts. */
export class Migration0015KeyRotation extends Migration {
	override name = '0015-key-rotation'

	override up(): void {
		this.addSql('create table index_key (is_only boolean primary key default true check (is_only), wrapped text not null)')
		this.addSql(`create table seal_keys (
			kid text not null,
			purpose text not null check (purpose in ('audit chain', 'erasure receipt')),
			wrapped text not null,
			primary key (kid, purpose)
		)`)
		// Since when new rows are under it: the last one is the key that all others are brought under.
		this.addSql('alter table encryption_keys add column active_since timestamptz(3) not null default now()')
		this.addSql('update encryption_keys set active_since = created_at')
	}
}
