// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/** Sign-ins of clients outside Nextcloud, with their refresh tokens, and the states of those that are only begun. */
export class Migration0002SignIn extends Migration {
	override name = '0002-sign-in'

	override up(): void {
		this.addSql(`create table oauth_states (
			hash text primary key,
			redirect_uri text,
			expires_at timestamptz(3) not null
		)`)
		this.addSql('create index oauth_states_age on oauth_states (expires_at)')
		this.addSql(`create table sign_ins (
			id uuid primary key,
			user_id text not null,
			created_at timestamptz(3) not null,
			expires_at timestamptz(3) not null
		)`)
		this.addSql('create index sign_ins_user on sign_ins (user_id)')
		this.addSql('create index sign_ins_age on sign_ins (expires_at)')
		this.addSql(`create table refresh_tokens (
			hash text primary key,
			sign_in_id uuid not null references sign_ins on delete cascade,
			expires_at timestamptz(3) not null,
			used_at timestamptz(3)
		)`)
		this.addSql('create index refresh_tokens_sign_in on refresh_tokens (sign_in_id)')
		this.addSql('create index refresh_tokens_age on refresh_tokens (expires_at)')
	}
}
