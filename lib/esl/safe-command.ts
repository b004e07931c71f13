// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { EslError } from './esl-error.ts'

/** LF begins a new header or command, CR and NUL cut it, the others have no business on a command line. */
// eslint-disable-next-line no-control-regex
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/**
 * mod_event_socket replaces a first line that holds its own name beside `reload` or `unload` by a command of its own
 * (`parse_command`, in whatever case they are written), which disconnects every client: SIPCall never has a reason to
 * write that word.
 */
const OWN_MODULE = 'mod_event_socket'

/**
 * One command with its headers as the bytes of one write.
 *
 * @param line such as `api status`
 * @param headers such as `{ 'Job-UUID': '…' }`
 * @throws {EslError} `unsafe_command`; the message does not repeat the text, it may hold a number
 */
export function encodeCommand(line: string, headers: Readonly<Record<string, string>> = {}): string {
	const lines = [line, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)]
	if (line === '' || lines.some((text) => CONTROL_CHARACTER.test(text))) {
		throw new EslError('unsafe_command', 'The command is empty or holds a control character')
	}
	if (lines.some((text) => text.toLowerCase().includes(OWN_MODULE))) {
		throw new EslError('unsafe_command', `The command holds the word ${OWN_MODULE}`)
	}
	return `${lines.join('\n')}\n\n`
}
