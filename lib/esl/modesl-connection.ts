// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// modesl carries the connection: it opens the socket, answers auth/request, names the frames and hands each reply to
// the caller that has waited longest. What it does in a way that kills, leaks or stalls is replaced here and nowhere
// else; docs/adr/0002-modesl.md lists it with figures.

import type { EslFrame } from './frame-decoder.ts'

import modesl from 'modesl'
import { FrameDecoder } from './frame-decoder.ts'
import { encodeCommand } from './safe-command.ts'

/** The headers of a reply in the spelling that modesl looks for. */
const SPELLING: ReadonlyMap<string, string> = new Map([
	['content-type', 'Content-Type'],
	['reply-text', 'Reply-Text'],
	['job-uuid', 'Job-UUID'],
])

/** The frames that modesl hears of. It takes any type for the name of an event, and `*` in it for every name. */
const KNOWN_TYPES: ReadonlySet<string | undefined> = new Set(['auth/request', 'command/reply', 'api/response', 'text/rude-rejection'])

const KEEP_ALIVE_MS = 15_000

/**
 * modesl's connection with its own parser, sender and second reply queue taken out.
 *
 * Emits what modesl emits for replies (`esl::event::auth::request`, `esl::event::command::reply` …) and `error`;
 * frames that are events go to `onEventFrame` instead, past the wildcard emitter.
 */
export class ModeslConnection extends modesl.Connection {
	/** modesl keeps a queue for each kind of reply; `api` may be answered by either kind, so both are one here. */
	declare apiCallbackQueue: typeof this.cmdCallbackQueue
	onEventFrame: (frame: EslFrame) => void = () => {}
	readonly #user: string | undefined

	constructor(host: string, port: number, password: string, user: string | undefined) {
		super(host, port, password)
		this.#user = user
		this.apiCallbackQueue = this.cmdCallbackQueue
	}

	/** modesl's own handler starts its parser, which throws on a raw `%` and takes quadratic time for long bodies. */
	override _onConnect(): void {
		const decoder = new FrameDecoder()
		this.socket?.setNoDelay(true)
		this.socket?.setKeepAlive(true, KEEP_ALIVE_MS)
		this.socket?.on('data', (chunk: Buffer) => {
			try {
				for (const frame of decoder.push(chunk)) {
					this.#dispatch(frame)
				}
			} catch (error) {
				this.emit('error', error)
			}
		})
		this.on('esl::event::auth::request', () => this.auth())
		this.emit('esl::connect')
	}

	#dispatch(frame: EslFrame): void {
		const type = frame.headers['content-type']
		if (type?.startsWith('text/event-') === true) {
			this.onEventFrame(frame)
			return
		}
		if (!KNOWN_TYPES.has(type)) {
			return
		}
		const headers: Record<string, string> = {}
		for (const [name, value] of Object.entries(frame.headers)) {
			headers[SPELLING.get(name) ?? name] = value
		}
		const event = new modesl.Event(headers, frame.body.toString('utf8'))
		const reply = headers['Reply-Text']
		if (reply?.startsWith('+OK') === true) {
			event.addHeader('Modesl-Reply-OK', reply.slice(4))
		}
		this._onEvent(event, headers, event.getBody())
	}

	/** modesl writes each line of a command by itself, and lets a line feed in a value begin a new command. */
	override send(command: string, args?: Readonly<Record<string, string>>): void {
		const bytes = encodeCommand(command, args ?? {})
		if (this.socket === null || !this.socket.writable) {
			throw new Error('The socket is closed')
		}
		this.socket.write(bytes)
	}

	/** modesl knows only the master password; a user of the directory signs in with `userauth user@domain:password`. */
	override auth(): void {
		if (this.#user === undefined) {
			super.auth()
			return
		}
		this.sendRecv(`userauth ${this.#user}:${this.password}`, null, (reply) => {
			const accepted = reply.getHeader('Modesl-Reply-OK') !== null
			this.authed = accepted
			this.emit(accepted ? 'esl::event::auth::success' : 'esl::event::auth::fail', reply)
		})
	}

	/** After signing in modesl subscribes to two events by itself; the owner of the connection says what it wants. */
	override subscribe(): void {}
}
