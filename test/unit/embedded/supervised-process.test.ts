// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { SupervisedProcessOptions } from '../../../lib/embedded/supervised-process.ts'
import type { LogLine } from '../../support/recorded-log.ts'

import { existsSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { restartDelayMs, SupervisedProcess } from '../../../lib/embedded/supervised-process.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const RUNS_FOR_EVER = 'console.log("ready"); setInterval(() => {}, 1e6)'
const IGNORES_SIGTERM = `process.on("SIGTERM", () => {}); ${RUNS_FOR_EVER}`

const isRestart = (line: LogLine) => line.level === 'warn' && line.message.includes('started again')
const isReady = (line: LogLine) => line.message === 'ready'

const undo: (() => Promise<void>)[] = []

function supervise(script: string, more: Partial<SupervisedProcessOptions> = {}) {
	const log = new RecordedLog()
	const supervised = new SupervisedProcess({
		name: 'child',
		command: process.execPath,
		args: ['-e', script],
		env: {},
		cwd: '/',
		logger: log,
		stopSignal: 'SIGTERM',
		stopTimeoutMs: 60_000,
		...more,
	})
	undo.push(() => supervised.stop())
	return { supervised, log }
}

function pidOf(supervised: SupervisedProcess): number {
	const pid = supervised.pid()
	if (pid === undefined) {
		throw new Error('the child does not run')
	}
	return pid
}

afterEach(async () => {
	vi.useRealTimers()
	await Promise.all(undo.splice(0).map((step) => step()))
})

describe('restartDelayMs', () => {
	it('starts at 200 ms, doubles, and stays at 10 s', () => {
		expect([0, 1, 2, 3, 4, 5, 6, 7, 100].map(restartDelayMs)).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000])
	})
})

describe('SupervisedProcess', () => {
	it('starts a child that was killed again, under a new process id', async () => {
		const { supervised, log } = supervise(RUNS_FOR_EVER)
		supervised.start()
		await log.waitFor(isReady)
		const first = pidOf(supervised)
		process.kill(first, 'SIGKILL')
		await log.waitFor(isReady, 2)
		expect(supervised.pid()).not.toBe(first)
		expect(supervised.exits()).toBe(1)
		expect(await log.waitFor(isRestart)).toMatchObject([{ fields: { signal: 'SIGKILL', delayMs: 200 } }])
	})

	it('waits longer each time for a child that ends at once', async () => {
		vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
		const { supervised, log } = supervise('process.exit(3)')
		supervised.start()
		for (const [index, delayMs] of [200, 400, 800].entries()) {
			const line = (await log.waitFor(isRestart, index + 1))[index]
			expect(line?.fields).toEqual({ code: 3, signal: null, delayMs })
			await vi.advanceTimersByTimeAsync(delayMs)
		}
	})

	it('forgets earlier failures once the child has run for 60 s', async () => {
		vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
		const { supervised, log } = supervise(RUNS_FOR_EVER)
		supervised.start()
		await log.waitFor(isReady)
		process.kill(pidOf(supervised), 'SIGKILL')
		await log.waitFor(isRestart)
		await vi.advanceTimersByTimeAsync(200)
		await log.waitFor(isReady, 2)
		await vi.advanceTimersByTimeAsync(60_000)
		process.kill(pidOf(supervised), 'SIGKILL')
		expect((await log.waitFor(isRestart, 2)).map(({ fields }) => fields.delayMs)).toEqual([200, 200])
	})

	it('tries again when the program cannot be started', async () => {
		const { supervised, log } = supervise('', { command: '/nonexistent/program' })
		supervised.start()
		const [line] = await log.waitFor(isRestart, 2)
		expect(line?.fields.error).toMatchObject({ code: 'ENOENT' })
		expect(supervised.pid()).toBeUndefined()
	})

	it('tries again when what must come before a start fails', async () => {
		const beforeStart = vi.fn<() => Promise<void>>().mockRejectedValueOnce(new Error('in the way')).mockResolvedValue()
		const { supervised, log } = supervise(RUNS_FOR_EVER, { beforeStart })
		supervised.start()
		await log.waitFor(isReady)
		expect(beforeStart).toHaveBeenCalledTimes(2)
	})

	it('stops for good: no child is left and none is started', async () => {
		const { supervised, log } = supervise(RUNS_FOR_EVER)
		supervised.start()
		await log.waitFor(isReady)
		const pid = pidOf(supervised)
		await Promise.all([supervised.stop(), supervised.stop()])
		expect(existsSync(`/proc/${pid}`)).toBe(false)
		expect(supervised.pid()).toBeUndefined()
		expect(log.lines.filter(isRestart)).toEqual([])
	})

	it('stops while it waits for the next start', async () => {
		vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
		const { supervised, log } = supervise('process.exit(1)')
		supervised.start()
		await log.waitFor(isRestart)
		await supervised.stop()
		expect(vi.getTimerCount()).toBe(0)
	})

	it('kills a child that does not heed the stop signal within the limit', async () => {
		const { supervised, log } = supervise(IGNORES_SIGTERM, { stopTimeoutMs: 10 })
		supervised.start()
		await log.waitFor(isReady)
		const pid = pidOf(supervised)
		await supervised.stop()
		expect(existsSync(`/proc/${pid}`)).toBe(false)
		expect(await log.waitFor(({ message }) => message.includes('is killed'))).toMatchObject([{ level: 'warn' }])
	})

	it('hands on nothing of the environment that it was not given', async () => {
		const { supervised, log } = supervise('console.log(JSON.stringify(process.env)); setInterval(() => {}, 1e6)', { env: { LANG: 'C' } })
		supervised.start()
		const [line] = await log.waitFor(({ level }) => level === 'debug')
		expect(JSON.parse(line?.message ?? '')).toEqual({ LANG: 'C' })
	})

	it('keeps the last five lines of the output', async () => {
		const { supervised, log } = supervise('for (let i = 1; i <= 7; i++) console.error(i); console.error("ready"); setInterval(() => {}, 1e6)')
		supervised.start()
		await log.waitFor(isReady)
		expect(supervised.lastLines()).toEqual(['4', '5', '6', '7', 'ready'])
	})
})
