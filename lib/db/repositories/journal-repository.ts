// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The erasure journal at work. On the volume stands what was erased; in the database, and so in each of its backups, which
// of that its data have seen. Whatever makes the two differ, a restore of ours or of somebody else's, or a power cut in
// the middle of an erasure, the next start erases again what the data have not seen.

import type { EntityManager, MikroORM } from '@mikro-orm/postgresql'
import type { Logger } from '../../logger.ts'
import type { Journal, JournalEntry, JournalKind } from '../../privacy/erasure-journal.ts'
import type { JournalFile } from '../../privacy/journal-file.ts'
import type { KeyRing, WrappedSealKey } from '../../privacy/key-ring.ts'
import type { ErasureCounts, ErasureScope } from '../../privacy/receipts.ts'
import type { AuditRepository } from './audit-repository.ts'
import type { EraseTarget } from './erase-target.ts'
import type { ErasureMoment } from './user-erasure.ts'

import { SipCallError } from '../../errors.ts'
import { beginningLine, entryLine, journalHash, keyLine, readJournal } from '../../privacy/erasure-journal.ts'
import { JournalFileError } from '../../privacy/journal-file.ts'
import { runBound } from '../bound-query.ts'
import { decrypted } from '../encrypted-text.ts'
import { storageFault } from '../storage-fault.ts'
import { eraseTarget, forgetSubject, takeEraseLock } from './erase-target.ts'
import { USER_TABLES } from './user-data-repository.ts'
import { NOTHING } from './user-erasure.ts'

/** What an erasure is noted by. */
export interface NotedTarget {
	scope: ErasureScope
	/** Left out when everybody's is meant. */
	userId?: string
	/** E.164. */
	number?: string
	isForgotten: boolean
}

export interface JournalRepositoryOptions {
	orm: MikroORM
	keys: KeyRing
	audit: AuditRepository
	file: JournalFile
	now: () => Date
	logger: Logger
}

const ROWS_AT_ONCE = 500

/** What of the data is meant by entries, each by its id. */
interface Found {
	users: Map<string, string>
	/** Blind indexes of the number; with the number where a row holds it. */
	numbers: Map<string, Map<string, string | undefined>>
}

interface StoredNumber {
	index: string | null
	/** What stands there in its place when it is masked. */
	number: string | null
}

export class JournalRepository {
	readonly #options: JournalRepositoryOptions

	constructor(options: JournalRepositoryOptions) {
		this.#options = options
	}

	/**
	 * Notes an erasure before it is done, within its transaction: on the disk when this resolves.
	 *
	 * @throws {SipCallError} `storage_unavailable` when it cannot be written: then nothing must be erased
	 */
	async note(em: EntityManager, id: string, { scope, userId, number, isForgotten }: NotedTarget, at: Date): Promise<void> {
		const { keys, file } = this.#options
		const line = entryLine({
			id,
			at,
			scope,
			isForgotten,
			...(userId === undefined ? {} : { user: userId }),
			...(number === undefined ? {} : { number, index: keys.blindIndex('number', number) }),
		}, keys.activeKid, this.#mac)
		await file.append([line])
		await runBound(em, 'insert into erasure_journal (id, at, line) values ($1, $2, $3) on conflict (id) do update set at = excluded.at, line = excluded.line', [id, at, line])
	}

	/**
	 * Brings onto the volume what only the database knows: another server's erasures, or all of them on a new volume. To be
	 * called before the data are replaced.
	 */
	async collect(): Promise<void> {
		await this.#alone(async (em) => {
			const { file } = this.#options
			const lines = await file.read()
			const stored = (await runBound<{ line: string }>(em, 'select line from erasure_journal order by at, id')).map(({ line }) => line)
			const here = new Set(lines)
			const lacking = stored.filter((line) => !here.has(line))
			if (lines === undefined) {
				const [beginning] = await runBound<{ at: Date | string }>(em, 'select at from journal_beginning')
				lacking.unshift(beginningLine(new Date(beginning?.at ?? this.#options.now())))
			}
			if (lacking.length > 0) {
				await file.append(lacking)
			}
		})
	}

	/**
	 * Whether a restore could erase again all that has to be.
	 *
	 * @param madeAt when the backup was made
	 * @throws {SipCallError} `wrong_state` saying what stands in the way
	 */
	async checkRestore(madeAt: Date, { force }: { force: boolean }): Promise<void> {
		const { path } = this.#options.file
		const { damaged, missingKids, beginning } = await this.#read()
		if (damaged.length > 0) {
			throw new SipCallError('wrong_state', `${damagedWords(path, damaged)} What it says could come back with the backup. Nothing was changed.`)
		}
		if (missingKids.length > 0) {
			throw new SipCallError('wrong_state', `${missingWords(path, missingKids)} What it says could come back with the backup. Nothing was changed.`)
		}
		if (!force && beginning !== undefined && madeAt.getTime() < beginning.getTime()) {
			throw new SipCallError('wrong_state', `This backup was made before the erasure journal of this volume begins (${beginning.toISOString()}): what was erased in between would come back. Put the journal of the volume that it was made on in the place of ${path}, or restore with --force. Nothing was changed.`)
		}
	}

	/** What is wrong with it; undefined when it cannot be read. */
	async look(): Promise<Pick<Journal, 'damaged' | 'missingKids'> | undefined> {
		return this.#read().catch((error: unknown) => {
			if (error instanceof JournalFileError) {
				return undefined
			}
			throw error
		})
	}

	/**
	 * Erases in these data what was erased and they have not seen. Nobody may use them before. Where the volume cannot be
	 * read nothing is known of it: then the log says so, and calling goes on.
	 *
	 * @param isCounted whether the present limits have counted already what is erased again: after a restore of ours
	 * @throws {SipCallError} `storage_unavailable`
	 */
	async catchUp(options: { isCounted: boolean }): Promise<void> {
		try {
			await this.#catchUp(options)
		} catch (error) {
			if (!(error instanceof JournalFileError)) {
				throw error
			}
			this.#options.logger.error(`${error.message} What was erased could be in these data again.`, { error })
		}
	}

	async #catchUp({ isCounted }: { isCounted: boolean }): Promise<void> {
		const { orm, file, logger } = this.#options
		await this.collect()
		const { entries, damaged, missingKids } = await this.#read()
		if (damaged.length > 0) {
			logger.error(damagedWords(file.path, damaged))
		}
		if (missingKids.length > 0) {
			logger.error(missingWords(file.path, missingKids))
		}
		// What is still to be done is done by those who have begun it.
		const seen = new Set((await runBound<{ id: string }>(orm.em.fork(), 'select id from erasure_journal union select id from erasures')).map(({ id }) => id))
		const pending = [...entries.values()].filter(({ id }) => !seen.has(id))
		if (pending.length > 0) {
			const found = await this.#find(pending)
			const [meant, others] = [pending.filter((entry) => targetsOf(entry, found).length > 0), pending.filter((entry) => targetsOf(entry, found).length === 0)]
			for (const entry of meant) {
				await this.#eraseAgain(entry, targetsOf(entry, found), isCounted)
			}
			await this.#alone((em) => this.#see(em, others))
			logger.warn('These data were older than the erasure journal: what it says was erased again', { entries: pending.length, found: meant.length })
		}
		await this.tidy(new Date(0))
	}

	/**
	 * Drops what no backup can be older than, and keeps the keys of what is left under the active one.
	 *
	 * @param before no backup is older
	 */
	async tidy(before: Date): Promise<void> {
		await this.#alone(async (em) => {
			const { keys, file } = this.#options
			const lines = await file.read() ?? []
			const { entries, keys: stored, beginning } = this.#parse(lines)
			const dropped = [...entries.values()].filter(({ at }) => Date.parse(at) < before.getTime())
			const kids = new Set([...entries.values()].filter((entry) => !dropped.includes(entry)).map(({ kid }) => kid))
			const isUnderActive = ({ kid, wrapped }: WrappedSealKey) => kids.has(kid) && wrapped.startsWith(`${keys.activeKid}:`)
			// The active one needs no place: it is derived from what is under.
			const lacking = [...kids].filter((kid) => kid !== keys.activeKid && !stored.some((key) => key.kid === kid && isUnderActive(key)))
			if (dropped.length === 0 && lacking.length === 0) {
				return
			}
			if (dropped.length > 0) {
				await runBound(em, 'delete from erasure_journal where id = any($1::uuid[])', [dropped.map(({ id }) => id)])
				await runBound(em, 'update journal_beginning set at = greatest(at, $1)', [before])
			}
			const start = beginning === undefined ? [] : [beginningLine(new Date(Math.max(beginning.getTime(), before.getTime())))]
			const wanted = keys.wrapSealKeys().filter(({ kid, purpose }) => purpose === 'erasure journal' && kids.has(kid) && kid !== keys.activeKid)
			// A line that cannot be read stays: it may be mended, and nobody knows how old it is.
			const gone = new Set([...dropped.map(({ line }) => line), ...stored.map(keyLine), ...(beginning === undefined ? [] : [beginningLine(beginning)])])
			await file.replace([...start, ...wanted.map(keyLine), ...lines.filter((line) => !gone.has(line))])
		})
	}

	readonly #mac = (kid: string, text: string) => this.#options.keys.journalMac(kid, text)

	#alone<Result>(work: (em: EntityManager) => Promise<Result>): Promise<Result> {
		return this.#options.orm.em.fork().transactional(async (em) => {
			await takeEraseLock(em)
			return work(em)
		})
	}

	async #read(): Promise<Journal> {
		return this.#parse(await this.#options.file.read() ?? [])
	}

	#parse(lines: readonly string[]): Journal {
		const { keys } = this.#options
		return readJournal(lines, (key) => {
			// Under a key that is gone: then it is here already, or its entries say that it is missing.
			if (keys.storageKeys.some(({ kid }) => key.wrapped.startsWith(`${kid}:`))) {
				keys.takeSealKey(key)
			}
		}, this.#mac)
	}

	async #eraseAgain(entry: JournalEntry, targets: readonly EraseTarget[], isCounted: boolean): Promise<void> {
		const { keys, audit, now } = this.#options
		await this.#alone(async (em) => {
			if (isCounted) {
				await runBound(em, 'select set_config(\'sipcall.is_counted\', \'on\', true)')
			}
			const moment: ErasureMoment = { at: now(), madeBy: new Date(entry.at), isCounted }
			let counts: ErasureCounts = NOTHING
			for (const target of targets) {
				counts = sum(counts, (await eraseTarget(em, target, keys, moment)).counts)
				if (entry.isForgotten === true && target.userId !== undefined) {
					await forgetSubject(em, target.userId, moment)
				}
			}
			if (Object.values(counts).some((count) => count > 0)) {
				await audit.append({ at: now(), actor: { kind: 'system' }, action: 'data.erased_again', detail: { receipt: entry.id, scope: entry.scope, ...counts } }, em)
			}
			await this.#see(em, [entry])
		})
	}

	/** These data have seen the entries from now on. */
	async #see(em: EntityManager, entries: readonly JournalEntry[]): Promise<void> {
		await runBound(em, 'insert into erasure_journal (id, at, line) select * from unnest($1::uuid[], $2::timestamptz[], $3::text[]) on conflict (id) do nothing', [entries.map(({ id }) => id), entries.map(({ at }) => at), entries.map(({ line }) => line)])
	}

	/** Goes through the data once, in steps, and asks of each value whether an entry means it. */
	async #find(pending: readonly JournalEntry[]): Promise<Found> {
		const { orm, keys } = this.#options
		const found: Found = { users: new Map(), numbers: new Map() }
		const kids = [...new Set(pending.map(({ kid }) => kid))]
		const wanted = new Map<string, JournalEntry[]>()
		for (const entry of pending) {
			for (const hash of [entry.user, entry.number, entry.index]) {
				if (hash !== undefined) {
					wanted.set(hash, [...wanted.get(hash) ?? [], entry])
				}
			}
		}
		const meant = (kind: JournalKind, value: string) => kids.flatMap((kid) => wanted.get(journalHash(kind, value, kid, this.#mac) ?? '') ?? [])
		const users = await runBound<{ user_id: string }>(orm.em.fork(), USER_TABLES.map((table) => `select user_id from ${table}`).join(' union '))
		for (const { user_id: userId } of users) {
			meant('user', userId).forEach(({ id }) => found.users.set(id, userId))
		}
		if (pending.every(({ scope }) => scope !== 'number')) {
			return found
		}
		const add = (entries: JournalEntry[], index: string, number: string | undefined) => entries.forEach(({ id }) => {
			const numbers = found.numbers.get(id) ?? new Map<string, string | undefined>()
			found.numbers.set(id, numbers.set(index, numbers.get(index) ?? number))
		})
		for await (const { index, number } of this.#numbers()) {
			// By the number too: data of another installation have another key for their indexes.
			const byNumber = number === null ? [] : meant('number', number)
			const at = index ?? (byNumber.length > 0 ? keys.blindIndex('number', number ?? '') : undefined)
			if (at !== undefined) {
				add(byNumber, at, number ?? undefined)
				add(meant('index', at), at, undefined)
			}
		}
		return found
	}

	/**
	 * Every number that is stored, as often as it is.
	 *
	 * @yields {object} of calls both, of transfers the blind index, of phones the number
	 */
	async* #numbers(): AsyncGenerator<StoredNumber> {
		yield* this.#pages('calls', 'uuid', 'uuid', 'to_index', decrypted('to_number', 'uuid', 'to_number'), 'to_index <> \'\'')
		yield* this.#pages('transfers', 'id', 'bigint', 'to_index', 'null', 'to_index <> \'\'')
		yield* this.#pages('devices', 'id', 'uuid', 'null', decrypted('address', 'id', 'address'), 'kind = \'phone\'')
	}

	async* #pages(table: string, key: string, keyType: string, index: string, number: string, condition: string): AsyncGenerator<StoredNumber> {
		let after: string | null = null
		for (;;) {
			const page = async (what: string) => runBound<StoredNumber & { at: string }>(this.#options.orm.em.fork(), `
				select ${key}::text as at, ${index}::text as index, ${what}::text as number from ${table}
					where ($1::${keyType} is null or ${key} > $1::${keyType}) and ${condition} order by ${key} limit ${ROWS_AT_ONCE}`, [after])
			const rows: (StoredNumber & { at: string })[] = await page(number).catch((error: unknown) => {
				if (error instanceof SipCallError || storageFault(error) !== undefined) {
					throw error
				}
				// One that is damaged must not hide those beside it from their indexes.
				return page('null')
			})
			yield* rows
			after = rows.at(-1)?.at ?? null
			if (rows.length < ROWS_AT_ONCE) {
				return
			}
		}
	}
}

function targetsOf({ id, scope, user, isForgotten }: JournalEntry, { users, numbers }: Found): EraseTarget[] {
	const userId = users.get(id)
	if (user !== undefined && userId === undefined) {
		return []
	}
	if (scope === 'number') {
		return [...numbers.get(id) ?? []].map(([index, number]) => ({ scope, index, number, userId }))
	}
	return userId === undefined ? [] : [{ scope, userId, isForgotten: isForgotten === true }]
}

function sum(one: ErasureCounts, other: ErasureCounts): ErasureCounts {
	return Object.fromEntries(Object.entries(one).map(([key, count]) => [key, count + other[key as keyof ErasureCounts]])) as unknown as ErasureCounts
}

function damagedWords(path: string, lines: readonly number[]): string {
	return `The erasure journal ${path} is damaged (${lines.length === 1 ? 'line' : 'lines'} ${lines.join(', ')}). Put it back from a copy of the volume; without one move it away and restart SIPCall, which writes it anew from what the database knows.`
}

function missingWords(path: string, kids: readonly string[]): string {
	return `The erasure journal ${path} needs the encryption key ${kids.join(', ')}, which is not loaded. Set DATABASE_ENCRYPTION_KEYS_PREVIOUS to it, or put encryption-<id>.key back on the volume, and restart SIPCall.`
}
