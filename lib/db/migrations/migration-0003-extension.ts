// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** The keys that are pressed once the destination has answered; encrypted, since a PIN may be among them. */
export class Migration0003Extension extends Migration {
	override name = '0003-extension'

	override up(): void {
		this.addSql('alter table calls add column extension text')
	}
}
