// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Copies of lib/ that are broken on purpose: a judge that never found anything would prove nothing.

import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from './environment.ts'

export interface Break {
	name: string
	/** In lib/. */
	file: string
	/** Stands there exactly once. */
	find: string
	put: string
}

export const BREAKS: readonly Break[] = [
	{
		name: 'an originate is written again when its reply was lost',
		file: 'calls/call-service.ts',
		find: '// Nobody knows whether the switch has it: its events or its answers about the legs will tell.',
		put: 'await delay(1_500); return this.#originate(plan, slot, signal, began)',
	},
	{
		name: 'nobody asks for what was missed after a reconnect',
		file: 'calls/call-tracker.ts',
		find: 'await Promise.all(this.#open.values().map((call) => this.#askNow(call.uuid)))',
		put: '',
	},
	{
		name: 'each replica counts the limits in its own memory',
		file: 'redis/call-limiter.ts',
		find: 'new RateLimiterRedis({',
		put: 'new RateLimiterMemory({',
	},
]

export interface BrokenBuild {
	/** For EnvironmentOptions. */
	root: string
	remove: () => Promise<void>
}

/** @throws {Error} when the product has changed and the break does not fit any more */
export async function breakBuild({ file, find, put }: Break): Promise<BrokenBuild> {
	const root = await mkdtemp(join(tmpdir(), 'sipcall-broken-'))
	const remove = () => rm(root, { recursive: true, force: true })
	await cp(join(ROOT, 'lib'), join(root, 'lib'), { recursive: true })
	await Promise.all(['node_modules', 'package.json', 'ex_app', 'appinfo'].map((name) => symlink(join(ROOT, name), join(root, name))))
	const path = join(root, 'lib', file)
	const source = await readFile(path, 'utf8')
	if (source.split(find).length !== 2) {
		await remove()
		throw new Error(`The break of lib/${file} does not fit any more`)
	}
	await writeFile(path, source.replace(find, () => put))
	return { root, remove }
}
