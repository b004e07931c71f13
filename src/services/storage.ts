// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What the browser keeps: between visits choices, never a number, a name or a note; in this tab a note that is not saved, and a click without an answer ({@link file://./kept-click.ts}). */

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

const DRAFT = `${PREFIX}note:`

/** Keeps a note that the server does not have yet, as long as this tab is there. */
export function keepDraft(uuid: string, text: string): void {
	try {
		sessionStorage.setItem(DRAFT + uuid, text)
	} catch {
		// The note is still in its field.
	}
}

export function draftOf(uuid: string): string | undefined {
	return drafts().get(uuid)
}

export function dropDraft(uuid: string): void {
	try {
		sessionStorage.removeItem(DRAFT + uuid)
	} catch {
		// Then it was never kept.
	}
}

/** Notes that were left unsaved, by the ids of their calls. */
export function drafts(): Map<string, string> {
	try {
		return new Map(Object.keys(sessionStorage).filter((key) => key.startsWith(DRAFT)).map((key) => [key.slice(DRAFT.length), sessionStorage.getItem(key) ?? '']))
	} catch {
		return new Map()
	}
}
