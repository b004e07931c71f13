// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The sidecar as a process of its own, for tests that kill it.

import type { ChildProcess } from 'node:child_process'

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { keepOutput, keepSecrets } from './kept-log.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Sidecar {
	readonly url: string
	readonly process: ChildProcess
	/** Everything it printed so far. */
	output(): string
	/** Resolves with the exit code, or null after a signal. */
	readonly exited: Promise<number | null>
}

/** Starts what `npm start` starts. Resolves at once; `untilUp` waits. */
export function spawnSidecar(environment: Record<string, string>, port: number): Sidecar {
	const child = spawn(process.execPath, ['lib/main.ts'], {
		cwd: ROOT,
		env: { PATH: process.env.PATH ?? '', ...environment, APP_HOST: '127.0.0.1', APP_PORT: String(port) },
		stdio: ['ignore', 'pipe', 'pipe'],
	})
	let output = ''
	keepSecrets(environment)
	for (const stream of [child.stdout, child.stderr]) {
		stream.on('data', (chunk: Buffer) => {
			output += chunk.toString()
			keepOutput(chunk)
		})
	}
	return {
		url: `http://127.0.0.1:${port}`,
		process: child,
		output: () => output,
		exited: once(child, 'exit').then(([code]) => code as number | null),
	}
}

/** Resolves once the sidecar has printed a text. */
export async function untilPrinted(sidecar: Sidecar, text: string): Promise<void> {
	while (!sidecar.output().includes(text)) {
		const ended = await Promise.race([sidecar.exited.then(() => true), once(sidecar.process.stdout ?? sidecar.process, 'data').then(() => false)])
		if (ended) {
			throw new Error(`The sidecar ended before it printed "${text}":\n${sidecar.output()}`)
		}
	}
}

/** Resolves once the sidecar has told that it is up. */
export function untilUp(sidecar: Sidecar): Promise<void> {
	return untilPrinted(sidecar, 'SIPCall is up')
}
