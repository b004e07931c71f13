// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** What was encrypted when this ran: table, id, columns. */
const TEXTS: readonly [table: string, row: string, columns: readonly string[]][] = [
	['calls', 'uuid', ['to_number', 'raw_to', 'extension', 'device_label', 'caller_id', 'note', 'tags']],
	['devices', 'id', ['label', 'address']],
	['user_preferences', 'user_id', ['chosen']],
	['user_rules', 'user_id', ['lock_reason']],
	['erasures', 'id', ['wish']],
	['encryption_keys', 'kid', ['probe']],
]

/**
 * Encrypted texts are bound to their row and column, so that nobody who can write to the database can move one to where
 * somebody else reads it: the place stands in front of the text, inside the encryption. pgcrypto knows no associated data.
 */
export class Migration0018BoundTexts extends Migration {
	override name = '0018-bound-texts'

	override up(): void {
		// All texts in one transaction take longer than a statement otherwise may.
		this.addSql('set local statement_timeout = 0')
		this.addSql(`create function sipcall_unbound(plain text, place text) returns text language plpgsql immutable parallel safe as $$
			begin
				if not starts_with(plain, place) then
					raise exception 'An encrypted text stands elsewhere than where it was written' using errcode = '39000';
				end if;
				return substr(plain, length(place) + 1);
			end $$`)
		this.addSql(`create function sipcall_encrypt(plain text, place_row text, place_column text) returns text language sql volatile parallel safe as $$
			select sipcall_encrypt(place_row || ' ' || place_column || E'\\n' || plain) $$`)
		this.addSql(`create function sipcall_decrypt(stored text, place_row text, place_column text) returns text language sql stable parallel safe as $$
			select sipcall_unbound(sipcall_decrypt(stored), place_row || ' ' || place_column || E'\\n') $$`)
		// What cannot be read stays as it is: it must not keep all else from being used.
		this.addSql(`create function sipcall_bind(stored text, place_row text, place_column text) returns text language plpgsql volatile as $$
			begin
				return sipcall_encrypt(sipcall_decrypt(stored), place_row, place_column);
			exception when external_routine_invocation_exception or invalid_parameter_value then
				return stored;
			end $$`)
		for (const [table, row, columns] of TEXTS) {
			this.addSql(`update ${table} set ${columns.map((column) => `${column} = sipcall_bind(${column}, ${row}::text, '${column}')`).join(', ')}`)
		}
		// Of settings only secrets were encrypted; numbers are in others.
		this.addSql(`update settings set value = to_jsonb(case when value #>> '{}' ~ '^[0-9a-f]{8}:[A-Za-z0-9+/=]+$' then sipcall_bind(value #>> '{}', key, 'value') else sipcall_encrypt(value::text, key, 'value') end)
			where key in ('freeswitch', 'oauth', 'provider', 'cdrSecret', 'metricsToken', 'callerIds', 'allowedPrefixes', 'deniedPrefixes', 'rates')`)
		this.addSql('drop function sipcall_bind')
		// A hash of what was asked for, number and all, could be guessed by whoever has the disk: it is keyed from now on.
		this.addSql('update idempotency_keys set body_hash = \'\'')
	}
}
