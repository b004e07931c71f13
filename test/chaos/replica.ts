// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// One replica: lib/main.ts as a process of its own, which can be killed, started again, and given a wrong clock.

import type { ChildProcess } from 'node:child_process'

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const CLOCK = fileURLToPath(new URL('clock.mjs', import.meta.url))
/** What a person needs who looks into a broken promise. */
const KEPT_LINES = 4_000

export interface LogLine {
	at: number
	message: string
	text: string
	fields: Record<string, unknown>
}

export interface ReplicaOptions {
	/** The folder in which lib/ stands. */
	root: string
	index: 0 | 1
	port: number
	volume: string
	environment: Record<string, string>
}

export class Replica {
	readonly url: string
	readonly index: 0 | 1
	readonly log: LogLine[] = []
	/** Ends that nobody here has caused. */
	readonly crashes: string[] = []
	onLine: ((line: LogLine) => void) | undefined
	readonly #options: ReplicaOptions
	readonly #wrongs: string
	#process: ChildProcess | undefined
	#isUp = false
	#ended: Promise<unknown> = Promise.resolve()
	readonly #killNow = () => this.kill()
	#wrong = { offsetMs: 0, isDiskFull: false }

	constructor(options: ReplicaOptions) {
		this.#options = options
		this.index = options.index
		this.url = `http://127.0.0.1:${options.port}`
		// Whoever breaks the suite off must not leave it behind.
		process.once('exit', this.#killNow)
		this.#wrongs = join(options.volume, 'wrong.json')
	}

	/** It has said that it is up. */
	get isUp(): boolean {
		return this.#process !== undefined && this.#isUp
	}

	get isRunning(): boolean {
		return this.#process !== undefined
	}

	async start(): Promise<void> {
		const { root, port, volume, environment } = this.#options
		await mkdir(volume, { recursive: true })
		await this.#ended
		this.#write()
		const child = spawn(process.execPath, ['--import', CLOCK, 'lib/main.ts'], {
			cwd: root,
			env: {
				PATH: process.env.PATH ?? '',
				...environment,
				APP_HOST: '127.0.0.1',
				APP_PORT: String(port),
				APP_PERSISTENT_STORAGE: volume,
				SIPCALL_CHAOS_FILE: this.#wrongs,
			},
			stdio: ['ignore', 'pipe', 'pipe'],
		})
		this.#process = child
		this.#isUp = false
		for (const stream of [child.stdout, child.stderr]) {
			createInterface({ input: stream }).on('line', (line) => this.#take(line))
		}
		this.#ended = once(child, 'exit').then(([code, signal]) => {
			if (this.#process === child) {
				this.#process = undefined
				this.crashes.push(`replica ${this.index} ended by itself: ${code ?? signal}`)
			}
		})
	}

	/** `kill -9`: it can finish nothing. */
	kill(): void {
		const child = this.#process
		this.#process = undefined
		child?.kill('SIGKILL')
	}

	/** It stands still: its connections stay open, and nothing comes over them. */
	freeze(): void {
		this.#process?.kill('SIGSTOP')
	}

	thaw(): void {
		this.#process?.kill('SIGCONT')
	}

	async stop(): Promise<void> {
		this.kill()
		process.removeListener('exit', this.#killNow)
		await this.#ended
	}

	setWrong(change: Partial<{ offsetMs: number, isDiskFull: boolean }>): void {
		this.#wrong = { ...this.#wrong, ...change }
		this.#write()
	}

	#write(): void {
		writeFileSync(this.#wrongs, JSON.stringify(this.#wrong))
	}

	#take(text: string): void {
		let fields: Record<string, unknown> = {}
		try {
			fields = JSON.parse(text) as Record<string, unknown>
		} catch {
			// A line that the logger did not write: a stack trace, a warning of Node's.
		}
		const line = { at: performance.now(), message: typeof fields.message === 'string' ? fields.message : text, text, fields }
		this.#isUp ||= line.message === 'SIPCall is up'
		this.log.push(line)
		if (this.log.length > KEPT_LINES) {
			this.log.splice(0, KEPT_LINES / 2)
		}
		if (line.message.includes('a fault in SIPCall')) {
			this.crashes.push(`replica ${this.index}: ${text.slice(0, 600)}`)
		}
		this.onLine?.(line)
	}
}
