// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Reading a backup, piece by piece, with every check that can be made without a database.

import type { BackupHeader } from './backup-format.ts'

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { parseHeader, parseTrailer, refuse, tableLine } from './backup-format.ts'

/** The rows are JSON arrays, as they stand in the file. */
export type BackupPiece = { header: BackupHeader } | { table: string, rows: string[] }

const MOST_ROWS = 500
const MOST_CHARS = 1024 * 1024
/** No row comes near: what has no line end within this is not ours, and must not fill the memory. */
const LONGEST_LINE_BYTES = 16 * 1024 * 1024

/**
 * A backup piece by piece. What was read counts only when the generator has ended without an error: the trailer with the
 * hash comes last.
 *
 * @yields {BackupPiece} the header, then the rows in the order in which they can be inserted
 * @throws {SipCallError} `invalid_request` when the file is no backup or is damaged, `wrong_state` when it is too new
 */
export async function* readBackup(file: string): AsyncGenerator<BackupPiece> {
	const hash = createHash('sha256')
	const counts = new Map<string, number>()
	let header: BackupHeader | undefined
	let table: string | undefined
	let rows: string[] = []
	let chars = 0
	let isComplete = false
	for await (const lines of readLines(file)) {
		for (const line of lines) {
			const text = line.toString('utf8', 0, line.length - 1)
			if (isComplete) {
				refuse()
			}
			if (header === undefined) {
				header = parseHeader(text)
				yield { header }
			} else if (table !== undefined && text.startsWith('[')) {
				rows.push(text)
				chars += text.length
				counts.set(table, (counts.get(table) ?? 0) + 1)
			} else if (text === tableLine(header.tables[counts.size]?.name ?? '')) {
				if (table !== undefined && rows.length > 0) {
					yield { table, rows }
				}
				[table, rows, chars] = [header.tables[counts.size]?.name ?? refuse(), [], 0]
				counts.set(table, 0)
			} else {
				const trailer = parseTrailer(text)
				if (trailer.sha256 !== hash.copy().digest('hex') || counts.size !== header.tables.length || [...counts].some(([name, count]) => trailer.rows[name] !== count)) {
					refuse()
				}
				isComplete = true
			}
			hash.update(line)
			if (table !== undefined && (rows.length >= MOST_ROWS || chars >= MOST_CHARS)) {
				yield { table, rows };
				[rows, chars] = [[], 0]
			}
		}
	}
	if (!isComplete) {
		refuse()
	}
	if (table !== undefined && rows.length > 0) {
		yield { table, rows }
	}
}

/**
 * Reads a backup to its end.
 *
 * @throws {SipCallError} as readBackup() does
 */
export async function verifyBackup(file: string): Promise<BackupHeader> {
	let header: BackupHeader | undefined
	for await (const piece of readBackup(file)) {
		if ('header' in piece) {
			header = piece.header
		}
	}
	return header ?? refuse()
}

/** The header alone: quick, and no proof that the rest is whole. */
export async function readHeader(file: string): Promise<BackupHeader> {
	for await (const piece of readBackup(file)) {
		if ('header' in piece) {
			return piece.header
		}
	}
	return refuse()
}

/** @yields {Buffer[]} whole lines with their ends, as many at once as a chunk brings */
async function* readLines(file: string): AsyncGenerator<Buffer[]> {
	const source = createReadStream(file)
	const content = createGunzip()
	source.once('error', (error) => content.destroy(error))
	source.pipe(content)
	let begun: Buffer[] = []
	let begunBytes = 0
	try {
		for await (const chunk of content as AsyncIterable<Buffer>) {
			const lines: Buffer[] = []
			let from = 0
			for (let end = chunk.indexOf(0x0A); end !== -1; end = chunk.indexOf(0x0A, from)) {
				const part = chunk.subarray(from, end + 1)
				lines.push(from === 0 ? Buffer.concat([...begun, part]) : part)
				from = end + 1
			}
			if (from > 0) {
				[begun, begunBytes] = [[], 0]
			}
			begun.push(chunk.subarray(from))
			begunBytes += chunk.length - from
			if (begunBytes > LONGEST_LINE_BYTES) {
				refuse()
			}
			yield lines
		}
	} catch (error) {
		if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
			refuse(error)
		}
		throw error
	} finally {
		source.destroy()
		content.destroy()
	}
	if (begunBytes > 0) {
		refuse()
	}
}
