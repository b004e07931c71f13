// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * How FreeSWITCH cuts a command line into pieces: the stages, each as the switch has it, kind to nobody.
 * A value that a caller can influence passes three of them in a row (the line, the `{…}` block, the `name=value` pair),
 * and each removes quotes and backslashes once more. This is the oracle for the builder of dial strings.
 *
 * Learnt from src/switch_utils.c and src/switch_event.c of FreeSWITCH 1.10.12; the C names stand at each function.
 * Two things are not modelled but given up: a block that ends in a lone backslash makes the C code read past the block, and
 * after `{a=1}` a second block that begins with `{{` makes it read out of order.
 */

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', s: ' ' }

/**
 * Removes quotes, backslashes and outer spaces of one piece (`cleanup_separated_string`).
 *
 * @param piece the piece as it was cut out
 * @param delimiter the character that was cut at, if a backslash before it stands for the character itself
 */
export function cleanUp(piece: string, delimiter?: string): string {
	let result = ''
	let keep = 0
	let quoted = false
	let index = piece.search(/[^ ]/)
	if (index < 0) {
		return ''
	}
	for (; index < piece.length; index++) {
		const char = piece.charAt(index)
		if (char === '\\') {
			const next = piece.charAt(index + 1)
			const meant = next === '\'' || next === '"' || next === '\\' || (next !== '' && next === delimiter) ? next : ESCAPED[next]
			if (meant !== undefined) {
				result += meant
				keep = result.length
				index++
				continue
			}
		}
		// A lone apostrophe is a letter; two of them pair up, however far apart they stand.
		if (char === '\'' && (quoted || piece.includes('\'', index + 1))) {
			quoted = !quoted
			if (quoted) {
				keep = result.length
			}
			continue
		}
		result += char
		if (char !== ' ' || quoted) {
			keep = result.length
		}
	}
	return result.slice(0, keep)
}

/** Cuts at spaces; a quote groups even when it is never closed (`separate_string_blank_delim`). */
function separateAtSpaces(text: string, most: number): string[] {
	const pieces: string[] = []
	let index = 0
	while (index < text.length && pieces.length < most) {
		const start = index
		if (pieces.length === most - 1) {
			pieces.push(text.slice(start))
			break
		}
		let quoted = false
		while (text.charAt(index) === ' ') {
			index++
		}
		while (index < text.length && (text.charAt(index) !== ' ' || quoted)) {
			if (text.charAt(index) === '\\') {
				index++
			} else if (text.charAt(index) === '\'') {
				quoted = !quoted
			}
			index++
		}
		pieces.push(text.slice(start, index))
		while (text.charAt(index) === ' ') {
			index++
		}
	}
	return pieces.map((piece) => cleanUp(piece))
}

/** Cuts at one character other than a space (`separate_string_char_delim`). */
function separateAtCharacter(text: string, delimiter: string, most: number): string[] {
	const pieces: string[] = []
	let index = 0
	let quoted = false
	while (index < text.length && pieces.length < most) {
		const start = index
		if (pieces.length === most - 1) {
			pieces.push(text.slice(start))
			break
		}
		while (index < text.length) {
			const char = text.charAt(index)
			if (char === '\\') {
				index++
			} else if (char === '\'' && (quoted || text.includes('\'', index + 1))) {
				quoted = !quoted
			} else if (char === delimiter && !quoted) {
				break
			}
			index++
		}
		pieces.push(text.slice(start, index))
		index++
	}
	return pieces.map((piece) => cleanUp(piece, delimiter))
}

/**
 * Cuts a text at a delimiter and cleans each piece (`switch_separate_string`). `^^x` at its head makes x the delimiter.
 *
 * @param text what to cut
 * @param delimiter one character
 * @param most the last piece keeps the rest uncut
 */
export function separate(text: string, delimiter: string, most: number): string[] {
	const own = text.startsWith('^^') && text.length > 3
	const body = own ? text.slice(3) : text
	const at = own ? text.charAt(2) : delimiter
	return at === ' ' ? separateAtSpaces(body, most) : separateAtCharacter(body, at, most)
}

/**
 * The place of the bracket that closes the one at the head of the text, or -1 (`switch_find_end_paren`).
 * It counts brackets and knows neither quotes nor backslashes: a closing brace in a value always ends the block.
 */
export function findClosing(text: string, open: string, close: string): number {
	let index = text.search(/[^ ]/)
	if (index < 0 || text.charAt(index) !== open) {
		return -1
	}
	let depth = 0
	for (; index < text.length; index++) {
		if (text.charAt(index) === open) {
			depth++
		} else if (text.charAt(index) === close) {
			depth--
			if (depth === 0) {
				return index
			}
		}
	}
	return -1
}

export interface Brackets {
	variables: Record<string, string>
	/** What stands behind the closing bracket. */
	rest: string
}

/**
 * Reads one block of variables at the head of the text (`switch_event_create_brackets`).
 *
 * @return undefined when the block is never closed, or is one whose end the switch itself overruns: nothing good follows
 */
export function readBrackets(text: string, open: string, close: string, delimiter: string): Brackets | undefined {
	const end = findClosing(text, open, close)
	if (end < 0) {
		return undefined
	}
	const overrun = /(?:^|[^\\])(?:\\\\)*\\$/.test(text.slice(1, end)) || /^ *\{ *\{/.test(text.slice(end + 1))
	if (overrun) {
		return undefined
	}
	let inside = text.slice(1, end)
	let at = delimiter
	if (inside.startsWith('^^')) {
		at = inside.charAt(2)
		inside = inside.slice(3)
	}
	const variables: Record<string, string> = {}
	for (const pair of separate(inside, at, 1024)) {
		const [name, value] = separate(pair, '=', 2)
		// An empty value does not count as a second piece: `{name=}` sets nothing.
		if (name !== undefined && value !== undefined) {
			variables[name] = value
		}
	}
	return { variables, rest: text.slice(end + 1) }
}
