// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { chmod, lchown, lstat, mkdir, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { SipCallError } from '../errors.ts'

export interface ServiceUser {
	name: string
	uid: number
	gid: number
	/** True when the services run as somebody other than the sidecar itself, because that one is root. */
	switched: boolean
}

/** In the order of preference. Both have a passwd entry on every Debian. */
const CANDIDATES = ['postgres', 'nobody']

/**
 * Whom the embedded services run as: the sidecar's own user, or, as PostgreSQL refuses to run as root, `postgres` or
 * `nobody` when the sidecar is root.
 *
 * @throws {SipCallError} storage_unavailable when that user has no entry in the system's list of users
 */
export async function findServiceUser(): Promise<ServiceUser> {
	const uid = process.getuid?.()
	if (uid !== 0) {
		return currentUser()
	}
	const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
	for (const candidate of CANDIDATES) {
		const entry = lines.find(([name]) => name === candidate)
		if (entry !== undefined && Number(entry[2]) > 0) {
			return { name: candidate, uid: Number(entry[2]), gid: Number(entry[3]), switched: true }
		}
	}
	throw new SipCallError('storage_unavailable', 'The embedded PostgreSQL does not run as root, and there is no user named postgres or nobody to run it as. Create one of them, run SIPCall as another user, or set DATABASE_URL.')
}

function currentUser(): ServiceUser {
	try {
		const { username, uid, gid } = userInfo()
		return { name: username, uid, gid, switched: false }
	} catch (cause) {
		throw new SipCallError('storage_unavailable', `The embedded PostgreSQL needs a user with an entry in /etc/passwd; user id ${process.getuid?.()} has none. Add an entry, run SIPCall as another user, or set DATABASE_URL.`, { cause })
	}
}

/**
 * The outermost folder on the way to a path, the path itself included, that a user may not enter; undefined when the
 * whole way is open. Reads the permission bits alone: access lists are not looked at.
 *
 * @param path an absolute path that exists
 * @param user whom to ask for
 */
export async function findBlockedFolder(path: string, user: ServiceUser): Promise<string | undefined> {
	const parent = dirname(path)
	if (parent !== path) {
		const blocked = await findBlockedFolder(parent, user)
		if (blocked !== undefined) {
			return blocked
		}
	}
	const { mode, uid, gid } = await stat(path)
	const entry = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
	return (mode & entry) === 0 ? path : undefined
}

/**
 * Makes the folder that holds all embedded services' folders, and makes sure that the services' user can pass it.
 *
 * @return its real path
 * @throws {SipCallError} storage_unavailable naming the folder that stands in the way
 */
export async function prepareDataDir(dataDir: string, user: ServiceUser): Promise<string> {
	await mkdir(dataDir, { recursive: true }).catch((cause: unknown) => {
		throw new SipCallError('storage_unavailable', `The data folder ${dataDir} cannot be created. Let user ${user.name} write there, or choose another folder.`, { cause })
	})
	const path = await realpath(dataDir)
	if (!user.switched) {
		return path
	}
	const blocked = await findBlockedFolder(dirname(path), user)
	if (blocked !== undefined) {
		throw new SipCallError('storage_unavailable', `The embedded PostgreSQL and Redis run as user ${user.name}, who may not enter ${blocked}. Allow it (chmod o+x ${blocked}), choose a data folder elsewhere, or set DATABASE_URL and REDIS_URL.`)
	}
	if (await findBlockedFolder(path, user) !== undefined) {
		// The data folder is SIPCall's own: others may pass through it, they still cannot list it.
		await chmod(path, (await stat(path)).mode & 0o7777 | 0o011)
	}
	return path
}

/**
 * Gives a folder and everything in it to the services' user when somebody else owns it; for root only, as nobody
 * else can. Does nothing when the folder itself has the right owner.
 *
 * @throws {SipCallError} storage_unavailable when the folder is another user's and the sidecar is not root
 */
export async function takeOwnership(path: string, user: ServiceUser): Promise<void> {
	const { uid } = await lstat(path)
	if (uid === user.uid) {
		return
	}
	if (!user.switched) {
		throw new SipCallError('storage_unavailable', `The folder ${path} belongs to user id ${uid}, and SIPCall runs as ${user.name}. Run SIPCall as its owner, or hand the folder over (chown -R ${user.name} ${path}).`)
	}
	await chownAll(path, user)
}

/** The folder itself comes last: a hand-over that was cut short is then done again. */
async function chownAll(path: string, user: ServiceUser): Promise<void> {
	if ((await lstat(path)).isDirectory()) {
		for (const name of await readdir(path)) {
			await chownAll(join(path, name), user)
		}
	}
	await lchown(path, user.uid, user.gid)
}

/**
 * Makes a folder with mode 0700 that the services' user owns, or takes over the one that is there.
 *
 * @throws {SipCallError} storage_unavailable when it belongs to another user
 */
export async function makePrivateFolder(path: string, user: ServiceUser): Promise<void> {
	await mkdir(path, { recursive: true, mode: 0o700 })
	await takeOwnership(path, user)
	await chmod(path, 0o700)
}
