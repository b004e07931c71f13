// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The part of modesl 1.2.1 that SIPCall builds on; the package brings no types of its own.

declare module 'modesl' {
	import type { Socket } from 'node:net'

	export class Event {
		constructor(headers: Readonly<Record<string, string>>, body?: string)
		getHeader(name: string): string | null
		getBody(): string
		addHeader(name: string, value: string): void
	}

	/** An EventEmitter2 with the delimiter `::`; see its file lib/esl/Connection.js. */
	export class Connection {
		constructor(host: string, port: number, password: string, ready?: () => void)
		socket: Socket | null
		password: string
		authed: boolean
		cmdCallbackQueue: Array<(reply: Event) => void>
		on(event: string, listener: (...values: never[]) => void): this
		emit(event: string, ...values: unknown[]): boolean
		sendRecv(command: string, args: Readonly<Record<string, string>> | null, callback: (reply: Event) => void): void
		send(command: string, args?: Readonly<Record<string, string>>): void
		auth(callback?: (error: Error | null, reply: Event) => void): void
		subscribe(events: readonly string[], callback?: (reply: Event) => void): void
		_onConnect(): void
		_onEvent(event: Event, headers: Readonly<Record<string, string>>, body?: string): void
	}

	const modesl: { Connection: typeof Connection, Event: typeof Event }
	export default modesl
}
