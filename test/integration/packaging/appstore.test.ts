// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { execFile } from 'node:child_process'
import { createVerify } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const SCRIPT = fileURLToPath(new URL('../../../scripts/appstore.sh', import.meta.url))
const run = promisify(execFile)

describe('make appstore', () => {
	let folder: string

	beforeEach(async () => {
		folder = await mkdtemp(path.join(tmpdir(), 'sipcall-appstore-'))
	})

	afterEach(() => rm(folder, { recursive: true, force: true }))

	async function pack(out: string, signing: Record<string, string> = {}): Promise<{ archive: string, stdout: string }> {
		const { stdout } = await run(SCRIPT, { env: { PATH: process.env.PATH, OUT: path.join(folder, out), ...signing } })
		return { archive: path.join(folder, out, 'sipcall.tar.gz'), stdout }
	}

	async function makeKey(name: string, commonName: string): Promise<{ SIGN_KEY: string, SIGN_CERT: string }> {
		const [SIGN_KEY, SIGN_CERT] = [path.join(folder, `${name}.key`), path.join(folder, `${name}.crt`)]
		await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', SIGN_KEY, '-out', SIGN_CERT, '-subj', `/CN=${commonName}`, '-days', '1'])
		return { SIGN_KEY, SIGN_CERT }
	}

	it('packs one top folder named for the app, with what Nextcloud and the store read, and no source', async () => {
		const { archive, stdout } = await pack('plain')
		const files = (await run('tar', ['-tzf', archive])).stdout.trim().split('\n')
		expect(files).toEqual(expect.arrayContaining(['sipcall/', 'sipcall/appinfo/info.xml', 'sipcall/CHANGELOG.md', 'sipcall/LICENSE', 'sipcall/README.md', 'sipcall/img/app.svg', 'sipcall/img/app-dark.svg']))
		expect(files.filter((file) => !file.startsWith('sipcall/') || /\.(?:ts|vue|env)$|\/lib\/|\/src\//.test(file))).toEqual([])
		expect(stdout).toContain('Not signed')
	})

	it('packs the same tree into the same bytes', async () => {
		const [first, second] = [await pack('first'), await pack('second')]
		expect((await readFile(first.archive)).equals(await readFile(second.archive))).toBe(true)
	})

	it('prints the signature that the store asks for', async () => {
		const signing = await makeKey('own', 'sipcall')
		const { archive, stdout } = await pack('signed', signing)
		const signature = stdout.trim().split('\n').at(-1) ?? ''
		const verify = createVerify('sha512').update(await readFile(archive))
		expect(verify.verify(await readFile(signing.SIGN_CERT, 'utf8'), signature, 'base64')).toBe(true)
		expect(stdout).not.toContain('Not signed')
	})

	it('refuses a certificate of another key or another app', async () => {
		const own = await makeKey('own', 'sipcall')
		const other = await makeKey('other', 'otherapp')
		await expect(pack('mixed', { ...own, SIGN_CERT: other.SIGN_CERT })).rejects.toThrow('does not belong to the key')
		await expect(pack('foreign', other)).rejects.toThrow('not one for the app id sipcall')
	})
})
