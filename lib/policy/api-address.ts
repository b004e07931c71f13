// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * Whether a text is an address that a key may be sent to: https, so that nobody on the way reads it, or this very machine.
 * Paths are added to it, so nothing may follow its own.
 */
export function isApiAddress(text: string): boolean {
	const url = URL.parse(text)
	return url !== null
		&& (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname)))
		&& [url.username, url.password, url.search, url.hash].every((part) => part === '')
}
