// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EmbeddedRedis } from '../../../lib/embedded/redis.ts'

import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { startEmbeddedRedis } from '../../../lib/embedded/redis.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const OWNER_SCRIPT = `
	const { startEmbeddedRedis } = await import(process.argv[1])
	const log = () => {}
	const logger = { error: log, warn: log, info: log, debug: log, child: () => logger }
	const redis = await startEmbeddedRedis({ dataDir: process.argv[2], logger })
	console.log(redis.pid())
`

let folder: string
let log: RecordedLog
const undo: (() => Promise<unknown>)[] = []

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'sipcall-redis-'))
	// Under root the servers run as somebody else, who has to pass.
	await chmod(folder, 0o711)
	log = new RecordedLog()
})

afterEach(async () => {
	for (const step of undo.splice(0).toReversed()) {
		await step()
	}
	await rm(folder, { recursive: true, force: true })
})

async function start(dataDir = join(folder, 'data')): Promise<EmbeddedRedis> {
	const redis = await startEmbeddedRedis({ dataDir, logger: log })
	if (redis === undefined) {
		throw new Error('Redis does not run')
	}
	undo.push(() => redis.stop())
	return redis
}

/** Sends one inline command and answers the reply's text. */
function ask(socketPath: string, command: string): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connect(socketPath, () => socket.end(`${command}\r\nQUIT\r\n`))
		let answer = ''
		socket.setEncoding('utf8')
		socket.on('data', (chunk) => {
			answer += String(chunk)
		})
		socket.once('error', reject)
		socket.once('close', () => resolve(answer.replace(/\+OK\r\n$/, '').trim()))
	})
}

async function askUntilAnswered(socketPath: string, command: string): Promise<string> {
	for (;;) {
		try {
			return await ask(socketPath, command)
		} catch {
			await delay(20)
		}
	}
}

function pidOf(redis: EmbeddedRedis): number {
	const pid = redis.pid()
	if (pid === undefined) {
		throw new Error('Redis does not run')
	}
	return pid
}

/** A process that has ended may stay listed until its new parent takes notice, then without a command line. */
function runs(pid: number | string): boolean {
	return existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
}

describe('startEmbeddedRedis', () => {
	it('answers undefined where there is no Redis', async () => {
		expect(await startEmbeddedRedis({ dataDir: join(folder, 'data'), logger: log, searchFolders: [folder] })).toBeUndefined()
	})

	it('answers undefined and warns when the program does not work', async () => {
		await writeFile(join(folder, 'redis-server'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
		expect(await startEmbeddedRedis({ dataDir: join(folder, 'data'), logger: log, searchFolders: [folder] })).toBeUndefined()
		expect(log.lines.at(-1)).toMatchObject({ level: 'warn', message: expect.stringContaining('PostgreSQL does the counting') })
	})
})

describe.skipIf(inject('redisSocket') === undefined)('startEmbeddedRedis with a Redis on the machine', () => {
	it('counts, behind a socket in a folder that nobody else may enter', async () => {
		const redis = await start()
		expect(await ask(redis.socketPath, 'INCR calls')).toBe(':1')
		expect(await ask(redis.socketPath, 'INCR calls')).toBe(':2')
		expect((await stat(dirname(redis.socketPath))).mode & 0o777).toBe(0o700)
	})

	it('listens on no TCP port, keeps nothing on the disk and refuses to grow beyond 64 MB', async () => {
		const redis = await start()
		// `$0` announces an empty text.
		const answers = await Promise.all(['port', 'save', 'appendonly', 'maxmemory', 'maxmemory-policy'].map((name) => ask(redis.socketPath, `CONFIG GET ${name}`)))
		expect(answers.map((answer) => answer.split('\r\n').at(-1))).toEqual(['0', '$0', 'no', String(64 * 1024 * 1024), 'noeviction'])
	})

	it('does not run as root', async () => {
		const redis = await start()
		expect((await stat(`/proc/${pidOf(redis)}`)).uid).not.toBe(0)
	})

	it('comes back by itself after kill -9', async () => {
		const redis = await start()
		const killed = pidOf(redis)
		process.kill(killed, 'SIGKILL')
		await log.waitFor(({ level, message }) => level === 'warn' && message.includes('started again'))
		expect(await askUntilAnswered(redis.socketPath, 'PING')).toBe('+PONG')
		expect(redis.pid()).not.toBe(killed)
	})

	it('stops for good and leaves no process', async () => {
		const redis = await start()
		const pid = pidOf(redis)
		await Promise.all([redis.stop(), redis.stop()])
		expect(runs(pid)).toBe(false)
		expect(redis.pid()).toBeUndefined()
		await expect(ask(redis.socketPath, 'PING')).rejects.toThrow()
	})

	it('ends the server that a killed owner left running', async () => {
		const dataDir = join(folder, 'data')
		const script = new URL('../../../lib/embedded/redis.ts', import.meta.url)
		const owner = spawn(process.execPath, ['--input-type=module', '-e', OWNER_SCRIPT, script.href, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
		undo.push(async () => owner.kill('SIGKILL'))
		const ended = new Promise((resolve) => owner.once('exit', resolve))
		const left = Number(await new Promise<string>((resolve, reject) => {
			createInterface({ input: owner.stdout }).once('line', resolve)
			owner.once('exit', () => reject(new Error('the owner ended before Redis was ready')))
		}))
		await expect(start(dataDir)).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('Another SIPCall') })
		owner.kill('SIGKILL')
		await ended
		expect(runs(left)).toBe(true)
		const redis = await start(dataDir)
		expect(runs(left)).toBe(false)
		expect(await ask(redis.socketPath, 'PING')).toBe('+PONG')
	})

	it('puts the socket into a temporary folder when the data folder\'s path is longer than a socket\'s may be', async () => {
		const redis = await start(join(folder, 'long'.repeat(50)))
		expect(Buffer.byteLength(redis.socketPath)).toBeLessThan(100)
		expect(await ask(redis.socketPath, 'PING')).toBe('+PONG')
	})
})
