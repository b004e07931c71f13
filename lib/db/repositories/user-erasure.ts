// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The statements that erase a user's calls, or all that is held of a user.

import type { EntityManager } from '@mikro-orm/postgresql'
import type { KeyRing } from '../../privacy/key-ring.ts'
import type { ErasureCounts } from '../../privacy/receipts.ts'

import { runBound } from '../bound-query.ts'
import { retireKeys } from './erased-keys.ts'

interface UserTarget {
	scope: 'all' | 'calls'
	userId: string
}

/** So far back look the limits that count rows, in whatever time zone the day is. */
export const LIMITS_MS = 48 * 60 * 60 * 1000

export const NOTHING: ErasureCounts = { calls: 0, transfers: 0, devices: 0, signIns: 0, rules: 0 }

/**
 * @param isForgotten whether also what an admin has decided for the user goes
 */
export async function countUser(em: EntityManager, { scope, userId }: UserTarget, isForgotten: boolean): Promise<ErasureCounts> {
	const [counts] = await runBound<ErasureCounts>(em, `
		select (select count(*)::int from calls where user_id = $1) as calls,
			(select count(*)::int from transfers where user_id = $1) as transfers,
			(select count(*)::int from devices where user_id = $1 and $2) as devices,
			(select count(*)::int from sign_ins where user_id = $1 and $2) as "signIns",
			(select count(*)::int from user_rules where user_id = $1 and $3) as rules`, [userId, scope === 'all', isForgotten])
	return counts ?? NOTHING
}

export async function eraseUser(em: EntityManager, target: UserTarget, isForgotten: boolean, keys: KeyRing, at: Date): Promise<ErasureCounts> {
	const { scope, userId } = target
	await keepCounted(em, userId, keys.blindIndex('user', userId), new Date(at.getTime() - LIMITS_MS))
	await retireKeys(em, 'user_id = $1', [userId], keys)
	const deleted = async (table: string) => (await runBound<{ count: number }>(em, `with gone as (delete from ${table} where user_id = $1 returning 1) select count(*)::int as count from gone`, [userId]))[0]?.count ?? 0
	const counts = { ...NOTHING, transfers: await deleted('transfers'), calls: await deleted('calls') }
	if (scope === 'calls') {
		return counts
	}
	const all = { ...counts, devices: await deleted('devices'), signIns: await deleted('sign_ins') }
	await deleted('device_verifications')
	await deleted('departed_users')
	await deleted('user_preferences')
	return isForgotten ? { ...all, rules: await deleted('user_rules') } : all
}

/** Erasing must not make room in a limit: each number goes on counting as one, and nobody can tell any more as which. */
async function keepCounted(em: EntityManager, userId: string, userIndex: string, since: Date): Promise<void> {
	await runBound(em, `
		with recent as (
			select to_index, created_at from calls where user_id = $1 and created_at >= $3
			union all select to_index, created_at from transfers where user_id = $1 and created_at >= $3
		), random as materialized (
			select to_index, encode(gen_random_bytes(16), 'hex') as number_index from (select distinct to_index from recent) as numbers
		)
		insert into erased_calls (user_index, number_index, created_at) select $2, number_index, created_at from recent join random using (to_index)`, [userId, userIndex, since])
}
