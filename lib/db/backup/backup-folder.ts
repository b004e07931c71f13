// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The folder of backups on the volume: names, the list, and how many are kept.

import type { BackupHeader } from './backup-format.ts'

import { chmod, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { SipCallError } from '../../errors.ts'
import { readHeader } from './read-backup.ts'

/** `manual`: an admin wanted it; `migration`: made before an update changed the database. */
export type BackupReason = 'manual' | 'migration'

export interface BackupInfo {
	name: string
	reason: BackupReason
	createdAt: Date
	bytes: number
	/** undefined when the file cannot be read as a backup. */
	header: BackupHeader | undefined
}

/** How many of each are kept; the oldest go first. */
export const KEPT: Readonly<Record<BackupReason, number>> = { manual: 20, migration: 5 }

const NAME = /^sipcall-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-(manual|migration)\.backup$/
const DRAFT = /^\.sipcall-.*\.draft$/

export class BackupFolder {
	readonly #path: string

	/**
	 * @param storagePath the persistent volume
	 */
	constructor(storagePath: string) {
		this.#path = path.join(storagePath, 'backups')
	}

	/**
	 * Lets a new backup be written beside the others; it takes its name when it is whole and on the disk.
	 *
	 * @param write fills the draft, and leaves it on the disk
	 * @return the backup's name
	 */
	async add(reason: BackupReason, at: Date, write: (draft: string) => Promise<void>): Promise<string> {
		await mkdir(this.#path, { recursive: true, mode: 0o700 })
		await chmod(this.#path, 0o700)
		for (const leftover of await this.#files(DRAFT)) {
			await rm(path.join(this.#path, leftover), { force: true })
		}
		const name = `sipcall-${at.toISOString().replaceAll(/[-:.]/g, '')}-${reason}.backup`
		const draft = path.join(this.#path, `.${name}.draft`)
		try {
			await write(draft)
			await rename(draft, path.join(this.#path, name))
		} catch (error) {
			await rm(draft, { force: true })
			throw error
		}
		const folder = await open(this.#path)
		await folder.sync().finally(() => folder.close())
		return name
	}

	/** Newest first. */
	async list(): Promise<BackupInfo[]> {
		const found: BackupInfo[] = []
		for (const name of await this.#files(NAME)) {
			const file = path.join(this.#path, name)
			const size = await stat(file).then((stats) => stats.size, () => undefined)
			// One that was deleted in this very moment.
			if (size !== undefined) {
				found.push({ name, ...readName(name), bytes: size, header: await readHeader(file).catch(() => undefined) })
			}
		}
		return found.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
	}

	/** @return the names of those that went */
	async prune(reason: BackupReason): Promise<string[]> {
		const surplus = (await this.#files(NAME)).filter((name) => readName(name).reason === reason).sort().slice(0, -KEPT[reason])
		for (const name of surplus) {
			await rm(path.join(this.#path, name), { force: true })
		}
		return surplus
	}

	/**
	 * @throws {SipCallError} `invalid_request` when that is no backup's name, `not_found` when there is none of that name
	 */
	async find(name: string): Promise<string> {
		if (!NAME.test(name)) {
			throw new SipCallError('invalid_request', 'That is not the name of a backup. Names look like sipcall-20260102T030405678Z-manual.backup, without a folder.')
		}
		if (!(await this.#files(NAME)).includes(name)) {
			throw new SipCallError('not_found', `There is no backup named ${name} in ${this.#path}.`)
		}
		return path.join(this.#path, name)
	}

	async #files(pattern: RegExp): Promise<string[]> {
		try {
			return (await readdir(this.#path)).filter((name) => pattern.test(name))
		} catch (error) {
			if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
				return []
			}
			throw error
		}
	}
}

function readName(name: string): { reason: BackupReason, createdAt: Date } {
	const [, year, month, day, hour, minute, second, ms, reason] = NAME.exec(name) ?? []
	return { reason: reason === 'migration' ? 'migration' : 'manual', createdAt: new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`) }
}
