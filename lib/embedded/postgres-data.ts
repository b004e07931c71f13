// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Logger } from '../logger.ts'
import type { ServiceUser } from './unprivileged-user.ts'

import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SipCallError } from '../errors.ts'
import { makePrivateFolder, takeOwnership } from './unprivileged-user.ts'

/** Named for the major version: another one cannot read these files. */
const DATA_FOLDER = 'postgresql-16'
const DRAFT_PREFIX = `${DATA_FOLDER}.init-`

/** The role that owns the cluster. SIPCall itself never logs in with it, save to create its own role and database. */
export const ADMIN_ROLE = 'sipcall_admin'

/** What the embedded services see of the environment: the sidecar's own holds secrets. */
export const SERVICE_ENV: Record<string, string> = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', TZ: 'UTC' }

/**
 * The cluster's data folder, made on the first call. `initdb` works in a folder beside it that takes the final name
 * when it is complete and on the disk, so a crash in between leaves nothing half made.
 *
 * @param dataDir the embedded services' common folder
 * @param binaries where initdb is
 * @throws {SipCallError} storage_unavailable when the folder holds something else, or initdb fails
 */
export async function preparePostgresData(dataDir: string, binaries: string, user: ServiceUser, logger: Logger): Promise<string> {
	const path = join(dataDir, DATA_FOLDER)
	await removeDrafts(dataDir)
	const version = await readVersion(path)
	if (version === undefined) {
		await initialise(dataDir, path, binaries, user, logger)
	} else if (version === '16') {
		await takeOwnership(path, user)
	} else {
		throw new SipCallError('storage_unavailable', `The folder ${path} holds data of PostgreSQL ${version}, not 16. Move it away, or set DATABASE_URL.`)
	}
	return path
}

async function readVersion(path: string): Promise<string | undefined> {
	try {
		return (await readFile(join(path, 'PG_VERSION'), 'utf8')).trim()
	} catch {
		return undefined
	}
}

async function removeDrafts(dataDir: string): Promise<void> {
	for (const name of await readdir(dataDir)) {
		if (name.startsWith(DRAFT_PREFIX)) {
			await rm(join(dataDir, name), { recursive: true, force: true })
		}
	}
}

async function initialise(dataDir: string, path: string, binaries: string, user: ServiceUser, logger: Logger): Promise<void> {
	const startedAt = performance.now()
	const draft = join(dataDir, `${DRAFT_PREFIX}${process.pid}`)
	await makePrivateFolder(draft, user)
	try {
		await promisify(execFile)(join(binaries, 'initdb'), [
			`--pgdata=${draft}`,
			`--username=${ADMIN_ROLE}`,
			'--encoding=UTF8',
			'--locale=C.UTF-8',
			// Who can enter the socket's folder is the sidecar or root. There is no other way in.
			'--auth-local=trust',
			'--auth-host=reject',
		], { cwd: draft, env: SERVICE_ENV, ...(user.switched ? { uid: user.uid, gid: user.gid } : {}) })
	} catch (cause) {
		await rm(draft, { recursive: true, force: true })
		const output = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : ''
		throw new SipCallError('storage_unavailable', `PostgreSQL could not create its data folder in ${dataDir}: ${output || 'initdb could not be run.'}`, { cause })
	}
	// An empty folder may stand there already, made by whoever set up the volume.
	await mkdir(path, { recursive: true })
	await rename(draft, path).catch(async (cause: unknown) => {
		await rm(draft, { recursive: true, force: true })
		throw new SipCallError('storage_unavailable', `The folder ${path} is not empty and holds no PostgreSQL data. Move it away and start SIPCall again.`, { cause })
	})
	logger.info('Created the embedded database', { path, tookMs: Math.round(performance.now() - startedAt) })
}
