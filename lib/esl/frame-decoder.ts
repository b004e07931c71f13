// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Bytes of the Event Socket -> frames. Knows the framing and nothing of what a frame means.

/** A frame as it came: header names in lower case, values not URL-decoded, the body in bytes. */
export interface EslFrame {
	headers: Readonly<Record<string, string>>
	body: Buffer
}

/** A header block that grows beyond this is no Event Socket. */
const MAX_HEADER_BYTES = 64 * 1024
/** FreeSWITCH's largest known answers (`show channels` on a big switch) stay below 32 MiB. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

const LF = 0x0a
const NOTHING = Buffer.alloc(0)

/** The peer does not speak the Event Socket protocol: the connection is of no use any more. */
export class EslFramingError extends Error {
	constructor(message: string) {
		super(message)
		this.name = 'EslFramingError'
	}
}

/**
 * Cuts the byte stream of mod_event_socket into frames: header lines, an empty line, then `Content-Length` bytes
 * (no such header: no body). Works for any split of the stream; each byte is copied at most twice.
 */
export class FrameDecoder {
	private pending: Buffer[] = []
	private pendingBytes = 0
	/** How many bytes must be there before looking again can find a whole frame. */
	private neededBytes = 2

	/**
	 * Takes the next bytes and returns the frames that are complete now, in order.
	 *
	 * @param chunk bytes as the socket gave them
	 * @throws {EslFramingError} when header or body exceed every sensible size, or the length is not a number
	 */
	push(chunk: Buffer): EslFrame[] {
		this.pending.push(chunk)
		this.pendingBytes += chunk.length
		if (this.pendingBytes < this.neededBytes) {
			return []
		}
		const bytes = this.pending.length === 1 ? chunk : Buffer.concat(this.pending, this.pendingBytes)
		const frames: EslFrame[] = []
		let offset = 0
		this.neededBytes = 2
		while (offset < bytes.length) {
			// FreeSWITCH sends no empty lines between frames, but tolerates them from clients: so do we.
			if (bytes[offset] === LF) {
				offset++
				continue
			}
			const headerEnd = bytes.indexOf('\n\n', offset, 'latin1')
			if (headerEnd === -1) {
				// One byte more may be there: the first half of the empty line.
				if (bytes.length - offset > MAX_HEADER_BYTES + 1) {
					throw new EslFramingError('The header block does not end')
				}
				this.neededBytes = bytes.length - offset + 1
				break
			}
			if (headerEnd - offset > MAX_HEADER_BYTES) {
				throw new EslFramingError('The header block is too long')
			}
			const headers = parseHeaders(bytes.toString('utf8', offset, headerEnd))
			const bodyBytes = contentLength(headers)
			const bodyStart = headerEnd + 2
			if (bytes.length - bodyStart < bodyBytes) {
				this.neededBytes = bodyStart - offset + bodyBytes
				break
			}
			frames.push({ headers, body: bodyBytes === 0 ? NOTHING : bytes.subarray(bodyStart, bodyStart + bodyBytes) })
			offset = bodyStart + bodyBytes
		}
		const rest = bytes.subarray(offset)
		this.pending = rest.length === 0 ? [] : [rest]
		this.pendingBytes = rest.length
		return frames
	}
}

function parseHeaders(block: string): Record<string, string> {
	const headers: Record<string, string> = {}
	for (const line of block.split('\n')) {
		const colon = line.indexOf(':')
		if (colon > 0) {
			headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
		}
	}
	return headers
}

function contentLength(headers: Record<string, string>): number {
	const text = headers['content-length']
	if (text === undefined) {
		return 0
	}
	if (!/^\d{1,9}$/.test(text) || Number(text) > MAX_BODY_BYTES) {
		throw new EslFramingError('Content-Length is not a size')
	}
	return Number(text)
}
