// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { FileHandle } from 'node:fs/promises'

import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { SipCallError } from '../errors.ts'

/** On the volume: no restore of the database takes it back. */
export const JOURNAL_NAME = 'erasures.journal'

/** The volume's own fault, and not that of the database. */
export class JournalFileError extends SipCallError {}

/** The lines of the erasure journal on the disk. What has no line end was cut off while it was written, and is no line. */
export class JournalFile {
	readonly #folder: string

	/**
	 * @param folder the persistent volume
	 */
	constructor(folder: string) {
		this.#folder = folder
	}

	get path(): string {
		return path.join(this.#folder, JOURNAL_NAME)
	}

	/**
	 * undefined when there is no file.
	 *
	 * @throws {JournalFileError} `storage_unavailable`
	 */
	async read(): Promise<string[] | undefined> {
		try {
			return (await readFile(this.path, 'utf8')).split('\n').slice(0, -1)
		} catch (error) {
			if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
				return undefined
			}
			throw this.#fault(error)
		}
	}

	/**
	 * Resolves when the lines are on the disk.
	 *
	 * @throws {JournalFileError} `storage_unavailable` when they cannot be written: then what they tell of must not be done
	 */
	async append(lines: readonly string[]): Promise<void> {
		try {
			await mkdir(this.#folder, { recursive: true })
			const file = await open(this.path, 'a+', 0o600)
			try {
				await cutOff(file)
				await file.appendFile(textOf(lines))
				await file.sync()
			} finally {
				await file.close()
			}
			await this.#syncFolder()
		} catch (error) {
			throw this.#fault(error)
		}
	}

	/**
	 * Puts these lines in the place of all. In one move: a power cut leaves the earlier lines or these.
	 *
	 * @throws {JournalFileError} `storage_unavailable` when they cannot be written
	 */
	async replace(lines: readonly string[]): Promise<void> {
		const draft = `${this.path}.${randomUUID()}`
		try {
			await writeFile(draft, textOf(lines), { mode: 0o600, flush: true, flag: 'wx' })
			await rename(draft, this.path)
			await this.#syncFolder()
		} catch (error) {
			throw this.#fault(error)
		} finally {
			await rm(draft, { force: true })
		}
	}

	async #syncFolder(): Promise<void> {
		const folder = await open(this.#folder)
		await folder.sync().finally(() => folder.close())
	}

	#fault(cause: unknown): JournalFileError {
		const why = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
		return new JournalFileError('storage_unavailable', `The erasure journal ${this.path} cannot be read or written${why}. Make room on the volume, or see to its rights.`, { cause })
	}
}

function textOf(lines: readonly string[]): string {
	return lines.map((line) => `${line}\n`).join('')
}

/** Nobody was told that the line is written, so nothing was erased by it: it is written again. */
async function cutOff(file: FileHandle): Promise<void> {
	const { size } = await file.stat()
	const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, Math.max(size - 1, 0))
	if (bytesRead === 1 && buffer[0] !== 0x0A) {
		await file.truncate((await file.readFile()).lastIndexOf(0x0A) + 1)
	}
}
