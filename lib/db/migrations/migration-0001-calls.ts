// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Migration } from '@mikro-orm/migrations'

/**
 * Calls, their own history, idempotency keys, devices and settings, and the two functions that encrypt.
 *
 * The functions find the keys in settings of the connection (`sipcall.kid`, `sipcall.key_<kid>`), so that no key ever
 * stands in a statement. `s2k-mode=1` is enough because the passphrase is derived from 32 random bytes.
 */
export class Migration0001Calls extends Migration {
	override name = '0001-calls'

	override up(): void {
		this.addSql('create extension if not exists pgcrypto')
		this.addSql(`create function sipcall_encrypt(plain text) returns text language sql volatile parallel safe as $$
			select case when plain is null then null else
				current_setting('sipcall.kid') || ':' || translate(encode(pgp_sym_encrypt(plain,
					current_setting('sipcall.key_' || current_setting('sipcall.kid')),
					'cipher-algo=aes256, s2k-mode=1, compress-algo=0'), 'base64'), E'\\n', '')
			end $$`)
		this.addSql(`create function sipcall_decrypt(stored text) returns text language sql stable parallel safe as $$
			select case when stored is null then null else
				pgp_sym_decrypt(decode(split_part(stored, ':', 2), 'base64'), current_setting('sipcall.key_' || split_part(stored, ':', 1)))
			end $$`)
		this.addSql(`create table encryption_keys (
			kid text primary key,
			probe text not null,
			created_at timestamptz(3) not null default now()
		)`)
		this.addSql(`create table calls (
			uuid uuid primary key,
			version integer not null,
			user_id text not null,
			to_number text not null,
			to_index text not null,
			raw_to text not null,
			device_id uuid not null,
			device_label text not null,
			caller_id text,
			note text,
			tags text,
			direction text not null check (direction in ('outbound', 'inbound')),
			status text not null check (status in ('queued', 'calling_user', 'dialing', 'ringing', 'connected', 'ended')),
			outcome text check (outcome in ('completed', 'busy', 'no_answer', 'rejected', 'cancelled', 'failed', 'blocked')),
			ended_by text,
			leg text,
			cause jsonb,
			reason jsonb,
			created_at timestamptz(3) not null,
			user_answered_at timestamptz(3),
			ringing_at timestamptz(3),
			answered_at timestamptz(3),
			ended_at timestamptz(3),
			talk_ms integer,
			on_hold boolean not null,
			legs jsonb not null,
			job_uuid uuid not null,
			hangup_requested_at timestamptz(3),
			hangup_requested_by text,
			originate_failure jsonb,
			check ((status = 'ended') = (outcome is not null))
		)`)
		this.addSql('create index calls_history on calls (user_id, created_at desc, uuid desc)')
		this.addSql('create index calls_number on calls (user_id, to_index, created_at desc)')
		this.addSql('create index calls_open on calls (user_id) where status <> \'ended\'')
		this.addSql(`create table call_events (
			id bigint generated always as identity primary key,
			call_uuid uuid not null references calls on delete cascade,
			at timestamptz(3) not null,
			type text not null,
			leg text,
			detail jsonb
		)`)
		this.addSql('create index call_events_call on call_events (call_uuid, id)')
		this.addSql(`create table idempotency_keys (
			user_id text not null,
			key text not null,
			body_hash text not null,
			call_uuid uuid not null references calls on delete cascade,
			created_at timestamptz(3) not null,
			primary key (user_id, key)
		)`)
		this.addSql('create index idempotency_keys_age on idempotency_keys (created_at)')
		this.addSql(`create table devices (
			id uuid primary key,
			user_id text not null,
			kind text not null check (kind in ('sip', 'phone')),
			label text not null,
			address text not null,
			is_default boolean not null,
			verified boolean not null,
			position integer not null
		)`)
		this.addSql('create index devices_user on devices (user_id, position)')
		this.addSql('create unique index devices_one_default on devices (user_id) where is_default')
		// The shape that rate-limiter-flexible's RateLimiterPostgres works on; used when there is no Redis.
		this.addSql('create unlogged table rate_limits (key varchar(255) primary key, points integer not null default 0, expire bigint)')
		this.addSql('create table app_state (only_row boolean primary key default true check (only_row), enabled boolean not null)')
		this.addSql(`create table settings (
			key text primary key,
			-- null is a value: everyone may call, no home country
			value jsonb,
			updated_at timestamptz(3) not null
		)`)
	}
}
