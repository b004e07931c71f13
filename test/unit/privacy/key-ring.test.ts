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

	it('finds by the same blind indexes, and proves the same seals, when a later key is active and the earlier one is gone', () => {
		const earlier = new KeyRing([first])
		const both = new KeyRing([second, first])
		both.indexBy(earlier.activeKid)
		const only = new KeyRing([second])
		expect(only.auditMac(earlier.activeKid, 'entry')).toBeUndefined()
		only.takeIndexKey(both.wrapIndexKey())
		both.wrapSealKeys().forEach((key) => only.takeSealKey(key))
		expect(only.blindIndex('number', '+4930123456')).toBe(earlier.blindIndex('number', '+4930123456'))
		expect(only.dataId).toBe(earlier.dataId)
		expect(only.auditMac(earlier.activeKid, 'entry')).toBe(earlier.auditMac(earlier.activeKid, 'entry'))
		expect(only.receiptMac(earlier.activeKid, 'receipt')).toBe(earlier.receiptMac(earlier.activeKid, 'receipt'))
	})

	it('takes no derived key that is under another master, damaged, or meant for something else', () => {
		const ring = new KeyRing([first])
		const [seal] = ring.wrapSealKeys()
		if (seal === undefined) {
			throw new TypeError('A ring without seals')
		}
		expect(() => new KeyRing([second]).takeIndexKey(ring.wrapIndexKey())).toThrow('83844519')
		expect(() => ring.takeIndexKey(seal.wrapped)).toThrow()
		expect(() => ring.takeSealKey({ ...seal, kid: 'deadbeef' })).toThrow()
		const [kid = '', text = ''] = seal.wrapped.split(':')
		const bytes = Buffer.from(text, 'base64').map((byte, at) => at === 30 ? byte ^ 1 : byte)
		expect(() => ring.takeSealKey({ ...seal, wrapped: `${kid}:${Buffer.from(bytes).toString('base64')}` })).toThrow()
		ring.takeSealKey(seal)
	})

	it('decrypts with a key that was added, encrypts with one that was activated, and tells of each change', () => {
		const ring = new KeyRing([first])
		const before = ring.version
		const kid = ring.add(second)
		expect([ring.activeKid, ring.storageKeys.map((key) => key.kid)]).toEqual(['83844519', ['83844519', kid]])
		const added = ring.version
		ring.add(second)
		expect(ring.version).toBe(added)
		ring.activate(kid)
		expect(ring.storageKeys).toEqual(new KeyRing([second, first]).storageKeys)
		expect([before < added, added < ring.version]).toEqual([true, true])
		expect(() => ring.activate('deadbeef')).toThrow('deadbeef')
	})
})
