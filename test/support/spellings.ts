// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { parsePhoneNumberWithError } from 'libphonenumber-js/max'
import { createHash } from 'node:crypto'

/**
 * A text as it might stand in a file: in the usual encodings, and as a hash without a key, which could be tried out. Of an
 * encoding in groups of bytes, the part that is the same wherever the text stands.
 */
function encodings(text: string): Buffer[] {
	const bytes = Buffer.from(text)
	const base64 = [0, 1, 2].map((shift) => {
		const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').replaceAll('=', '')
		return whole.slice(shift === 0 ? 0 : shift + 1, -2)
	})
	const hashes = ['md5', 'sha1', 'sha256', 'sha512'].flatMap((name) => {
		const digest = createHash(name).update(text).digest()
		return [digest, Buffer.from(digest.toString('hex')), Buffer.from(digest.toString('base64').replaceAll('=', '')), Buffer.from(digest.toString('base64url'))]
	})
	return [
		bytes,
		Buffer.from(text, 'utf16le'),
		Buffer.from(bytes.toString('hex')),
		Buffer.from(bytes.toString('hex').toUpperCase()),
		Buffer.from(encodeURIComponent(text)),
		Buffer.from(JSON.stringify(text).slice(1, -1)),
		...[...base64, ...base64.map((part) => part.replaceAll('+', '-').replaceAll('/', '_'))].map((part) => Buffer.from(part)),
		...hashes,
	]
}

/**
 * How a phone number may be spelt. Its last ten digits stand for every spelling that has them together.
 *
 * @param e164 with at least ten digits after the country's code, so that no number finds itself by chance
 */
export function numberSpellings(e164: string): Buffer[] {
	const number = parsePhoneNumberWithError(e164)
	const national = String(number.nationalNumber)
	if (national.length < 10) {
		throw new TypeError(`${e164} is too short to be looked for`)
	}
	const grouped = [2, 3, 4].flatMap((size) => Array.from({ length: size }, (_, offset) => groups(national.slice(-10), size, offset))
		.flatMap((parts) => [' ', '-', '.', '/', '%20', '\u00a0'].map((separator) => parts.join(separator))))
	const written = [national.slice(-10), number.formatNational(), number.formatInternational(), number.format('RFC3966'), ...grouped]
	const whole = [e164, e164.slice(1), national, `0${national}`, `00${e164.slice(1)}`].flatMap(encodings)
	return unique([...written.map((text) => Buffer.from(text)), ...whole])
}

/** Whole groups of digits, wherever they begin; what is left at the end may be written in any way. */
function groups(digits: string, size: number, offset: number): string[] {
	return [digits.slice(0, offset), ...digits.slice(offset).match(new RegExp(`\\d{${size}}`, 'g')) ?? []].filter((part) => part !== '')
}

/** How a name, a note or any other text may be spelt. */
export function textSpellings(text: string): Buffer[] {
	return unique([text, text.toLowerCase(), text.toUpperCase(), text.replaceAll(' ', '+'), ...text.split(' ').filter((word) => word.length >= 6)].flatMap(encodings))
}

function unique(spellings: Buffer[]): Buffer[] {
	return [...new Map(spellings.map((spelling) => [spelling.toString('latin1'), spelling])).values()]
}

/** Spellings by their first two bytes. */
export type SpellingIndex = ReadonlyMap<number, { name: string, spelling: Buffer }[]>

export function indexOf(sought: Record<string, Buffer[]>): SpellingIndex {
	const all = Object.entries(sought).flatMap(([name, spellings]) => spellings.map((spelling) => ({ name, spelling })))
	return Map.groupBy(all, ({ spelling }) => spelling.readUInt16BE(0))
}

/** All of them at once, in one way through the bytes: there are a thousand of them, and files of many megabytes. */
export function search(content: Buffer, index: SpellingIndex): string[] {
	const isStart = new Uint8Array(0x10000)
	for (const start of index.keys()) {
		isStart[start] = 1
	}
	const found = new Set<string>()
	for (let at = 0; at < content.length - 1; at++) {
		const start = (content[at] ?? 0) << 8 | (content[at + 1] ?? 0)
		if (isStart[start] === 1) {
			for (const { name, spelling } of index.get(start) ?? []) {
				if (spelling.compare(content, at, Math.min(at + spelling.length, content.length)) === 0) {
					found.add(`${name} as ${spelling.toString('latin1')}`)
				}
			}
		}
	}
	return [...found]
}
