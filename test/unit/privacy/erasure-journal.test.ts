// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { beginningLine, entryLine, journalHash, keyLine, neededSince, readJournal } from '../../../lib/privacy/erasure-journal.ts'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'

const [first, second] = [randomBytes(32), randomBytes(32)]
const ring = new KeyRing([first])
const macOf = (keys: KeyRing) => (kid: string, text: string) => keys.journalMac(kid, text)
const AT = new Date('2026-11-24T09:00:00.123Z')
const line = (change: Partial<Parameters<typeof entryLine>[0]> = {}) => entryLine({ id: randomUUID(), at: AT, scope: 'number', number: '+4930123401', ...change }, ring.activeKid, macOf(ring))
const read = (lines: string[], keys = ring) => readJournal(lines, (key) => keys.takeSealKey(key), macOf(keys))

describe('the erasure journal', () => {
	it('hashes the same text differently as a user, a number and an index, and with each key', () => {
		const keys = new KeyRing([first, second])
		const hashes = keys.storageKeys.flatMap(({ kid }) => (['user', 'number', 'index'] as const).map((kind) => journalHash(kind, '4930', kid, macOf(keys))))
		expect(new Set(hashes).size).toBe(6)
		expect(hashes).not.toContain(undefined)
	})

	it('reads what it wrote, and of two entries with one id the later one', () => {
		const id = randomUUID()
		const [one, later] = [line({ id }), line({ id, at: new Date(AT.getTime() + 1) })]
		const { beginning, entries, damaged, missingKids } = read([beginningLine(AT), one, line(), later])
		expect([beginning, damaged, missingKids]).toEqual([AT, [], []])
		expect([...entries.values()].map((entry) => entry.line).slice(-1)).toEqual([later])
		expect(entries.size).toBe(2)
	})

	it('names the lines that are not as they were written, whatever is changed in them', () => {
		const whole = line({ user: 'guest', isForgotten: true })
		const { id, at, scope, user, number, kid, mac } = JSON.parse(whole) as Record<string, string>
		const said = { id, at, scope, user, isForgotten: true, number, kid }
		const changes = [{ id: randomUUID() }, { at: '2026-11-24T09:00:00.124Z' }, { scope: 'calls' }, { user: number }, { number: user }, { isForgotten: false }, { user: undefined }, { mac: `${mac?.slice(1)}${mac?.slice(0, 1)}` }, { more: 1 }]
		const lines = changes.map((change) => JSON.stringify({ ...said, mac, ...change }))
		expect(read([whole, ...lines, '', 'x', '{}', whole]).damaged).toEqual([...lines, '', 'x', '{}'].map((_line, index) => index + 2))
		expect(read([JSON.stringify({ ...said, mac })]).damaged).toEqual([])
	})

	it('is needed for two years, and for longer where a backup is older', () => {
		const now = new Date('2026-11-24T09:00:00.000Z')
		const [before, young, old] = [new Date('2024-11-24T09:00:00.000Z'), new Date('2026-01-01T00:00:00.000Z'), new Date('2023-01-01T00:00:00.000Z')]
		expect([neededSince(now, []), neededSince(now, [young]), neededSince(now, [young, old])]).toEqual([before, before, old])
	})

	it('says which key its entries need, and brings one along under another', () => {
		const entry = line()
		const other = new KeyRing([second])
		expect(read([entry], other)).toMatchObject({ missingKids: [ring.activeKid], damaged: [] })
		const both = new KeyRing([second, first])
		const carried = both.wrapSealKeys().filter(({ kid, purpose }) => purpose === 'erasure journal' && kid === ring.activeKid).map(keyLine)
		expect(carried).toHaveLength(1)
		expect(read([...carried, entry], other)).toMatchObject({ missingKids: [], damaged: [], keys: [{ kid: ring.activeKid }] })
		const [text = ''] = carried
		expect(read([text.replace(/"wrapped":"(.{30})./, (_all, start: string) => `"wrapped":"${start}${text.at(text.indexOf('"wrapped":"') + 41) === 'A' ? 'B' : 'A'}`)], new KeyRing([second])).damaged).toEqual([1])
	})
})
