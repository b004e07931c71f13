// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call } from '../../../lib/calls/call.ts'

import { describe, expect, it } from 'vitest'
import { notificationOf } from '../../../lib/nextcloud/call-notification.ts'

const CALL: Call = {
	uuid: '4a1f4f6e-3c1e-4f0e-9a0c-5f0a2c6f7b11',
	version: 5,
	userId: 'demo',
	to: '+4930123456',
	rawTo: '030 123456',
	device: { id: '0b9f7c52-19a7-4f5e-9a51-8f1b2f0c6a55', label: 'Desk' },
	tags: [],
	direction: 'outbound',
	status: 'ended',
	createdAt: new Date('2026-11-24T09:30:00.000Z'),
	onHold: false,
	legs: [],
	jobUuid: '1c9f7c52-19a7-4f5e-9a51-8f1b2f0c6a56',
}

describe('a notification', () => {
	it.each<[Partial<Call>, ReturnType<typeof notificationOf>]>([
		[{ outcome: 'failed' }, 'failed'],
		[{ outcome: 'blocked' }, 'failed'],
		[{ outcome: 'completed' }, undefined],
		[{ outcome: 'busy' }, undefined],
		[{ outcome: 'no_answer' }, undefined],
		[{ outcome: 'rejected' }, undefined],
		[{ outcome: 'cancelled' }, undefined],
		[{ direction: 'inbound', outcome: 'no_answer' }, 'missed'],
		[{ direction: 'inbound', outcome: 'busy' }, 'missed'],
		[{ direction: 'inbound', outcome: 'completed' }, undefined],
		[{ status: 'ringing' }, undefined],
	])('of %o is %s', (change, kind) => {
		expect(notificationOf({ ...CALL, ...change })).toBe(kind)
	})
})
