// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ChildProcessByStdio } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Logger } from '../logger.ts'

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const FIRST_RESTART_DELAY_MS = 200
const LONGEST_RESTART_DELAY_MS = 10_000
const STEADY_AFTER_MS = 60_000
const KEPT_LINES = 5

export interface SupervisedProcessOptions {
	/** How the log calls it. */
	name: string
	/** Path of the program; no shell is involved. */
	command: string
	args: readonly string[]
	/** The name that the program sees as its own, when that matters to it. */
	argv0?: string
	/** Everything the child sees of the environment: the sidecar's own holds secrets. */
	env: Record<string, string>
	cwd: string
	/** Whom the child runs as; only root can ask for somebody else. */
	user?: { uid: number, gid: number }
	logger: Logger
	/** Asks for an orderly end. */
	stopSignal: 'SIGINT' | 'SIGTERM'
	/** Milliseconds from the stop signal to SIGKILL. */
	stopTimeoutMs: number
	/** Runs before every start, so that what a killed predecessor left behind does not stand in the way. */
	beforeStart?: () => Promise<void>
}

/**
 * Milliseconds to wait before the next start: 0.2 s, doubling up to 10 s.
 *
 * @param failures how often in a row the process ended before it had run for 60 s
 */
export function restartDelayMs(failures: number): number {
	return Math.min(FIRST_RESTART_DELAY_MS * 2 ** failures, LONGEST_RESTART_DELAY_MS)
}

/**
 * A child process that is started again when it dies, until it is told to stop. Its output goes to the log at debug,
 * its unexpected ends at warn. Signals go to the child's own handle, never to a number from a file.
 */
export class SupervisedProcess {
	readonly #options: SupervisedProcessOptions
	readonly #lastLines: string[] = []
	#child: ChildProcessByStdio<null, Readable, Readable> | undefined
	#childEnded: Promise<void> = Promise.resolve()
	#startedAt = 0
	#failures = 0
	#exits = 0
	#restartTimer: NodeJS.Timeout | undefined
	#preparing: Promise<void> = Promise.resolve()
	#stopping: Promise<void> | undefined

	constructor(options: SupervisedProcessOptions) {
		this.#options = options
	}

	/** The running child's process id; undefined between two starts and after the end. */
	pid(): number | undefined {
		return this.#child?.pid
	}

	/** How often the child has ended, or could not be started, since the first start. */
	exits(): number {
		return this.#exits
	}

	/** The newest lines the child wrote, oldest first: the reason when it does not start. */
	lastLines(): readonly string[] {
		return this.#lastLines
	}

	/** Starts the child. To be called once; every later start is the supervisor's own. */
	start(): void {
		process.once('exit', this.#endWithOwner)
		this.#startNow()
	}

	/**
	 * Ends the child for good: the stop signal, then SIGKILL after the limit. Resolves when the child is gone.
	 * May be called at any time and repeatedly.
	 */
	stop(): Promise<void> {
		this.#stopping ??= this.#stop()
		return this.#stopping
	}

	async #stop(): Promise<void> {
		clearTimeout(this.#restartTimer)
		process.removeListener('exit', this.#endWithOwner)
		await this.#preparing
		const child = this.#child
		if (child === undefined) {
			return
		}
		child.kill(this.#options.stopSignal)
		const limit = setTimeout(() => {
			this.#options.logger.warn(`${this.#options.name} did not stop in time and is killed`, { limitMs: this.#options.stopTimeoutMs })
			child.kill('SIGKILL')
		}, this.#options.stopTimeoutMs)
		await this.#childEnded
		clearTimeout(limit)
	}

	/** The owner ends without stop(), by an uncaught error for instance: only a signal can still be sent. */
	readonly #endWithOwner = (): void => {
		this.#child?.kill(this.#options.stopSignal)
	}

	#startNow(): void {
		this.#preparing = this.#prepareAndSpawn()
	}

	async #prepareAndSpawn(): Promise<void> {
		try {
			await this.#options.beforeStart?.()
		} catch (error) {
			this.#exits++
			this.#scheduleRestart({ error })
			return
		}
		if (this.#stopping === undefined) {
			this.#spawn()
		}
	}

	#spawn(): void {
		const { command, args, argv0, env, cwd, user } = this.#options
		const child = spawn(command, args, {
			env,
			cwd,
			stdio: ['ignore', 'pipe', 'pipe'],
			// An own process group: Ctrl-C at a terminal reaches the sidecar alone, which stops its children last.
			detached: true,
			...(argv0 === undefined ? {} : { argv0 }),
			...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
		})
		this.#child = child
		this.#startedAt = performance.now()
		this.#logLines(child.stdout)
		this.#logLines(child.stderr)
		this.#childEnded = new Promise((resolve) => {
			// A child that could not be started has an error and no exit; a signal that failed has an error and still runs.
			child.once('exit', (code, signal) => {
				this.#onEnd({ code, signal })
				resolve()
			})
			child.on('error', (error) => {
				if (child.pid === undefined) {
					this.#onEnd({ error })
					resolve()
				}
			})
		})
	}

	#logLines(stream: Readable): void {
		createInterface({ input: stream }).on('line', (line) => {
			this.#lastLines.push(line)
			this.#lastLines.splice(0, this.#lastLines.length - KEPT_LINES)
			this.#options.logger.debug(line, { process: this.#options.name })
		})
	}

	#onEnd(how: Record<string, unknown>): void {
		this.#child = undefined
		this.#exits++
		if (performance.now() - this.#startedAt >= STEADY_AFTER_MS) {
			this.#failures = 0
		}
		this.#scheduleRestart(how)
	}

	#scheduleRestart(how: Record<string, unknown>): void {
		if (this.#stopping !== undefined) {
			return
		}
		const delayMs = restartDelayMs(this.#failures)
		this.#failures++
		this.#options.logger.warn(`${this.#options.name} ended unexpectedly and is started again`, { ...how, delayMs })
		this.#restartTimer = setTimeout(() => this.#startNow(), delayMs)
	}
}
