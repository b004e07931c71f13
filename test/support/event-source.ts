// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Reads server-sent events as a browser does (WHATWG HTML, section 9.2.6), without coming back by itself.

import type { CallJson } from '../../lib/http/schemas.ts'

export interface ServerEvent {
	id: string
	event: string
	data: string
}

export class EventReader {
	readonly response: Response
	readonly events: ServerEvent[] = []
	retryMs: number | undefined
	readonly #reader: ReadableStreamDefaultReader<Uint8Array>
	readonly #decoder = new TextDecoder()
	#buffer = ''
	#ended = false

	private constructor(response: Response) {
		this.response = response
		if (response.body === null) {
			throw new Error('The answer has no body')
		}
		this.#reader = response.body.getReader()
	}

	static async open(url: string, headers: Record<string, string>): Promise<EventReader> {
		return new EventReader(await fetch(url, { headers }))
	}

	/** Reads on until an event fits; undefined when the stream ends before. */
	async next(fits: (event: ServerEvent) => boolean = () => true): Promise<ServerEvent | undefined> {
		for (;;) {
			const event = await this.#one()
			if (event === undefined || fits(event)) {
				return event
			}
		}
	}

	async nextCall(fits: (call: CallJson) => boolean = () => true): Promise<CallJson | undefined> {
		const event = await this.next(({ event, data }) => event === 'call' && fits(JSON.parse(data) as CallJson))
		return event === undefined ? undefined : JSON.parse(event.data) as CallJson
	}

	/** Everything up to the end of the stream. */
	async rest(): Promise<ServerEvent[]> {
		const from = this.events.length
		await this.next(() => false)
		return this.events.slice(from)
	}

	close(): Promise<void> {
		return this.#reader.cancel()
	}

	async #one(): Promise<ServerEvent | undefined> {
		for (;;) {
			const end = this.#buffer.indexOf('\n\n')
			if (end >= 0) {
				const fields = Object.fromEntries(this.#buffer.slice(0, end).split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]))
				this.#buffer = this.#buffer.slice(end + 2)
				if (fields.retry !== undefined) {
					this.retryMs = Number(fields.retry)
				}
				if (fields.data === undefined) {
					continue
				}
				const event = { id: fields.id ?? '', event: fields.event ?? 'message', data: fields.data }
				this.events.push(event)
				return event
			}
			if (this.#ended) {
				return undefined
			}
			const { done, value } = await this.#reader.read()
			this.#ended = done
			this.#buffer += this.#decoder.decode(value, { stream: !done })
		}
	}
}
