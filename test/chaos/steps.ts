// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Names for what passes between a replica and its servers: a fault happens at a named step of a protocol, and no hook in
// the product is needed for that. A reader cuts the bytes of one connection into whole messages.

export type Part = 'postgres' | 'redis' | 'switch'

/** `up`: from the replica to the server. */
export type Direction = 'up' | 'down'

export interface Step {
	direction: Direction
	name: string
	bytes: Buffer
	/** Of a message of the Event Socket: its text. */
	text?: string
}

/** Keeps what one connection is about. */
export interface StepReader {
	read(direction: Direction, chunk: Buffer): Step[]
}

export function readerOf(part: Part): StepReader {
	switch (part) {
		case 'postgres':
			return new PostgresReader()
		case 'redis':
			return new RedisReader()
		case 'switch':
			return new EventSocketReader()
	}
}

/** Bytes that are not yet a whole message, for each direction. */
class Rest {
	readonly #left: Record<Direction, Buffer> = { up: Buffer.alloc(0), down: Buffer.alloc(0) }

	/** @param lengthOf of the message at the beginning of the bytes; undefined while that is not known */
	cut(direction: Direction, chunk: Buffer, lengthOf: (bytes: Buffer) => number | undefined): Buffer[] {
		let bytes = this.#left[direction].length === 0 ? chunk : Buffer.concat([this.#left[direction], chunk])
		const messages: Buffer[] = []
		for (let length = lengthOf(bytes); length !== undefined && length <= bytes.length; length = lengthOf(bytes)) {
			messages.push(bytes.subarray(0, length))
			bytes = bytes.subarray(length)
		}
		this.#left[direction] = bytes
		return messages
	}
}

/** The statements that faults are aimed at; the first that fits. */
const STATEMENTS: readonly (readonly [pattern: RegExp, name: string])[] = [
	[/^\s*insert into "?calls"?[\s(]/i, 'insert call'],
	[/^\s*insert into "?call_events"?[\s(]/i, 'insert event'],
	[/^\s*insert into "?idempotency_keys"?[\s(]/i, 'insert key'],
	[/^\s*update "?calls"?\s/i, 'update call'],
	[/pg_advisory_xact_lock/i, 'wait for turn'],
	[/pg_(?:try_)?advisory_lock/i, 'take role'],
	[/^\s*listen\b/i, 'listen'],
	[/^\s*select .* for update/is, 'lock call'],
	[/^\s*begin\b/i, 'begin'],
	[/^\s*commit\b/i, 'commit'],
	[/^\s*rollback\b/i, 'rollback'],
]

/** The PostgreSQL protocol, version 3: a letter, a length, a body; only the first message has no letter. */
class PostgresReader implements StepReader {
	readonly #rest = new Rest()
	#isStarted = false
	/** Whether the transaction that is open makes a new call. */
	#makesCall = false

	read(direction: Direction, chunk: Buffer): Step[] {
		return this.#rest.cut(direction, chunk, (bytes) => this.#lengthOf(direction, bytes))
			.map((bytes) => ({ direction, bytes, name: direction === 'up' ? this.#statement(bytes) : this.#answer(bytes) }))
	}

	#lengthOf(direction: Direction, bytes: Buffer): number | undefined {
		if (direction === 'up' && !this.#isStarted) {
			if (bytes.length < 4) {
				return undefined
			}
			const length = bytes.readInt32BE(0)
			this.#isStarted = bytes.length >= length
			return length
		}
		return bytes.length < 5 ? undefined : 1 + bytes.readInt32BE(1)
	}

	#statement(bytes: Buffer): string {
		const type = String.fromCharCode(bytes[0] ?? 0)
		if (type !== 'Q' && type !== 'P') {
			return 'other'
		}
		const text = bytes.toString('latin1', 5, 400)
		// A statement's name stands before its text.
		const query = type === 'P' ? text.slice(text.indexOf('\0') + 1) : text
		const name = STATEMENTS.find(([pattern]) => pattern.test(query))?.[1] ?? 'statement'
		if (name === 'begin') {
			this.#makesCall = false
		}
		this.#makesCall ||= name === 'insert call'
		return name === 'commit' && this.#makesCall ? 'commit new call' : name
	}

	#answer(bytes: Buffer): string {
		if (bytes[0] !== 0x43) {
			return bytes[0] === 0x41 ? 'notification' : 'other'
		}
		return bytes.toString('latin1', 5, bytes.length - 1) === 'COMMIT' ? (this.#makesCall ? 'committed new call' : 'committed') : 'done'
	}
}

/** Redis: what comes in one piece is one step, named by the first command in it. */
class RedisReader implements StepReader {
	read(direction: Direction, bytes: Buffer): Step[] {
		const name = direction === 'down' ? 'reply' : /evalsha|eval|multi|incrby/i.test(bytes.toString('latin1', 0, 200)) ? 'count' : 'other'
		return [{ direction, bytes, name }]
	}
}

const COMMANDS: readonly (readonly [pattern: RegExp, name: string])[] = [
	[/^(?:user)?auth /, 'sign in'],
	[/^event json CUSTOM/, 'subscribe to gateways'],
	[/^event json (?:HEARTBEAT|BACKGROUND_JOB)/, 'probe'],
	[/^event json /, 'subscribe'],
	[/^noevents/, 'probe'],
	[/^bgapi originate /, 'originate'],
	[/^api uuid_kill /, 'kill'],
	[/^api uuid_exists /, 'ask for leg'],
	[/^api uuid_dump /, 'ask about leg'],
	[/^api uuid_hold /, 'hold'],
	[/^api uuid_transfer /, 'transfer'],
]

/** The Event Socket: headers, an empty line, and a body where `Content-Length` says so. Replies come in the order of commands. */
class EventSocketReader implements StepReader {
	readonly #rest = new Rest()
	readonly #asked: string[] = []

	read(direction: Direction, chunk: Buffer): Step[] {
		return this.#rest.cut(direction, chunk, messageLength).map((bytes) => {
			const text = bytes.toString('utf8')
			return { direction, bytes, text, name: direction === 'up' ? this.#command(text) : this.#message(text) }
		})
	}

	#command(text: string): string {
		const name = COMMANDS.find(([pattern]) => pattern.test(text))?.[1] ?? 'command'
		this.#asked.push(name)
		return name
	}

	#message(text: string): string {
		const type = /^Content-Type: (\S+)$/m.exec(text)?.[1]
		switch (type) {
			case 'command/reply':
			case 'api/response':
				return `reply to ${this.#asked.shift() ?? 'nothing'}`
			case 'text/event-json':
				return `event ${/"Event-Name":"(\w+)"/.exec(text)?.[1] ?? ''}`
			default:
				return type ?? 'other'
		}
	}
}

function messageLength(bytes: Buffer): number | undefined {
	const end = bytes.indexOf('\n\n')
	if (end < 0) {
		return undefined
	}
	const length = /^Content-Length: (\d+)$/m.exec(bytes.toString('latin1', 0, end))?.[1]
	return end + 2 + Number(length ?? 0)
}
