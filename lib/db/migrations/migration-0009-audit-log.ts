// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** Who did what: rows that are only ever added, each bound to the one before by a keyed hash. */
export class Migration0009AuditLog extends Migration {
	override name = '0009-audit-log'

	override up(): void {
		this.addSql(`create table audit_log (
			seq bigint primary key check (seq > 0),
			at timestamptz(3) not null,
			actor_kind text not null check (actor_kind in ('user', 'admin', 'system', 'console', 'nextcloud')),
			actor text,
			action text not null,
			target text,
			detail jsonb not null,
			kid text not null,
			hash text not null
		)`)
		this.addSql('create index audit_log_action on audit_log (action, seq)')
		this.addSql('create index audit_log_at on audit_log (at)')
		// The only place that says whom a reference means: without the row it means nobody.
		this.addSql('create table audit_subjects (user_id text primary key, reference text not null unique)')
		// Where the log ends, sealed with the key: otherwise nobody would miss entries that are taken off its end.
		this.addSql('create table audit_head (is_only boolean primary key default true check (is_only), seq bigint not null, hash text not null, kid text not null, seal text not null)')
		this.addSql(`create function sipcall_append_only() returns trigger language plpgsql as $$
			begin
				raise exception 'The table % takes no % : it is append-only', tg_table_name, lower(tg_op) using errcode = '42501';
			end $$`)
		this.addSql('create trigger audit_log_append_only before update or delete or truncate on audit_log for each statement execute function sipcall_append_only()')
		this.addSql('create trigger audit_head_append_only before delete or truncate on audit_head for each statement execute function sipcall_append_only()')
	}
}
