// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'
import type { KeyRing } from '../../privacy/key-ring.ts'
import type { RotationStep, RotationStore, StoredUnder } from '../../privacy/rotation.ts'
import type { EncryptedTable } from '../encrypted-columns.ts'

import { SipCallError } from '../../errors.ts'
import { runBound } from '../bound-query.ts'
import { encryptAgain, ENCRYPTED_TABLES, kidOf, readColumn, WRAPPED_COLUMNS } from '../encrypted-columns.ts'
import { storageFault } from '../storage-fault.ts'
import { isUnderOther, otherKids, registerKey, storeDerivedKeys } from '../stored-keys.ts'

/** Few enough that a call whose row is among them waits for some hundredths of a second. */
const BATCH = 100

/** Brings rows under the active key. Where it has stopped is in the rows themselves: each names its key. */
export class RotationRepository implements RotationStore {
	readonly #orm: MikroORM
	readonly #keys: KeyRing

	constructor({ orm, keys }: { orm: MikroORM, keys: KeyRing }) {
		this.#orm = orm
		this.#keys = keys
	}

	async count(): Promise<StoredUnder> {
		const em = this.#orm.em.fork()
		const { activeKid } = this.#keys
		const stored = await runBound<{ kid: string, since: string }>(em, 'select kid, active_since as since from encryption_keys order by active_since desc, kid')
		const known = [...new Set([...stored, ...this.#keys.storageKeys].map(({ kid }) => kid))].filter((kid) => kid !== activeKid)
		const earlier = new Map<string, number>(known.map((kid) => [kid, 0]))
		const add = (kid: string, rows: number) => earlier.set(kid, (earlier.get(kid) ?? 0) + rows)
		let [total, left] = [0, 0]
		for (const table of ENCRYPTED_TABLES) {
			const [rows] = await runBound<{ total: number, left: number, unknown: number, known: number[] }>(em, `
				select (count(*) filter (where coalesce(${table.columns.map(readColumn).join(', ')}) is not null))::int as total,
					(count(*) filter (where ${isUnderOther(table, '$1')}))::int as left,
					(count(*) filter (where ${isUnderOther(table, '$2')}))::int as unknown,
					array[${known.map((_kid, at) => `(count(*) filter (where ${table.columns.map((column) => `${kidOf(column)} = $${at + 3}`).join(' or ')}))::int`).join(', ')}]::int[] as known
				from ${table.name}`, [[activeKid], [activeKid, ...known], ...known])
			total += rows?.total ?? 0
			left += rows?.left ?? 0
			known.forEach((kid, at) => add(kid, rows?.known[at] ?? 0))
			if (rows !== undefined && rows.unknown > 0) {
				const others = await runBound<{ kid: string, count: number }>(em, `select kid, count(*)::int as count from (${otherKids(table, '$1')}) as others where kid is not null group by kid`, [[activeKid, ...known]])
				others.forEach(({ kid, count }) => add(kid, count))
			}
		}
		const since = stored.find(({ kid }) => kid === activeKid)?.since
		return {
			newest: stored[0]?.kid,
			activeSince: since === undefined ? undefined : new Date(since),
			total,
			left,
			earlier: [...earlier].map(([kid, rows]) => ({ kid, rows })),
		}
	}

	// Once through all tables. A row that somebody else holds is left for the next time.
	async* pass(): AsyncGenerator<RotationStep> {
		for (const table of ENCRYPTED_TABLES) {
			let after: string | null = null
			for (;;) {
				const step: { changed: number, last: string | null, unreadable: number } = await this.#some(table, after)
				yield { changed: step.changed, unreadable: step.unreadable }
				if (step.last === null) {
					break
				}
				after = step.last
			}
		}
	}

	async register(kid: string): Promise<void> {
		await this.#orm.em.fork().transactional((em) => registerKey(em, kid))
	}

	async storeDerivedKeys(): Promise<void> {
		await this.#orm.em.fork().transactional((em) => storeDerivedKeys(em, this.#keys))
	}

	/** In one transaction, so that what is counted is what is forgotten. */
	async retire(): Promise<string[]> {
		return this.#orm.em.fork().transactional(async (em) => {
			await runBound(em, 'lock table encryption_keys in share row exclusive mode')
			const active = [this.#keys.activeKid]
			const [newest] = await runBound<{ kid: string }>(em, 'select kid from encryption_keys order by active_since desc, kid limit 1')
			if (newest?.kid !== this.#keys.activeKid) {
				return []
			}
			const needed = new Set(active)
			for (const { table, column } of WRAPPED_COLUMNS) {
				(await runBound<{ kid: string }>(em, `select distinct left(${column}, 8) as kid from ${table}`)).forEach(({ kid }) => needed.add(kid))
			}
			for (const table of ENCRYPTED_TABLES) {
				(await runBound<{ kid: string }>(em, `select distinct kid from (${otherKids(table, '$1')}) as others where kid is not null`, [active])).forEach(({ kid }) => needed.add(kid))
			}
			const gone = await runBound<{ kid: string }>(em, 'delete from encryption_keys where kid <> all($1) returning kid', [[...needed]])
			return gone.map(({ kid }) => kid)
		})
	}

	// One row that cannot be read must not keep those beside it: then they are gone through one by one.
	async #some(table: EncryptedTable, after: string | null): Promise<{ changed: number, last: string | null, unreadable: number }> {
		try {
			return { ...await this.#batch(table, after, BATCH), unreadable: 0 }
		} catch (error) {
			refuseFault(error)
		}
		let [changed, unreadable] = [0, 0]
		let last = after
		for (let row = 0; row < BATCH; row++) {
			const next = await this.#next(table, last)
			if (next === undefined) {
				return { changed, last: null, unreadable }
			}
			try {
				changed += (await this.#batch(table, last, 1)).changed
			} catch (error) {
				refuseFault(error)
				unreadable++
			}
			last = next
		}
		return { changed, last, unreadable }
	}

	/** @return the key of the last row; null when there are no more */
	async #batch(table: EncryptedTable, after: string | null, limit: number): Promise<{ changed: number, last: string | null }> {
		const { name, key, keyType, columns } = table
		const set = columns.map((column) => `${column.name} = case when ${kidOf(column)} <> all($1) then ${encryptAgain(table, column)} else ${column.name} end`)
		const [done] = await runBound<{ changed: number, last: string | null }>(this.#orm.em.fork(), `
			with earlier as (select ${key} as at from ${name} where ($2::${keyType} is null or ${key} > $2::${keyType}) and (${isUnderOther(table, '$1')}) order by ${key} limit $3 for update skip locked),
				changed as (update ${name} set ${set.join(', ')} from earlier where ${key} = at returning ${key} as at)
			select (select count(*)::int from changed) as changed, (select at::text from changed order by at desc limit 1) as last`, [[this.#keys.activeKid], after, limit])
		const { changed = 0, last = null } = done ?? {}
		return { changed, last: changed < limit ? null : last }
	}

	async #next({ name, key, keyType, columns }: EncryptedTable, after: string | null): Promise<string | undefined> {
		const [found] = await runBound<{ at: string }>(this.#orm.em.fork(), `select ${key}::text as at from ${name}
			where ($2::${keyType} is null or ${key} > $2::${keyType}) and (${isUnderOther({ columns }, '$1')}) order by ${key} limit 1`, [[this.#keys.activeKid], after])
		return found?.at
	}
}

/** What a wrong key or a damaged value makes PostgreSQL say is the row's own fault; all else is thrown on. */
function refuseFault(error: unknown): void {
	if (error instanceof SipCallError || storageFault(error) !== undefined) {
		throw error
	}
}
