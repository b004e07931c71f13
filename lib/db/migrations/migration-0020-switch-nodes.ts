// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** Which FreeSWITCH has a call, and after how long it is over there for certain. Calls from before have neither. */
export class Migration0020SwitchNodes extends Migration {
	override name = '0020-switch-nodes'

	override up(): void {
		this.addSql('alter table calls add column node text, add column longest_sec integer')
	}
}
