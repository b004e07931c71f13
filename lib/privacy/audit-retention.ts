// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Cutting old entries off the audit log, in whole signed ranges; and noting outside of the database how far the log goes,
// so that whoever can write there cannot put it back unseen.

import type { Logger } from '../logger.ts'
import type { AnchorFile } from './audit-anchor.ts'
import type { AuditBreak, AuditHead, AuditReader } from './audit.ts'

/** What a step has signed or dropped, 0 = nothing is left to do; or why it did nothing. */
export type AuditStep = { entries: number, end?: { seq: number, hash: string } } | { broken: AuditBreak }

export interface AuditRetentionStore {
	/** Signs the next range whose day is over. */
	signSome: (at: Date) => Promise<AuditStep>
	/** Drops some ranges that are old enough, and writes down that it did. */
	dropSome: (auditDays: number, at: Date) => Promise<AuditStep>
}

export interface AuditRetentionOptions {
	store: AuditRetentionStore
	log: {
		head: AuditReader['head']
		/** undefined when there is no such entry any more. */
		hashOf: (seq: number) => Promise<string | undefined>
		beginning: AuditReader['beginning']
	}
	anchor: AnchorFile
	now: () => Date
	logger: Logger
}

/** So much of a hash tells two logs apart. */
const SEAL_DIGITS = 16

export class AuditRetention {
	readonly #options: AuditRetentionOptions
	/** What was told last; to tell it every five minutes would hide the rest of the server's log. */
	#told: string | undefined

	constructor(options: AuditRetentionOptions) {
		this.#options = options
	}

	/** Signs and drops all that is due, in small steps: it can be cut off at any moment and goes on the next time. */
	async run(auditDays: number): Promise<void> {
		const { store, now, logger } = this.#options
		const at = now()
		await this.#all(() => store.signSome(at), ({ end }) => {
			if (end !== undefined) {
				// In a log that is shipped elsewhere, it outlives the volume.
				logger.info('The audit log is in order so far', { entry: end.seq, seal: end.hash.slice(0, SEAL_DIGITS) })
			}
		})
		await this.#all(() => store.dropSome(auditDays, at), ({ entries }) => logger.info('Old entries of the audit log were dropped', { entries, auditDays }))
		await this.note()
	}

	/** Notes the end of the log on the volume, unless what is noted there says that entries are missing. */
	async note(): Promise<void> {
		const { log, anchor, logger } = this.#options
		const known = await anchor.read()
		const head = await log.head()
		if (head === undefined ? known === undefined : known !== 'damaged' && known?.seq === head.seq && known.hash === head.hash) {
			return
		}
		if (head === undefined || known === 'damaged' || (known !== undefined && !await this.#follows(known, head))) {
			this.#tell({ seq: known === 'damaged' || known === undefined ? 0 : known.seq, why: 'It is not the one that is noted on the volume, or the note is damaged: compare by occ sipcall:audit:verify.' })
			return
		}
		await anchor.write(head).catch((error: unknown) => {
			if (this.#told === undefined) {
				this.#told = 'no volume'
				logger.warn('The end of the audit log cannot be noted on the volume: a database that is put back will not be found', { error })
			}
		})
	}

	async #all(step: () => Promise<AuditStep>, onDone: (step: Extract<AuditStep, { entries: number }>) => void): Promise<void> {
		for (;;) {
			const done = await step()
			if ('broken' in done) {
				this.#tell(done.broken)
				return
			}
			if (done.entries === 0) {
				return
			}
			onDone(done)
		}
	}

	async #follows(known: { seq: number, hash: string }, head: AuditHead): Promise<boolean> {
		const { log } = this.#options
		if (head.seq < known.seq) {
			return false
		}
		const hash = await log.hashOf(known.seq)
		return hash === undefined ? known.seq <= ((await log.beginning())?.seq ?? 0) : hash === known.hash
	}

	#tell({ seq, why }: AuditBreak): void {
		if (this.#told !== `${seq} ${why}`) {
			this.#told = `${seq} ${why}`
			this.#options.logger.error('The audit log is broken', { entry: seq, why })
		}
	}
}
