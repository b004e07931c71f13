// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A folder that looks like the image's root, with the real scripts in it and with stand-ins for node and frpc.

import type { ChildProcess } from 'node:child_process'

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, watch, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const SCRIPTS = fileURLToPath(new URL('../../../ex_app/container', import.meta.url))

export const IS_ROOT = process.getuid?.() === 0
/** `nobody`, in the place of the image's own user. */
export const OTHER_USER = { name: 'nobody', uid: 65534, gid: 65534 }

/**
 * Tells what it was started with, then waits for a line with a status to end with. What it writes appears whole, by
 * renaming, and `pid` comes last.
 */
const STAND_IN = `#!/bin/sh
name=$(basename "$0")
seen=$(dirname "$0")/../seen
trap 'echo "$name TERM" >> "$seen/order"; exit "$(cat "$seen/$name.term" 2>/dev/null || echo 0)"' TERM
env > "$seen/$name.env"
printf '%s\\n' "$@" > "$seen/$name.args"
pwd > "$seen/$name.cwd"
grep -E '^(Uid|Gid|Groups|NoNewPrivs|CapEff):' /proc/self/status > "$seen/$name.status"
if [ "$name" = frpc ]; then cp "$2" "$seen/frpc.toml"; fi
rm -f "$seen/$name.end"
mkfifo -m 666 "$seen/$name.end"
exec 9<> "$seen/$name.end"
echo "$name began" >> "$seen/order"
echo "$$" > "$seen/$name.new"
mv "$seen/$name.new" "$seen/$name.pid"
read -r status <&9
exit "$status"
`

type Part = 'node' | 'frpc'

export interface Run {
	readonly process: ChildProcess
	/** Resolves with the exit status, 128 + number after a signal, once nothing holds the output any more. */
	readonly exited: Promise<number>
	output(): string
}

export class FakeContainer {
	readonly root: string
	readonly #runs: Run[] = []

	constructor(root: string) {
		this.root = root
	}

	path(...parts: string[]): string {
		return path.join(this.root, ...parts)
	}

	/** Puts a program first in the PATH. */
	async install(name: Part, script: string): Promise<void> {
		await writeFile(this.path('bin', name), script)
		await chmod(this.path('bin', name), 0o755)
	}

	/** Starts a script of the image, as root or as the other user. */
	run(script: string, environment: Record<string, string>, as?: { uid: number, gid: number }): Run {
		const child = spawn(this.path('app/ex_app/container', script), {
			env: { PATH: `${this.path('bin')}:/usr/bin:/bin`, SIPCALL_ROOT: this.root, SIPCALL_USER: OTHER_USER.name, ...environment },
			stdio: ['ignore', 'pipe', 'pipe'],
			// A group of its own: the stand-ins that a killed script leaves behind are found by it.
			detached: true,
			...as,
		})
		let output = ''
		for (const stream of [child.stdout, child.stderr]) {
			stream.on('data', (chunk: Buffer) => {
				output += chunk.toString()
			})
		}
		const exited = once(child, 'close').then(([code, signal]) => signal === null ? code as number : 128 + (signal === 'SIGTERM' ? 15 : 9))
		const run = { process: child, exited, output: () => output }
		this.#runs.push(run)
		return run
	}

	/** Resolves when the stand-in has told everything; with its process id. */
	async began(name: Part): Promise<number> {
		return this.#until(async () => Number(await this.read(`${name}.pid`)))
	}

	/** What a stand-in has told, or an empty text. */
	async read(file: string): Promise<string> {
		return readFile(this.path('seen', file), 'utf8').catch(() => '')
	}

	/** Makes a stand-in end with that status. */
	async end(name: Part, status: number): Promise<void> {
		await writeFile(this.path('seen', `${name}.end`), `${status}\n`)
	}

	/**
	 * Resolves when the kernel lists no stand-in any more, which can be a moment after the last one has closed its files.
	 * One that was forgotten waits for ever, and so does this.
	 */
	async nobodyRuns(): Promise<void> {
		for (let isAnyThere = true; isAnyThere;) {
			const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
			const commands = await Promise.all(processes.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
			isAnyThere = commands.some((command) => command.includes(`${this.path('bin')}/`))
		}
	}

	/** Forgets what was told, before the next start. */
	async forget(): Promise<void> {
		for (const file of await readdir(this.path('seen'))) {
			await rm(this.path('seen', file))
		}
	}

	/** Ends whatever is still running, at once, and waits for it. */
	async kill(): Promise<void> {
		for (const { process: { pid }, exited } of this.#runs.splice(0)) {
			try {
				process.kill(-(pid ?? 0), 'SIGKILL')
			} catch {
				// Nobody of that group is left.
			}
			await exited
		}
	}

	async remove(): Promise<void> {
		await this.kill()
		await rm(this.root, { recursive: true, force: true })
	}

	async #until<Value>(look: () => Promise<Value>): Promise<Value> {
		const ending = new AbortController()
		const changes = watch(this.path('seen'), { signal: ending.signal })[Symbol.asyncIterator]()
		try {
			for (;;) {
				// Asked for before looking: a change in between is then not missed.
				const change = changes.next()
				const value = await look()
				if (value) {
					change.catch(() => {})
					return value
				}
				await change
			}
		} finally {
			ending.abort()
		}
	}
}

export async function makeFakeContainer(): Promise<FakeContainer> {
	const root = await mkdtemp(path.join(tmpdir(), 'sipcall-container-'))
	await chmod(root, 0o755)
	const container = new FakeContainer(root)
	for (const folder of ['bin', 'tmp', 'run', 'seen']) {
		await mkdir(container.path(folder))
	}
	for (const folder of ['tmp', 'run', 'seen']) {
		await chmod(container.path(folder), 0o777)
	}
	await cp(SCRIPTS, container.path('app/ex_app/container'), { recursive: true })
	await container.install('node', STAND_IN)
	await container.install('frpc', STAND_IN)
	return container
}
