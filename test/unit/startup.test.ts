// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Releasers } from '../../lib/startup.ts'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLogger } from '../../lib/logger.ts'
import { Startup } from '../../lib/startup.ts'

const logger = createLogger({ level: 'error', silent: true })

describe('a start', () => {
	let log: string[]
	let faults: Error[]

	beforeEach(() => {
		vi.useFakeTimers()
		log = []
		faults = []
	})

	afterEach(() => vi.useRealTimers())

	async function start(releasers: Releasers, errand?: string): Promise<void> {
		releasers.add('a', () => {
			log.push('a stops')
		})
		releasers.add('b', () => {
			log.push('b stops')
		})
		log.push(errand === undefined ? 'start' : `start with ${errand}`)
		const fault = faults.shift()
		if (fault !== undefined) {
			throw fault
		}
		log.push('up')
	}

	it('is tried until it works, and leaves nothing of a failed attempt', async () => {
		faults = [new Error('one'), new Error('two')]
		const startup = new Startup(start, logger)
		startup.begin()
		await expect(startup.currentAttempt()).rejects.toThrow('one')
		await vi.advanceTimersByTimeAsync(1_000)
		await expect(startup.currentAttempt()).rejects.toThrow('two')
		await vi.advanceTimersByTimeAsync(2_000)
		await startup.up
		expect(log).toEqual(['start', 'b stops', 'a stops', 'start', 'b stops', 'a stops', 'start', 'up'])
	})

	it('is made again with an errand, after everything has stopped', async () => {
		const startup = new Startup<string>(start, logger)
		startup.begin()
		await startup.up
		await startup.restart('errand')
		expect(log).toEqual(['start', 'up', 'b stops', 'a stops', 'start with errand', 'up'])
		await startup.stop()
		expect(log.slice(6)).toEqual(['b stops', 'a stops'])
	})

	it('is on its way from the moment a restart is asked for', async () => {
		const startup = new Startup<string>(start, logger)
		startup.begin()
		await startup.up
		const restarted = startup.restart('errand')
		await startup.currentAttempt()
		expect(log.at(-2)).toBe('start with errand')
		await restarted
	})

	it('that fails with an errand is tried again without it', async () => {
		const startup = new Startup<string>(start, logger)
		startup.begin()
		await startup.up
		faults = [new Error('no')]
		await expect(startup.restart('errand')).rejects.toThrow('no')
		await vi.advanceTimersByTimeAsync(1_000)
		expect(log.slice(4)).toEqual(['start with errand', 'b stops', 'a stops', 'start', 'up'])
	})

	it('that is being tried again makes way for a restart: there is never a second one beside it', async () => {
		faults = [new Error('one')]
		const startup = new Startup<string>(start, logger)
		startup.begin()
		await expect(startup.currentAttempt()).rejects.toThrow('one')
		await startup.restart('errand')
		await vi.advanceTimersByTimeAsync(60_000)
		expect(log.slice(3)).toEqual(['start with errand', 'up'])
	})

	it('that fails while a restart waits for it does not try again by itself', async () => {
		faults = [new Error('one')]
		const startup = new Startup<string>(start, logger)
		startup.begin()
		await startup.restart('errand')
		await vi.advanceTimersByTimeAsync(60_000)
		expect(log).toEqual(['start', 'b stops', 'a stops', 'start with errand', 'up'])
	})

	it('is not made again once it was told to stop', async () => {
		const startup = new Startup<string>(start, logger)
		startup.begin()
		await startup.up
		const restarted = startup.restart('errand')
		const stopped = startup.stop()
		await expect(restarted).rejects.toMatchObject({ code: 'shutting_down' })
		await stopped
		await expect(startup.restart('errand')).rejects.toMatchObject({ code: 'shutting_down' })
		await vi.advanceTimersByTimeAsync(60_000)
		expect(log).toEqual(['start', 'up', 'b stops', 'a stops'])
	})
})
