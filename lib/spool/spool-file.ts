// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What happens to calls while PostgreSQL is away, on the persistent volume: one line for each change, with its checksum.
// Uuids, times and hangup causes stand in it; no number, no name and no text of anybody.

import type { CallChange } from '../calls/call-events.ts'
import type { EventSpool } from '../calls/ports.ts'
import type { Logger } from '../logger.ts'

import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { crc32 } from 'node:zlib'

export interface SpoolFileOptions {
	/** The persistent volume, which replicas may share. */
	volume: string
	/** Of this process, and of no other that ever was. */
	origin: string
	/** Does something with the file of another process unless that one is alive. */
	unlessAlive: (origin: string, work: () => Promise<void>) => Promise<void>
	logger: Logger
	/** Bytes; so that a long outage cannot fill the volume that the database needs. */
	maxBytes?: number
}

/** About 200,000 changes: ten minutes of 40 calls a second. */
const MAX_BYTES = 64 * 1024 * 1024
const SUFFIX = '.events'
/** The fields of a change that are times. */
const IS_TIME = /^at$|At$/

export class SpoolFile implements EventSpool {
	readonly #options: SpoolFileOptions
	#waiting: string[] = []
	#writing: Promise<void> | undefined
	/** One step after the other: what is appended after a clearing is not cleared. */
	#turn: Promise<void> = Promise.resolve()
	#bytes = 0
	/** The last line may lack its end: a disk that was full took a part of it. */
	#isTorn = false

	constructor(options: SpoolFileOptions) {
		this.#options = options
	}

	/** Bytes on the disk that wait for the database. */
	get bytes(): number {
		return this.#bytes
	}

	/** What comes while the disk is busy is written together with the next. */
	append(change: CallChange): Promise<void> {
		this.#waiting.push(lineOf(change))
		this.#writing ??= this.#inTurn(() => {
			const lines = this.#waiting
			this.#waiting = []
			this.#writing = undefined
			return this.#write(lines.join(''))
		})
		return this.#writing
	}

	clear(): Promise<void> {
		return this.#inTurn(async () => {
			await rm(this.#path(this.#options.origin), { force: true })
			this.#bytes = 0
		})
	}

	async takeLeft(take: (change: CallChange) => Promise<void>): Promise<void> {
		const { origin: own, unlessAlive } = this.#options
		for (const origin of (await this.#origins()).filter((name) => name !== own)) {
			await unlessAlive(origin, () => this.#takeFile(origin, take))
		}
	}

	async #takeFile(origin: string, take: (change: CallChange) => Promise<void>): Promise<void> {
		const { logger } = this.#options
		const lines = (await readFile(this.#path(origin), 'utf8')).split('\n')
		// What has no line end was cut off while it was written.
		const changes = lines.slice(0, -1).map(changeOf)
		const damaged = changes.filter((change) => change === undefined).length + (lines.at(-1) === '' ? 0 : 1)
		for (const change of changes) {
			if (change !== undefined) {
				await take(change)
			}
		}
		await rm(this.#path(origin), { force: true })
		logger.info('What an earlier process could not store is stored', { changes: changes.length, damaged })
	}

	/** Oldest first. */
	async #origins(): Promise<string[]> {
		try {
			const names = (await readdir(this.#folder)).filter((name) => name.endsWith(SUFFIX))
			const files = await Promise.all(names.map(async (name) => ({ name, at: (await stat(path.join(this.#folder, name))).birthtimeMs })))
			return files.sort((a, b) => a.at - b.at).map(({ name }) => name.slice(0, -SUFFIX.length))
		} catch (error) {
			if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
				return []
			}
			throw error
		}
	}

	async #write(lines: string): Promise<void> {
		const text = this.#isTorn ? `\n${lines}` : lines
		const bytes = Buffer.byteLength(text)
		if (this.#bytes + bytes > (this.#options.maxBytes ?? MAX_BYTES)) {
			throw new Error('The spool of events is full')
		}
		await mkdir(this.#folder, { recursive: true, mode: 0o700 })
		const file = await open(this.#path(this.#options.origin), 'a', 0o600)
		try {
			this.#isTorn = true
			await file.appendFile(text)
			await file.datasync()
			this.#isTorn = false
		} finally {
			await file.close()
		}
		this.#bytes += bytes
	}

	#inTurn(step: () => Promise<void>): Promise<void> {
		const done = this.#turn.then(step)
		this.#turn = done.catch(() => {})
		return done
	}

	get #folder(): string {
		return path.join(this.#options.volume, 'spool')
	}

	#path(origin: string): string {
		return path.join(this.#folder, `${origin}${SUFFIX}`)
	}
}

function lineOf(change: CallChange): string {
	const text = JSON.stringify(change)
	return `${checksumOf(text)} ${text}\n`
}

/** undefined when the line is not as it was written. */
function changeOf(line: string): CallChange | undefined {
	const [checksum, text] = [line.slice(0, 8), line.slice(9)]
	if (checksum !== checksumOf(text)) {
		return undefined
	}
	return JSON.parse(text, (key, value: unknown) => typeof value === 'string' && IS_TIME.test(key) ? new Date(value) : value) as CallChange
}

function checksumOf(text: string): string {
	return crc32(text).toString(16).padStart(8, '0')
}
