// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { chmod, link, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadEncryptionKeys, loadOrCreateKeyFile, replaceEncryptionKey } from '../../../lib/privacy/key-file.ts'

describe('the key file', () => {
	let folder: string
	let file: string

	beforeEach(async () => {
		folder = await mkdtemp(join(tmpdir(), 'sipcall-key-'))
		file = join(folder, 'encryption.key')
	})

	afterEach(() => rm(folder, { recursive: true, force: true }))

	it('is made once with 32 random bytes, for its owner alone, and nothing else stays in the folder', async () => {
		const key = await loadOrCreateKeyFile(folder)
		expect(key.length).toBe(32)
		expect((await stat(file)).mode & 0o777).toBe(0o600)
		expect(await readFile(file, 'utf8')).toBe(`${key.toString('base64')}\n`)
		expect(await readdir(folder)).toEqual(['encryption.key'])
		expect((await loadOrCreateKeyFile(folder)).equals(key)).toBe(true)
	})

	it('is made in a folder that is not there yet, another key for each', async () => {
		const [a, b] = [await loadOrCreateKeyFile(join(folder, 'a', 'b')), await loadOrCreateKeyFile(join(folder, 'c'))]
		expect(a.equals(b)).toBe(false)
	})

	it('is one key for 50 starts at the same moment, and that one stays', async () => {
		const keys = await Promise.all(Array.from({ length: 50 }, () => loadOrCreateKeyFile(folder)))
		expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1)
		expect(await readFile(file, 'utf8')).toBe(`${keys[0]?.toString('base64')}\n`)
		expect(await readdir(folder)).toEqual(['encryption.key'])
	})

	it('that is there is never written again', async () => {
		const text = `${Buffer.alloc(32, 7).toString('base64')}\n`
		await writeFile(file, text, { mode: 0o400 })
		const { mtimeMs, ino } = await stat(file)
		expect((await loadOrCreateKeyFile(folder)).equals(Buffer.alloc(32, 7))).toBe(true)
		expect(await stat(file)).toMatchObject({ mtimeMs, ino })
		expect(await readFile(file, 'utf8')).toBe(text)
	})

	it('is read without its line break, and with spaces that an editor left', async () => {
		await writeFile(file, ` ${Buffer.alloc(32, 7).toString('base64')} \r\n\n`)
		expect((await loadOrCreateKeyFile(folder)).equals(Buffer.alloc(32, 7))).toBe(true)
	})

	it.each([
		['empty', ''],
		['cut off', Buffer.alloc(20, 7).toString('base64')],
		['too long', Buffer.alloc(33, 7).toString('base64')],
		['no base64', 'this is not a key, but it is a text of quite some length'],
		['hexadecimal', Buffer.alloc(32, 7).toString('hex')],
		['two keys', `${Buffer.alloc(32, 7).toString('base64')}\n${Buffer.alloc(32, 8).toString('base64')}`],
	])('that is %s is an error with a way out, and stays as it is', async (_name, text) => {
		await writeFile(file, text)
		await expect(loadOrCreateKeyFile(folder)).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringMatching(/encryption\.key.*Restore/) })
		expect(await readFile(file, 'utf8')).toBe(text)
		expect(await readdir(folder)).toEqual(['encryption.key'])
	})

	it('that shows a broken key does not print it', async () => {
		await writeFile(file, 'hunter2')
		await expect(loadOrCreateKeyFile(folder)).rejects.not.toThrow(/hunter2/)
	})

	it('that is a folder, or cannot be made, is an error and no key', async () => {
		await mkdir(file)
		await expect(loadOrCreateKeyFile(folder)).rejects.toThrow(/EISDIR/)
		await writeFile(join(folder, 'plain'), '')
		await expect(loadOrCreateKeyFile(join(folder, 'plain'))).rejects.toThrow(/ENOTDIR|EEXIST/)
	})

	it.skipIf(process.getuid?.() === 0)('in a folder without the right to write is an error, and nothing is left', async () => {
		await chmod(folder, 0o500)
		await expect(loadOrCreateKeyFile(folder)).rejects.toThrow(/EACCES/)
		await chmod(folder, 0o700)
		expect(await readdir(folder)).toEqual([])
	})

	it('stays beside a new one that takes its place, whatever was left by an earlier attempt', async () => {
		const key = await loadOrCreateKeyFile(folder)
		await link(file, join(folder, 'encryption-0a1b2c3d.key'))
		const next = await replaceEncryptionKey(folder, '0a1b2c3d')
		expect(await loadEncryptionKeys(folder)).toEqual([next, key])
		expect((await readdir(folder)).toSorted()).toEqual(['encryption-0a1b2c3d.key', 'encryption.key'])
		expect((await stat(file)).mode & 0o777).toBe(0o600)
		expect(next.equals(key)).toBe(false)
		await writeFile(join(folder, 'encryption-0a1b2c3d.key'), 'no key')
		await expect(loadEncryptionKeys(folder)).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('encryption-0a1b2c3d.key') })
	})
})
