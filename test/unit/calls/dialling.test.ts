// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isStillWanted } from '../../../lib/calls/dialling.ts'

const HUNG_UP = { hangupRequestedAt: new Date() }

describe('a call that has waited', () => {
	beforeEach(() => {
		vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] })
	})

	afterEach(() => {
		vi.useRealTimers()
	})

	/** What the database says, and after how many milliseconds. */
	async function asked(answers: readonly (readonly [afterMs: number, call: object | undefined | 'fault'])[], isAlone = false): Promise<{ wanted: boolean | 'unknown', questions: number }> {
		let questions = 0
		const wanted = isStillWanted(() => {
			const [afterMs = 0, call] = answers[questions++] ?? []
			return new Promise((resolve, reject) => {
				setTimeout(() => call === 'fault' ? reject(new Error('away')) : resolve(call as object | undefined), afterMs)
			})
		}, () => isAlone)
		await vi.advanceTimersByTimeAsync(60_000)
		return { wanted: await wanted, questions }
	}

	it.each([
		['is there and not hung up, said at once', [[10, {}]], { wanted: true, questions: 1 }],
		['was hung up over another server', [[10, HUNG_UP]], { wanted: false, questions: 1 }],
		['was erased', [[10, undefined]], { wanted: false, questions: 1 }],
		['was not hung up when an answer was given that came late, and is now', [[2_000, {}], [5, HUNG_UP]], { wanted: false, questions: 2 }],
		['is still wanted after such an answer', [[2_000, {}], [5, {}]], { wanted: true, questions: 2 }],
		['is one of which nobody can tell in time', [[600, {}], [600, {}], [600, {}]], { wanted: 'unknown', questions: 3 }],
		['is one of which nobody can be asked', [[5, 'fault']], { wanted: 'unknown', questions: 1 }],
	] as const)('that %s', async (_what, answers, expected) => {
		expect(await asked(answers)).toEqual(expected)
	})

	it('goes by what is known here where there is no other server', async () => {
		expect(await asked([[5, 'fault']], true)).toEqual({ wanted: true, questions: 1 })
		expect(await asked([[600, {}], [600, {}], [600, HUNG_UP]], true)).toEqual({ wanted: false, questions: 3 })
	})
})
