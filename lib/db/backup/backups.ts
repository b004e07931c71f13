// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What an admin does with backups, and what the start does before an update changes the database.

import type { Logger } from '../../logger.ts'
import type { BackupInfo, BackupReason } from './backup-folder.ts'
import type { DatabaseAccess, RestoreOptions } from './restore-backup.ts'

import { SipCallError } from '../../errors.ts'
import { BackupFolder } from './backup-folder.ts'
import { verifyBackup } from './read-backup.ts'
import { checkRestore, restoreBackup } from './restore-backup.ts'
import { backupFault } from './session.ts'
import { writeBackup } from './write-backup.ts'

/** Work on the database at a moment when nobody else uses it. */
export type DatabaseErrand = (access: DatabaseAccess) => Promise<void>

export interface BackupsOptions {
	/** The persistent volume; backups are in its folder `backups`. */
	storagePath: string
	appVersion: string
	now: () => Date
	/** undefined while SIPCall is starting. */
	access: () => DatabaseAccess | undefined
	/** Whether all could be erased again that was erased since a backup; throws `wrong_state` when not. */
	checkJournal: (madeAt: Date, options: RestoreOptions) => Promise<void>
	/** Stops everything that uses the database, runs the errand, and starts everything again. */
	restartWith: (errand: DatabaseErrand) => Promise<void>
	logger: Logger
}

export class Backups {
	readonly #options: BackupsOptions
	readonly #folder: BackupFolder
	#isBusy = false
	/** The database as it was when this process made its safety copy: a start that is tried again makes no second one. */
	#copiedAt: string | undefined

	constructor(options: BackupsOptions) {
		this.#options = options
		this.#folder = new BackupFolder(options.storagePath)
	}

	/**
	 * Makes a backup now. Calls go on meanwhile.
	 *
	 * @throws {SipCallError} `storage_unavailable` when it cannot be written, `wrong_state` while another one is made
	 */
	async create(): Promise<BackupInfo> {
		return this.#alone(async () => {
			const { access } = this.#options
			const { url } = access() ?? notUp()
			const name = await this.#write('manual', url, 'Try again when that is mended.')
			const made = (await this.#folder.list()).find((backup) => backup.name === name)
			if (made === undefined) {
				throw new SipCallError('storage_unavailable', `The backup ${name} is gone already. Look at the volume.`)
			}
			return made
		})
	}

	/** Newest first. */
	async list(): Promise<BackupInfo[]> {
		return this.#folder.list()
	}

	/** When the newest backup was made that an admin wanted and that can be read; undefined when there is none. */
	async newestManualAt(): Promise<Date | undefined> {
		return (await this.#folder.list()).find(({ reason, header }) => reason === 'manual' && header !== undefined)?.createdAt
	}

	/**
	 * Puts a backup in the place of all data. Everything behind the routes is stopped for it and started again: it must
	 * not be called from one of those routes. Resolves when SIPCall serves again.
	 *
	 * @throws {SipCallError} `invalid_request` for a wrong name or a damaged file, `not_found`, `wrong_state` when the
	 * backup does not fit here or calls are open, `storage_unavailable`. The old data are then untouched, unless the
	 * message says otherwise
	 */
	async restore(name: string, options: RestoreOptions = { force: false }): Promise<void> {
		await this.#alone(async () => {
			const { access, checkJournal, restartWith, logger } = this.#options
			const file = await this.#folder.find(name)
			try {
				// Before anything is stopped: most reasons to refuse are known by then.
				const header = await verifyBackup(file)
				const present = access()
				if (present !== undefined) {
					await checkRestore(header, present, options)
				}
				await checkJournal(new Date(header.createdAt), options)
			} catch (error) {
				throw restoreFault(error)
			}
			logger.warn('Restoring a backup: everything stops for a moment', { name })
			let outcome: { fault?: unknown } | undefined
			try {
				await restartWith(async (target) => {
					outcome = await restoreBackup(file, target, options).then(() => ({}), (fault: unknown) => ({ fault }))
				})
			} catch (error) {
				if (outcome === undefined) {
					throw new SipCallError('storage_unavailable', `SIPCall could not be started for the restore: ${wordsOf(error)} Nothing was changed.`, { cause: error })
				}
				if (!('fault' in outcome)) {
					throw new SipCallError('storage_unavailable', `The backup was restored, but SIPCall does not come up with it: ${wordsOf(error)} It keeps trying.`, { cause: error })
				}
			}
			if (outcome !== undefined && 'fault' in outcome) {
				throw restoreFault(outcome.fault)
			}
			logger.warn('The backup is restored', { name })
		})
	}

	/**
	 * The safety copy before an update changes a database that is in use.
	 *
	 * @param migrations what has been executed in it
	 * @throws {SipCallError} `storage_unavailable` when it cannot be written: the update must not go on then
	 */
	async beforeUpgrade(url: string, migrations: readonly string[]): Promise<void> {
		const state = migrations.join()
		if (this.#copiedAt !== state) {
			await this.#write('migration', url, 'The update waits for it, and the database is as it was. Make room on the volume, or see to its rights.')
			this.#copiedAt = state
		}
	}

	async #write(reason: BackupReason, url: string, wayOut: string): Promise<string> {
		const { appVersion, now, logger } = this.#options
		const at = now()
		let name: string
		try {
			name = await this.#folder.add(reason, at, (file) => writeBackup({ file, url, appVersion, at }))
		} catch (error) {
			throw backupFault(error, reason === 'manual' ? 'The backup could not be written' : 'The safety copy before the update could not be written', wayOut)
		}
		logger.info('Made a backup', { name })
		try {
			const gone = await this.#folder.prune(reason)
			if (gone.length > 0) {
				logger.info('Deleted the oldest backups', { names: gone })
			}
		} catch (error) {
			logger.warn('Old backups could not be deleted', { error })
		}
		return name
	}

	async #alone<Result>(work: () => Promise<Result>): Promise<Result> {
		if (this.#isBusy) {
			throw new SipCallError('wrong_state', 'Another backup or restore is under way. Try again when it is done.')
		}
		this.#isBusy = true
		try {
			return await work()
		} finally {
			this.#isBusy = false
		}
	}
}

function restoreFault(error: unknown): unknown {
	return backupFault(error, 'The backup could not be restored', 'Nothing was changed.')
}

function wordsOf(error: unknown): string {
	return error instanceof SipCallError ? error.message : 'The log has the reason.'
}

function notUp(): never {
	throw new SipCallError('storage_unavailable', 'SIPCall is starting. Try again in a few seconds.', { retryAfterSec: 5 })
}
