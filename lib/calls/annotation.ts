// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Transition } from './call-state.ts'
import type { Call } from './call.ts'

/** What a user writes beside a call. What is left out stays as it is. */
export interface Annotation {
	/** Empty takes the note away. */
	note?: string | undefined
	tags?: readonly string[] | undefined
}

/**
 * Writes note and tags into a call, also when it has ended: they are no part of what happened.
 *
 * @param at when it was written
 */
export function annotate(call: Call, { note, tags }: Annotation, at: Date): Transition {
	const next: Call = { ...call, tags: tags === undefined ? call.tags : tidyTags(tags) }
	if (note === '') {
		delete next.note
	} else if (note !== undefined) {
		next.note = note
	}
	if (next.note === call.note && JSON.stringify(next.tags) === JSON.stringify(call.tags)) {
		return { ignored: 'nothing_new' }
	}
	next.version++
	return { call: next, log: [{ at, type: 'annotated' }] }
}

/** Tags that are the same tag have the same text here: neither case nor width nor outer spaces tell them apart. */
export function sameTag(tag: string): string {
	return tag.normalize('NFKC').trim().toLowerCase()
}

/** As they were first spelt, each once, in the order in which they were given. */
function tidyTags(tags: readonly string[]): string[] {
	const known = new Map<string, string>()
	for (const tag of tags) {
		const key = sameTag(tag)
		if (key !== '' && !known.has(key)) {
			known.set(key, tag.trim())
		}
	}
	return [...known.values()]
}
