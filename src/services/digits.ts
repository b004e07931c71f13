// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g

/** Digits of every script as ASCII, full-width forms as plain ones, and nothing that cannot be seen. */
export function fold(text: string): string {
	return text
		.replace(/[\uff01-\uff5e\ufe62\ufe63]/gu, (character) => character.normalize('NFKC'))
		.replace(INVISIBLE, '')
		.replace(/\p{Nd}/gu, digitOf)
}

/** The characters of a number that would be dialled: digits and a `+`. */
export function dialled(text: string): string {
	return fold(text).replace(/[^\d+]/g, '')
}

/**
 * The phone link that a SIP address stands for (RFC 3261 section 19.1.6), any other text as it is. Only a whole number is
 * one: `sip:1007@example.com` is a phone of somebody else's switch.
 */
export function telOf(text: string): string {
	const [, user] = /^\s*sips?:([^@?:]*)/i.exec(text) ?? []
	return user === undefined ? text : /^(?:\+|%2B)/i.test(user) ? `tel:${user}` : ''
}

export function hasLetters(text: string): boolean {
	return /\p{L}/u.test(text)
}

/** Each script's digits stand in a run of ten code points that begins with its zero. */
function digitOf(digit: string): string {
	const code = digit.codePointAt(0) ?? 0
	let zero = code
	while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) {
		zero--
	}
	return String((code - zero) % 10)
}
