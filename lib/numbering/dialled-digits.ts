// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// From the characters of a keyboard, a web page or a letter to those of a telephone's keypad.

/** Full-width forms, as East Asian keyboards give them, and the small `+` and `-`. */
const FULL_WIDTH = /[\uff01-\uff5e\ufe62\ufe63]/gu

/**
 * RFC 3966 visual separators, and what else people put between digits: spaces of any width, dashes of any script (the
 * long-vowel marks serve as dashes in Japan), slashes and dots; and what is not seen at all: marks of direction, soft
 * hyphens, what makes an emoji of a digit.
 */
const SEPARATORS = /[\s\-.()/\u0085\u00b7\u05be\u2010-\u2015\u2022\u2027\u2043\u2044\u2212\u2215\u30fb\u30fc\uff65\uff70\p{Default_Ignorable_Code_Point}\u20e3]/gu

/**
 * The characters that would be dialled: separators taken out, digits of every script as ASCII. Raised and circled digits
 * are none: they are footnotes. What cannot be dialled stays as it is.
 */
export function dialledDigits(text: string): string {
	return fold(text)
		.replace(SEPARATORS, '')
		.replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)))
}

/** The text with full-width forms as ASCII, everything else as it was. */
export function fold(text: string): string {
	return text.replace(FULL_WIDTH, (character) => character.normalize('NFKC'))
}

/** Each script's digits stand in runs of ten code points that begin with its zero; some runs follow one another. */
function digitValue(digit: string): number {
	const code = digit.codePointAt(0) ?? 0
	let first = code
	while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) {
		first--
	}
	return (code - first) % 10
}
