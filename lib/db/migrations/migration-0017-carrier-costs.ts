// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** What the company behind the trunk says that a call has cost, when it is asked next, and that the sums of money know it. */
export class Migration0017CarrierCosts extends Migration {
	override name = '0017-carrier-costs'

	override up(): void {
		this.addSql('alter table calls add column carrier_cost jsonb, add column carrier_cost_at timestamptz')
		this.addSql('create index calls_carrier_cost on calls (carrier_cost_at) where carrier_cost_at is not null')
		// As before, everything that is added up stands in it.
		this.addSql('drop index calls_metrics')
		this.addSql(`create index calls_metrics on calls (created_at)
			include (user_id, outcome, currency, user_answered_at, answered_at, talk_ms, cost_micros, reserved_micros, transfer, carrier_cost) where status = 'ended'`)

		// What the company has said counts, in its own currency; the limits on spending go on in that of the rates.
		this.addSql(`create function sipcall_paid_micros(cost_micros bigint, carrier_cost jsonb) returns bigint language sql immutable parallel safe as $$
			select coalesce((carrier_cost #>> '{cost,micros}')::bigint, cost_micros) $$`)
		this.addSql(`create function sipcall_paid_currency(currency text, carrier_cost jsonb) returns text language sql immutable parallel safe as $$
			select coalesce(carrier_cost #>> '{cost,currency}', currency, '') $$`)
		// What was asked for and never told is no more than what it may have cost (see costOf in call-cost.ts).
		this.addSql(`create function sipcall_is_pending(transfer text, talk_ms integer, cost_micros bigint, reserved_micros bigint, carrier_cost jsonb) returns boolean language sql immutable parallel safe as $$
			select carrier_cost #>> '{cost,micros}' is null
				and (carrier_cost is not null or coalesce(sipcall_is_pending(transfer, talk_ms, cost_micros, reserved_micros), false)) $$`)
		this.addSql(`create or replace function sipcall_keep_sums() returns trigger language plpgsql as $$
			declare zone text := sipcall_time_zone();
			begin
				insert into call_sums as kept (day, outcome, currency, calls, dialled, answered, talk_ms, cost_micros, pending_micros)
					select (created_at at time zone zone)::date, outcome, sipcall_paid_currency(currency, carrier_cost), count(*), count(user_answered_at), count(answered_at), coalesce(sum(talk_ms), 0),
						coalesce(sum(sipcall_paid_micros(cost_micros, carrier_cost)) filter (where not sipcall_is_pending(transfer, talk_ms, cost_micros, reserved_micros, carrier_cost)), 0),
						coalesce(sum(cost_micros) filter (where sipcall_is_pending(transfer, talk_ms, cost_micros, reserved_micros, carrier_cost)), 0)
					from gone where status = 'ended' group by 1, 2, 3 order by 1, 2, 3
				on conflict (day, outcome, currency) do update set calls = kept.calls + excluded.calls, dialled = kept.dialled + excluded.dialled, answered = kept.answered + excluded.answered,
					talk_ms = kept.talk_ms + excluded.talk_ms, cost_micros = kept.cost_micros + excluded.cost_micros, pending_micros = kept.pending_micros + excluded.pending_micros;
				return null;
			end $$`)
	}
}
