// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** Which erasures these data have seen, and when rows were made that did not say so: what is older than an erasure can be told. */
export class Migration0019ErasureJournal extends Migration {
	override name = '0019-erasure-journal'

	override up(): void {
		// A line as on the volume. Part of every backup: data that come back say themselves what they have not seen.
		this.addSql('create table erasure_journal (id uuid primary key, at timestamptz(3) not null, line text not null)')
		this.addSql('create table journal_beginning (is_only boolean primary key default true check (is_only), at timestamptz(3) not null)')
		this.addSql('insert into journal_beginning (at) values (now())')
		for (const table of ['devices', 'user_preferences', 'audit_subjects']) {
			this.addSql(`alter table ${table} add column created_at timestamptz(3) not null default '-infinity'`)
			this.addSql(`alter table ${table} alter column created_at set default now()`)
		}
		this.addSql('alter table seal_keys drop constraint seal_keys_purpose_check')
		this.addSql('alter table seal_keys add constraint seal_keys_purpose_check check (purpose in (\'audit chain\', \'erasure receipt\', \'erasure journal\'))')
		// What is erased again after a restore was counted when it was erased first: that count is in no backup and has stayed.
		for (const [name, micros] of [['sipcall_keep_spent', 'coalesce(old.cost_micros, old.reserved_micros)'], ['sipcall_keep_spent_by_transfer', 'old.reserved_micros']]) {
			this.addSql(`create or replace function ${name}() returns trigger language plpgsql as $$
				begin
					if current_setting('sipcall.is_counted', true) is distinct from 'on' then
						insert into spent_before (created_at, micros) values (old.created_at, ${micros});
					end if;
					return null;
				end $$`)
		}
	}
}
