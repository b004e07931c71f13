// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The one way in which something is erased: the first time, and again in data that are older than that.

import type { EntityManager } from '@mikro-orm/postgresql'
import type { KeyRing } from '../../privacy/key-ring.ts'
import type { ErasureCounts } from '../../privacy/receipts.ts'
import type { NumberTarget } from './number-erasure.ts'
import type { ErasureMoment, UserTarget } from './user-erasure.ts'

import { runBound } from '../bound-query.ts'
import { countNumber, eraseNumber } from './number-erasure.ts'
import { countUser, eraseUser } from './user-erasure.ts'

export type EraseTarget = ({ scope: 'number' } & NumberTarget) | UserTarget

/** Any fixed number: erasures take turns, so that two of them never wait for each other's rows. */
const ERASE_LOCK = 0x3a5e

/** Held until the transaction's end by whoever erases, or changes the erasure journal. */
export async function takeEraseLock(em: EntityManager): Promise<void> {
	await runBound(em, 'select pg_advisory_xact_lock($1)', [ERASE_LOCK])
}

export function countTarget(em: EntityManager, target: EraseTarget): Promise<ErasureCounts> {
	return target.scope === 'number' ? countNumber(em, target) : countUser(em, target)
}

/**
 * Within a transaction.
 *
 * @return how much, and the calls that have lost their number
 */
export async function eraseTarget(em: EntityManager, target: EraseTarget, keys: KeyRing, moment: ErasureMoment): Promise<{ counts: ErasureCounts, changed: string[] }> {
	return target.scope === 'number' ? eraseNumber(em, target, keys, moment) : { counts: await eraseUser(em, target, keys, moment), changed: [] }
}

/** Nobody can tell any more afterwards who that was. */
export async function forgetSubject(em: EntityManager, userId: string, { madeBy }: Pick<ErasureMoment, 'madeBy'> = {}): Promise<void> {
	await runBound(em, 'delete from audit_subjects where user_id = $1 and ($2::timestamptz is null or created_at <= $2)', [userId, madeBy ?? null])
}
