// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * The text of an answer from a server that may send anything.
 *
 * @throws {Error} when it is longer than allowed; what is left of it is not fetched
 */
export async function readText(response: Response, maxBytes: number): Promise<string> {
	const decoder = new TextDecoder()
	let text = ''
	let bytes = 0
	// Leaving the loop cancels the body.
	for await (const chunk of response.body ?? []) {
		bytes += chunk.byteLength
		if (bytes > maxBytes) {
			throw new Error(`An answer of more than ${maxBytes} bytes`)
		}
		text += decoder.decode(chunk, { stream: true })
	}
	return text + decoder.decode()
}
