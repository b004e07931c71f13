// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { AddressInfo, Server, Socket } from 'node:net'

import { once } from 'node:events'
import { createServer } from 'node:net'
import { Conditions } from '../stand-ins/conditions.ts'

/** One client, as the peer sees it. */
export interface PeerConnection {
	readonly socket: Socket
	/** Whole commands with their headers, without the empty line. */
	readonly commands: string[]
	/** Bytes behind the last whole command. */
	rest: string
	closed: boolean
}

export interface EslPeerOptions {
	/** What is sent to whoever connects. */
	greeting?: string
	/** Answers a command with bytes; undefined = with nothing. Logins with `auth` are accepted unless this answers them. */
	answer?: (command: string, connection: PeerConnection) => string | Buffer | undefined
	/** Accepts every `auth` by itself; false leaves them to `answer`. */
	login?: boolean
}

export const AUTH_REQUEST = 'Content-Type: auth/request\n\n'
export const ACCEPTED = 'Content-Type: command/reply\nReply-Text: +OK accepted\n\n'

export function commandReply(text: string): string {
	return `Content-Type: command/reply\nReply-Text: ${text}\n\n`
}

export function apiResponse(body: string): string {
	return `Content-Type: api/response\nContent-Length: ${Buffer.byteLength(body)}\n\n${body}`
}

export function jsonEvent(event: Readonly<Record<string, string>>): string {
	const body = JSON.stringify(event)
	return `Content-Length: ${Buffer.byteLength(body)}\nContent-Type: text/event-json\n\n${body}`
}

/** A TCP server that knows the framing of the Event Socket and nothing else: a test says each byte of its answers. */
export class EslPeer {
	readonly connections: PeerConnection[] = []
	readonly #server: Server
	readonly #conditions = new Conditions()

	private constructor(server: Server) {
		this.#server = server
	}

	static async start(options: EslPeerOptions = {}): Promise<EslPeer> {
		// Half open, so that a test decides when the peer closes its side.
		const server = createServer({ allowHalfOpen: true, noDelay: true })
		const peer = new EslPeer(server)
		server.on('connection', (socket) => peer.#accept(socket, options))
		server.listen(0, '127.0.0.1')
		await once(server, 'listening')
		return peer
	}

	get port(): number {
		return (this.#server.address() as AddressInfo).port
	}

	get endpoint(): { host: string, port: number, password: string } {
		return { host: '127.0.0.1', port: this.port, password: 'ClueCon' }
	}

	/** Every command that any client sent, logins left out. */
	get commands(): string[] {
		return this.connections.flatMap(({ commands }) => commands).filter((command) => !command.startsWith('auth '))
	}

	/** The newest client. */
	get last(): PeerConnection {
		const connection = this.connections.at(-1)
		if (connection === undefined) {
			throw new Error('Nobody has connected')
		}
		return connection
	}

	/** Resolves once the condition holds; it is looked at after whatever a client does. */
	until(condition: () => boolean): Promise<void> {
		return this.#conditions.until(condition)
	}

	async stop(): Promise<void> {
		this.connections.forEach(({ socket }) => socket.destroy())
		this.#server.close()
		await once(this.#server, 'close')
	}

	#accept(socket: Socket, options: EslPeerOptions): void {
		const connection: PeerConnection = { socket, commands: [], rest: '', closed: false }
		this.connections.push(connection)
		socket.on('error', () => socket.destroy())
		for (const end of ['end', 'close']) {
			socket.on(end, () => {
				connection.closed = true
				this.#look()
			})
		}
		socket.on('data', (chunk: Buffer) => {
			const parts = (connection.rest + chunk.toString()).split('\n\n')
			connection.rest = parts.pop() ?? ''
			for (const command of parts) {
				connection.commands.push(command)
				const isLogin = options.login !== false && command.startsWith('auth ')
				const answer = isLogin ? ACCEPTED : options.answer?.(command, connection)
				if (answer !== undefined && socket.writable) {
					socket.write(answer)
				}
			}
			this.#look()
		})
		socket.write(options.greeting ?? AUTH_REQUEST)
		this.#look()
	}

	#look(): void {
		this.#conditions.look()
	}
}
