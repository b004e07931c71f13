// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The files that mod_json_cdr wrote when nobody took its records: `<uuid>.cdr.json`, with `rotate` in folders by date.

import type { Dirent } from 'node:fs'

import { opendir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { SipCallError } from '../errors.ts'

export interface CdrFile {
	/** Within the folder. */
	name: string
	/** Undefined when it cannot be read, or is too large for a record. */
	body: Buffer | undefined
}

const LARGEST_BYTES = 1024 * 1024

/**
 * Reads the files of a folder, one after the other.
 *
 * @yields {CdrFile} each file by its name, whatever is in it
 * @throws {SipCallError} `invalid_request` when there is no such folder, or it cannot be read
 */
export async function* cdrFiles(folder: string): AsyncGenerator<CdrFile> {
	if (!path.isAbsolute(folder)) {
		throw new SipCallError('invalid_request', 'Give the folder’s whole path, as it is in SIPCall’s container.')
	}
	const entries = await opendir(folder, { recursive: true }).catch((error: unknown) => {
		throw new SipCallError('invalid_request', `The folder ${folder} is not there, or SIPCall’s user may not read it. It must be visible in SIPCall’s container.`, { cause: error })
	})
	for await (const entry of entries) {
		if (entry.isFile() && entry.name.endsWith('.cdr.json')) {
			const file = fileOf(entry)
			yield { name: path.relative(folder, file), body: await bodyOf(file) }
		}
	}
}

function fileOf({ parentPath, name }: Dirent): string {
	return path.join(parentPath, name)
}

async function bodyOf(file: string): Promise<Buffer | undefined> {
	try {
		return (await stat(file)).size > LARGEST_BYTES ? undefined : await readFile(file)
	} catch {
		return undefined
	}
}
