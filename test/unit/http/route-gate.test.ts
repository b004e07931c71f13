// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { RouteAnswer, RouteContext } from '../../../lib/http/route.ts'

import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { gateOf } from '../../../lib/http/route-gate.ts'
import { route } from '../../../lib/http/route.ts'

type Context = RouteContext<unknown, unknown, unknown>

function gateWith(handle: (context: Context) => Promise<RouteAnswer>) {
	const gate = gateOf([route({ method: 'get', path: '/x', right: 'user', summary: '', answer: { status: 200, schema: z.string() }, handle })])
	const client = new AbortController()
	const [only] = gate.routes
	return { gate, client, ask: async () => only?.handle({ signal: client.signal } as Context) }
}

/** Waits until the signal ends, as a long poll does. */
function longPoll({ signal }: Context) {
	return new Promise<RouteAnswer>((resolve) => {
		signal.addEventListener('abort', () => resolve({ status: 200, body: 'ended' }))
	})
}

describe('a gate of routes', () => {
	afterEach(() => vi.useRealTimers())

	it('closes at once when nobody is inside, and lets nobody in then', async () => {
		const { gate, ask } = gateWith(async () => ({ status: 200, body: 'in' }))
		expect(await ask()).toMatchObject({ body: 'in' })
		await gate.close(1_000_000)
		await expect(ask()).rejects.toMatchObject({ code: 'storage_unavailable', retryAfterSec: 5 })
	})

	it('ends long waits, and is closed when they have answered', async () => {
		const { gate, ask } = gateWith(longPoll)
		const [first, second] = [ask(), ask()]
		await gate.close(1_000_000)
		expect(await Promise.all([first, second])).toMatchObject([{ body: 'ended' }, { body: 'ended' }])
	})

	it('still tells a long wait that its client is gone', async () => {
		const { client, ask } = gateWith(longPoll)
		const answer = ask()
		client.abort()
		expect(await answer).toMatchObject({ body: 'ended' })
	})

	it('waits for work under way, also for such that fails, up to the limit', async () => {
		vi.useFakeTimers()
		const work = Promise.withResolvers<RouteAnswer>()
		const { gate, ask } = gateWith(() => work.promise)
		const answer = ask()
		let isClosed = false
		const closed = gate.close(2_000).then(() => {
			isClosed = true
		})
		await vi.advanceTimersByTimeAsync(1_999)
		expect(isClosed).toBe(false)
		work.reject(new Error('no'))
		await expect(answer).rejects.toThrow('no')
		await closed

		const { gate: stuck, ask: askStuck } = gateWith(() => new Promise(() => {}))
		void askStuck()
		const given = stuck.close(2_000)
		await vi.advanceTimersByTimeAsync(2_000)
		await given
	})
})
