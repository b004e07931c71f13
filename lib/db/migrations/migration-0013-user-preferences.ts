// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** What a user has chosen for themselves, encrypted: a number may be in it. Up to when missed calls were looked at is counted by. */
export class Migration0013UserPreferences extends Migration {
	override name = '0013-user-preferences'

	override up(): void {
		this.addSql('create table user_preferences (user_id text primary key, chosen text not null, seen_missed_at timestamptz(3))')
		this.addSql('create index calls_missed on calls (user_id, created_at) where direction = \'inbound\'')
	}
}
