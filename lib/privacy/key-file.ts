// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { SipCallError } from '../errors.ts'

export interface KeyFile {
	name: string
	bytes: number
	/** What a person does when the file holds no key. */
	wayOut: string
}

/** What personal data is encrypted with. */
export const ENCRYPTION_KEY: KeyFile = {
	name: 'encryption.key',
	bytes: 32,
	wayOut: 'Restore it from a backup: without it the stored numbers cannot be read.',
}

/** What access tokens are signed with; long enough for each of their algorithms. */
export const TOKEN_KEY: KeyFile = {
	name: 'token.key',
	bytes: 64,
	wayOut: 'Delete it and a new one is made; other clients than the page then renew their tokens once.',
}

/**
 * A key of the persistent volume: made once, mode 0600, never overwritten.
 *
 * @param folder the persistent volume
 * @return as many random bytes as the key has
 * @throws {SipCallError} `storage_unavailable` when the file is there but is no key: a person must see to it
 */
export async function loadOrCreateKeyFile(folder: string, keyFile: KeyFile = ENCRYPTION_KEY): Promise<Buffer> {
	const file = path.join(folder, keyFile.name)
	const existing = await readKey(file, keyFile)
	if (existing !== undefined) {
		return existing
	}
	await mkdir(folder, { recursive: true })
	// Written beside and linked into place: a crash leaves either no key or a whole one, and of two starts one wins.
	// Its name is nobody else's: process ids repeat from container to container, and a shared draft would be written
	// through its link into the finished key.
	const draft = `${file}.${randomUUID()}`
	await writeFile(draft, `${randomBytes(keyFile.bytes).toString('base64')}\n`, { mode: 0o600, flush: true, flag: 'wx' })
	try {
		await link(draft, file)
	} catch (error) {
		if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
			throw error
		}
	} finally {
		await rm(draft, { force: true })
	}
	const key = await readKey(file, keyFile)
	if (key === undefined) {
		throw new SipCallError('storage_unavailable', `The key ${file} vanished while it was made. Check the volume.`)
	}
	return key
}

async function readKey(file: string, { bytes, wayOut }: KeyFile): Promise<Buffer | undefined> {
	let text: string
	try {
		text = await readFile(file, 'utf8')
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
			return undefined
		}
		throw error
	}
	const key = Buffer.from(text.trim(), 'base64')
	// Node's own reading of base64 skips what is none, and stops at the first of two keys.
	if (key.length !== bytes || !isBase64(text.trim())) {
		throw new SipCallError('storage_unavailable', `${file} does not hold ${bytes} bytes in base64. ${wayOut}`)
	}
	return key
}

function isBase64(text: string): boolean {
	return text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)
}
