// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { Call } from '../services/types.ts'

import { computed, inject, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { annotateCall, ApiFailure } from '../services/api.ts'
import { draftOf, drafts, dropDraft, keepDraft } from '../services/storage.ts'
import { CALL_TAKER } from './useCallControl.ts'

/** So long after the last key a note is saved. */
const WAIT_MS = 800
/** As the API takes them. */
const MOST_TAGS = 20

export interface CallNote {
	text: Ref<string>
	tags: Readonly<Ref<readonly string[]>>
	/** The server does not have what stands in the field. */
	isDirty: Readonly<Ref<boolean>>
	isSaving: Readonly<Ref<boolean>>
	isSaved: Readonly<Ref<boolean>>
	/** What could not be saved. */
	failed: Readonly<Ref<'note' | 'tags' | undefined>>
	/** Saves now what is not saved yet. */
	save: () => Promise<void>
	/** @return whether it is a new one */
	addTag: (tag: string) => boolean
	removeTag: (tag: string) => void
}

/**
 * Note and tags beside a call. What the server does not have yet is kept in this tab, so that neither the end of the call
 * nor a reload loses it.
 */
export function useCallNote(call: () => Call): CallNote {
	const { uuid } = call()
	const take = inject(CALL_TAKER, () => {})
	const stored = ref(call().note ?? '')
	const text = ref(draftOf(uuid) ?? stored.value)
	/** Until the server has answered, the tags as the user wants them. */
	const wantedTags = shallowRef<readonly string[]>()
	const isSaving = ref(false)
	const isSaved = ref(false)
	const failed = shallowRef<'note' | 'tags'>()
	const isDirty = computed(() => text.value !== stored.value)
	let timer: ReturnType<typeof setTimeout> | undefined

	async function save(): Promise<void> {
		clearTimeout(timer)
		if (isSaving.value || !isDirty.value) {
			return
		}
		const sent = text.value
		isSaving.value = true
		failed.value = undefined
		try {
			const answer = await annotateCall(uuid, { note: sent })
			stored.value = answer.note ?? ''
			if (text.value === sent) {
				text.value = stored.value
				dropDraft(uuid)
				isSaved.value = true
			}
			take(answer)
		} catch {
			failed.value = 'note'
		}
		isSaving.value = false
		if (failed.value === undefined && isDirty.value) {
			plan()
		}
	}

	function plan(): void {
		clearTimeout(timer)
		timer = setTimeout(() => void save(), WAIT_MS)
	}

	async function setTags(tags: readonly string[]): Promise<void> {
		wantedTags.value = tags
		failed.value = undefined
		try {
			take(await annotateCall(uuid, { tags: [...tags] }))
		} catch {
			failed.value = 'tags'
		}
		if (wantedTags.value === tags) {
			wantedTags.value = undefined
		}
	}

	watch(text, (now) => {
		isSaved.value = false
		if (isDirty.value) {
			keepDraft(uuid, now)
			plan()
		} else {
			dropDraft(uuid)
		}
	}, { flush: 'sync' })
	// Written elsewhere: it is shown, unless something else is being written here.
	watch(() => call().note ?? '', (now) => {
		const mayShow = !isDirty.value && !isSaving.value
		stored.value = now
		if (mayShow) {
			text.value = now
		}
	})
	if (isDirty.value) {
		plan()
	}
	onScopeDispose(() => void save())

	const tags = computed(() => wantedTags.value ?? call().tags)
	return {
		text,
		tags,
		isDirty,
		isSaving,
		isSaved,
		failed,
		save,
		addTag(tag) {
			const wanted = tag.trim().slice(0, 64)
			const isNew = wanted !== '' && tags.value.length < MOST_TAGS && !tags.value.some((known) => known.toLowerCase() === wanted.toLowerCase())
			if (isNew) {
				void setTags([...tags.value, wanted])
			}
			return isNew
		},
		removeTag: (tag) => void setTags(tags.value.filter((known) => known !== tag)),
	}
}

/** Notes that an earlier visit in this tab could not save; what cannot be saved now either stays for the next one. */
export async function saveLeftNotes(): Promise<void> {
	for (const [uuid, note] of drafts()) {
		try {
			await annotateCall(uuid, { note })
			dropDraft(uuid)
		} catch (error) {
			if (error instanceof ApiFailure && error.problem?.status === 404) {
				dropDraft(uuid)
			}
		}
	}
}
