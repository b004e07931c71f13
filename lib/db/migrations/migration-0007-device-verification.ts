// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/**
 * Codes that phones are verified by. No foreign key: the list of devices is replaced as a whole, and a code must live
 * through a change of a name.
 */
export class Migration0007DeviceVerification extends Migration {
	override name = '0007-device-verification'

	override up(): void {
		this.addSql(`create table device_verifications (
			device_id uuid primary key,
			user_id text not null,
			phone_index text not null,
			salt text not null,
			code_hash text not null,
			tries_left integer not null check (tries_left >= 0),
			leg_uuid uuid not null,
			called_at timestamptz(3) not null,
			expires_at timestamptz(3) not null
		)`)
		this.addSql('create index on device_verifications (user_id)')
		this.addSql('create index on device_verifications (expires_at)')
	}
}
