// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { DepartureStore } from '../../../lib/privacy/departures.ts'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLogger } from '../../../lib/logger.ts'
import { compareUsers, DepartureWatch, GRACE_DAYS } from '../../../lib/privacy/departures.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const NOW = new Date('2026-11-24T12:00:00.000Z')
const daysAgo = (days: number) => new Date(NOW.getTime() - days * DAY_MS)
const nobody = new Map<string, Date>()

describe('users who are gone from Nextcloud', () => {
	it('are noted, and due when they were missing for the whole time of grace, not a moment earlier', () => {
		const holding = ['anna', 'ben', 'carla']
		expect(compareUsers({ holding, existing: ['anna', 'carla'], missingSince: nobody, now: NOW })).toEqual({ missing: ['ben'], returned: [], due: [] })
		const almost = new Date(daysAgo(GRACE_DAYS).getTime() + 1)
		expect(compareUsers({ holding, existing: ['anna'], missingSince: new Map([['ben', almost], ['carla', daysAgo(GRACE_DAYS)]]), now: NOW })).toEqual({ missing: [], returned: [], due: ['carla'] })
	})

	it('are as if they had never been missing when they are there again', () => {
		expect(compareUsers({ holding: ['anna', 'ben'], existing: ['anna', 'ben'], missingSince: new Map([['ben', daysAgo(29)]]), now: NOW })).toEqual({ missing: [], returned: ['ben'], due: [] })
	})

	it.each([
		['an empty list', []],
		['a list that was cut off', ['user0', 'user1', 'user2']],
	])('are not looked for in %s: nothing is noted and nothing deleted', (_what, existing) => {
		const holding = Array.from({ length: 40 }, (_, at) => `user${at}`)
		const result = compareUsers({ holding, existing, missingSince: new Map([['user39', daysAgo(99)]]), now: NOW })
		expect(result).toEqual({ doubt: expect.stringMatching(/Nothing is deleted.*sipcall:user:purge/) as string })
	})

	it('are never more in one comparison than three, or a tenth of all', () => {
		fc.assert(fc.property(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 200 }), (all, there) => {
			const holding = Array.from({ length: all }, (_, at) => `user${at}`)
			const result = compareUsers({ holding, existing: ['somebody', ...holding.slice(0, there)], missingSince: nobody, now: NOW })
			const missing = 'doubt' in result ? 0 : result.missing.length
			expect(missing).toBeLessThanOrEqual(Math.max(3, all / 10))
			expect('doubt' in result ? [] : result.due).toEqual([])
		}))
	})
})

describe('the daily comparison', () => {
	it('purges who is due, and forgets about it only afterwards', async () => {
		const steps: string[] = []
		const store: DepartureStore = {
			usersWithData: async () => ['anna', 'ben'],
			missingSince: async () => new Map([['ben', daysAgo(31)]]),
			noteMissing: async () => {},
			forgetMissing: async (userIds) => void steps.push(`forget ${userIds.join()}`),
		}
		const watch = new DepartureWatch({
			store,
			listUsers: async () => ['anna'],
			purge: async (userId) => void steps.push(`purge ${userId}`),
			now: () => NOW,
			logger: createLogger({ level: 'error', silent: true }),
		})
		await watch.runDaily()
		expect(steps).toEqual(['forget ', 'purge ben', 'forget ben'])
		await watch.runDaily()
		expect(steps).toHaveLength(3)
	})

	it('changes nothing while Nextcloud is away, and tries again the next time', async () => {
		let isAway = true
		let asked = 0
		const watch = new DepartureWatch({
			store: { usersWithData: async () => ['anna'], missingSince: async () => nobody, noteMissing: async () => {}, forgetMissing: async () => {} },
			listUsers: async () => {
				asked++
				if (isAway) {
					throw new Error('away')
				}
				return []
			},
			purge: async () => expect.unreachable(),
			now: () => NOW,
			logger: createLogger({ level: 'error', silent: true }),
		})
		await expect(watch.runDaily()).rejects.toThrow('away')
		isAway = false
		await watch.runDaily()
		expect(asked).toBe(2)
		expect(watch.doubt).toMatch(/lacks 1 of the 1 users/)
	})
})
