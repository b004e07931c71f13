// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Server-sent events (WHATWG HTML, section 9.2).

import type { CallStream, StreamItem } from '../../calls/call-stream.ts'
import type { Route } from '../route.ts'

import { z } from 'zod'
import { presentCall } from '../presenters.ts'
import { route, TextStream } from '../route.ts'

/** Milliseconds until a browser comes back by itself. */
const RETRY_MS = 3_000
/** Over Nextcloud's PHP proxy each visit is a request of its own. */
const RETRY_OVER_PHP_MS = 10_000

const OWN_ID = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const EventsHeaders = z.object({ 'last-event-id': z.string().optional().describe('The `id` of the last event that was seen') })

export function eventRoutes({ stream }: { stream: CallStream }): Route[] {
	return [
		route({
			method: 'get',
			path: '/events',
			right: 'user',
			summary: 'The user’s own calls as they change: `call` (a Call) and `ping`',
			headers: EventsHeaders,
			answer: { status: 200, schema: z.string(), mediaType: 'text/event-stream' },
			refusals: ['limit_reached'],
			handle: async ({ caller, request, signal }) => {
				// Only Nextcloud's PHP proxy sends this header: it holds a stream back until it ends, and a PHP worker with it. So
				// there the stream ends at once, and the browser's own coming back makes a poll of it that misses nothing.
				const isOverPhp = request.headers['x-origin-ip'] !== undefined
				const since = readId(request.get('Last-Event-ID'))
				const items = stream.open({ userId: caller.userId, since, isLasting: !isOverPhp, signal })
				return {
					status: 200,
					headers: { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' },
					body: new TextStream(written(items, isOverPhp ? RETRY_OVER_PHP_MS : RETRY_MS)),
				}
			},
		}),
	]
}

/** An id of somebody else's making is passed over: a browser would never come back after an error. */
function readId(id: string | undefined): Date | undefined {
	return id !== undefined && OWN_ID.test(id) && Date.parse(id) >= 0 ? new Date(id) : undefined
}

async function* written(items: AsyncIterable<StreamItem>, retryMs: number): AsyncGenerator<string> {
	yield `retry: ${retryMs}\n\n`
	for await (const { at, call } of items) {
		const id = `id: ${at.toISOString()}\n`
		yield call === undefined ? `${id}event: ping\ndata: {}\n\n` : `${id}event: call\ndata: ${JSON.stringify(presentCall(call))}\n\n`
	}
}
