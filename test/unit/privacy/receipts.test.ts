// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Receipt } from '../../../lib/privacy/receipts.ts'

import { describe, expect, it } from 'vitest'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { ERASERS, ERASURE_SCOPES, isValidReceipt, signReceipt } from '../../../lib/privacy/receipts.ts'

const ring = new KeyRing([Buffer.alloc(32, 1)])
const mac = (kid: string, text: string) => ring.receiptMac(kid, text)

const receipt: Receipt = {
	receiptId: '4a1f4f6e-3c1e-4f0e-9a0c-5f0a2c6f7b11',
	deletedAt: new Date('2026-11-27T09:30:00.123Z'),
	scope: 'number',
	by: 'user',
	counts: { calls: 3, transfers: 1, devices: 0, signIns: 0, rules: 0 },
}

describe('a receipt', () => {
	it('is the same text for ever, with a key of its own', () => {
		// Pinned: another value would make every receipt that was handed out look forged.
		expect(signReceipt(receipt, 'a1b2', ring.auditKid, mac).signature).toBe('83844519.2f8b3836770851cc8811aa134c9fdc1c33d3c2acfd425a64d3ed6936cdbe1fb9')
		expect(ring.receiptMac(ring.auditKid, 'x')).not.toBe(ring.auditMac(ring.auditKid, 'x'))
	})

	it('is valid as it was signed, in whatever order its members come, and with the key of an earlier time', () => {
		const signed = signReceipt(receipt, 'a1b2', ring.auditKid, mac)
		const { calls, ...rest } = receipt.counts
		expect(isValidReceipt({ ...signed, counts: { ...rest, calls } }, 'a1b2', mac)).toBe(true)
		const later = new KeyRing([Buffer.alloc(32, 2), Buffer.alloc(32, 1)])
		expect(isValidReceipt(signed, 'a1b2', (kid, text) => later.receiptMac(kid, text))).toBe(true)
		const without = new KeyRing([Buffer.alloc(32, 2)])
		expect(isValidReceipt(signed, 'a1b2', (kid, text) => without.receiptMac(kid, text))).toBe(false)
	})

	it('is not valid with any single thing changed, and two different ones never share a signature', () => {
		const signatures = new Set<string>()
		let made = 0
		for (const scope of ERASURE_SCOPES) {
			for (const by of ERASERS) {
				for (const subject of [null, '', 'null', 'a1b2']) {
					for (const calls of [0, 1, 10]) {
						const other = signReceipt({ ...receipt, scope, by, counts: { ...receipt.counts, calls } }, subject, ring.auditKid, mac)
						signatures.add(other.signature)
						made++
						expect(isValidReceipt(other, subject, mac)).toBe(true)
						expect(isValidReceipt({ ...other, counts: { ...other.counts, calls: calls + 1 } }, subject, mac)).toBe(false)
						expect(isValidReceipt({ ...other, deletedAt: new Date(other.deletedAt.getTime() + 1) }, subject, mac)).toBe(false)
						expect(isValidReceipt(other, `${subject}x`, mac)).toBe(false)
					}
				}
			}
		}
		expect(signatures.size).toBe(made)
	})

	it.each(['', '.', 'nokid.', ring.auditKid, `${ring.auditKid}.`, `${ring.auditKid}.undefined`])('is not valid with the signature “%s”', (signature) => {
		expect(isValidReceipt({ ...receipt, signature }, null, mac)).toBe(false)
	})
})
