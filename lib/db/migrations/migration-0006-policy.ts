// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** What an admin has decided for a user, and what the policy must know of earlier calls: their country and their cost. */
export class Migration0006Policy extends Migration {
	override name = '0006-policy'

	override up(): void {
		this.addSql(`create table user_rules (
			user_id text primary key,
			may_call boolean,
			limits jsonb not null default '{}',
			locked_until timestamptz(3),
			locked_by text check (locked_by in ('refusals', 'admin')),
			approved_countries text[] not null default '{}',
			updated_at timestamptz(3) not null,
			check ((locked_until is null) = (locked_by is null))
		)`)
		// ISO 3166; null for calls from before, and for numbers that belong to no country.
		this.addSql('alter table calls add column country text')
		this.addSql('create index calls_country on calls (user_id, country)')
		// The rate of the moment at which the call was placed: a later one must not change what was spent.
		this.addSql('alter table calls add column rate jsonb')
		this.addSql('alter table calls add column reserved_micros bigint')
		this.addSql('alter table calls add column cost_micros bigint')
		this.addSql('create index calls_spent on calls (created_at) include (reserved_micros, cost_micros) where reserved_micros is not null')
	}
}
