// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The server's news as they happen, where there is a way to SIPCall that lets them through. */

import type { Call } from './types.ts'

import { getRootUrl } from '@nextcloud/router'

/** HaRP's own address for the app. A Nextcloud without it, or whose web server has no rule for it, knows no such page. */
function direct(path: string): string {
	return `${getRootUrl()}/exapps/sipcall/${path}`
}

let probed: Promise<boolean> | undefined

/** Whether the app answers there; asked once for the page, since HaRP counts what it refuses. */
export function hasDirectWay(): Promise<boolean> {
	probed ??= fetch(direct('me'), { headers: { Accept: 'application/json' }, redirect: 'error' })
		.then((answer) => answer.ok && answer.headers.get('Content-Type')?.startsWith('application/json') === true, () => false)
	return probed
}

export interface EventStream {
	close: () => void
}

/**
 * Opens the stream. The browser comes back by itself after a cut, and the server then tells what was missed.
 *
 * @param on what to tell: `open` and `cut` by turns, and `gone` when the browser has given up
 */
export function openEventStream(on: { call: (call: Call) => void, open: () => void, cut: () => void, gone: () => void }): EventStream {
	const source = new EventSource(direct('events'))
	source.addEventListener('call', ({ data }: MessageEvent<string>) => on.call(JSON.parse(data) as Call))
	source.addEventListener('open', on.open)
	source.addEventListener('error', () => source.readyState === EventSource.CLOSED ? on.gone() : on.cut())
	return { close: () => source.close() }
}
