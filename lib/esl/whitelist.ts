// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What may stand on the switch's command line. FreeSWITCH's command line is code, so nothing is escaped: every value
// must match a narrow pattern of its own, and what does not match is a fault of the caller, whoever typed it.

import { EslError } from './esl-error.ts'

const PATTERNS = {
	number: /^\+?[0-9]{3,15}$/,
	uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
	/** A channel's: ours, or one that the switch chose itself and that is taken over from its events. */
	channel: /^[0-9A-Za-z-]{1,64}$/,
	name: /^[A-Za-z0-9_.-]{1,64}$/,
	extension: /^[A-Za-z0-9_.+-]{1,64}$/,
	domain: /^[A-Za-z0-9.-]{1,253}$/,
	/** A way to ring an extension: an endpoint, a path of names, and the two places to fill in, each at most once. */
	template: /^(?:user|sofia\/[A-Za-z0-9_.-]{1,64})\/(?:sip:)?\{address\}(?:@(?:\{domain\}|[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?))?$/,
	seconds: /^[1-9][0-9]{0,5}$/,
	/** Keys of a telephone. FreeSWITCH also knows `w` (wait), `@` (length) and `~`: none of them is a key. */
	digits: /^[0-9*#A-D]{1,32}$/,
	/** What is pressed on the destination's line; a comma is a pause. */
	keys: /^(?=,*[0-9*#])[0-9*#,]{1,20}$/,
	/** Heard as beeps, never written as it is. */
	code: /^[0-9]{4}$/,
} as const

export type WhitelistKind = keyof typeof PATTERNS

export function isOfKind(kind: WhitelistKind, value: string): boolean {
	return PATTERNS[kind].test(value)
}

/**
 * The value, when it may stand on the command line.
 *
 * @throws {EslError} `unsafe_command`; the value is not repeated
 */
export function checked(kind: WhitelistKind, value: string): string {
	if (!PATTERNS[kind].test(value)) {
		throw unsafe(kind)
	}
	return value
}

/** A whole number of seconds, up to six digits. */
export function seconds(value: number): string {
	return checked('seconds', String(value))
}

/** The fault of whoever asked for this command. */
export function unsafe(kind: string): EslError {
	return new EslError('unsafe_command', `A ${kind} is not of the form that may stand in a command`)
}
