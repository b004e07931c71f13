// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { EventStream } from '../services/event-stream.ts'
import type { Call } from '../services/types.ts'

import { onScopeDispose, ref, watch } from 'vue'
import { pageEnd } from '../services/api.ts'
import { hasDirectWay, openEventStream } from '../services/event-stream.ts'

/** So long after the browser gave the stream up it is tried again; each time in a row twice as long. */
const AGAIN_MS = 30_000
const LONGEST_MS = 480_000

/**
 * News of calls as they happen, while the tab can be seen.
 *
 * @return whether they come; while they do not, asking is needed
 */
export function useEventStream(onCall: (call: Call) => void): Readonly<Ref<boolean>> {
	const isOpen = ref(false)
	let stream: EventStream | undefined
	let timer: ReturnType<typeof setTimeout> | undefined
	let waitMs = AGAIN_MS
	let isDisposed = false

	function close(): void {
		clearTimeout(timer)
		stream?.close()
		stream = undefined
		isOpen.value = false
	}

	async function open(): Promise<void> {
		// A hidden tab needs no news, and each open stream takes one of the browser's few connections.
		if (!await hasDirectWay() || isDisposed || stream !== undefined || document.visibilityState !== 'visible' || pageEnd.value !== undefined) {
			return
		}
		stream = openEventStream({
			call: onCall,
			open() {
				isOpen.value = true
				waitMs = AGAIN_MS
			},
			cut() {
				isOpen.value = false
			},
			gone() {
				close()
				timer = setTimeout(() => void open(), waitMs)
				waitMs = Math.min(LONGEST_MS, 2 * waitMs)
			},
		})
	}

	function onVisibility(): void {
		if (document.visibilityState === 'visible') {
			void open()
		} else {
			close()
		}
	}
	document.addEventListener('visibilitychange', onVisibility)
	// The browser would open it again and again where nobody answers any more.
	watch(pageEnd, (end) => end === undefined || close())
	onScopeDispose(() => {
		isDisposed = true
		document.removeEventListener('visibilitychange', onVisibility)
		close()
	})
	void open()
	return isOpen
}
