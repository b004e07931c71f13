// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Route } from './route.ts'

import { SipCallError } from '../errors.ts'

/** Routes that can be closed while the server stays: for what must not be disturbed by requests. */
export interface RouteGate {
	readonly routes: readonly Route[]
	/** Ends long waits and lets nobody in; resolves when those who were inside are done, at the latest after the limit. */
	close(limitMs: number): Promise<void>
}

export function gateOf(routes: readonly Route[]): RouteGate {
	const closing = new AbortController()
	const empty = Promise.withResolvers<void>()
	let inside = 0
	return {
		routes: routes.map((route) => ({
			...route,
			handle: async (context) => {
				if (closing.signal.aborted) {
					throw new SipCallError('storage_unavailable', 'SIPCall is starting. Try again in a few seconds.', { retryAfterSec: 5 })
				}
				inside++
				try {
					return await route.handle({ ...context, signal: AbortSignal.any([context.signal, closing.signal]) })
				} finally {
					inside--
					if (closing.signal.aborted && inside === 0) {
						empty.resolve()
					}
				}
			},
		})),
		async close(limitMs) {
			closing.abort()
			if (inside > 0) {
				const limit = setTimeout(() => empty.resolve(), limitMs)
				await empty.promise
				clearTimeout(limit)
			}
		},
	}
}
