// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** Several sidecars on one database: each hears of what another has stored, and counts what another has handed over. */
export class Migration0021Replicas extends Migration {
	override name = '0021-replicas'

	override up(): void {
		// In the database, so that no way of changing a call is forgotten, and told with the commit or not at all. No number and
		// no text: whoever wants to know more reads the row.
		this.addSql(`create function sipcall_tell_of_call() returns trigger language plpgsql as $$
			begin
				perform pg_notify('sipcall', json_build_object('of', 'call', 'origin', current_setting('sipcall.origin', true), 'uuid', new.uuid, 'userId', new.user_id, 'isEnded', new.status = 'ended')::text);
				return null;
			end $$`)
		this.addSql('create trigger calls_tell_of_new after insert on calls for each row execute function sipcall_tell_of_call()')
		this.addSql('create trigger calls_tell_of_change after update on calls for each row when (old.version is distinct from new.version) execute function sipcall_tell_of_call()')
		this.addSql(`create function sipcall_tell_of_table() returns trigger language plpgsql as $$
			begin
				perform pg_notify('sipcall', json_build_object('of', tg_argv[0], 'origin', current_setting('sipcall.origin', true))::text);
				return null;
			end $$`)
		this.addSql('create trigger settings_tell after insert or update or delete on settings for each statement execute function sipcall_tell_of_table(\'settings\')')
		this.addSql('create trigger app_state_tell after insert or update on app_state for each statement execute function sipcall_tell_of_table(\'enabled\')')

		// The people who were transferred and still talk hold lines: they count where calls are limited, in every sidecar and after
		// a restart. Without a reference to the call, which may be erased before they hang up; of the user only the blind index.
		this.addSql(`create table handed_over_legs (
			leg_uuid uuid primary key,
			user_index text not null,
			node text,
			created_at timestamptz(3) not null
		)`)
	}
}
