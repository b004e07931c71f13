// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/**
 * One text that is damaged, was moved, or is under a key that is not there must not keep the calls beside it from being
 * shown, followed and masked: it is read as a mark that nobody can enter (`UNREADABLE` in encrypted-text.ts). What must know
 * the text fails as before, by `sipcall_decrypt`.
 */
export class Migration0023DamagedTexts extends Migration {
	override name = '0023-damaged-texts'

	override up(): void {
		// The conditions: not decrypted, no base64, no such key, and no name of a key.
		this.addSql(`create function sipcall_try_decrypt(stored text, place_row text, place_column text) returns text language plpgsql stable as $$
			begin
				return sipcall_decrypt(stored, place_row, place_column);
			exception when external_routine_invocation_exception or invalid_parameter_value or undefined_object or invalid_name then
				return E'\\x01';
			end $$`)
	}
}
