// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** What calls add up to: quickly while they are there, and still when they are deleted. */
export class Migration0012Metrics extends Migration {
	override name = '0012-metrics'

	override up(): void {
		// Beside the rate, which goes when a call is masked: sums of money need it for longer, and it says nothing of anybody.
		this.addSql('alter table calls add column currency text')
		this.addSql('update calls set currency = coalesce(rate, own_rate) #>> \'{perMinute,currency}\' where coalesce(rate, own_rate) is not null')
		this.addSql('alter table transfers add column currency text')
		this.addSql('update transfers set currency = calls.currency from calls where calls.uuid = call_uuid and transfers.reserved_micros is not null')
		// All that is added up stands in the index: the rows themselves, wide with what is encrypted, are not read.
		this.addSql(`create index calls_metrics on calls (created_at)
			include (user_id, outcome, currency, user_answered_at, answered_at, talk_ms, cost_micros, reserved_micros, transfer) where status = 'ended'`)

		// By day, without a user, a number or a country. An empty outcome stands for transfers, an empty currency for no price.
		this.addSql(`create table call_sums (
			day date not null,
			outcome text not null,
			currency text not null,
			calls integer not null,
			dialled integer not null,
			answered integer not null,
			talk_ms bigint not null,
			cost_micros numeric not null,
			pending_micros numeric not null,
			primary key (day, outcome, currency)
		)`)
		// A day of the time zone of now. PostgreSQL may not know a zone that Node knows: that must keep no call from being deleted.
		this.addSql(`create function sipcall_time_zone() returns text language plpgsql stable as $$
			declare zone text := coalesce((select value #>> '{}' from settings where key = 'timeZone'), 'UTC');
			begin
				perform now() at time zone zone;
				return zone;
			exception when invalid_parameter_value then
				return 'UTC';
			end $$`)
		// What a call has cost, and whether that is only what it may have cost at most (see settleCost in call-state.ts).
		this.addSql(`create function sipcall_is_pending(transfer text, talk_ms integer, cost_micros bigint, reserved_micros bigint) returns boolean language sql immutable parallel safe as $$
			select transfer is not null or (talk_ms is null and cost_micros = reserved_micros) $$`)
		// In the database, so that no way of deleting a call makes it vanish from the sums. In order, so that two deletions wait for each other and not crosswise.
		this.addSql(`create function sipcall_keep_sums() returns trigger language plpgsql as $$
			declare zone text := sipcall_time_zone();
			begin
				insert into call_sums as kept (day, outcome, currency, calls, dialled, answered, talk_ms, cost_micros, pending_micros)
					select (created_at at time zone zone)::date, outcome, coalesce(currency, ''), count(*), count(user_answered_at), count(answered_at), coalesce(sum(talk_ms), 0),
						coalesce(sum(cost_micros) filter (where not sipcall_is_pending(transfer, talk_ms, cost_micros, reserved_micros)), 0),
						coalesce(sum(cost_micros) filter (where sipcall_is_pending(transfer, talk_ms, cost_micros, reserved_micros)), 0)
					from gone where status = 'ended' group by 1, 2, 3 order by 1, 2, 3
				on conflict (day, outcome, currency) do update set calls = kept.calls + excluded.calls, dialled = kept.dialled + excluded.dialled, answered = kept.answered + excluded.answered,
					talk_ms = kept.talk_ms + excluded.talk_ms, cost_micros = kept.cost_micros + excluded.cost_micros, pending_micros = kept.pending_micros + excluded.pending_micros;
				return null;
			end $$`)
		this.addSql('create trigger calls_keep_sums after delete on calls referencing old table as gone for each statement execute function sipcall_keep_sums()')
		this.addSql(`create function sipcall_keep_sums_of_transfers() returns trigger language plpgsql as $$
			declare zone text := sipcall_time_zone();
			begin
				insert into call_sums as kept (day, outcome, currency, calls, dialled, answered, talk_ms, cost_micros, pending_micros)
					select (created_at at time zone zone)::date, '', coalesce(currency, ''), 0, 0, 0, 0, 0, sum(reserved_micros)
					from gone where reserved_micros is not null group by 1, 3 order by 1, 3
				on conflict (day, outcome, currency) do update set pending_micros = kept.pending_micros + excluded.pending_micros;
				return null;
			end $$`)
		this.addSql('create trigger transfers_keep_sums after delete on transfers referencing old table as gone for each statement execute function sipcall_keep_sums_of_transfers()')

		// Whoever calls has a reference, so that statistics can tell people apart without naming them, and reading changes nothing.
		this.addSql(`create function sipcall_refer_to() returns trigger language plpgsql as $$
			begin
				insert into audit_subjects (user_id, reference) values (new.user_id, encode(gen_random_bytes(16), 'hex')) on conflict (user_id) do nothing;
				return null;
			end $$`)
		this.addSql('create trigger calls_refer_to_user after insert on calls for each row execute function sipcall_refer_to()')
	}
}
