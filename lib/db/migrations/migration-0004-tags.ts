// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** Finding calls by tag, what changed since a moment (for event streams), and transfers. */
export class Migration0004Tags extends Migration {
	override name = '0004-tags'

	override up(): void {
		// Keyed hashes, one for each tag and different for each user: the tags themselves stand encrypted in `tags`.
		this.addSql('alter table calls add column tag_index text[]')
		this.addSql('create index calls_tags on calls using gin (tag_index)')
		this.addSql('alter table calls add column changed_at timestamptz(3)')
		this.addSql('update calls set changed_at = coalesce(ended_at, created_at)')
		this.addSql('alter table calls alter column changed_at set not null')
		this.addSql('create index calls_changed on calls (user_id, changed_at, uuid)')
		this.addSql('alter table calls add column transfer text check (transfer in (\'asked\', \'done\'))')
	}
}
