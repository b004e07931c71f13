// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { SipCallError } from '../errors.ts'

/** 32 bytes. */
const BASE64_KEY = /^[A-Za-z0-9+/]{43}=$/

/**
 * The master key of the persistent volume: made once, mode 0600, never overwritten.
 *
 * @param folder the persistent volume
 * @return 32 bytes
 * @throws {SipCallError} `storage_unavailable` when the file is there but is no key: a person must restore it
 */
export async function loadOrCreateKeyFile(folder: string): Promise<Buffer> {
	const file = path.join(folder, 'encryption.key')
	const existing = await readKey(file)
	if (existing !== undefined) {
		return existing
	}
	await mkdir(folder, { recursive: true })
	// Written beside and linked into place: a crash leaves either no key or a whole one, and of two starts one wins.
	// Its name is nobody else's: process ids repeat from container to container, and a shared draft would be written
	// through its link into the finished key.
	const draft = `${file}.${randomUUID()}`
	await writeFile(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flush: true, flag: 'wx' })
	try {
		await link(draft, file)
	} catch (error) {
		if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
			throw error
		}
	} finally {
		await rm(draft, { force: true })
	}
	const key = await readKey(file)
	if (key === undefined) {
		throw new SipCallError('storage_unavailable', `The encryption key ${file} vanished while it was made. Check the volume.`)
	}
	return key
}

async function readKey(file: string): Promise<Buffer | undefined> {
	let text: string
	try {
		text = await readFile(file, 'utf8')
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
			return undefined
		}
		throw error
	}
	// Node's own reading of base64 skips what is none, and stops at the first of two keys.
	if (!BASE64_KEY.test(text.trim())) {
		throw new SipCallError('storage_unavailable', `${file} does not hold 32 bytes in base64. Restore it from a backup: without it the stored numbers cannot be read.`)
	}
	return Buffer.from(text.trim(), 'base64')
}
