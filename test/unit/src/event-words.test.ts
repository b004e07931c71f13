// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call, CallLogEntry } from '../../../src/services/types.ts'

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { callDetails } from '../../../src/services/call-details.ts'
import { eventWords } from '../../../src/services/event-words.ts'

const call: Call = {
	uuid: '4a1f4f6e-3c1e-4f0e-9a0c-5f0a2c6f7b11',
	version: 9,
	to: '+4930123456',
	toDisplay: '+49 30 123456',
	contactName: 'Anna Weber',
	device: { id: 'd1', label: 'Desk phone' },
	direction: 'outbound',
	status: 'ended',
	outcome: 'busy',
	leg: 'destination',
	cause: { name: 'USER_BUSY', q850: 17, sip: 486 },
	reason: { code: 'busy', message: 'Busy.', fixableBy: 'nobody' },
	createdAt: '2026-11-22T09:30:00.000Z',
	onHold: false,
	tags: [],
}
const at = call.createdAt

describe('a step of a call', () => {
	it.each<[Omit<CallLogEntry, 'at'>, object]>([
		[{ type: 'leg_ringing', leg: 'user' }, { text: '“Desk phone” rings', isFault: false }],
		[{ type: 'leg_answered', leg: 'destination' }, { text: 'Anna Weber answered', isFault: false }],
		[{ type: 'leg_ended', leg: 'destination', detail: { cause: 'USER_BUSY', q850: 17, sip: 486 } }, { text: 'Anna Weber is disconnected', cause: 'USER_BUSY · Q.850 17 / SIP 486', isFault: true }],
		[{ type: 'leg_ended', leg: 'user', detail: { cause: 'NORMAL_CLEARING', q850: 16 } }, { text: '“Desk phone” is disconnected', isFault: false }],
		[{ type: 'leg_ended', leg: 'user', detail: { cause: 'USER_BUSY', q850: 17 } }, { text: '“Desk phone” is disconnected', isFault: false }],
		[{ type: 'ended', detail: { outcome: 'busy', cause: 'USER_BUSY' } }, { text: 'Call ended', isFault: false }],
		[{ type: 'of_a_newer_server' }, { text: 'of_a_newer_server', isFault: false }],
	])('%j reads %j', (entry, words) => {
		expect(eventWords({ at, ...entry }, call)).toEqual(words)
	})

	it('has words for every step that the server writes down', () => {
		const source = readFileSync(new URL('../../../lib/calls/call-events.ts', import.meta.url), 'utf8')
		const types = [...source.slice(source.indexOf('interface CallLogEntry')).matchAll(/'([a-z_]+)'/g)].map(([, type = '']) => type)
		expect(types.length).toBeGreaterThan(8)
		expect(types.filter((type) => eventWords({ at, type, leg: 'user' }, call).text === type)).toEqual([])
	})
})

it('copies what helps to find a fault, and neither number nor name', () => {
	const text = callDetails(call)
	expect(text.split('\n')).toEqual(['Time: 2026-11-22T09:30:00.000Z', `Call: ${call.uuid}`, 'Ended as: busy, destination', 'Code: busy', 'Cause: USER_BUSY (Q.850 17 / SIP 486)'])
	expect(text).not.toMatch(/Anna|30123456/)
})
