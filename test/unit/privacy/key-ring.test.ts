// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'

const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]

describe('the key ring', () => {
	it('derives the same keys from the same master, so that what was stored can be read after a restart', () => {
		expect(new KeyRing([Buffer.from(first)]).storageKeys).toEqual(new KeyRing([first]).storageKeys)
		// Pinned: other values would make every stored row unreadable.
		expect(new KeyRing([first]).storageKeys).toEqual([{ kid: '83844519', passphrase: 'DiUsZMnx4ELEd92Cnv5Y/TLNPMb+Ts4F1aiAxb9b9Zo=' }])
		expect(new KeyRing([first]).blindIndex('number', '+4930123456')).toBe('b4edde00a96311b0e3e18fd3ec165753')
	})

	it('seals the audit log with a key of its own, of any master that is loaded', () => {
		const [ring, both] = [new KeyRing([first]), new KeyRing([second, first])]
		// Pinned: another value would make every stored entry look forged.
		expect(ring.auditMac('83844519', 'entry')).toBe('70d999a3786033e067dd14256dabe8a950e29bfd9bdc1f6ff67e3725716772f4')
		expect(both.auditMac(ring.auditKid, 'entry')).toBe(ring.auditMac(ring.auditKid, 'entry'))
		expect(both.auditMac(both.auditKid, 'entry')).not.toBe(ring.auditMac(ring.auditKid, 'entry'))
		expect(ring.auditMac(both.auditKid, 'entry')).toBeUndefined()
	})

	it('has the active key first, and another id and passphrase for each master', () => {
		const keys = new KeyRing([first, second]).storageKeys
		expect(keys.map(({ kid }) => kid)).toEqual([...new KeyRing([first]).storageKeys, ...new KeyRing([second]).storageKeys].map(({ kid }) => kid))
		expect(new Set(keys.map(({ passphrase }) => passphrase)).size).toBe(2)
	})

	it('shows nothing of the master in an id or a passphrase', () => {
		const master = randomBytes(32)
		const [key] = new KeyRing([master]).storageKeys
		expect(key?.kid).toMatch(/^[0-9a-f]{8}$/)
		expect(key?.passphrase).not.toBe(master.toString('base64'))
		expect(key?.passphrase).not.toContain(key?.kid)
	})

	it('gives equal values one blind index of 32 hex digits, other values and other masters another', () => {
		const ring = new KeyRing([first])
		const index = ring.blindIndex('number', '+4930123456')
		expect(index).toMatch(/^[0-9a-f]{32}$/)
		expect(ring.blindIndex('number', '+4930123456')).toBe(index)
		expect(ring.blindIndex('number', '+4930123457')).not.toBe(index)
		expect(new KeyRing([second]).blindIndex('number', '+4930123456')).not.toBe(index)
	})

	it('prints no key in JSON, in a template or in inspect', () => {
		const master = randomBytes(32)
		const ring = new KeyRing([master, second])
		for (const text of [JSON.stringify({ ring }), `${String(ring)}`, inspect(ring, { depth: null, showHidden: true })]) {
			for (const { kid, passphrase } of ring.storageKeys) {
				expect(text).not.toContain(passphrase)
				expect(text).not.toContain(kid)
			}
			expect(text).not.toContain(master.toString('base64'))
		}
		expect(JSON.stringify({ ring })).toBe('{"ring":"[redacted]"}')
	})
})
