// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ServiceUser } from './unprivileged-user.ts'

import { chmod, chown, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SipCallError } from '../errors.ts'
import { findBlockedFolder, makePrivateFolder } from './unprivileged-user.ts'

/** Bytes. A socket's whole path may have 107 (sun_path of unix(7) less its end mark). */
const LONGEST_SOCKET_PATH = 100

export interface SocketFolder {
	readonly path: string
	/** Removes the folder when it is a temporary one. */
	remove(): Promise<void>
}

/**
 * A folder for a Unix socket that its owner alone may enter, so that the service behind needs no password.
 *
 * @param preferred where it should be; a temporary folder takes its place when the socket's path would be too long
 * @param socketName the longest file name that will stand in it
 * @param user who owns it
 * @throws {SipCallError} storage_unavailable when no folder with a short enough path can be had
 */
export async function makeSocketFolder(preferred: string, socketName: string, user: ServiceUser): Promise<SocketFolder> {
	if (fits(preferred, socketName)) {
		await makePrivateFolder(preferred, user)
		return { path: preferred, remove: async () => {} }
	}
	for (const base of [tmpdir(), '/tmp']) {
		if (fits(join(base, 'sipcall-XXXXXX'), socketName) && await findBlockedFolder(base, user) === undefined) {
			const path = await mkdtemp(join(base, 'sipcall-'))
			if (user.switched) {
				await chown(path, user.uid, user.gid)
			}
			await chmod(path, 0o700)
			return { path, remove: () => rm(path, { recursive: true, force: true }) }
		}
	}
	throw new SipCallError('storage_unavailable', `The path ${preferred} is too long for a Unix socket, and ${tmpdir()} cannot take its place. Choose a data folder with a shorter path.`)
}

/**
 * Removes the sockets and locks of a killed predecessor. Whoever still used them must have been ended before.
 */
export async function emptySocketFolder(path: string): Promise<void> {
	for (const name of await readdir(path)) {
		await rm(join(path, name), { force: true })
	}
}

function fits(folder: string, socketName: string): boolean {
	return Buffer.byteLength(join(folder, socketName)) <= LONGEST_SOCKET_PATH
}
