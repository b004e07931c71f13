// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Erasing on demand: what is wished is stored first, then the calls concerned are hung up, then all of it goes in one
// transaction together with the stored wish. So it happens once, as a whole, whatever happens in between.

import type { Call } from '../calls/call.ts'
import type { Logger } from '../logger.ts'
import type { AuditActor } from './audit.ts'
import type { Eraser, ErasureCounts, SignedReceipt } from './receipts.ts'

import { SipCallError } from '../errors.ts'

export type ErasureTarget
	= | { scope: 'all' | 'calls', userId: string }
		/** E.164; without a user in everybody's calls, and among their phones. */
		| { scope: 'number', number: string, userId?: string }

export interface ErasureWish {
	target: ErasureTarget
	actor: AuditActor & { kind: Eraser }
}

/**
 * Whether a user erases herself: then what protects others from her stays, which is what an admin or a lock has decided
 * for her, and who she is in the audit log.
 */
export function isOwnErasure({ target, actor }: ErasureWish): boolean {
	return actor.userId !== undefined && actor.userId === target.userId
}

export interface ErasureStore {
	/** Stores a wish, so that it is carried out also when the process ends now. */
	begin: (id: string, wish: ErasureWish, at: Date) => Promise<void>
	/** What was begun and not finished. */
	unfinished: () => Promise<{ id: string, wish: ErasureWish }[]>
	/**
	 * Does what is wished, writes the receipt and the audit log, and forgets the wish: all of it or nothing. When somebody
	 * else has done it, nothing happens.
	 *
	 * @return the receipt with the wish's id, and the calls that have lost their number
	 */
	finish: (id: string, wish: ErasureWish, at: Date) => Promise<{ receipt: SignedReceipt, changed: string[] }>
	count: (wish: ErasureWish) => Promise<ErasureCounts>
}

export interface ErasuresOptions {
	store: ErasureStore
	/** Hangs up, and waits for the end, but not for longer than this. */
	endCalls: (isConcerned: (call: Call) => boolean, limitMs: number) => Promise<void>
	/** Before a user is forgotten: what waits to be written would name her again. */
	settleAudit: () => Promise<void>
	forgetContacts: (userId: string) => void
	/** Of these calls something else is stored than what is known in memory. */
	refresh: (callUuids: readonly string[]) => Promise<void>
	/** Whether an error passes by itself. */
	isPassing: (error: unknown) => boolean
	now: () => Date
	newUuid: () => string
	logger: Logger
}

/** How long an erasure waits for the last calls to end. */
const LAST_CALLS_MS = 10_000

export class Erasures {
	readonly #options: ErasuresOptions
	readonly #running = new Set<string>()

	constructor(options: ErasuresOptions) {
		this.#options = options
	}

	/** What an erasure would do now. */
	preview(wish: ErasureWish): Promise<ErasureCounts> {
		return this.#options.store.count(wish)
	}

	/**
	 * Erases, and resolves when it is done.
	 *
	 * @throws {SipCallError} `storage_unavailable`, which says whether it will be done by itself
	 */
	async erase(wish: ErasureWish): Promise<SignedReceipt> {
		const { store, now, newUuid, isPassing } = this.#options
		const id = newUuid()
		this.#running.add(id)
		try {
			await store.begin(id, wish, now())
			return await this.#finish(id, wish).catch((error: unknown) => {
				throw isPassing(error)
					? new SipCallError('storage_unavailable', `The database or the volume is away for a moment. The erasure is noted and is carried out as soon as it is back; its receipt will have the number ${id}.`, { cause: error, retryAfterSec: 30 })
					: error
			})
		} finally {
			this.#running.delete(id)
		}
	}

	/** Carries out what was begun: before a power cut, or while the database was away. */
	async resume(): Promise<void> {
		for (const { id, wish } of await this.#options.store.unfinished()) {
			if (!this.#running.has(id)) {
				this.#running.add(id)
				await this.#finish(id, wish).finally(() => this.#running.delete(id))
				this.#options.logger.info('An erasure that was cut off is finished', { receipt: id })
			}
		}
	}

	async #finish(id: string, wish: ErasureWish): Promise<SignedReceipt> {
		const { store, endCalls, settleAudit, forgetContacts, refresh, now } = this.#options
		await endCalls((call) => concerns(wish.target, call), LAST_CALLS_MS)
		await settleAudit()
		const { receipt, changed } = await store.finish(id, wish, now())
		if (wish.target.scope === 'all') {
			forgetContacts(wish.target.userId)
		}
		await refresh(changed)
		return receipt
	}
}

function concerns(target: ErasureTarget, call: Call): boolean {
	return (target.userId === undefined || call.userId === target.userId) && (target.scope !== 'number' || call.to === target.number)
}
