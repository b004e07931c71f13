// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** What one call adds to the sums of its day, and to its user's. */
const COUNTED = `(created_at at time zone zone)::date as day, sipcall_shard_of(user_id) as shard, user_id, coalesce(outcome, '') as outcome, sipcall_paid_currency(currency, carrier_cost) as currency,
	(user_answered_at is not null)::int as dialled, (answered_at is not null)::int as answered, coalesce(talk_ms, 0) as talk_ms,
	case when sipcall_is_pending(transfer, talk_ms, cost_micros, reserved_micros, carrier_cost) then 0 else coalesce(sipcall_paid_micros(cost_micros, carrier_cost), 0) end as cost_micros,
	case when sipcall_is_pending(transfer, talk_ms, cost_micros, reserved_micros, carrier_cost) then coalesce(cost_micros, 0) else 0 end as pending_micros`

/** What is there already is added to, or taken from. */
const ADD_DAYS = `on conflict (day, shard, outcome, currency) do update set calls = kept.calls + excluded.calls, dialled = kept.dialled + excluded.dialled, answered = kept.answered + excluded.answered,
	talk_ms = kept.talk_ms + excluded.talk_ms, cost_micros = kept.cost_micros + excluded.cost_micros, pending_micros = kept.pending_micros + excluded.pending_micros`
const ADD_USERS = `on conflict (day, user_id, currency) do update set calls = kept.calls + excluded.calls, answered = kept.answered + excluded.answered,
	talk_ms = kept.talk_ms + excluded.talk_ms, cost_micros = kept.cost_micros + excluded.cost_micros, pending_micros = kept.pending_micros + excluded.pending_micros`

/** The sums of whole days beside the calls, so that a month of millions is added up from thousands of rows. */
export class Migration0022CallDays extends Migration {
	override name = '0022-call-days'

	override up(): void {
		// A day's calls end in many transactions at once: in sixteen rows for each outcome they do not wait for each other.
		this.addSql(`create table call_days (
			day date not null,
			shard smallint not null,
			outcome text not null,
			currency text not null,
			calls integer not null,
			dialled integer not null,
			answered integer not null,
			talk_ms bigint not null,
			cost_micros numeric not null,
			pending_micros numeric not null,
			primary key (day, shard, outcome, currency)
		)`)
		this.addSql(`create table call_user_days (
			day date not null,
			user_id text not null,
			currency text not null,
			calls integer not null,
			answered integer not null,
			talk_ms bigint not null,
			cost_micros numeric not null,
			pending_micros numeric not null,
			primary key (day, user_id, currency)
		)`)
		// From which day on they are right, and whose days they are. Everything else is added up call by call.
		this.addSql(`create table call_days_state (
			is_only boolean primary key default true check (is_only),
			time_zone text not null,
			since date not null
		)`)
		this.addSql('insert into call_days_state (time_zone, since) select sipcall_time_zone(), case when exists (select from calls) then \'infinity\'::date else \'-infinity\' end')
		this.addSql('create function sipcall_shard_of(user_id text) returns smallint language sql immutable parallel safe as $$ select (hashtext(user_id) & 15)::smallint $$')

		// In the database, so that no way of changing a call is forgotten. Whoever has read the state holds it until the commit,
		// and whoever brings a day into the sums waits for all of them (CallDaysRepository).
		this.addSql(`create function sipcall_count_call(call calls, sign integer) returns void language plpgsql as $$
			declare
				zone text;
				first_day date;
			begin
				select time_zone, since into zone, first_day from call_days_state;
				if (call.created_at at time zone zone)::date < first_day then
					return;
				end if;
				insert into call_days as kept (day, shard, outcome, currency, calls, dialled, answered, talk_ms, cost_micros, pending_micros)
					select day, shard, outcome, currency, sign, sign * dialled, sign * answered, sign * talk_ms, sign * cost_micros, sign * pending_micros from (select ${COUNTED} from (select (call).*) as one) as counted
					${ADD_DAYS};
				insert into call_user_days as kept (day, user_id, currency, calls, answered, talk_ms, cost_micros, pending_micros)
					select day, user_id, currency, sign, sign * answered, sign * talk_ms, sign * cost_micros, sign * pending_micros from (select ${COUNTED} from (select (call).*) as one) as counted
					${ADD_USERS};
				if sign < 0 then
					delete from call_user_days where day = (call.created_at at time zone zone)::date and user_id = call.user_id and calls = 0;
				end if;
			end $$`)
		this.addSql(`create function sipcall_count_change() returns trigger language plpgsql as $$
			begin
				if new.status = 'ended' then
					perform sipcall_count_call(new, 1);
				end if;
				if tg_op = 'UPDATE' and old.status = 'ended' then
					perform sipcall_count_call(old, -1);
				end if;
				return null;
			end $$`)
		this.addSql('create trigger calls_count_new after insert on calls for each row when (new.status = \'ended\') execute function sipcall_count_change()')
		const counting = ['status', 'user_id', 'created_at', 'outcome', 'currency', 'user_answered_at', 'answered_at', 'talk_ms', 'cost_micros', 'reserved_micros', 'transfer', 'carrier_cost']
		const columnsOf = (row: string) => counting.map((column) => `${row}.${column}`).join(', ')
		this.addSql(`create trigger calls_count_change after update on calls for each row
			when ((old.status = 'ended' or new.status = 'ended') and (${columnsOf('old')}) is distinct from (${columnsOf('new')})) execute function sipcall_count_change()`)
		// Many at once, in order: two deletions wait for each other and not crosswise.
		this.addSql(`create function sipcall_uncount_calls() returns trigger language plpgsql as $$
			declare
				zone text;
				first_day date;
			begin
				select time_zone, since into zone, first_day from call_days_state;
				insert into call_days as kept (day, shard, outcome, currency, calls, dialled, answered, talk_ms, cost_micros, pending_micros)
					select day, shard, outcome, currency, -count(*), -sum(dialled), -sum(answered), -sum(talk_ms), -sum(cost_micros), -sum(pending_micros)
					from (select ${COUNTED} from gone where status = 'ended') as counted where day >= first_day group by 1, 2, 3, 4 order by 1, 2, 3, 4
					${ADD_DAYS};
				insert into call_user_days as kept (day, user_id, currency, calls, answered, talk_ms, cost_micros, pending_micros)
					select day, user_id, currency, -count(*), -sum(answered), -sum(talk_ms), -sum(cost_micros), -sum(pending_micros)
					from (select ${COUNTED} from gone where status = 'ended') as counted where day >= first_day group by 1, 2, 3 order by 1, 2, 3
					${ADD_USERS};
				-- Nothing is left of somebody who has no calls any more.
				delete from call_user_days where calls = 0 and (day, user_id) in (select (created_at at time zone zone)::date, user_id from gone);
				delete from call_days where calls = 0 and day in (select (created_at at time zone zone)::date from gone);
				return null;
			end $$`)
		this.addSql('create trigger calls_uncount after delete on calls referencing old table as gone for each statement execute function sipcall_uncount_calls()')
		// For those who bring a day into the sums, and for a restore, which changes calls past all triggers.
		this.addSql(`create function sipcall_forget_call_days(zone text) returns void language plpgsql as $$
			begin
				lock table call_days_state in access exclusive mode;
				delete from call_days;
				delete from call_user_days;
				update call_days_state set time_zone = zone, since = 'infinity';
			end $$`)
		this.addSql(`create function sipcall_sum_up(first_day date, begins timestamptz, ends timestamptz) returns void language plpgsql as $$
			declare zone text := (select time_zone from call_days_state);
			begin
				insert into call_days (day, shard, outcome, currency, calls, dialled, answered, talk_ms, cost_micros, pending_micros)
					select day, shard, outcome, currency, count(*), sum(dialled), sum(answered), sum(talk_ms), sum(cost_micros), sum(pending_micros)
					from (select ${COUNTED} from calls where status = 'ended' and created_at >= begins and created_at < ends) as counted group by 1, 2, 3, 4;
				insert into call_user_days (day, user_id, currency, calls, answered, talk_ms, cost_micros, pending_micros)
					select day, user_id, currency, count(*), sum(answered), sum(talk_ms), sum(cost_micros), sum(pending_micros)
					from (select ${COUNTED} from calls where status = 'ended' and created_at >= begins and created_at < ends) as counted group by 1, 2, 3;
				update call_days_state set since = first_day;
			end $$`)
	}
}
