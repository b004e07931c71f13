// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * Reads recordings of a real switch: `NAME.server.txt` and `NAME.client.txt` hold the bytes of each direction, nothing added.
 * This reader is independent of lib/esl on purpose: a test of our own parser needs a second opinion.
 */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseBridgeArgument, parseOriginate } from './tokenizer.ts'

const FIXTURES = fileURLToPath(new URL('../../fixtures/freeswitch', import.meta.url))

/** One frame from the switch. */
export interface Frame {
	contentType: string
	headers: Record<string, string>
	body: string
	/** Where it begins and ends in the stream of bytes. */
	start: number
	end: number
}

/** An event out of a frame. */
export interface RecordedEvent {
	name: string
	/** By name; of a repeated header the last value. */
	headers: Record<string, string>
	/** In wire order. */
	names: string[]
	body: string | undefined
	frame: Frame
}

/** One command of the client. */
export interface RecordedCommand {
	line: string
	headers: Record<string, string>
	/** As it was sent, with the empty line that ends it. */
	text: string
}

export interface Recording {
	name: string
	server: Buffer
	client: Buffer
	frames: Frame[]
	events: RecordedEvent[]
	commands: RecordedCommand[]
	/** The uuid that the client chose for the first leg. */
	aUuid: string | undefined
	/** The uuid that the client chose for the second leg, in the argument of `bridge` or in a second originate. */
	bUuid: string | undefined
	/** The job of the first originate. */
	jobUuid: string | undefined
	/** Which leg an event belongs to. */
	legOf(event: RecordedEvent): 'a' | 'b' | undefined
}

function readHeaders(block: string): Record<string, string> {
	const headers: Record<string, string> = {}
	for (const line of block.split('\n')) {
		const colon = line.indexOf(': ')
		if (colon >= 0) {
			headers[line.slice(0, colon)] = line.slice(colon + 2)
		}
	}
	return headers
}

/** All whole frames of a stream from the switch; a frame that has not arrived completely is left for later. */
export function readFrames(bytes: Buffer): Frame[] {
	const frames: Frame[] = []
	let start = 0
	for (;;) {
		const gap = bytes.indexOf('\n\n', start)
		if (gap < 0) {
			return frames
		}
		const headers = readHeaders(bytes.toString('utf8', start, gap))
		const end = gap + 2 + Number(headers['Content-Length'] ?? 0)
		if (end > bytes.length) {
			return frames
		}
		frames.push({ contentType: headers['Content-Type'] ?? '', headers, body: bytes.toString('utf8', gap + 2, end), start, end })
		start = end
	}
}

function decode(value: string): string {
	try {
		return value === '_undef_' ? '' : decodeURIComponent(value)
	} catch {
		// A name in Latin-1: no UTF-8, no reason to give up.
		return value
	}
}

/** The event in a frame, whichever format it has. */
export function readEvent(frame: Frame): RecordedEvent | undefined {
	if (frame.contentType === 'text/event-json') {
		const { _body: body, ...headers } = JSON.parse(frame.body) as Record<string, string>
		return { name: headers['Event-Name'] ?? '', headers, names: Object.keys(headers), body, frame }
	}
	if (frame.contentType !== 'text/event-plain') {
		return undefined
	}
	const gap = frame.body.indexOf('\n\n')
	const raw = readHeaders(frame.body.slice(0, gap))
	const headers = Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, decode(value)]))
	const body = frame.body.slice(gap + 2)
	return { name: headers['Event-Name'] ?? '', headers, names: Object.keys(headers), body: body === '' ? undefined : body, frame }
}

/** The commands of a client's stream. */
export function readCommands(bytes: Buffer): RecordedCommand[] {
	return bytes.toString('utf8').split(/\n\n+/).filter((text) => text.trim() !== '').map((text) => {
		const [line = '', ...rest] = text.split('\n')
		return { line, headers: readHeaders(rest.join('\n')), text: `${text}\n\n` }
	})
}

function originationUuid(argument: string): string | undefined {
	return parseBridgeArgument(argument)?.[0]?.variables.origination_uuid
}

/** The uuids by which the client named the two legs, in the order in which it asked for them. */
function chosenUuids(commands: readonly RecordedCommand[]): string[] {
	const uuids: (string | undefined)[] = []
	for (const { line } of commands) {
		const originate = /^(?:bg)?api originate (.*)$/.exec(line)
		if (originate?.[1] !== undefined) {
			const parsed = parseOriginate(originate[1])
			uuids.push(parsed.aVariables.origination_uuid, parsed.legs[0]?.variables.origination_uuid)
		}
		const transfer = /^api uuid_transfer \S+ '(?:m:\^:)?bridge:(.*)' inline$/.exec(line)
		if (transfer?.[1] !== undefined) {
			uuids.push(originationUuid(transfer[1]))
		}
	}
	return uuids.filter((uuid) => uuid !== undefined)
}

/**
 * Reads a recording.
 *
 * @param name its name without `.server.txt`
 * @param folder where it lies; otherwise SIPCALL_RECORDINGS, otherwise test/fixtures/freeswitch
 */
export function readRecording(name: string, folder = process.env.SIPCALL_RECORDINGS ?? FIXTURES): Recording {
	const server = readFileSync(`${folder}/${name}.server.txt`)
	const client = readFileSync(`${folder}/${name}.client.txt`)
	const frames = readFrames(server)
	const events = frames.map((frame) => readEvent(frame)).filter((event) => event !== undefined)
	const commands = readCommands(client)
	const [aUuid, bUuid] = chosenUuids(commands)
	return {
		name,
		server,
		client,
		frames,
		events,
		commands,
		aUuid,
		bUuid,
		jobUuid: frames.find((frame) => frame.headers['Job-UUID'] !== undefined)?.headers['Job-UUID'],
		legOf: ({ headers }) => {
			const uuid = headers['Unique-ID']
			return uuid === undefined ? undefined : uuid === aUuid ? 'a' : uuid === bUuid ? 'b' : undefined
		},
	}
}
