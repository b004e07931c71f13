// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** One event of the switch and its two wire formats, as mod_event_socket writes them. */

/** Headers in wire order; a name may stand twice (`Hangup-Cause` does). */
export type Headers = [name: string, value: string][]

export interface SwitchEvent {
	name: string
	headers: Headers
	body?: string
}

/** What event-plain escapes besides bytes outside of printable ASCII (`SWITCH_URL_UNSAFE`). */
const UNSAFE = '\r\n #%&+:;<=>?@[\\]^`{|}"'

/** Percent-encoding of event-plain values: `/` `,` `(` stay, the space and `+` do not. */
export function encodeValue(value: string): string {
	let result = ''
	for (const byte of Buffer.from(value)) {
		const char = String.fromCharCode(byte)
		const unsafe = byte < 0x20 || byte > 0x7E || UNSAFE.includes(char)
		result += unsafe ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}` : char
	}
	return result
}

/** The body of a `text/event-plain` frame. An empty value is written `_undef_`. */
export function toPlain(event: SwitchEvent): string {
	const lines = event.headers.map(([name, value]) => `${name}: ${value === '' ? '_undef_' : encodeValue(value)}\n`)
	if (event.body === undefined) {
		return `${lines.join('')}\n`
	}
	return `${lines.join('')}Content-Length: ${Buffer.byteLength(event.body)}\n\n${event.body}`
}

/** The body of a `text/event-json` frame; a repeated header is a repeated key of the object. */
export function toJson(event: SwitchEvent): string {
	const headers: Headers = [...event.headers]
	if (event.body !== undefined) {
		headers.push(['Content-Length', String(Buffer.byteLength(event.body))], ['_body', event.body])
	}
	return `{${headers.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`
}

/** The whole frame. The length counts bytes and stands before the type, as in every recording. */
export function eventFrame(event: SwitchEvent, format: 'plain' | 'json'): string {
	const body = format === 'json' ? toJson(event) : toPlain(event)
	return `Content-Length: ${Buffer.byteLength(body)}\nContent-Type: text/event-${format}\n\n${body}`
}

/** The value of a header by its name in any case, as filters compare it. */
export function headerOf(event: SwitchEvent, name: string): string | undefined {
	const wanted = name.toLowerCase()
	return event.headers.find(([own]) => own.toLowerCase() === wanted)?.[1]
}
