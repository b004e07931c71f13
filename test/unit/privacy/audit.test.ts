// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { AuditHead, AuditRow } from '../../../lib/privacy/audit.ts'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, checkAuditLog, hashOf, NO_HASH, plain, sealOf } from '../../../lib/privacy/audit.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'

const [older, newer] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
const keys = new KeyRing([newer, older])
const mac = (kid: string, text: string) => keys.auditMac(kid, text)

interface Log {
	rows: AuditRow[]
	head: AuditHead | undefined
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
async function check({ rows, head }: Log, withMac = mac) {
	const sorted = rows.toSorted((a, b) => a.seq - b.seq)
	const steps = checkAuditLog({ after: async (seq) => sorted.filter((row) => row.seq > seq).slice(0, 3), head: async () => head }, withMac)
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
