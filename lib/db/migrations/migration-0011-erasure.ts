// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** Erasure on demand: what is still to be done, what was done, and what limits and keys need of what is gone. */
export class Migration0011Erasure extends Migration {
	override name = '0011-erasure'

	override up(): void {
		this.addSql('alter table calls add column erased_at timestamptz(3)')
		// What was asked for and is not done yet; the wish is encrypted, and its row goes in the transaction that does it.
		this.addSql('create table erasures (id uuid primary key, begun_at timestamptz(3) not null, wish text not null)')
		// No number and no user: the subject is the audit log's reference.
		this.addSql(`create table erasure_receipts (
			seq bigint generated always as identity primary key,
			id uuid not null unique,
			deleted_at timestamptz(3) not null,
			scope text not null check (scope in ('all', 'calls', 'number')),
			by text not null check (by in ('user', 'admin', 'console', 'system')),
			subject text,
			counts jsonb not null,
			signature text not null
		)`)
		this.addSql('create index on erasure_receipts (subject)')
		// A key stands for its call also when that is erased: as a keyed hash, for as long as keys are kept.
		this.addSql('create table erased_keys (key_index text primary key, created_at timestamptz(3) not null)')
		this.addSql('create index on erased_keys (created_at)')
		// What limits still count of calls that are erased: a keyed hash of the user, and for each number something random.
		this.addSql('create table erased_calls (user_index text not null, number_index text not null, created_at timestamptz(3) not null)')
		this.addSql('create index on erased_calls (user_index, created_at)')
		this.addSql('create index on erased_calls (created_at)')
		// It is a hash of few possible numbers: whoever has it can try them all. In the database, so that no way of deleting forgets it.
		this.addSql(`create function sipcall_forget_body() returns trigger language plpgsql as $$
			begin
				new.body_hash := '';
				return new;
			end $$`)
		this.addSql(`create trigger idempotency_keys_forget_body before update on idempotency_keys for each row
			when (new.call_uuid is null) execute function sipcall_forget_body()`)
		this.addSql('update idempotency_keys set body_hash = \'\' where call_uuid is null')
	}
}
