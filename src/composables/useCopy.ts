// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'

import { onScopeDispose, ref } from 'vue'

const TOLD_MS = 3000

/** Copies a text, and tells for a moment that it has. */
export function useCopy(): { copy: (text: string) => Promise<void>, isCopied: Readonly<Ref<boolean>> } {
	const isCopied = ref(false)
	let timer: ReturnType<typeof setTimeout> | undefined
	onScopeDispose(() => clearTimeout(timer))
	return {
		isCopied,
		async copy(text) {
			isCopied.value = await write(text)
			clearTimeout(timer)
			timer = setTimeout(() => {
				isCopied.value = false
			}, TOLD_MS)
		},
	}
}

async function write(text: string): Promise<boolean> {
	try {
		await navigator.clipboard.writeText(text)
		return true
	} catch {
		// Without https a page has no clipboard: the old way still works there, within a click.
		const area = document.createElement('textarea')
		area.value = text
		area.setAttribute('readonly', '')
		area.style.position = 'fixed'
		const before = document.activeElement
		document.body.append(area)
		area.select()
		const isCopied = document.execCommand('copy')
		area.remove()
		if (before instanceof HTMLElement) {
			before.focus()
		}
		return isCopied
	}
}
