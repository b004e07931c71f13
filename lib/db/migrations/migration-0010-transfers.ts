// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** Transfers count where calls are limited; the user's own phone costs as well; a key outlives its call. */
export class Migration0010Transfers extends Migration {
	override name = '0010-transfers'

	override up(): void {
		this.addSql(`create table transfers (
			id bigint generated always as identity primary key,
			call_uuid uuid not null references calls on delete cascade,
			user_id text not null,
			to_index text not null,
			country text,
			created_at timestamptz(3) not null,
			reserved_micros bigint
		)`)
		this.addSql('create index transfers_call on transfers (call_uuid)')
		this.addSql('create index transfers_user on transfers (user_id, created_at)')
		this.addSql('create index transfers_spent on transfers (created_at) include (reserved_micros) where reserved_micros is not null')
		this.addSql(`create function sipcall_keep_spent_by_transfer() returns trigger language plpgsql as $$
			begin
				insert into spent_before (created_at, micros) values (old.created_at, old.reserved_micros);
				return null;
			end $$`)
		this.addSql(`create trigger transfers_keep_spent after delete on transfers for each row
			when (old.reserved_micros > 0) execute function sipcall_keep_spent_by_transfer()`)
		this.addSql('alter table calls add column own_rate jsonb')
		// A key whose call was deleted still stands for it: a repetition must not dial again.
		this.addSql('alter table idempotency_keys drop constraint idempotency_keys_call_uuid_fkey')
		this.addSql('alter table idempotency_keys alter column call_uuid drop not null')
		this.addSql('alter table idempotency_keys add constraint idempotency_keys_call_uuid_fkey foreign key (call_uuid) references calls on delete set null')
		this.addSql('create index idempotency_keys_call on idempotency_keys (call_uuid)')
	}
}
