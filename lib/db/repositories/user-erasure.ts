// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The statements that erase a user's calls, or all that is held of a user.

import type { EntityManager } from '@mikro-orm/postgresql'
import type { KeyRing } from '../../privacy/key-ring.ts'
import type { ErasureCounts } from '../../privacy/receipts.ts'

import { runBound } from '../bound-query.ts'
import { retireKeys } from './erased-keys.ts'

export interface UserTarget {
	scope: 'all' | 'calls'
	userId: string
	/** Whether also what an admin has decided for the user goes. */
	isForgotten: boolean
}

export interface ErasureMoment {
	at: Date
	/** Only rows that were made until then go; all when left out. */
	madeBy?: Date | undefined
	/** Limits have counted already what goes now. */
	isCounted?: boolean
}

/** When a row of a user's was made. */
const MADE_AT = {
	transfers: 'created_at',
	calls: 'created_at',
	devices: 'created_at',
	sign_ins: 'created_at',
	device_verifications: 'called_at',
	departed_users: 'missing_since',
	user_preferences: 'created_at',
	user_rules: 'updated_at',
} as const

/** So far back look the limits that count rows, in whatever time zone the day is. */
export const LIMITS_MS = 48 * 60 * 60 * 1000

export const NOTHING: ErasureCounts = { calls: 0, transfers: 0, devices: 0, signIns: 0, rules: 0 }

export async function countUser(em: EntityManager, { scope, userId, isForgotten }: UserTarget): Promise<ErasureCounts> {
	const [counts] = await runBound<ErasureCounts>(em, `
		select (select count(*)::int from calls where user_id = $1) as calls,
			(select count(*)::int from transfers where user_id = $1) as transfers,
			(select count(*)::int from devices where user_id = $1 and $2) as devices,
			(select count(*)::int from sign_ins where user_id = $1 and $2) as "signIns",
			(select count(*)::int from user_rules where user_id = $1 and $3) as rules`, [userId, scope === 'all', isForgotten])
	return counts ?? NOTHING
}

export async function eraseUser(em: EntityManager, { scope, userId, isForgotten }: UserTarget, keys: KeyRing, { at, madeBy, isCounted }: ErasureMoment): Promise<ErasureCounts> {
	const due = [userId, madeBy ?? null]
	const isDue = (madeAt: string) => `user_id = $1 and ($2::timestamptz is null or ${madeAt} <= $2)`
	if (isCounted !== true) {
		await keepCounted(em, due, isDue('created_at'), keys.blindIndex('user', userId), new Date(at.getTime() - LIMITS_MS))
	}
	await retireKeys(em, isDue('created_at'), due, keys)
	const deleted = async (table: keyof typeof MADE_AT) => (await runBound<{ count: number }>(em, `with gone as (delete from ${table} where ${isDue(MADE_AT[table])} returning 1) select count(*)::int as count from gone`, due))[0]?.count ?? 0
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
async function keepCounted(em: EntityManager, due: readonly unknown[], isDue: string, userIndex: string, since: Date): Promise<void> {
	await runBound(em, `
		with recent as (
			select to_index, created_at from calls where ${isDue} and created_at >= $4
			union all select to_index, created_at from transfers where ${isDue} and created_at >= $4
		), random as materialized (
			select to_index, encode(gen_random_bytes(16), 'hex') as number_index from (select distinct to_index from recent) as numbers
		)
		insert into erased_calls (user_index, number_index, created_at) select $3, number_index, created_at from recent join random using (to_index)`, [...due, userIndex, since])
}
