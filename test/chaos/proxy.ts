// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Stands between one replica and one of its servers, sees each message whole, and does what a bad network does.

import type { NetConnectOpts, Server, Socket } from 'node:net'
import type { Direction, Part, Step } from './steps.ts'

import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { readerOf } from './steps.ts'

/** What becomes of one message. */
export interface Treatment {
	/** The connection is reset, before or after the message has passed. */
	cut?: 'before' | 'after'
	/** 0: it is lost. */
	copies?: number
	/** It is overtaken by messages that wait for less long. */
	delayMs?: number
}

/** How all connections are now. */
export interface Weather {
	/** Nobody gets through any more; what is open is reset. */
	isAway: boolean
	/** Directions in which nothing arrives until that is over. */
	held: readonly Direction[]
	latencyMs: number
	/** Pieces in which bytes arrive; undefined: as they come. */
	pieceBytes: number | undefined
}

const FAIR: Weather = { isAway: false, held: [], latencyMs: 0, pieceBytes: undefined }

export interface ProxyOptions {
	part: Part
	/** Where it listens; left out, on any port of this machine. */
	host?: string
	port?: number | undefined
	/** The server behind it. */
	target: NetConnectOpts
	/** Asked for each message, in order. */
	treat: (step: Step, link: Link) => Treatment | undefined
	/** Told of each message that was written to the other side. */
	onPassed: (step: Step, link: Link) => void
	onClosed: (link: Link) => void
}

export class Proxy {
	readonly #options: ProxyOptions
	readonly #links = new Set<Link>()
	#server: Server | undefined
	#weather = FAIR
	port: number

	constructor(options: ProxyOptions) {
		this.#options = options
		this.port = options.port ?? 0
	}

	async listen(): Promise<void> {
		this.#server = createServer((socket) => this.#take(socket))
		this.#server.listen(this.port, this.#options.host ?? '127.0.0.1')
		await once(this.#server, 'listening')
		const address = this.#server.address()
		this.port = typeof address === 'object' && address !== null ? address.port : 0
	}

	get weather(): Weather {
		return this.#weather
	}

	setWeather(change: Partial<Weather>): void {
		this.#weather = { ...this.#weather, ...change }
		if (this.#weather.isAway) {
			this.cut()
		}
		this.#links.forEach((link) => link.look())
	}

	/** Resets every connection. */
	cut(): void {
		this.#links.forEach((link) => link.cut())
	}

	async stop(): Promise<void> {
		this.cut()
		this.#server?.close()
	}

	#take(socket: Socket): void {
		if (this.#weather.isAway) {
			socket.resetAndDestroy()
			return
		}
		const link = new Link(this, this.#options, socket)
		this.#links.add(link)
		link.onClosed(() => {
			this.#links.delete(link)
			this.#options.onClosed(link)
		})
	}
}

let lastLink = 0

/** One connection and its other half. */
export class Link {
	readonly id = ++lastLink
	readonly #proxy: Proxy
	readonly #options: ProxyOptions
	readonly #sides: Record<Direction, Socket>
	readonly #waiting: Record<Direction, { at: number, write: () => void }[]> = { up: [], down: [] }
	#timer: NodeJS.Timeout | undefined
	#isClosed = false

	constructor(proxy: Proxy, options: ProxyOptions, client: Socket) {
		this.#proxy = proxy
		this.#options = options
		const server = connect(options.target)
		// By where their bytes go to.
		this.#sides = { up: server, down: client }
		const reader = readerOf(options.part)
		for (const [direction, from] of [['up', client], ['down', server]] as const) {
			from.setNoDelay(true)
			from.on('error', () => {})
			from.on('data', (chunk: Buffer) => {
				for (const step of reader.read(direction, chunk)) {
					this.#pass(step)
				}
			})
			from.on('end', () => this.#write(direction, 0, () => this.#sides[direction].end()))
			from.on('close', () => this.cut())
		}
	}

	onClosed(listener: () => void): void {
		this.#sides.down.once('close', listener)
	}

	cut(): void {
		this.#isClosed = true
		clearTimeout(this.#timer)
		for (const socket of Object.values(this.#sides)) {
			if (socket.remoteAddress === undefined) {
				// A Unix socket knows no reset.
				socket.destroy()
			} else if (!socket.destroyed) {
				socket.resetAndDestroy()
			}
		}
	}

	/** Lets through what no weather holds any more. */
	look(): void {
		if (this.#isClosed) {
			return
		}
		clearTimeout(this.#timer)
		const now = performance.now()
		let next = Infinity
		for (const direction of ['up', 'down'] as const) {
			const waiting = this.#waiting[direction]
			if (this.#proxy.weather.held.includes(direction)) {
				continue
			}
			while (waiting[0] !== undefined && waiting[0].at <= now) {
				waiting.shift()?.write()
			}
			next = Math.min(next, waiting[0]?.at ?? Infinity)
		}
		if (next !== Infinity) {
			this.#timer = setTimeout(() => this.look(), Math.max(1, next - now))
		}
	}

	#pass(step: Step): void {
		if (this.#isClosed) {
			return
		}
		const { cut, copies = 1, delayMs = 0 } = this.#options.treat(step, this) ?? {}
		if (cut === 'before') {
			this.cut()
			return
		}
		for (let copy = 0; copy < copies; copy++) {
			if (delayMs === 0) {
				this.#send(step, copy === 0)
			} else {
				setTimeout(() => this.#send(step, copy === 0), delayMs)
			}
		}
		if (cut === 'after') {
			// What was written first must leave: a reset discards what is still in our own buffer.
			this.#write(step.direction, 0, () => setTimeout(() => this.cut(), 5))
		}
	}

	#send(step: Step, isFirst: boolean): void {
		const { latencyMs, pieceBytes = step.bytes.length } = this.#proxy.weather
		const to = this.#sides[step.direction]
		for (let from = 0; from < step.bytes.length; from += pieceBytes) {
			this.#write(step.direction, latencyMs + from / pieceBytes, () => {
				to.write(step.bytes.subarray(from, from + pieceBytes))
				if (isFirst && from + pieceBytes >= step.bytes.length) {
					this.#options.onPassed(step, this)
				}
			})
		}
	}

	/** In order: what comes later waits for what came before it. */
	#write(direction: Direction, delayMs: number, write: () => void): void {
		if (this.#isClosed) {
			return
		}
		const waiting = this.#waiting[direction]
		if (waiting.length === 0 && delayMs === 0 && !this.#proxy.weather.held.includes(direction)) {
			write()
			return
		}
		waiting.push({ at: performance.now() + delayMs, write })
		this.look()
	}
}
