// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** A client of the Event Socket that only sends bytes and collects frames: for tests of the stand-in itself. */

import type { Socket } from 'node:net'
import type { Frame, RecordedEvent } from './replay.ts'

import { once } from 'node:events'
import { connect } from 'node:net'
import { readEvent, readFrames } from './replay.ts'

export class RawClient {
	readonly frames: Frame[] = []
	readonly events: RecordedEvent[] = []
	ended = false
	readonly #socket: Socket
	readonly #waiting = new Set<() => void>()
	#buffer = Buffer.alloc(0)

	constructor(socket: Socket) {
		this.#socket = socket
		socket.on('error', () => socket.destroy())
		socket.on('data', (chunk: Buffer) => {
			this.#buffer = Buffer.concat([this.#buffer, chunk])
			const frames = readFrames(this.#buffer)
			this.#buffer = this.#buffer.subarray(frames.at(-1)?.end ?? 0)
			for (const frame of frames) {
				this.frames.push(frame)
				const event = readEvent(frame)
				if (event !== undefined) {
					this.events.push(event)
				}
			}
			this.#look()
		})
		socket.on('close', () => {
			this.ended = true
			this.#look()
		})
	}

	/** Connects and waits for the greeting. */
	static async connect(port: number): Promise<RawClient> {
		const socket = connect(port, '127.0.0.1')
		socket.setNoDelay(true)
		const client = new RawClient(socket)
		await once(socket, 'connect')
		await client.until(() => client.frames.length > 0)
		return client
	}

	/** Connects and logs in. */
	static async login(port: number, password = 'ClueCon'): Promise<RawClient> {
		const client = await RawClient.connect(port)
		await client.ask(`auth ${password}`)
		return client
	}

	send(text: string): void {
		this.#socket.write(text)
	}

	/** Sends a command and gives its reply: the next frame that is no event. */
	async ask(command: string): Promise<Frame> {
		const before = this.frames.length
		const isReply = (frame: Frame): boolean => ['command/reply', 'api/response'].includes(frame.contentType)
		this.send(`${command}\n\n`)
		await this.until(() => this.frames.slice(before).some(isReply))
		const reply = this.frames.slice(before).find(isReply)
		if (reply === undefined) {
			throw new Error(`The line ended before the reply to: ${command}`)
		}
		return reply
	}

	/** Resolves once the condition holds, or the line has ended. */
	until(condition: () => boolean): Promise<void> {
		return new Promise((resolve) => {
			const look = (): void => {
				if (condition() || this.ended) {
					this.#waiting.delete(look)
					resolve()
				}
			}
			this.#waiting.add(look)
			look()
		})
	}

	/** Resolves once the n-th event of this name has come. */
	async event(name: string, count = 1): Promise<RecordedEvent> {
		const found = () => this.events.filter((event) => event.name === name)[count - 1]
		await this.until(() => found() !== undefined)
		const event = found()
		if (event === undefined) {
			throw new Error(`The line ended before ${name} came.`)
		}
		return event
	}

	close(): void {
		this.#socket.destroy()
	}

	#look(): void {
		for (const look of this.#waiting) {
			look()
		}
	}
}
