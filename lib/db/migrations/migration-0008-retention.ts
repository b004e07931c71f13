// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** Calls lose their numbers, and then go. What they have cost stays countable for as long as a limit looks back. */
export class Migration0008Retention extends Migration {
	override name = '0008-retention'

	override up(): void {
		this.addSql('alter table calls add column masked_at timestamptz(3)')
		this.addSql('create index calls_ended on calls (ended_at) where status = \'ended\'')
		this.addSql('create index calls_unmasked on calls (ended_at) where status = \'ended\' and masked_at is null')
		// Without a user, a number or a country: nobody can be told from it.
		this.addSql('create table spent_before (created_at timestamptz(3) not null, micros bigint not null)')
		this.addSql('create index spent_before_time on spent_before (created_at)')
		// In the database, so that no way of deleting a call makes room within a limit that protects money.
		this.addSql(`create function sipcall_keep_spent() returns trigger language plpgsql as $$
			begin
				insert into spent_before (created_at, micros) values (old.created_at, coalesce(old.cost_micros, old.reserved_micros));
				return null;
			end $$`)
		this.addSql(`create trigger calls_keep_spent after delete on calls for each row
			when (coalesce(old.cost_micros, old.reserved_micros) > 0) execute function sipcall_keep_spent()`)
	}
}
