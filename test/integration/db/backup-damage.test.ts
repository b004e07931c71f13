// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A file that is not exactly what was written is refused, wherever the damage is.

import type { BackupDatabase } from '../../support/backup-database.ts'

import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyBackup } from '../../../lib/db/backup/read-backup.ts'
import { restoreBackup } from '../../../lib/db/backup/restore-backup.ts'
import { writeBackup } from '../../../lib/db/backup/write-backup.ts'
import { addRows, createBackupDatabase } from '../../support/backup-database.ts'

let folder: string
let file: string
let database: BackupDatabase
let whole: Buffer
let lines: string[]
let before: Record<string, string[]>

beforeAll(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'sipcall-backup-'))
	file = path.join(folder, 'damaged')
	database = await createBackupDatabase()
	for (const text of ['one', 'two', 'three']) {
		await addRows(database.client, { uuid: randomUUID(), text, json: { text }, at: '2026-01-01' })
	}
	await writeBackup({ file: path.join(folder, 'whole'), url: database.access.url, appVersion: '0.1.0', at: new Date() })
	whole = await readFile(path.join(folder, 'whole'))
	lines = gunzipSync(whole).toString().trimEnd().split('\n')
	await database.client.query('delete from devices')
	before = await database.content()
})

afterAll(async () => {
	await database.drop()
	await rm(folder, { recursive: true, force: true })
})

/** What a restore of these bytes answers, after it was made sure that it changed nothing. */
async function refusal(bytes: Buffer): Promise<unknown> {
	await writeFile(file, bytes)
	const error: unknown = await restoreBackup(file, database.access, { force: false }).catch((reason: unknown) => reason)
	expect(await database.content()).toEqual(before)
	return error
}

const packed = (changed: string[]) => gzipSync(`${changed.join('\n')}\n`)
const DAMAGED = { name: 'SipCallError', code: 'invalid_request' }

/** With a hash that fits, as somebody who knows the format would write it. */
function signed(changed: string[]): Buffer {
	const sha256 = createHash('sha256').update(changed.map((line) => `${line}\n`).join('')).digest('hex')
	return packed([...changed, JSON.stringify({ ...JSON.parse(lines.at(-1) ?? ''), sha256 })])
}

describe('a damaged backup', () => {
	it('is refused when it was cut off, after any byte', async () => {
		for (let length = 0; length < whole.length; length++) {
			await writeFile(file, whole.subarray(0, length))
			await expect(verifyBackup(file), `${length} bytes`).rejects.toMatchObject(DAMAGED)
		}
		expect(await refusal(whole.subarray(0, whole.length - 1))).toMatchObject(DAMAGED)
	})

	it('is refused when any byte was flipped, unless the bytes that count are the same', async () => {
		const content = gunzipSync(whole).toString()
		for (let at = 0; at < whole.length; at++) {
			const flipped = Buffer.from(whole)
			flipped[at] = 0xFF ^ (flipped[at] ?? 0)
			await writeFile(file, flipped)
			const error: unknown = await verifyBackup(file).then(() => undefined, (reason: unknown) => reason)
			if (error === undefined) {
				// gzip's own header names a time and a system, which nobody reads, and its blocks may end in bits that mean nothing.
				expect(gunzipSync(flipped).toString()).toBe(content)
			} else {
				expect(error, `byte ${at}`).toMatchObject(DAMAGED)
			}
		}
	})

	it('is refused when a line was changed, left out, doubled or moved', async () => {
		for (let at = 0; at < lines.length; at++) {
			const line = lines[at] ?? ''
			const next = lines[at + 1] ?? ''
			for (const changed of [
				lines.with(at, line.replace(/[a-z0-9](?=[^a-z0-9]*$)/, 'X')),
				lines.toSpliced(at, 1),
				lines.toSpliced(at, 0, line),
				...(next === '' || next === line ? [] : [lines.toSpliced(at, 2, next, line)]),
			]) {
				await writeFile(file, packed(changed))
				await expect(verifyBackup(file), changed.join('\n')).rejects.toMatchObject(DAMAGED)
			}
		}
	})

	it('is refused when its counts are wrong, though its hash fits', async () => {
		const content = lines.slice(0, -1)
		const row = content.findIndex((line) => line.startsWith('['))
		for (const changed of [content.toSpliced(row, 1), content.toSpliced(-1, 1)]) {
			await writeFile(file, signed(changed))
			await expect(verifyBackup(file)).rejects.toMatchObject(DAMAGED)
			expect(await refusal(signed(changed))).toBeInstanceOf(Error)
		}
	})

	it('is refused when it has another header', async () => {
		const header = JSON.parse(lines[0] ?? '') as Record<string, unknown>
		for (const changed of [{ app: 'other' }, { format: 0 }, { format: '1' }, { tables: 'calls' }, { kids: undefined }]) {
			expect(await refusal(signed([JSON.stringify({ ...header, ...changed }), ...lines.slice(1, -1)]))).toMatchObject(DAMAGED)
		}
		expect(await refusal(signed([JSON.stringify({ app: 'sipcall', format: 2 })]))).toMatchObject({ code: 'wrong_state', message: expect.stringContaining('newer SIPCall') as string })
	})

	it('is refused when it is no backup at all', async () => {
		for (const bytes of [Buffer.alloc(0), Buffer.from('SQLite format 3\0'), gzipSync(''), gzipSync('\n'), gzipSync('[]\n'), gzipSync('null\n'), gzipSync(Buffer.alloc(20 * 1024 * 1024, 'x'))]) {
			expect(await refusal(bytes)).toMatchObject(DAMAGED)
		}
	})

	it('is no backup any more with something behind its end', async () => {
		expect(await refusal(packed([...lines, '']))).toMatchObject(DAMAGED)
		expect(await refusal(gzipSync(`${lines.join('\n')}\nx`))).toMatchObject(DAMAGED)
	})

	it('names a table that is not the database’s, and is refused', async () => {
		const content = lines.slice(0, -1).map((line) => line.replaceAll('"devices"', '"schema_migrations"'))
		const trailer = { ...JSON.parse((lines.at(-1) ?? '').replaceAll('"devices"', '"schema_migrations"')) as object, sha256: createHash('sha256').update(content.map((line) => `${line}\n`).join('')).digest('hex') }
		expect(await refusal(packed([...content, JSON.stringify(trailer)]))).toMatchObject({ code: 'wrong_state' })
	})

	it('is restored when it is whole: the damage above is what was refused', async () => {
		await writeFile(file, whole)
		await restoreBackup(file, database.access, { force: false })
		expect((await database.content()).devices).toHaveLength(3)
	})
})
