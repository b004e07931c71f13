// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// An event's body -> its headers by name. Tolerant: what a switch sends must never end the process.

import type { EslFrame } from './frame-decoder.ts'

/** An event of FreeSWITCH: header name -> value, verbatim names; a body stands in `_body`. */
export type WireEvent = Readonly<Record<string, string>>

/**
 * Reads an event frame, JSON or plain. Bytes that are not UTF-8 become replacement characters, a raw `%` stays.
 *
 * @return undefined when the frame is no event or its body is not readable
 */
export function readWireEvent(frame: EslFrame): WireEvent | undefined {
	switch (frame.headers['content-type']) {
		case 'text/event-json':
			return readJson(frame.body.toString('utf8'))
		case 'text/event-plain':
			return readPlain(frame.body)
		default:
			return undefined
	}
}

function readJson(text: string): WireEvent | undefined {
	try {
		const value: unknown = JSON.parse(text)
		return typeof value === 'object' && value !== null && !Array.isArray(value) ? textsOf(value as Record<string, unknown>) : undefined
	} catch {
		return undefined
	}
}

/** Every value as text: a repeated header is an array in JSON, and in plain events `ARRAY::first|:second`. */
function textsOf(event: Record<string, unknown>): WireEvent {
	for (const name in event) {
		const value = event[name]
		if (typeof value !== 'string') {
			event[name] = Array.isArray(value) ? `ARRAY::${value.join('|:')}` : String(value)
		}
	}
	return event as WireEvent
}

/** `name: url-encoded value` lines, an empty line, then the event's own body of its own Content-Length (bytes). */
function readPlain(body: Buffer): WireEvent {
	const headerEnd = body.indexOf('\n\n', 0, 'latin1')
	const event: Record<string, string> = {}
	for (const line of body.toString('utf8', 0, headerEnd === -1 ? body.length : headerEnd).split('\n')) {
		const colon = line.indexOf(': ')
		if (colon > 0) {
			const value = line.slice(colon + 2)
			event[line.slice(0, colon)] = value === '_undef_' ? '' : percentDecode(value)
		}
	}
	if (headerEnd !== -1 && event['Content-Length'] !== undefined) {
		event._body = body.toString('utf8', headerEnd + 2, headerEnd + 2 + Number(event['Content-Length']))
	}
	return event
}

/** RFC 3986 percent-decoding that leaves what is not an escape, and reads escapes that are not UTF-8 as Latin-1. */
export function percentDecode(value: string): string {
	if (!value.includes('%')) {
		return value
	}
	try {
		return decodeURIComponent(value)
	} catch {
		return value.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
	}
}
