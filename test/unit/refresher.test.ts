// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Refresher } from '../../lib/refresher.ts'

describe('what others have changed', () => {
	let faults: [key: string, error: unknown, failures: number][]
	let refresher: Refresher<string>
	/** Reads under way; each ends when the test says so. */
	let reads: PromiseWithResolvers<void>[]
	const read = () => {
		reads.push(Promise.withResolvers<void>())
		return (reads.at(-1) as PromiseWithResolvers<void>).promise
	}

	beforeEach(() => {
		vi.useFakeTimers()
		faults = []
		reads = []
		refresher = new Refresher<string>({ onFault: (...fault) => faults.push(fault) })
	})
	afterEach(() => {
		refresher.stop()
		vi.useRealTimers()
	})

	it('is read once at a time, and once more for all that was told meanwhile', async () => {
		const done: string[] = []
		const all = ['first', 'second', 'third'].map((name) => refresher.refresh('settings', read).then(() => done.push(name)))
		expect(reads).toHaveLength(1)
		reads[0]?.resolve()
		await vi.waitFor(() => expect(reads).toHaveLength(2))
		expect(done).toEqual([])
		reads[1]?.resolve()
		await Promise.all(all)
		expect(reads).toHaveLength(2)
		expect(faults).toEqual([])
	})

	it('does not wait for other things', () => {
		void refresher.refresh('one', read)
		void refresher.refresh('another', read)
		expect(reads).toHaveLength(2)
	})

	it('is tried again every second until it can be read', async () => {
		const first = refresher.refresh('settings', read)
		reads[0]?.reject(new Error('away'))
		await first
		expect(faults).toEqual([['settings', new Error('away'), 1]])
		await vi.advanceTimersByTimeAsync(999)
		expect(reads).toHaveLength(1)
		await vi.advanceTimersByTimeAsync(1)
		reads[1]?.reject(new Error('still away'))
		await vi.advanceTimersByTimeAsync(1_000)
		reads[2]?.resolve()
		await vi.advanceTimersByTimeAsync(10_000)
		expect([reads.length, faults.map(([,, failures]) => failures)]).toEqual([3, [1, 2]])
		void refresher.refresh('settings', read)
		reads[3]?.reject(new Error('away again'))
		await vi.advanceTimersByTimeAsync(0)
		expect(faults.at(-1)).toEqual(['settings', new Error('away again'), 1])
	})

	it('needs no second try where somebody has asked for it meanwhile', async () => {
		const first = refresher.refresh('settings', read)
		reads[0]?.reject(new Error('away'))
		await first
		const second = refresher.refresh('settings', read)
		reads[1]?.resolve()
		await second
		await vi.advanceTimersByTimeAsync(10_000)
		expect(reads).toHaveLength(2)
	})

	it('is not tried again after the end, and nobody is told', async () => {
		const first = refresher.refresh('settings', read)
		refresher.stop()
		reads[0]?.reject(new Error('away'))
		await first
		await vi.advanceTimersByTimeAsync(10_000)
		expect([reads.length, faults]).toEqual([1, []])
	})
})
