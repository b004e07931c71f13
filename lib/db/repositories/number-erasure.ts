// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The statements that take a number out of calls, which stay without it, and out of everybody's phones.

import type { EntityManager } from '@mikro-orm/postgresql'
import type { KeyRing } from '../../privacy/key-ring.ts'
import type { ErasureCounts } from '../../privacy/receipts.ts'
import type { ErasureMoment } from './user-erasure.ts'

import { randomBytes } from 'node:crypto'
import { runBound } from '../bound-query.ts'
import { decrypted, encrypted } from '../encrypted-text.ts'
import { retireKeys } from './erased-keys.ts'
import { LIMITS_MS, NOTHING } from './user-erasure.ts'

export interface NumberTarget {
	/** The blind index of the number. */
	index: string
	/** E.164; left out where nobody knows it: then no phones go. */
	number?: string | undefined
	/** Without one in everybody's calls, and the phones that are this number go as well. */
	userId?: string | undefined
}

/** Phones have no index: there are a few for each user, and this is asked once in a while. */
const IS_PHONE = `kind = 'phone' and ${decrypted('address', 'id', 'address')} = $1`
const empty = (column: string) => `${column} = ${encrypted('\'\'', 'target.uuid', column)}`
const IS_CALLED = 'to_index = $1 and ($2::text is null or user_id = $2)'

export async function countNumber(em: EntityManager, { index, number, userId }: NumberTarget): Promise<ErasureCounts> {
	const [counts] = await runBound<Pick<ErasureCounts, 'calls' | 'transfers'>>(em, `
		select (select count(*)::int from calls where ${IS_CALLED}) as calls, (select count(*)::int from transfers where ${IS_CALLED}) as transfers`, [index, userId ?? null])
	const devices = userId === undefined ? await runBound(em, `select from devices where ${IS_PHONE}`, [number]) : []
	return { ...NOTHING, ...counts, devices: devices.length }
}

export async function eraseNumber(em: EntityManager, { index, number, userId }: NumberTarget, keys: KeyRing, { at, madeBy }: ErasureMoment): Promise<{ counts: ErasureCounts, changed: string[] }> {
	const called = [index, userId ?? null, madeBy ?? null]
	const isDue = `${IS_CALLED} and ($3::timestamptz is null or created_at <= $3)`
	const users = await runBound<{ user_id: string }>(em, `select user_id from calls where ${isDue} union select user_id from transfers where ${isDue}`, called)
	// Limits on different numbers go on counting it as one, for as long as they look back; nobody can tell any more as which.
	const random = [users.map((row) => row.user_id), users.map(() => randomBytes(16).toString('hex'))]
	const since = new Date(at.getTime() - LIMITS_MS)
	const anew = 'case when target.created_at < $6 then \'\' else random.number_index end'
	const ofUser = 'from unnest($4::text[], $5::text[]) as random (user_id, number_index) where to_index = $1 and ($2::text is null or target.user_id = $2) and ($3::timestamptz is null or target.created_at <= $3) and random.user_id = target.user_id'
	const transfers = await runBound(em, `update transfers target set to_index = ${anew}, country = null ${ofUser} returning id`, [...called, ...random, since])
	// The rate holds the beginning of the number. An open call needs the price until it ends.
	const price = (column: string) => `${column} = case when status = 'ended' then null else target.${column} || '{"prefix":""}' end`
	const calls = await runBound<{ uuid: string }>(em, `
		update calls target set ${empty('to_number')}, ${empty('raw_to')}, to_index = ${anew}, country = null, extension = null, note = null, tags = null, tag_index = null,
			${price('rate')}, ${price('own_rate')}, masked_at = coalesce(masked_at, $7), erased_at = $7, changed_at = $7, version = version + 1 ${ofUser} returning uuid`, [...called, ...random, since, at])
	const changed = calls.map(({ uuid }) => uuid)
	await retireKeys(em, 'call_uuid = any($1::uuid[])', [changed], keys)
	const devices = userId === undefined && number !== undefined ? await erasePhones(em, number, keys, madeBy) : 0
	return { counts: { ...NOTHING, calls: calls.length, transfers: transfers.length, devices }, changed }
}

/** The name of a phone may be a person's: it goes from the calls as well that it rang for. */
async function erasePhones(em: EntityManager, number: string, keys: KeyRing, madeBy: Date | undefined): Promise<number> {
	const phones = await runBound<{ id: string, user_id: string }>(em, `delete from devices where ${IS_PHONE} and ($2::timestamptz is null or created_at <= $2) returning id, user_id`, [number, madeBy ?? null])
	await runBound(em, 'delete from device_verifications where phone_index = $1 and ($2::timestamptz is null or called_at <= $2)', [keys.blindIndex('phone', number), madeBy ?? null])
	await runBound(em, `update calls target set ${empty('device_label')} where device_id = any($1::uuid[])`, [phones.map(({ id }) => id)])
	// Whoever has lost the phone that rings by default has another one at once, if there is one.
	await runBound(em, `
		update devices set is_default = true where id in (select distinct on (user_id) id from devices where user_id = any($1::text[]) order by user_id, position)
			and not exists (select from devices other where other.user_id = devices.user_id and other.is_default)`, [phones.map((row) => row.user_id)])
	return phones.length
}
