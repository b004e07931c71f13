// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
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
	const draft = await writeDraft(file, randomBytes(keyFile.bytes))
	try {
		await linkOnce(draft, file)
	} finally {
		await rm(draft, { force: true })
	}
	await sync(folder)
	const key = await readKey(file, keyFile)
	if (key === undefined) {
		throw new SipCallError('storage_unavailable', `The key ${file} vanished while it was made. Check the volume.`)
	}
	return key
}

/** Earlier encryption keys lie beside the active one, each under its id. */
const EARLIER = /^encryption-([0-9a-f]{8})\.key$/

/**
 * The active encryption key and the earlier ones of the volume.
 *
 * @throws {SipCallError} `storage_unavailable` when one of the files is no key
 */
export async function loadEncryptionKeys(folder: string): Promise<[Buffer, ...Buffer[]]> {
	const active = await loadOrCreateKeyFile(folder)
	const earlier: Buffer[] = []
	for (const name of (await readdir(folder)).filter((found) => EARLIER.test(found)).sort()) {
		const key = await readKey(path.join(folder, name), { ...ENCRYPTION_KEY, name })
		if (key !== undefined) {
			earlier.push(key)
		}
	}
	return [active, ...earlier]
}

/**
 * Puts a new encryption key in the place of the active one, which stays beside it as an earlier key. Both are on the disk
 * when it resolves; whenever it is cut off, every key that was ever active is there.
 *
 * @param kid of the key that is active now
 * @return the new key
 */
export async function replaceEncryptionKey(folder: string, kid: string): Promise<Buffer> {
	const file = path.join(folder, ENCRYPTION_KEY.name)
	await linkOnce(file, path.join(folder, `encryption-${kid}.key`))
	await sync(folder)
	const key = randomBytes(ENCRYPTION_KEY.bytes)
	await rename(await writeDraft(file, key), file)
	await sync(folder)
	return key
}

// Written beside and put into place: a crash leaves either no key or a whole one. Its name is nobody else's: process ids
// repeat from container to container, and a shared draft would be written through its link into the finished key.
async function writeDraft(file: string, key: Buffer): Promise<string> {
	const draft = `${file}.${randomUUID()}`
	await writeFile(draft, `${key.toString('base64')}\n`, { mode: 0o600, flush: true, flag: 'wx' })
	return draft
}

/** Of two at once one wins, and nothing is overwritten. */
async function linkOnce(existing: string, file: string): Promise<void> {
	try {
		await link(existing, file)
	} catch (error) {
		if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
			throw error
		}
	}
}

/** A new name is on the disk only when its folder is. */
async function sync(folder: string): Promise<void> {
	const opened = await open(folder)
	await opened.sync().finally(() => opened.close())
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
