// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { AuditBeginning, AuditCheckpoint } from '../../../lib/privacy/audit-checkpoint.ts'
import type { AuditHead, AuditReader, AuditRow } from '../../../lib/privacy/audit.ts'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { signBeginning, signCheckpoint } from '../../../lib/privacy/audit-checkpoint.ts'
import { canonicalJson, checkAuditLog, hashOf, NO_HASH, plain, sealOf } from '../../../lib/privacy/audit.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'

const [older, newer] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
const keys = new KeyRing([newer, older])
const mac = (kid: string, text: string) => keys.auditMac(kid, text)

interface Log {
	rows: AuditRow[]
	head: AuditHead | undefined
	beginning?: AuditBeginning | undefined
	checkpoints?: AuditCheckpoint[]
	noted?: Pick<AuditHead, 'seq' | 'hash'> | 'damaged' | undefined
}

/** A log whose first half was written before the key was changed. */
function logOf(length: number): Log {
	const rows: AuditRow[] = []
	for (let seq = 1; seq <= length; seq++) {
		const kid = keys.storageKeys[seq * 2 > length ? 0 : 1]?.kid ?? ''
		const row = { seq, at: new Date(seq * 1000), actorKind: 'admin', actor: `ref${seq % 3}`, action: 'user.changed', target: seq % 2 === 0 ? null : 'ref9', detail: { limits: { old: seq, new: { b: 1, a: [seq] } } }, kid }
		rows.push({ ...row, hash: hashOf(row, rows.at(-1)?.hash ?? NO_HASH, mac) ?? '' })
	}
	const last = rows.at(-1)
	const end = last === undefined ? undefined : { seq: last.seq, hash: last.hash, kid: last.kid }
	return { rows, head: end === undefined ? undefined : { ...end, seal: sealOf(end, mac) ?? '' } }
}

/** As the database would hand it out, three rows at a time. */
function readerOf({ rows, head, beginning, checkpoints = [], noted }: Log): AuditReader {
	const sorted = rows.toSorted((a, b) => a.seq - b.seq)
	return {
		after: async (seq) => sorted.filter((row) => row.seq > seq).slice(0, 3),
		checkpoints: async (after, upTo) => checkpoints.filter(({ seq }) => seq > after && seq <= upTo),
		beginning: async () => beginning,
		head: async () => head,
		noted: async () => noted,
	}
}

async function check(log: Log, withMac = mac) {
	const steps = checkAuditLog(readerOf(log), withMac)
	for (;;) {
		const { done, value } = await steps.next()
		if (done === true) {
			return value
		}
	}
}

function at<Item>(list: readonly Item[], index: number): Item {
	const item = list[index]
	if (item === undefined) {
		throw new RangeError(`There is no ${index}`)
	}
	return item
}

describe('the check of an audit log', () => {
	it('finds every whole log in order, also an empty one and one with two keys', async () => {
		for (const length of [0, 1, 2, 3, 4, 10]) {
			const { rows, head } = logOf(length)
			expect(await check({ rows, head })).toEqual({ entries: length, hash: rows.at(-1)?.hash ?? '' })
		}
	})

	const SIZE = 9
	const index = fc.integer({ min: 0, max: SIZE - 1 })

	it('finds any altered column of any entry, and names that entry', async () => {
		const changes: ((row: AuditRow) => Partial<AuditRow>)[] = [
			({ at: time }) => ({ at: new Date(time.getTime() + 1) }),
			() => ({ actorKind: 'system' }),
			() => ({ actor: null }),
			() => ({ actor: 'another' }),
			() => ({ action: 'user.locked' }),
			({ target }) => ({ target: target === null ? 'somebody' : null }),
			() => ({ detail: {} }),
			({ detail }) => ({ detail: { ...detail, more: 1 } }),
			({ kid }) => ({ kid: at(keys.storageKeys, kid === keys.auditKid ? 1 : 0).kid }),
			({ hash }) => ({ hash: hash.replace(/^./, (digit) => digit === '0' ? '1' : '0') }),
		]
		await fc.assert(fc.asyncProperty(index, fc.constantFrom(...changes), async (position, change) => {
			const { rows, head } = logOf(SIZE)
			const result = await check({ rows: rows.with(position, { ...at(rows, position), ...change(at(rows, position)) }), head })
			expect(result).toMatchObject({ entries: position, broken: { seq: position + 1 } })
		}))
	})

	it('finds any number of deleted entries, also the last ones, and names the first', async () => {
		await fc.assert(fc.asyncProperty(fc.uniqueArray(index, { minLength: 1, maxLength: SIZE }), async (gone) => {
			const { rows, head } = logOf(SIZE)
			expect(await check({ rows: rows.filter((_, position) => !gone.includes(position)), head })).toMatchObject({ broken: { seq: Math.min(...gone) + 1 } })
		}))
	})

	it('finds entries deleted and the ones behind them moved up, however their hashes are', async () => {
		await fc.assert(fc.asyncProperty(index, async (position) => {
			const { rows, head } = logOf(SIZE)
			const moved = rows.toSpliced(position, 1).map((row, place) => ({ ...row, seq: place + 1 }))
			expect(await check({ rows: moved, head })).toMatchObject({ broken: { seq: position + 1 } })
		}))
	})

	it('finds any two entries that changed places', async () => {
		await fc.assert(fc.asyncProperty(fc.uniqueArray(index, { minLength: 2, maxLength: 2 }), async (pair) => {
			const [first, second] = [Math.min(...pair), Math.max(...pair)]
			const { rows, head } = logOf(SIZE)
			const swapped = rows.with(first, { ...at(rows, second), seq: first + 1 }).with(second, { ...at(rows, first), seq: second + 1 })
			expect(await check({ rows: swapped, head })).toMatchObject({ broken: { seq: first + 1 } })
		}))
	})

	it('finds an entry that was put in anywhere, also behind the end', async () => {
		await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: SIZE }), index, async (position, copied) => {
			const { rows, head } = logOf(SIZE)
			const longer = rows.toSpliced(position, 0, at(rows, copied)).map((row, place) => ({ ...row, seq: place + 1 }))
			// A copy of the very entry beside it is found one further on: the two cannot be told apart.
			expect((await check({ rows: longer, head })).broken?.seq).toBe(position === copied ? position + 2 : position + 1)
		}))
	})

	it('finds an end that was cut off together with its mark, unless somebody has the key', async () => {
		const [whole, shorter] = [logOf(SIZE), logOf(SIZE).rows.slice(0, 5)]
		const last = at(shorter, 4)
		const forged = { kid: keys.auditKid, seal: '', ...whole.head, seq: 5, hash: last.hash }
		expect(await check({ rows: shorter, head: forged })).toMatchObject({ entries: 5, broken: { seq: 6 } })
		expect(await check({ rows: shorter, head: undefined })).toMatchObject({ entries: 5, broken: { seq: 6 } })
	})

	it('names a key that is not loaded', async () => {
		const only = new KeyRing([newer])
		expect(await check(logOf(SIZE), (kid, text) => only.auditMac(kid, text))).toMatchObject({ entries: 0, broken: { seq: 1, why: expect.stringContaining(at(keys.storageKeys, 1).kid) } })
	})

	it('goes on with what is added meanwhile', async () => {
		const { rows, head } = logOf(SIZE)
		let known = 4
		const steps = checkAuditLog({
			...readerOf({ rows, head }),
			after: async (seq) => rows.slice(0, known).filter((row) => row.seq > seq),
			// Whoever adds has committed between the two questions.
			head: async () => {
				known = SIZE
				return head
			},
		}, mac)
		expect(await steps.next()).toEqual({ done: false, value: 4 })
		expect(await steps.next()).toEqual({ done: false, value: SIZE })
		expect(await steps.next()).toMatchObject({ done: true, value: { entries: SIZE } })
	})
})

/** The same as `logOf`, with a checkpoint behind every third entry, and without the first ones. */
function cutLogOf(length: number, gone: number): Required<Pick<Log, 'checkpoints'>> & Log & { beginning: AuditBeginning } {
	const { rows, head } = logOf(length)
	const checkpoints = rows.filter(({ seq }) => seq % 3 === 0).map(({ seq, hash, at: time }) => signCheckpoint({ seq, hash, at: time, kid: keys.auditKid }, mac))
	const { seq, hash } = at(rows, gone - 1)
	return { rows: rows.slice(gone), head, checkpoints: checkpoints.filter((checkpoint) => checkpoint.seq >= seq), beginning: signBeginning({ seq, hash, droppedAt: new Date(5), auditDays: 730, kid: keys.auditKid }, mac), noted: { seq: 8, hash: at(rows, 7).hash } }
}

describe('the check of an audit log whose first entries were dropped', () => {
	const [SIZE, GONE] = [9, 3]
	const kept = fc.integer({ min: 0, max: SIZE - GONE - 1 })

	it('begins where they ended, and says what was dropped, when and by which setting', async () => {
		for (const gone of [1, 3, 6, 8]) {
			expect(await check({ ...cutLogOf(SIZE, gone), noted: undefined })).toEqual({ entries: SIZE, hash: at(logOf(SIZE).rows, SIZE - 1).hash, dropped: { seq: gone, droppedAt: new Date(5), auditDays: 730 } })
		}
	})

	it('finds any entry that was altered, deleted, moved or put in, and names it', async () => {
		const changes: ((rows: AuditRow[], position: number) => AuditRow[])[] = [
			(rows, position) => rows.with(position, { ...at(rows, position), action: 'user.locked' }),
			(rows, position) => rows.toSpliced(position, 1),
			(rows, position) => rows.toSpliced(position, 1).map((row, place) => ({ ...row, seq: place + GONE + 1 })),
			(rows, position) => rows.toSpliced(position, 0, at(rows, (position + 2) % rows.length)).map((row, place) => ({ ...row, seq: place + GONE + 1 })),
		]
		await fc.assert(fc.asyncProperty(kept, fc.constantFrom(...changes), async (position, change) => {
			const log = cutLogOf(SIZE, GONE)
			expect(await check({ ...log, rows: change(log.rows, position) })).toMatchObject({ entries: GONE + position, broken: { seq: GONE + position + 1 } })
		}))
	})

	it('finds any entry that was put back in front of the beginning, also a genuine one', async () => {
		await fc.assert(fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 0, max: GONE - 1 }), { minLength: 1 }), async (back) => {
			const log = cutLogOf(SIZE, GONE)
			const rows = [...back.map((position) => at(logOf(SIZE).rows, position)), ...log.rows]
			expect(await check({ ...log, rows })).toMatchObject({ broken: { seq: Math.min(...back) + 1, why: 'It was put in in front of the beginning of the log.' } })
		}))
	})

	it('finds entries that were cut off by anybody but retention', async () => {
		const [log, later] = [cutLogOf(SIZE, GONE), cutLogOf(SIZE, 6)]
		const rows = later.rows
		expect(await check({ ...log, rows })).toMatchObject({ broken: { seq: 4, why: 'It is missing.' } })
		expect(await check({ ...log, rows, beginning: undefined })).toMatchObject({ broken: { seq: 1, why: 'It is missing.' } })
		for (const forged of [{ ...log.beginning, seq: 6, hash: later.beginning.hash }, { ...log.beginning, auditDays: 1 }, { ...log.beginning, droppedAt: new Date(6) }, { ...at(later.checkpoints, 0), droppedAt: new Date(5), auditDays: 730 }]) {
			expect(await check({ ...log, rows: forged.seq === 6 ? rows : log.rows, beginning: forged })).toMatchObject({ broken: { seq: forged.seq + 1, why: expect.stringContaining('beginning') } })
		}
	})

	it('finds a checkpoint that nobody with the key has made', async () => {
		const log = cutLogOf(SIZE, GONE)
		for (const change of [{ at: new Date(0) }, { hash: '0'.repeat(64) }, { signature: at(log.checkpoints, 2).signature }]) {
			const checkpoints = log.checkpoints.with(1, { ...at(log.checkpoints, 1), ...change })
			expect(await check({ ...log, checkpoints })).toMatchObject({ entries: 5, broken: { seq: 6, why: 'The checkpoint at it was changed or put in.' } })
		}
		expect((await check({ ...log, checkpoints: [] })).broken).toBeUndefined()
	})

	it('finds a whole log that was put back, also when it has grown again, by what was noted outside', async () => {
		const log = cutLogOf(SIZE, GONE)
		const earlier = { ...log, rows: log.rows.slice(0, 4), head: { ...logOf(7).head as AuditHead } }
		const seven = at(log.rows, 3)
		const end = { seq: 7, hash: seven.hash, kid: seven.kid }
		expect(await check({ ...earlier, head: { ...end, seal: sealOf(end, mac) ?? '' } })).toMatchObject({ entries: 7, broken: { seq: 8, why: expect.stringContaining('went on to entry 8') } })
		expect(await check({ ...log, noted: { seq: 8, hash: 'f'.repeat(64) } })).toMatchObject({ entries: 7, broken: { seq: 8, why: expect.stringContaining('put back') } })
		expect(await check({ ...log, noted: 'damaged' })).toMatchObject({ entries: 9, broken: { seq: 10 } })
		// What was noted was dropped since.
		expect((await check({ ...log, noted: { seq: 2, hash: 'f'.repeat(64) } })).broken).toBeUndefined()
	})

	it('goes on at the new beginning when entries are dropped while it reads', async () => {
		const [before, after] = [cutLogOf(SIZE, GONE), cutLogOf(SIZE, 8)]
		let now: Log = before
		const reader: AuditReader = { ...readerOf(before), after: (seq) => readerOf(now).after(seq), beginning: () => readerOf(now).beginning() }
		const steps = checkAuditLog(reader, mac)
		expect(await steps.next()).toEqual({ done: false, value: 6 })
		now = after
		expect(await steps.next()).toEqual({ done: false, value: 8 })
		expect(await steps.next()).toEqual({ done: false, value: 9 })
		expect(await steps.next()).toMatchObject({ done: true, value: { entries: 9, dropped: { seq: 8 } } })
	})
})

describe('canonical JSON', () => {
	it('is one text for a value, whatever the order of its keys, and survives a way through JSON', () => {
		expect(canonicalJson({ b: [1, { d: undefined, c: null }], a: 'x' })).toBe('{"a":"x","b":[1,{"c":null}]}')
		fc.assert(fc.property(fc.jsonValue(), (value) => {
			expect(canonicalJson(JSON.parse(JSON.stringify(plain(value))))).toBe(canonicalJson(value))
		}))
	})

	it('has nothing in it that PostgreSQL refuses', () => {
		expect(canonicalJson({ 'a\0': '\uD800\0b' })).toBe('{"a":"\uFFFDb"}')
	})
})
