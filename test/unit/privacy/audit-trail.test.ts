// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { AuditEntry } from '../../../lib/privacy/audit.ts'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SipCallError } from '../../../lib/errors.ts'
import { audited, AuditTrail } from '../../../lib/privacy/audit-trail.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const NOW = new Date('2026-11-24T09:00:00.000Z')
const refused = (rule: string) => ({ actor: { kind: 'user' as const, userId: 'demo' }, action: 'call.refused' as const, detail: { rule } })
const change = { actor: { kind: 'admin' as const, userId: 'demo' }, action: 'user.changed' as const, targetUserId: 'guest', detail: { mayCall: true } }

let written: AuditEntry[]
let fault: Error | undefined
let log: RecordedLog
let trail: AuditTrail

beforeEach(() => {
	vi.useFakeTimers()
	written = []
	fault = undefined
	log = new RecordedLog()
	trail = new AuditTrail({
		store: {
			append: async (entry) => {
				if (fault !== undefined) {
					throw fault
				}
				written.push(entry)
			},
		},
		now: () => NOW,
		isPassing: (error) => error instanceof Error && error.message === 'away',
		logger: log,
		capacity: 3,
		retryMs: 5_000,
	})
})

afterEach(() => vi.useRealTimers())

describe('a note', () => {
	it('is written behind, in its order and with the moment at which it was made', async () => {
		trail.note(refused('a'))
		trail.note(refused('b'))
		await trail.settle()
		expect(written).toEqual([{ at: NOW, ...refused('a') }, { at: NOW, ...refused('b') }])
	})

	it('waits while the database is away', async () => {
		fault = new Error('away')
		trail.note(refused('a'))
		await trail.settle()
		expect(written).toEqual([])
		fault = undefined
		await vi.advanceTimersByTimeAsync(5_000)
		expect(written).toHaveLength(1)
	})

	it('is lost when too many wait; that is told once, and counted in the log', async () => {
		fault = new Error('away')
		for (const rule of ['a', 'b', 'c', 'd', 'e']) {
			trail.note(refused(rule))
		}
		await trail.settle()
		expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
		fault = undefined
		await trail.settle()
		expect(written.map(({ action, detail }) => [action, detail])).toEqual([
			['call.refused', { rule: 'a' }],
			['call.refused', { rule: 'b' }],
			['call.refused', { rule: 'c' }],
			['audit.lost', { entries: 2 }],
		])
	})

	it('that can never be written does not keep the others', async () => {
		fault = new Error('a fault of ours')
		trail.note(refused('a'))
		await trail.settle()
		expect(log.lines).toMatchObject([{ level: 'error', fields: { action: 'call.refused' } }])
		fault = undefined
		trail.note(refused('b'))
		await trail.settle()
		expect(written).toMatchObject([{ detail: { rule: 'b' } }])
	})

	it('is written at the stop, or its loss is told', async () => {
		trail.note(refused('a'))
		await trail.stop()
		expect(written).toHaveLength(1)
		fault = new Error('away')
		trail.note(refused('b'))
		await trail.stop()
		expect(log.lines).toMatchObject([{ level: 'error', fields: { entries: 1 } }])
	})
})

describe('what must not go unseen', () => {
	it('is done after its entry is written', async () => {
		expect(await trail.during(change, async () => written.length)).toBe(1)
		expect(written).toEqual([{ at: NOW, ...change }])
	})

	it('is not done when its entry cannot be written', async () => {
		fault = new Error('away')
		const work = vi.fn(async () => {})
		await expect(trail.during(change, work)).rejects.toMatchObject({ code: 'storage_unavailable' })
		expect(work).not.toHaveBeenCalled()
	})

	it('has a second entry when it fails', async () => {
		await expect(trail.during(change, async () => Promise.reject(new SipCallError('nextcloud_unavailable', 'away')))).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
		await trail.settle()
		expect(written.map(({ detail }) => detail)).toEqual([{ mayCall: true }, { mayCall: true, failed: 'nextcloud_unavailable' }])
	})

	it('is written afterwards when there is no log before', async () => {
		let present: AuditTrail | undefined
		await audited(() => present, change, async () => {
			present = trail
		})
		await trail.settle()
		expect(written).toHaveLength(1)
	})
})
