// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// An Idempotency-Key outlives its call, or a repetition would dial again. What is left of it names nobody.

import type { EntityManager } from '@mikro-orm/postgresql'
import type { KeyRing } from '../../privacy/key-ring.ts'

import { runBound } from '../bound-query.ts'

/**
 * Puts keyed hashes in the place of keys.
 *
 * @param which a condition on `idempotency_keys`, with these parameters
 */
export async function retireKeys(em: EntityManager, which: string, parameters: readonly unknown[], keys: KeyRing): Promise<void> {
	const gone = await runBound<{ user_id: string, key: string, created_at: Date }>(em, `delete from idempotency_keys where ${which} returning user_id, key, created_at`, parameters)
	await runBound(em, `insert into erased_keys (key_index, created_at) select * from unnest($1::text[], $2::timestamptz[])
		on conflict (key_index) do update set created_at = greatest(erased_keys.created_at, excluded.created_at)`, [gone.map((row) => keyIndex(keys, row.user_id, row.key)), gone.map((row) => row.created_at)])
}

/** Whether a key stood for a call that was erased. */
export async function isKeyRetired(em: EntityManager, userId: string, key: string, since: Date, keys: KeyRing): Promise<boolean> {
	return (await runBound(em, 'select from erased_keys where key_index = $1 and created_at >= $2', [keyIndex(keys, userId, key), since])).length > 0
}

export async function forgetRetiredKeys(em: EntityManager, before: Date): Promise<void> {
	await runBound(em, 'delete from erased_keys where created_at < $1', [before])
}

function keyIndex(keys: KeyRing, userId: string, key: string): string {
	return keys.blindIndex('key', `${userId}\0${key}`)
}
