// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the database holds of the keys: which of them its rows need, and the derived ones that outlive their master.

import type { EntityManager, MikroORM } from '@mikro-orm/postgresql'
import type { KeyRing, WrappedSealKey } from '../privacy/key-ring.ts'
import type { EncryptedTable } from './encrypted-columns.ts'

import { SipCallError } from '../errors.ts'
import { runBound } from './bound-query.ts'
import { ENCRYPTED_TABLES, kidOf, readColumn, WRAPPED_COLUMNS } from './encrypted-columns.ts'

/** SQL for rows in which something is under none of these keys. */
export function isUnderOther({ columns }: Pick<EncryptedTable, 'columns'>, kids: string): string {
	return columns.map((column) => `${kidOf(column)} <> all(${kids})`).join(' or ')
}

/** SQL for the ids of other keys than these that stand in a table, one row for each row that has it. */
export function otherKids(table: Pick<EncryptedTable, 'name' | 'columns'>, kids: string): string {
	return `select kid from ${table.name} cross join lateral (
			select distinct substring(stored from '^([0-9a-f]{8}):') as kid from unnest(array[${table.columns.map(readColumn).join(', ')}]) as stored where left(stored, 8) <> all(${kids})
		) as under where (${isUnderOther(table, kids)})`
}

/**
 * Checks that all keys are there which the data need, takes over the derived keys that are stored, and leaves them stored
 * under the active key. Whoever starts last says which key that is.
 *
 * @return the key that was active before, when it was another one
 * @throws {SipCallError} `storage_unavailable` when a key is missing or wrong; then nothing was changed
 */
export async function takeStoredKeys(orm: MikroORM, keys: KeyRing): Promise<string | undefined> {
	return orm.em.fork().transactional(async (em) => {
		// Two that start at once would choose the first key of the indexes each for itself.
		await runBound(em, 'lock table encryption_keys in share row exclusive mode')
		await refuseMissing(em, keys)
		const [index] = await runBound<{ wrapped: string }>(em, 'select wrapped from index_key')
		const [newest] = await runBound<{ kid: string }>(em, 'select kid from encryption_keys order by active_since desc, kid limit 1')
		const seals = await runBound<WrappedSealKey>(em, 'select kid, purpose, wrapped from seal_keys')
		try {
			if (index === undefined) {
				// A database from before they were stored: its indexes were made with the key of those days.
				keys.indexBy(newest?.kid ?? keys.activeKid)
			} else {
				keys.takeIndexKey(index.wrapped)
			}
			seals.forEach((seal) => keys.takeSealKey(seal))
		} catch (error) {
			throw new SipCallError('storage_unavailable', 'What is stored of the encryption keys is damaged: table index_key or seal_keys. Restore the database from a backup. Nothing was changed.', { cause: error })
		}
		await registerKey(em, keys.activeKid)
		await runBound(em, 'update encryption_keys set active_since = now() where kid = $1 and exists (select from encryption_keys other where other.kid <> $1 and other.active_since >= encryption_keys.active_since)', [keys.activeKid])
		await storeDerivedKeys(em, keys)
		await runBound(em, 'select sipcall_decrypt(probe) from encryption_keys')
		return newest?.kid === keys.activeKid ? undefined : newest?.kid
	})
}

const REGISTERED = 'select kid from encryption_keys where kid <> all($1)'

/** A key that does not fit must stop the start: rows written with another key could never be read together. */
async function refuseMissing(em: EntityManager, keys: KeyRing): Promise<void> {
	const loaded = keys.storageKeys.map(({ kid }) => kid)
	const found = new Set<string>()
	const look = async (statement: string) => (await runBound<{ kid: string | null }>(em, statement, [loaded])).forEach(({ kid }) => kid !== null && found.add(kid))
	await look(REGISTERED)
	for (const { table, column } of WRAPPED_COLUMNS) {
		await look(`select distinct left(${column}, 8) as kid from ${table} where left(${column}, 8) <> all($1)`)
	}
	// Rows too: a key that nothing needed any more may have been used again by a server that did not know.
	for (const table of ENCRYPTED_TABLES) {
		await look(`select distinct kid from (${otherKids(table, '$1')}) as others`)
	}
	refuseUnloaded(found)
}

/**
 * The same by the list alone, which every schema has: to be called before a migration reads what is encrypted.
 *
 * @throws {SipCallError} `storage_unavailable` when a key is missing; then nothing was changed
 */
export async function refuseMissingKeys(orm: MikroORM, keys: KeyRing): Promise<void> {
	const missing = await runBound<{ kid: string }>(orm.em.fork(), REGISTERED, [keys.storageKeys.map(({ kid }) => kid)])
	refuseUnloaded(new Set(missing.map(({ kid }) => kid)))
}

/** Rows are under keys that are not loaded. */
export class KeysMissing extends SipCallError {
	readonly kids: readonly string[]

	constructor(kids: readonly string[], message: string) {
		super('storage_unavailable', message)
		this.kids = kids
	}
}

function refuseUnloaded(found: ReadonlySet<string>): void {
	if (found.size > 0) {
		const kids = [...found].sort()
		throw new KeysMissing(kids, `Stored data needs the encryption key ${kids.join(', ')}, which is not loaded. Set DATABASE_ENCRYPTION_KEY (or DATABASE_ENCRYPTION_KEYS_PREVIOUS) to the key that was used, or restore encryption.key on the volume. Nothing was changed.`)
	}
}

/** Within a transaction: notes that rows may be under a key from now on. To be called before the first one is. */
export async function registerKey(em: EntityManager, kid: string): Promise<void> {
	await runBound(em, 'select set_config(\'sipcall.kid\', $1, true)', [kid])
	await runBound(em, 'insert into encryption_keys (kid, probe) values ($1, sipcall_encrypt(\'sipcall\')) on conflict (kid) do nothing', [kid])
}

/** Encrypts the derived keys under the active key, where they are not. */
export async function storeDerivedKeys(em: EntityManager, keys: KeyRing): Promise<void> {
	const isUnderAnother = 'where left(stored.wrapped, 8) <> left(excluded.wrapped, 8)'
	await runBound(em, `insert into index_key as stored (wrapped) values ($1) on conflict (is_only) do update set wrapped = excluded.wrapped ${isUnderAnother}`, [keys.wrapIndexKey()])
	for (const { kid, purpose, wrapped } of keys.wrapSealKeys()) {
		await runBound(em, `insert into seal_keys as stored (kid, purpose, wrapped) values ($1, $2, $3) on conflict (kid, purpose) do update set wrapped = excluded.wrapped ${isUnderAnother}`, [kid, purpose, wrapped])
	}
}
