// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call, Me } from '../services/types.ts'

import { onScopeDispose } from 'vue'

/** What one tab of this user tells the others, so that they need not ask the server for it. */
export type News
	= | { type: 'call', call: Call }
		| { type: 'me', me: Me }
		/** A click on “Hang up” that the server has not confirmed yet. */
		| { type: 'hang_up', uuid: string }
		/** A phone link has opened a page of SIPCall: the test of the settings waits for it. */
		| { type: 'handler_ok' }

/**
 * The line between this user's tabs. No tab leads: each does all it needs when it is alone.
 *
 * @return tells the other tabs
 */
export function useTabs(onNews: (news: News) => void): (news: News) => void {
	// Old browsers have none: then each tab asks for itself.
	if (typeof BroadcastChannel === 'undefined') {
		return () => {}
	}
	const channel = new BroadcastChannel(`sipcall:${document.head.dataset.user ?? ''}`)
	channel.onmessage = ({ data }: MessageEvent<News>) => onNews(data)
	let isClosed = false
	onScopeDispose(() => {
		isClosed = true
		channel.close()
	})
	return (news) => {
		// What was begun here goes on when the view is left, such as the end of a call: a closed channel would break it off.
		if (!isClosed) {
			channel.postMessage(news)
		}
	}
}
