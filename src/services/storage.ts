// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What the browser keeps between visits: choices, never a number, a name or a note. */

const PREFIX = 'sipcall:'

/** A browser may forbid storage; then nothing is kept. */
export function remember(key: string, value: string | undefined): void {
	try {
		if (value === undefined) {
			localStorage.removeItem(PREFIX + key)
		} else {
			localStorage.setItem(PREFIX + key, value)
		}
	} catch {
		// Nothing depends on it.
	}
}

export function remembered(key: string): string | undefined {
	try {
		return localStorage.getItem(PREFIX + key) ?? undefined
	} catch {
		return undefined
	}
}
