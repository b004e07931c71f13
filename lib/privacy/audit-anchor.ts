// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { AuditHead, Mac } from './audit.ts'

import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { sealOf } from './audit.ts'

/** On the volume: who can write to the database alone does not reach it. */
const NAME = 'audit.anchor'

/** The end of the audit log as it was last noted, sealed by its key. */
export class AnchorFile {
	readonly #file: string
	readonly #mac: Mac

	/**
	 * @param folder the persistent volume; it is not made
	 */
	constructor(folder: string, mac: Mac) {
		this.#file = path.join(folder, NAME)
		this.#mac = mac
	}

	/** undefined when nothing was ever noted. */
	async read(): Promise<AuditHead | 'damaged' | undefined> {
		let text: string
		try {
			text = await readFile(this.#file, 'utf8')
		} catch (error) {
			return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? undefined : 'damaged'
		}
		const [, seq, hash = '', kid = '', seal = ''] = /^(\d{1,15}) ([0-9a-f]{64}) ([0-9a-f]{8}) ([0-9a-f]{64})\n$/.exec(text) ?? []
		const head = { seq: Number(seq), hash, kid, seal }
		return sealOf(head, this.#mac) === seal ? head : 'damaged'
	}

	/** In one move: a power cut leaves the earlier note or this one. */
	async write({ seq, hash, kid, seal }: AuditHead): Promise<void> {
		const draft = `${this.#file}.${randomUUID()}`
		try {
			await writeFile(draft, `${seq} ${hash} ${kid} ${seal}\n`, { mode: 0o600, flush: true, flag: 'wx' })
			await rename(draft, this.#file)
		} finally {
			await rm(draft, { force: true })
		}
	}
}
