// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { describe, expect, it } from 'vitest'
import { SipCallError } from '../../../lib/errors.ts'
import { UserNames } from '../../../lib/nextcloud/user-names.ts'

describe('the names of users', () => {
	let now = 0
	let isAway = false
	const asked: string[] = []
	const names = new UserNames({
		now: () => now,
		users: {
			find: async (adminId, userId) => {
				asked.push(`${adminId} ${userId}`)
				if (isAway) {
					throw new SipCallError('nextcloud_unavailable', 'Away')
				}
				return userId === 'gone' ? undefined : { id: userId, displayName: `Name of ${userId}`, groups: [], isEnabled: true }
			},
		},
	})

	it('are asked once within ten minutes, each for itself, and who is not there has none', async () => {
		expect(await names.of('demo', ['anna', 'gone', 'anna'])).toEqual(new Map([['anna', 'Name of anna']]))
		now = 599_999
		await names.of('demo', ['anna', 'gone'])
		expect(asked).toEqual(['demo anna', 'demo gone'])
		now = 600_000
		await names.of('demo', ['anna'])
		expect(asked).toHaveLength(3)
	})

	it('stay as they were while Nextcloud is away, and a few questions are enough to see that', async () => {
		isAway = true
		now = 2_000_000
		asked.length = 0
		const many = Array.from({ length: 50 }, (_, index) => `user${index}`)
		expect(await names.of('demo', ['anna', ...many])).toEqual(new Map([['anna', 'Name of anna']]))
		expect(asked.length).toBeLessThanOrEqual(5)
	})
})
