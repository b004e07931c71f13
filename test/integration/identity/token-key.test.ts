// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadOrCreateKeyFile, TOKEN_KEY } from '../../../lib/privacy/key-file.ts'

describe('the key file of access tokens', () => {
	let folder: string

	beforeEach(async () => {
		folder = await mkdtemp(join(tmpdir(), 'sipcall-token-key-'))
	})

	afterEach(() => rm(folder, { recursive: true, force: true }))

	it('is made once with 64 random bytes, for its owner alone', async () => {
		const key = await loadOrCreateKeyFile(folder, TOKEN_KEY)
		expect(key.length).toBe(64)
		expect((await stat(join(folder, 'token.key'))).mode & 0o777).toBe(0o600)
		expect(await readFile(join(folder, 'token.key'), 'utf8')).toBe(`${key.toString('base64')}\n`)
		expect((await loadOrCreateKeyFile(folder, TOKEN_KEY)).equals(key)).toBe(true)
	})

	it('stands beside the key of the data, and is another one', async () => {
		const [token, data] = [await loadOrCreateKeyFile(folder, TOKEN_KEY), await loadOrCreateKeyFile(folder)]
		expect(token.subarray(0, 32).equals(data)).toBe(false)
		expect((await readdir(folder)).toSorted()).toEqual(['encryption.key', 'token.key'])
	})

	it.each([['of 32 bytes', Buffer.alloc(32, 7).toString('base64')], ['with a space inside', `${Buffer.alloc(63, 7).toString('base64')} ${'AA=='}`], ['in base64url', Buffer.alloc(64, 0xff).toString('base64url')]])('%s is an error with a way out, and stays as it is', async (_name, text) => {
		await writeFile(join(folder, 'token.key'), text)
		await expect(loadOrCreateKeyFile(folder, TOKEN_KEY)).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringMatching(/token\.key.*64 bytes.*Delete it/) })
		expect(await readFile(join(folder, 'token.key'), 'utf8')).toBe(text)
	})
})
