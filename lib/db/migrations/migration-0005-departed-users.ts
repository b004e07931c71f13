// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** Users that Nextcloud does not list any more, and since when: their data go after a time of grace. */
export class Migration0005DepartedUsers extends Migration {
	override name = '0005-departed-users'

	override up(): void {
		this.addSql('create table departed_users (user_id text primary key, missing_since timestamptz(3) not null)')
	}
}
