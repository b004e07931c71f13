// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A change of the encryption key while calls go on: new rows are under the new key at once, the others are brought
// under it in small steps. What is left to do stands in the rows, so it can be cut off at any moment and goes on later.

import type { Logger } from '../logger.ts'
import type { AuditTrail } from './audit-trail.ts'
import type { AuditActor } from './audit.ts'
import type { KeyRing } from './key-ring.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { SipCallError } from '../errors.ts'

export interface RotationStep {
	/** So many rows are under the active key now. */
	changed: number
	/** So many could not be decrypted, and stay as they are. */
	unreadable: number
}

/** Which keys the stored rows are under. */
export interface StoredUnder {
	/** The key that became active last; another than ours when another server has a newer one. */
	newest: string | undefined
	activeSince: Date | undefined
	/** All rows that hold something encrypted. */
	total: number
	/** Those of them that are not, or not wholly, under the active key. */
	left: number
	/** Keys that rows may be under, or are; a row may be under several. */
	earlier: { kid: string, rows: number }[]
}

export interface RotationStore {
	count: () => Promise<StoredUnder>
	/** Brings rows under the active key, once through all of them, in small steps. */
	pass: () => AsyncGenerator<RotationStep>
	/** Before a key becomes active. */
	register: (kid: string) => Promise<void>
	/** After it has. */
	storeDerivedKeys: () => Promise<void>
	/** Forgets the keys that no row needs, so that a start does not ask for them. */
	retire: () => Promise<string[]>
}

export interface EarlierKey {
	kid: string
	isLoaded: boolean
	/** How many rows need it still. */
	rows: number
	/** Names of the backups on the volume that need it still. */
	backups: string[]
}

export interface KeyState {
	activeKid: string
	activeSince: Date | undefined
	/** Where the key comes from: only one on the volume can be replaced from here. */
	source: 'environment' | 'volume'
	isRunning: boolean
	rows: { total: number, left: number }
	/** Rows that no loaded key can decrypt. */
	unreadable: number
	earlier: EarlierKey[]
	/** A server with another active key has started since; rows are left to that one. */
	hasNewer: boolean
}

export interface RotationOptions {
	store: RotationStore
	keys: KeyRing
	/** Makes the next key and has it on the disk; undefined where the environment gives the keys. */
	makeKey: (() => Promise<Buffer>) | undefined
	/** Resolves when every connection in use knows the present keys. */
	settled: () => Promise<void>
	/** The backups, and which keys each needs. */
	backups: () => Promise<{ name: string, kids: readonly string[] }[]>
	audit: Pick<AuditTrail, 'during' | 'note'>
	/** At least so long the database is left alone after each step; it rests as long as the step took. */
	pauseMs?: number
	/** So long it waits after a fault, and while others hold all rows that are left. */
	waitMs?: number
	logger: Logger
}

const PAUSE_MS = 20
const WAIT_MS = 5_000
/** So long a count, which reads all rows, serves everybody who asks: while they change, and while nothing happens. */
const FRESH_MS = { running: 1_000, idle: 60_000 }

export class Rotation {
	readonly #options: RotationOptions
	readonly #stopping = new AbortController()
	#running: Promise<void> | undefined
	#unreadable = 0
	#counted: { at: number, under: Promise<StoredUnder> } | undefined
	#isChanging = false
	/** Asked for while it could not begin. */
	#isWanted = false

	constructor(options: RotationOptions) {
		this.#options = options
	}

	/** Which keys are in use and how far a change is. */
	async state(): Promise<KeyState> {
		const { keys, makeKey, backups } = this.#options
		// Before the count: what is done now may be told as running, but what is left never as forgotten.
		const isRunning = this.#running !== undefined
		const [under, kept] = await Promise.all([this.#count(), backups()])
		const loaded = keys.storageKeys.map(({ kid }) => kid).filter((kid) => kid !== keys.activeKid)
		const rows = new Map([...loaded.map((kid) => [kid, 0] as const), ...under.earlier.map(({ kid, rows: count }) => [kid, count] as const)])
		return {
			activeKid: keys.activeKid,
			activeSince: under.activeSince,
			source: makeKey === undefined ? 'environment' : 'volume',
			isRunning,
			rows: { total: under.total, left: under.left },
			unreadable: this.#unreadable,
			earlier: [...rows].map(([kid, count]) => ({
				kid,
				isLoaded: loaded.includes(kid),
				rows: count,
				backups: kept.filter(({ kids }) => kids.includes(kid)).map(({ name }) => name),
			})),
			hasNewer: under.newest !== undefined && under.newest !== keys.activeKid,
		}
	}

	/**
	 * Makes a new key the active one, and begins to bring all rows under it. Nothing that is under way fails by it.
	 *
	 * @throws {SipCallError} `wrong_state` while a change is unfinished, or where the environment gives the keys
	 */
	async change(actor: AuditActor): Promise<KeyState> {
		const { store, keys, makeKey, settled, audit, logger } = this.#options
		if (this.#isChanging) {
			throw new SipCallError('wrong_state', 'The key is being changed just now. Wait until that is done.')
		}
		this.#isChanging = true
		try {
			if (makeKey === undefined) {
				throw new SipCallError('wrong_state', 'The key comes from the environment. Set a new one as DATABASE_ENCRYPTION_KEY, add the present one to DATABASE_ENCRYPTION_KEYS_PREVIOUS, and restart SIPCall: the rest happens by itself.')
			}
			this.#counted = undefined
			const { left } = await this.#count()
			if (left > this.#unreadable) {
				this.#isWanted = true
				throw new SipCallError('wrong_state', `${left} rows are still under an earlier key. Wait until all are under the present one.`)
			}
			// It may be about to forget keys that no row is under; the new one is such a key for a moment.
			await this.#running
			const earlier = keys.activeKid
			await audit.during({ actor, action: 'key.changed', detail: { from: earlier } }, async () => {
				const kid = keys.add(await makeKey())
				// Whoever reads must know the key before anybody writes with it.
				await settled()
				await store.register(kid)
				keys.activate(kid)
				await store.storeDerivedKeys()
				logger.info('A new encryption key is active', { kid, earlier })
			})
			// A statement that began before may still write with the earlier key; it is found like all others.
			await settled()
			this.#isWanted = true
		} finally {
			this.#isChanging = false
			if (this.#isWanted) {
				this.wake()
			}
		}
		return this.state()
	}

	/** Goes on with what is left to do, if anything is. */
	wake(): void {
		this.#isWanted = this.#isChanging || this.#running !== undefined
		if (!this.#isWanted && !this.#stopping.signal.aborted) {
			this.#counted = undefined
			this.#running = this.#run().finally(() => {
				this.#running = undefined
				this.#counted = undefined
				if (this.#isWanted) {
					this.wake()
				}
			})
		}
	}

	/** Resolves when the step under way is done. */
	async stop(): Promise<void> {
		this.#stopping.abort()
		await this.#running
	}

	async #run(): Promise<void> {
		const { store, keys, logger, audit, waitMs = WAIT_MS } = this.#options
		const { signal } = this.#stopping
		let isToldOf = false
		while (!signal.aborted) {
			try {
				const { newest, left } = await store.count()
				// Two servers with different keys would undo each other's work: the one that started last does it.
				if (newest !== keys.activeKid) {
					return
				}
				if (left > 0 && !isToldOf) {
					isToldOf = true
					logger.info('Rows are brought under the active encryption key', { kid: keys.activeKid, rows: left })
				}
				if (left > 0) {
					this.#unreadable = await this.#pass()
				} else {
					this.#unreadable = 0
				}
				if (left === 0 || (left === this.#unreadable && !signal.aborted)) {
					for (const kid of await store.retire()) {
						audit.note({ actor: { kind: 'system' }, action: 'key.retired', detail: { kid } })
						logger.info('No row needs this encryption key any more', { kid })
					}
					if (left > 0) {
						logger.error('Some rows cannot be decrypted with any loaded key, and stay as they are', { rows: left })
					}
					return
				}
			} catch (error) {
				logger.warn('Rows cannot be brought under the active encryption key for now; it goes on by itself', { error })
				await this.#pause(waitMs)
			}
		}
	}

	/** @return how many rows could not be decrypted */
	async #pass(): Promise<number> {
		const { store, pauseMs = PAUSE_MS, waitMs = WAIT_MS } = this.#options
		let [changed, unreadable] = [0, 0]
		let since = performance.now()
		for await (const step of store.pass()) {
			changed += step.changed
			unreadable += step.unreadable
			if (this.#stopping.signal.aborted) {
				break
			}
			await this.#pause(Math.max(pauseMs, performance.now() - since))
			since = performance.now()
		}
		if (changed === 0) {
			await this.#pause(waitMs)
		}
		return unreadable
	}

	async #pause(ms: number): Promise<void> {
		await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => {})
	}

	#count(): Promise<StoredUnder> {
		const now = performance.now()
		if (this.#counted === undefined || now - this.#counted.at > FRESH_MS[this.#running === undefined ? 'idle' : 'running']) {
			const under = this.#options.store.count()
			this.#counted = { at: now, under }
			// A fault is whoever asked's, and nobody's after.
			under.catch(() => {
				this.#counted = undefined
			})
		}
		return this.#counted.under
	}
}
