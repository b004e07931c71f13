// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How entries get into the audit log. What a person does and waits for is written before it is done; what happens in the
// middle of a click is put aside and written a moment later.

import type { Logger } from '../logger.ts'
import type { AuditAction, AuditActor, AuditDetail, AuditEntry } from './audit.ts'

import { SipCallError } from '../errors.ts'

/** The place of the entries. */
export interface AuditStore {
	/** Resolves when the entry is stored for good. */
	append: (entry: AuditEntry) => Promise<void>
}

export interface AuditTrailOptions {
	store: AuditStore
	now: () => Date
	/** Whether what went wrong passes by itself: then the entry is tried again. */
	isPassing: (error: unknown) => boolean
	logger: Logger
	/** How many entries may wait; 2000 when left out. */
	capacity?: number
	/** After a fault that passes; 5 seconds when left out. */
	retryMs?: number
}

export interface AuditNote {
	actor: AuditActor
	action: AuditAction
	targetUserId?: string | undefined
	detail?: AuditDetail
}

const CAPACITY = 2_000
const RETRY_MS = 5_000

export class AuditTrail {
	readonly #options: AuditTrailOptions
	readonly #waiting: AuditEntry[] = []
	#writing: Promise<void> | undefined
	#retry: NodeJS.Timeout | undefined
	#lost = 0
	#isStopped = false

	constructor(options: AuditTrailOptions) {
		this.#options = options
	}

	/** Puts an entry aside to be written soon. Costs nothing and never fails. */
	note(note: AuditNote): void {
		if (this.#waiting.length >= (this.#options.capacity ?? CAPACITY)) {
			if (this.#lost++ === 0) {
				this.#options.logger.warn('The audit log cannot be written, and too many entries wait for it: further ones are lost. Look at the database')
			}
			return
		}
		this.#waiting.push(this.#entryOf(note))
		void this.#drain()
	}

	/**
	 * Writes an entry, and resolves when it is stored.
	 *
	 * @throws {SipCallError} `storage_unavailable`: then what it tells of must not be done
	 */
	async write(note: AuditNote): Promise<void> {
		try {
			await this.#options.store.append(this.#entryOf(note))
		} catch (error) {
			throw new SipCallError('storage_unavailable', 'The audit log cannot be written, so nothing was done. Try again in a few seconds, and look at the database if it stays so.', { cause: error, retryAfterSec: 5 })
		}
	}

	/**
	 * Does something that must not go unseen: its entry is written first, and when it fails another one says so. What it
	 * changes need not be in our database, so the two cannot be one transaction; an entry too many is better than one too few.
	 *
	 * @throws {SipCallError} `storage_unavailable` before anything is done; what the work throws
	 */
	during<Result>(note: AuditNote, work: () => Promise<Result>): Promise<Result> {
		return audited(() => this, note, work)
	}

	/** Resolves when nothing waits any more, or what waits cannot be written now. */
	async settle(): Promise<void> {
		await this.#drain()
	}

	/** Writes what waits, once; what cannot be written then is lost. */
	async stop(): Promise<void> {
		await this.#drain()
		this.#isStopped = true
		clearTimeout(this.#retry)
		if (this.#waiting.length > 0) {
			this.#options.logger.error('The audit log could not be written: entries are lost', { entries: this.#waiting.length })
		}
	}

	#entryOf({ actor, action, targetUserId, detail }: AuditNote): AuditEntry {
		return { at: this.#options.now(), actor, action, detail: detail ?? {}, ...(targetUserId === undefined ? {} : { targetUserId }) }
	}

	#drain(): Promise<void> {
		this.#writing ??= this.#writeAll().finally(() => {
			this.#writing = undefined
		})
		return this.#writing
	}

	async #writeAll(): Promise<void> {
		clearTimeout(this.#retry)
		for (let next = this.#waiting[0]; next !== undefined && !this.#isStopped; next = this.#waiting[0]) {
			try {
				await this.#options.store.append(next)
			} catch (error) {
				if (this.#options.isPassing(error)) {
					this.#retry = setTimeout(() => void this.#drain(), this.#options.retryMs ?? RETRY_MS).unref()
					return
				}
				// One that will never be taken must not keep the others.
				this.#options.logger.error('An entry of the audit log could not be written and is lost', { action: next.action, error })
			}
			this.#waiting.shift()
			if (this.#waiting.length === 0 && this.#lost > 0) {
				this.#waiting.push(this.#entryOf({ actor: { kind: 'system' }, action: 'audit.lost', detail: { entries: this.#lost } }))
				this.#lost = 0
			}
		}
	}
}

/**
 * The same for work during which the trail itself may be replaced, or come up.
 *
 * @param trail undefined while there is none: then the entry is written once there is
 */
export async function audited<Result>(trail: () => AuditTrail | undefined, note: AuditNote, work: () => Promise<Result>): Promise<Result> {
	const before = trail()
	await before?.write(note)
	try {
		const result = await work()
		if (before === undefined) {
			trail()?.note(note)
		}
		return result
	} catch (error) {
		trail()?.note({ ...note, detail: { ...note.detail, failed: error instanceof SipCallError ? error.code : 'internal_error' } })
		throw error
	}
}
