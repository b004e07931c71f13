// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The keys that are pressed once the destination has answered: an extension, a conference's PIN.

import { dialledDigits, fold } from './dialled-digits.ts'

/** At least one key among up to 20 keys and pauses. A comma is a pause of two seconds, as on a mobile phone. */
const EXTENSION = /^(?=,*[0-9*#])[0-9*#,]{1,20}$/

/**
 * How an extension is told from its number: `;ext=12`, `ext. 12`, `extension 12`, `x12`, `;12`, and `,12` as mobile
 * phones write it. `Durchwahl` and its like are missing on purpose: in Germany that is the end of the number itself.
 */
const MARK = /^(?:;\s*ext\s*=|[;,]?\s*(?:extension|ext|x)(?!\p{L})[.:]*|[;,])/iu

/** Where the number ends. Japan's long-vowel mark is a letter to Unicode, and a dash to those who type numbers. */
const FIRST_OTHER = /(?![\u30fc\uff70])[;,\p{L}]/u

/** A text in its two parts, neither of them read yet. */
export interface SplitNumber {
	number: string
	/** Undefined when there is no extension. */
	keys?: string
	/** A mark that also stands between two numbers. */
	isBareMark?: boolean
}

/**
 * Parts a number from its extension, without judging either.
 *
 * @return undefined when words stand there that mean no extension
 */
export function splitExtension(text: string): SplitNumber | undefined {
	const folded = fold(text)
	const at = folded.search(FIRST_OTHER)
	if (at < 0) {
		return { number: folded }
	}
	const [mark] = MARK.exec(folded.slice(at)) ?? []
	return mark === undefined
		? undefined
		: { number: folded.slice(0, at), keys: folded.slice(at + mark.length), isBareMark: mark.length === 1 && !/x/i.test(mark) }
}

/**
 * The keys of an extension as they are kept and dialled.
 *
 * @return undefined when something else than keys and pauses stands there, or nothing, or too much
 */
export function readExtension(keys: string): string | undefined {
	const dialled = dialledDigits(keys).replace(/,+$/, '')
	return EXTENSION.test(dialled) ? dialled : undefined
}
