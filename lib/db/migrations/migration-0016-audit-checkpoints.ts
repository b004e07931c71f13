// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** Where the audit log may be cut off, where it begins since it was, and indexes for the search for a person. */
export class Migration0016AuditCheckpoints extends Migration {
	override name = '0016-audit-checkpoints'

	override up(): void {
		this.addSql('create table audit_checkpoints (seq bigint primary key, hash text not null, at timestamptz(3) not null, kid text not null, signature text not null)')
		this.addSql(`create table audit_beginning (
			is_only boolean primary key default true check (is_only),
			seq bigint not null,
			hash text not null,
			dropped_at timestamptz(3) not null,
			audit_days integer not null check (audit_days >= 0),
			kid text not null,
			signature text not null
		)`)
		// It moves forward only, to a checkpoint, and only when all behind that is as old as it says.
		this.addSql(`create function sipcall_audit_beginning() returns trigger language plpgsql as $$
			begin
				if (tg_op = 'UPDATE' and new.seq <= old.seq) or not exists (select from audit_checkpoints as c
					where c.seq = new.seq and c.hash = new.hash and c.at + make_interval(days => new.audit_days) <= new.dropped_at) then
					raise exception 'The audit log cannot begin behind entry % : no checkpoint there is old enough', new.seq using errcode = '42501';
				end if;
				return new;
			end $$`)
		this.addSql('create trigger audit_beginning_moves_on before insert or update on audit_beginning for each row execute function sipcall_audit_beginning()')
		this.addSql('create trigger audit_beginning_append_only before delete or truncate on audit_beginning for each statement execute function sipcall_append_only()')
		// At the commit there is nothing in front of it: the two are done together or not at all.
		this.addSql(`create function sipcall_audit_dropped() returns trigger language plpgsql as $$
			begin
				if exists (select from audit_log where seq <= new.seq) then
					raise exception 'Entries are left in front of the beginning of the audit log' using errcode = '42501';
				end if;
				return null;
			end $$`)
		this.addSql('create constraint trigger audit_beginning_is_first after insert or update on audit_beginning deferrable initially deferred for each row execute function sipcall_audit_dropped()')
		// All up to the beginning goes in one statement, and nothing else ever does.
		this.addSql(`create function sipcall_audit_drop() returns trigger language plpgsql as $$
			declare
				beginning bigint := coalesce((select seq from audit_beginning), 0);
			begin
				if exists (select from gone where seq > beginning) or exists (select from audit_log where seq <= beginning) then
					raise exception 'The table % takes no delete : it is append-only', tg_table_name using errcode = '42501';
				end if;
				return null;
			end $$`)
		this.addSql('drop trigger audit_log_append_only on audit_log')
		this.addSql('create trigger audit_log_append_only before update or truncate on audit_log for each statement execute function sipcall_append_only()')
		this.addSql('create trigger audit_log_drops_ranges after delete on audit_log referencing old table as gone for each statement execute function sipcall_audit_drop()')
		this.addSql(`create function sipcall_audit_forget_checkpoints() returns trigger language plpgsql as $$
			begin
				if exists (select from gone where seq >= coalesce((select seq from audit_beginning), 0)) then
					raise exception 'The table % takes no delete : it is append-only', tg_table_name using errcode = '42501';
				end if;
				return null;
			end $$`)
		this.addSql('create trigger audit_checkpoints_append_only before update or truncate on audit_checkpoints for each statement execute function sipcall_append_only()')
		this.addSql('create trigger audit_checkpoints_forget after delete on audit_checkpoints referencing old table as gone for each statement execute function sipcall_audit_forget_checkpoints()')
		// The tables' owner can give itself these rights again, but not by mistake.
		this.addSql('revoke update, truncate on audit_log, audit_checkpoints from current_user')
		this.addSql('revoke delete, truncate on audit_head, audit_beginning from current_user')
		// References are hexadecimal digits and are searched by their beginnings.
		this.addSql('create index audit_log_actor on audit_log (actor text_pattern_ops, seq) where actor is not null')
		this.addSql('create index audit_log_target on audit_log (target text_pattern_ops, seq) where target is not null')
	}
}
