// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * A click on “Call” that the server has not settled yet, as this tab keeps it until then: a reload must not lose its key,
 * which alone tells what has become of it, and makes the same click again the same call. Whom it was to call is not kept.
 */

import type { CallRequest } from './types.ts'

export interface KeptClick {
	key: string
	/** When it was, by this computer's clock. */
	at: number
	/** See {@link clickMark}. */
	mark: number
}

/** As long as the server keeps a key. */
const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000

const ITEM = 'sipcall:click'

/**
 * By this the same click is known again. It has 16 bits, and others for each key: a hundred thousand numbers share it, so
 * that it names none of them. Where it fits a wrong one, the server refuses the key and nothing is dialled.
 */
export function clickMark(key: string, { to, device, callerId, note }: CallRequest): number {
	// FNV-1a, folded.
	let hash = 0x811c9dc5
	for (const byte of new TextEncoder().encode(JSON.stringify([key, to, device, callerId, note]))) {
		hash = Math.imul(hash ^ byte, 0x01000193)
	}
	return ((hash >>> 16) ^ hash) & 0xffff
}

export function keepClick({ key, at, mark }: KeptClick): void {
	try {
		sessionStorage.setItem(ITEM, JSON.stringify({ user: user(), key, at, mark }))
	} catch {
		// A browser may forbid storage: then a reload forgets the click.
	}
}

/** What a page that was here before has left: of the same user, while the server still knows the key. */
export function keptClick(): KeptClick | undefined {
	try {
		const kept = readKept(sessionStorage.getItem(ITEM), user(), Date.now())
		if (kept === undefined) {
			sessionStorage.removeItem(ITEM)
		}
		return kept
	} catch {
		return undefined
	}
}

/** Another click may have taken the place of this one. */
export function dropClick(key: string): void {
	if (keptClick()?.key === key) {
		sessionStorage.removeItem(ITEM)
	}
}

/** What is stored, if it may be used. */
export function readKept(text: string | null, ofUser: string, now: number): KeptClick | undefined {
	const { user, key, at, mark } = JSON.parse(text ?? '{}') as Partial<KeptClick & { user: string }>
	const isUsable = user === ofUser && key !== undefined && at !== undefined && mark !== undefined && at <= now && now - at < KEY_LIFETIME_MS
	return isUsable ? { key, at, mark } : undefined
}

function user(): string {
	return document.head.dataset.user ?? ''
}
