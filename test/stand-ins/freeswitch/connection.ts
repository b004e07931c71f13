// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** One client of the Event Socket: cuts the stream into commands, answers in order, lets events through (mod_event_socket). */

import type { Socket } from 'node:net'
import type { SwitchEvent } from './event.ts'

import { eventFrame, headerOf } from './event.ts'

/** A command as it came: its first line and the headers below it. */
export interface Command {
	line: string
	headers: Record<string, string>
}

const FAREWELL = 'Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n'
const SHUTDOWN = 'The system is being shut down.\n'

/** The switch refuses to collect a longer command. */
const LONGEST_COMMAND = 10_485_760

export class Connection {
	readonly id: number
	authenticated = false
	format: 'plain' | 'json' = 'plain'
	readonly events = new Set<string>()
	readonly subclasses = new Set<string>()
	/** Only events that match one of these pass, once there is one. */
	filters: [header: string, value: string][] = []

	readonly #socket: Socket
	readonly #handle: (command: Command, connection: Connection) => Promise<void>
	#buffer = Buffer.alloc(0)
	#queue: SwitchEvent[] = []
	#held: string[] = []
	#frozen: boolean
	#muted = false
	#busy = false

	constructor(id: number, socket: Socket, handle: (command: Command, connection: Connection) => Promise<void>, frozen = false) {
		this.id = id
		this.#frozen = frozen
		this.#socket = socket
		this.#handle = handle
		socket.setNoDelay(true)
		socket.on('error', () => socket.destroy())
		socket.on('data', (chunk: Buffer) => {
			this.#buffer = Buffer.concat([this.#buffer, chunk])
			void this.#work()
		})
		this.#write('Content-Type: auth/request\n\n')
	}

	get open(): boolean {
		return !this.#socket.destroyed && this.#socket.writable
	}

	/** Commands are worked on one by one: while one runs, neither the next nor any event gets through. */
	async #work(): Promise<void> {
		if (this.#busy) {
			return
		}
		this.#busy = true
		for (let command = this.#nextCommand(); command !== undefined && this.open; command = this.#nextCommand()) {
			await this.#handle(command, this)
			this.#flush()
		}
		this.#busy = false
		this.#flush()
	}

	#nextCommand(): Command | undefined {
		// Empty lines before a command are skipped.
		const start = this.#buffer.findIndex((byte) => byte !== 0x0A && byte !== 0x0D)
		this.#buffer = start < 0 ? Buffer.alloc(0) : this.#buffer.subarray(start)
		const text = this.#buffer.toString('latin1')
		const end = /\r*\n\r*\n/.exec(text)
		if (end === null) {
			if (this.#buffer.length >= LONGEST_COMMAND) {
				this.#socket.destroy()
			}
			return undefined
		}
		const lines = this.#buffer.subarray(0, end.index).toString('utf8').split(/[\r\n]+/)
		const headers: Record<string, string> = {}
		for (const line of lines.slice(1)) {
			const colon = line.indexOf(':')
			if (colon >= 0) {
				headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).replace(/^ +/, '')
			}
		}
		const length = Math.max(0, Number.parseInt(headers['content-length'] ?? '') || 0)
		const total = end.index + end[0].length + length
		if (this.#buffer.length < total) {
			return undefined
		}
		this.#buffer = this.#buffer.subarray(total)
		return { line: lines[0] ?? '', headers }
	}

	#write(text: string): void {
		if (this.#frozen) {
			this.#held.push(text)
		} else if (this.open && !this.#muted) {
			this.#socket.write(text)
		}
	}

	/** Answers a command; further headers follow the reply text. */
	reply(text: string, further = ''): void {
		this.#write(`Content-Type: command/reply\nReply-Text: ${text}\n${further}\n`)
	}

	/** The output of an API command. */
	respond(body: string): void {
		this.#write(`Content-Type: api/response\nContent-Length: ${Buffer.byteLength(body)}\n\n${body}`)
	}

	/** Says good-bye and closes. */
	close(reason: 'farewell' | 'shutdown' = 'farewell'): void {
		const notice = reason === 'farewell' ? FAREWELL : SHUTDOWN
		this.#flush()
		this.#write(`Content-Type: text/disconnect-notice\nContent-Length: ${Buffer.byteLength(notice)}\n\n${notice}`)
		if (this.#frozen) {
			this.#socket.destroy()
		} else {
			this.#socket.end()
		}
	}

	/** Says nothing from now on. */
	mute(): void {
		this.#muted = true
	}

	/** Cuts the line without a word. */
	cut(): void {
		this.#socket.destroy()
	}

	setFrozen(frozen: boolean): void {
		this.#frozen = frozen
		if (!frozen) {
			for (const text of this.#held.splice(0)) {
				this.#write(text)
			}
			this.#flush()
		}
	}

	offer(event: SwitchEvent, times: number): void {
		if (!this.authenticated || !this.#wants(event)) {
			return
		}
		for (let copy = 0; copy < times; copy++) {
			this.#queue.push(event)
		}
		// The reply to the command that caused the event goes first.
		setImmediate(() => this.#flush())
	}

	forgetEvents(): void {
		this.#queue = []
	}

	#wants(event: SwitchEvent): boolean {
		const subclass = headerOf(event, 'Event-Subclass')
		const subscribed = this.events.has('ALL') || (this.events.has(event.name) && (subclass === undefined || this.subclasses.has(subclass)))
		if (!subscribed || this.filters.length === 0) {
			return subscribed
		}
		return this.filters.some(([header, value]) => headerOf(event, header)?.toLowerCase() === value.toLowerCase())
	}

	#flush(): void {
		// A half-received command in the buffer holds every event back.
		if (this.#busy || this.#buffer.length > 0) {
			return
		}
		for (const event of this.#queue.splice(0)) {
			this.#write(eventFrame(event, this.format))
		}
	}
}
