// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// One connection to mod_event_socket, from connect to close. It never comes back by itself: `esl-link.ts` opens the
// next one, so that nobody mistakes a new connection for the old one and sends something twice.

import type { Socket } from 'node:net'
import type { WireEvent } from './wire-event.ts'

import { EslError } from './esl-error.ts'
import { ModeslConnection } from './modesl-connection.ts'
import { readWireEvent } from './wire-event.ts'

export interface EslEndpoint {
	host: string
	port: number
	password: string
	/** `name@domain` of FreeSWITCH's directory, for `userauth` with limited rights. */
	user?: string | undefined
}

export interface EslConnectionOptions {
	/** For connecting and signing in together. */
	connectTimeoutMs?: number
	/** For each command, unless it brings its own. */
	commandTimeoutMs?: number
	onEvent?: (event: WireEvent) => void
	/** An Event Socket has asked who it is. */
	onGreeting?: () => void
	/** Gives up connecting and signing in. */
	signal?: AbortSignal
	/** Called once, when an opened connection has ended for whatever reason. */
	onClose?: (error: EslError) => void
}

export interface EslReply {
	/** `Reply-Text` of a command/reply, or the body of an api/response. */
	text: string
}

interface Waiting {
	settle: (outcome: EslReply | EslError) => void
}

const CONNECT_TIMEOUT_MS = 5_000
const COMMAND_TIMEOUT_MS = 5_000

export class EslConnection {
	readonly #connection: ModeslConnection
	/** modesl forgets its socket at the peer's FIN; it must be closed all the same. */
	readonly #socket: Socket | null
	readonly #commandTimeoutMs: number
	readonly #waiting = new Set<Waiting>()
	#onClose: ((error: EslError) => void) | undefined
	#closed: EslError | undefined
	/** When the peer was last heard, in milliseconds of the monotonic clock. */
	lastHeardAt = performance.now()

	private constructor(connection: ModeslConnection, options: EslConnectionOptions) {
		this.#connection = connection
		this.#socket = connection.socket
		this.#commandTimeoutMs = options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS
	}

	/**
	 * Connects and signs in.
	 *
	 * @throws {EslError} `unreachable`, `password_refused`, `address_refused`
	 */
	static async open(endpoint: EslEndpoint, options: EslConnectionOptions = {}): Promise<EslConnection> {
		const connection = new ModeslConnection(endpoint.host, endpoint.port, endpoint.password, endpoint.user)
		const self = new EslConnection(connection, options)
		const { promise, resolve, reject } = Promise.withResolvers<void>()
		let isMute = false
		const timer = setTimeout(() => self.#end(new EslError('unreachable', 'FreeSWITCH did not answer in time', isMute ? { cause: new EslError('timeout', 'It took the connection, and said nothing that an Event Socket says') } : {})), options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS)

		const giveUp = () => self.close()
		options.signal?.addEventListener('abort', giveUp)

		self.#onClose = reject
		self.#socket?.on('data', () => {
			self.lastHeardAt = performance.now()
		})
		connection.on('error', (error: Error) => self.#end(new EslError('connection_lost', 'The connection to FreeSWITCH broke', { cause: error })))
		for (const farewell of ['end', 'close']) {
			self.#socket?.on(farewell, () => self.#end(new EslError('connection_lost', 'FreeSWITCH closed the connection')))
		}
		self.#socket?.on('connect', () => {
			isMute = true
		})
		connection.on('esl::event::auth::request', () => {
			isMute = false
			options.onGreeting?.()
		})
		connection.on('esl::event::auth::success', () => resolve())
		connection.on('esl::event::auth::fail', () => self.#end(new EslError('password_refused', 'FreeSWITCH refused the Event Socket password')))
		connection.on('esl::event::raw::text/rude-rejection', () => self.#end(new EslError('address_refused', 'FreeSWITCH’s access list does not allow this address')))
		connection.onEventFrame = (frame) => {
			const event = readWireEvent(frame)
			if (event !== undefined) {
				options.onEvent?.(event)
			}
		}
		try {
			await promise
			// Signed in and lost within the same bytes: nobody has been told yet.
			if (self.#closed !== undefined) {
				throw self.#closed
			}
		} catch (error) {
			throw error instanceof EslError && error.code === 'connection_lost'
				? new EslError('unreachable', 'FreeSWITCH’s Event Socket cannot be reached', { cause: error.cause ?? error })
				: error
		} finally {
			clearTimeout(timer)
			options.signal?.removeEventListener('abort', giveUp)
		}
		self.#onClose = options.onClose
		return self
	}

	/** Of this machine, as the socket has it; undefined once it is closed. */
	get localAddress(): string | undefined {
		return this.#socket?.localAddress
	}

	/** Why the connection is of no use any more; undefined while it is. */
	get closed(): EslError | undefined {
		return this.#closed
	}

	/**
	 * Writes a command once, in one piece, and waits for its reply. A command whose reply does not come in time ends
	 * the connection: replies carry no number, so after a gap nobody could tell whose the next one is.
	 *
	 * @throws {EslError} `not_connected`, `unsafe_command` (nothing written); `timeout`, `connection_lost` (unknown)
	 */
	command(line: string, headers?: Readonly<Record<string, string>>, timeoutMs = this.#commandTimeoutMs): Promise<EslReply> {
		if (this.#closed !== undefined) {
			return Promise.reject(new EslError('not_connected', 'There is no connection to FreeSWITCH', { cause: this.#closed }))
		}
		return new Promise((resolve, reject) => {
			const waiting: Waiting = {
				settle: (outcome) => {
					clearTimeout(timer)
					this.#waiting.delete(waiting)
					if (outcome instanceof EslError) {
						reject(outcome)
					} else {
						resolve(outcome)
					}
				},
			}
			const timer = setTimeout(() => {
				const late = new EslError('timeout', 'FreeSWITCH did not answer a command in time')
				waiting.settle(late)
				this.#end(late)
			}, timeoutMs)
			this.#waiting.add(waiting)
			try {
				this.#connection.sendRecv(line, headers ?? null, (reply) => waiting.settle({ text: reply.getHeader('Reply-Text') ?? reply.getBody() }))
			} catch (error) {
				// Nothing was written, so no reply will come for the place that modesl has just queued.
				this.#connection.cmdCallbackQueue.pop()
				waiting.settle(error instanceof EslError ? error : new EslError('not_connected', 'There is no connection to FreeSWITCH', { cause: error }))
			}
		})
	}

	/** Ends the connection; commands under way fail with `connection_lost`. Safe to call more than once. */
	close(): void {
		this.#end(new EslError('connection_lost', 'The connection was closed'))
	}

	#end(error: EslError): void {
		if (this.#closed !== undefined) {
			return
		}
		this.#closed = error
		this.#socket?.destroy()
		this.#connection.cmdCallbackQueue.length = 0
		for (const waiting of [...this.#waiting]) {
			waiting.settle(new EslError('connection_lost', error.message, { cause: error }))
		}
		this.#onClose?.(error)
	}
}
