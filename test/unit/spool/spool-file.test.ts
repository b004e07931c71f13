// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CallChange } from '../../../lib/calls/call-events.ts'

import { appendFile, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SpoolFile } from '../../../lib/spool/spool-file.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const at = new Date('2026-11-28T10:00:00.123Z')

function change(number: number): CallChange {
	return {
		callUuid: `call-${number}`,
		role: 'destination',
		event: { type: 'leg', legUuid: `leg-${number}`, at, answeredAt: new Date(at.getTime() + number), end: { cause: { name: 'NORMAL_CLEARING', q850: 16 }, verdict: 'cleared', hungUpBy: 'party', talkMs: number } },
	}
}

describe('the spool', () => {
	let volume: string
	let log: RecordedLog
	/** Processes that live: what they have put aside is theirs. */
	let alive: Set<string>

	beforeEach(async () => {
		volume = await mkdtemp(join(tmpdir(), 'sipcall-spool-'))
		log = new RecordedLog()
		alive = new Set()
	})
	afterEach(() => rm(volume, { recursive: true, force: true }))

	const spoolOf = (origin: string, maxBytes?: number) => new SpoolFile({
		volume,
		origin,
		unlessAlive: async (other, work) => alive.has(other) ? undefined : work(),
		logger: log,
		...(maxBytes === undefined ? {} : { maxBytes }),
	})
	const file = (origin: string) => join(volume, 'spool', `${origin}.events`)
	async function left(spool: SpoolFile): Promise<CallChange[]> {
		const taken: CallChange[] = []
		await spool.takeLeft(async (one) => {
			taken.push(one)
		})
		return taken
	}

	it('gives the next process what the last one put aside, as it was and in its order, and once', async () => {
		const spool = spoolOf('a')
		await Promise.all(Array.from({ length: 100 }, (_, number) => spool.append(change(number))))
		expect(spool.bytes).toBe((await readFile(file('a'))).length)
		const next = spoolOf('b')
		expect(await left(next)).toEqual(Array.from({ length: 100 }, (_, number) => change(number)))
		expect(await left(next)).toEqual([])
		expect(await readdir(join(volume, 'spool'))).toEqual([])
	})

	it('leaves alone what belongs to a process that lives, and what is its own', async () => {
		await spoolOf('a').append(change(1))
		const own = spoolOf('b')
		await own.append(change(2))
		alive.add('a')
		expect(await left(own)).toEqual([])
		expect(await readdir(join(volume, 'spool'))).toEqual(['a.events', 'b.events'])
	})

	it('leaves a damaged line and one that was cut off out, says so, and takes the others', async () => {
		const spool = spoolOf('a')
		for (const number of [1, 2, 3]) {
			await spool.append(change(number))
		}
		await writeFile(file('a'), (await readFile(file('a'), 'utf8')).replace('call-2', 'call-9'))
		await appendFile(file('a'), '12345678 {"callUuid":"cut o')
		expect((await left(spoolOf('b'))).map(({ callUuid }) => callUuid)).toEqual(['call-1', 'call-3'])
		expect(log.lines.at(-1)).toMatchObject({ level: 'info', fields: { damaged: 2 } })
	})

	it('keeps everything when the database goes away again while it is taken', async () => {
		const spool = spoolOf('a')
		await spool.append(change(1))
		await spool.append(change(2))
		let taken = 0
		await expect(spoolOf('b').takeLeft(async () => {
			if (++taken === 2) {
				throw new Error('away')
			}
		})).rejects.toThrow('away')
		expect((await left(spoolOf('b'))).map(({ callUuid }) => callUuid)).toEqual(['call-1', 'call-2'])
	})

	it('is bounded: beyond that it refuses, and takes more after it was emptied', async () => {
		const spool = spoolOf('a', 1_000)
		await spool.append(change(1))
		await expect((async () => {
			for (let number = 2; ; number++) {
				await spool.append(change(number))
			}
		})()).rejects.toThrow('full')
		expect((await readFile(file('a'))).length).toBeLessThanOrEqual(1_000)
		await spool.clear()
		await spool.append(change(1))
		expect(await left(spoolOf('b'))).toEqual([change(1)])
	})

	it('loses nothing to a line that a full disk took a part of', async () => {
		const spool = spoolOf('a')
		await spool.append(change(1))
		await rm(file('a'))
		await symlink('/dev/full', file('a'))
		await expect(spool.append(change(2))).rejects.toThrow()
		await rm(file('a'))
		await writeFile(file('a'), '12345678 {"callUu')
		await spool.append(change(3))
		expect(await left(spoolOf('b'))).toEqual([change(3)])
	})
})
