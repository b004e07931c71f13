// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** Why an admin has locked somebody: said of a person, and so encrypted. */
export class Migration0014LockReason extends Migration {
	override name = '0014-lock-reason'

	override up(): void {
		this.addSql('alter table user_rules add column lock_reason text')
	}
}
