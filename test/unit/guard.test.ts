// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Guard, GuardRefusal, Guards } from '../../lib/guard.ts'

class Ill extends Error {}

const OPTIONS = { part: 'nextcloud', isFault: (error: unknown) => error instanceof Ill, breakAfter: 3, breakMs: 10_000 } as const

describe('the guard of a part', () => {
	beforeEach(() => {
		vi.useFakeTimers({ now: new Date('2026-11-24T12:00:00.000Z') })
	})

	afterEach(() => {
		vi.useRealTimers()
	})

	const asked = vi.fn<() => Promise<string>>()
	const fail = (error: Error) => () => {
		asked.mockClear()
		asked.mockRejectedValue(error)
		return asked()
	}

	async function broken(guard: Guard): Promise<void> {
		for (let faults = 0; faults < 3; faults++) {
			await expect(guard.execute(fail(new Ill()))).rejects.toThrow(Ill)
		}
	}

	it('leaves it alone after so many faults in a row, and lets one through when the time is over', async () => {
		const guard = new Guard(OPTIONS)
		await broken(guard)
		expect(guard.state).toMatchObject({ breaker: 'open', opened: 1 })
		const ask = vi.fn(async () => 'answer')
		await vi.advanceTimersByTimeAsync(9_999)
		await expect(guard.execute(ask)).rejects.toThrow(GuardRefusal)
		expect(ask).not.toHaveBeenCalled()
		await vi.advanceTimersByTimeAsync(1)
		expect(await guard.execute(ask)).toBe('answer')
		expect(guard.state).toMatchObject({ breaker: 'closed', opened: 1, refused: 1 })
	})

	it('asks at once when it may be there again, and says why it was left alone', async () => {
		const guard = new Guard(OPTIONS)
		await broken(guard)
		expect(guard.lastFault).toBeInstanceOf(Ill)
		await guard.tryNow(fail(new Ill()))
		expect(guard.state).toMatchObject({ breaker: 'open', opened: 2 })
		await guard.tryNow(async () => 'answer')
		expect(guard.state).toMatchObject({ breaker: 'closed', opened: 2 })
		expect(guard.lastFault).toBeUndefined()
		await expect(guard.execute(fail(new Error('an answer')))).rejects.toThrow('an answer')
		expect(guard.lastFault).toBeUndefined()
	})

	it('leaves it alone once more when that one fails', async () => {
		const guard = new Guard(OPTIONS)
		await broken(guard)
		await vi.advanceTimersByTimeAsync(10_000)
		await expect(guard.execute(fail(new Ill()))).rejects.toThrow(Ill)
		await expect(guard.execute(async () => 'answer')).rejects.toThrow(GuardRefusal)
		expect(guard.state).toMatchObject({ breaker: 'open', opened: 2 })
	})

	it('lets through one alone, and nobody waits for its answer', async () => {
		const guard = new Guard(OPTIONS)
		await broken(guard)
		await vi.advanceTimersByTimeAsync(10_000)
		const trial = Promise.withResolvers<string>()
		const first = guard.execute(() => trial.promise)
		expect(guard.state.breaker).toBe('half_open')
		await expect(guard.execute(async () => 'answer')).rejects.toThrow(GuardRefusal)
		trial.resolve('answer')
		expect(await first).toBe('answer')
		expect(guard.isClosed).toBe(true)
	})

	it('takes an error that is an answer for an answer', async () => {
		const guard = new Guard(OPTIONS)
		await expect(guard.execute(fail(new Ill()))).rejects.toThrow(Ill)
		await expect(guard.execute(fail(new Ill()))).rejects.toThrow(Ill)
		for (let answers = 0; answers < 10; answers++) {
			await expect(guard.execute(fail(new TypeError()))).rejects.toThrow(TypeError)
		}
		expect(guard.isClosed).toBe(true)
	})

	it('does not leave it alone for longer because somebody sets the clock back', async () => {
		const guard = new Guard(OPTIONS)
		await broken(guard)
		vi.setSystemTime(new Date('2026-11-24T11:00:00.000Z'))
		await vi.advanceTimersByTimeAsync(10_000)
		expect(await guard.execute(async () => 'answer')).toBe('answer')
	})

	it('leaves it alone as long as somebody knows that it is silent', async () => {
		const guard = new Guard(OPTIONS)
		expect(guard.silent()).toBe(true)
		expect(guard.silent()).toBe(false)
		await vi.advanceTimersByTimeAsync(60_000)
		await expect(guard.execute(async () => 'answer')).rejects.toThrow(GuardRefusal)
		guard.heard()
		expect(await guard.execute(async () => 'answer')).toBe('answer')
	})

	it('lets so many ask at once, some wait, and tells the others to come later', async () => {
		const guard = new Guard({ ...OPTIONS, atOnce: 2, waiting: 1 })
		const answers = Array.from({ length: 4 }, () => Promise.withResolvers<string>())
		const results = answers.map(({ promise }) => guard.execute(() => promise))
		await expect(results[3]).rejects.toThrow(GuardRefusal)
		expect(guard.state).toMatchObject({ running: 2, waiting: 1, refused: 1, breaker: 'closed' })
		answers.forEach(({ resolve }, at) => resolve(`answer ${at}`))
		expect(await Promise.all(results.slice(0, 3))).toEqual(['answer 0', 'answer 1', 'answer 2'])
		expect(guard.state).toMatchObject({ running: 0, waiting: 0 })
	})

	it('does not let who has waited ask a part that is left alone by then', async () => {
		const guard = new Guard({ ...OPTIONS, breakAfter: 1, atOnce: 1, waiting: 1 })
		const first = Promise.withResolvers<string>()
		const ask = vi.fn(async () => 'answer')
		const [failing, waiting] = [guard.execute(() => first.promise), guard.execute(ask)]
		const refused = expect(waiting).rejects.toThrow(GuardRefusal)
		first.reject(new Ill())
		await expect(failing).rejects.toThrow(Ill)
		await refused
		expect(ask).not.toHaveBeenCalled()
	})

	it('is known by its part and name, the last one that was added', () => {
		const guards = new Guards()
		guards.add(OPTIONS)
		guards.add({ ...OPTIONS, part: 'freeswitch', name: 'a:8021' })
		const later = guards.add(OPTIONS)
		later.silent()
		guards.remove({ part: 'freeswitch', name: 'a:8021' })
		expect(guards.states()).toMatchObject([{ part: 'nextcloud', breaker: 'open' }])
	})
})
