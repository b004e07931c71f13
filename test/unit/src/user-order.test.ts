// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { AdminUser } from '../../../src/services/admin-api.ts'

import { beforeEach, expect, it } from 'vitest'
import { sortUsers } from '../../../src/services/user-order.ts'
import { speak } from '../../support/language.ts'

beforeEach(() => speak('en'))

const user = (displayName: string, change: Partial<AdminUser> = {}): AdminUser => ({ id: displayName, displayName, groups: [], enabled: true, mayCall: true, permission: null, limits: {}, lock: null, approvedCountries: [], devices: [], usage: { callsToday: 0, calls30Days: 0 }, limitToday: { used: 0, max: 30 }, ...change })
const users = [user('Zoe', { limitToday: { used: 8, max: 200 } }), user('ben', { mayCall: false }), user('Änne', { limitToday: { used: 5, max: 5 }, lock: { until: '2099-01-01T00:00:00.000Z', by: 'admin' } }), user('Ada', { limitToday: { used: 6, max: 30 } })]

it.each([
	['name', false, ['Ada', 'Änne', 'ben', 'Zoe']],
	['name', true, ['Zoe', 'ben', 'Änne', 'Ada']],
	['today', true, ['Änne', 'Ada', 'Zoe', 'ben']],
	['mayCall', false, ['Ada', 'Änne', 'Zoe', 'ben']],
	['state', true, ['Änne', 'Ada', 'ben', 'Zoe']],
] as const)('users stand by %s, descending: %s; who is alike by name', (by, isDescending, names) => {
	expect(sortUsers(users, { by, isDescending }).map(({ displayName }) => displayName)).toEqual(names)
})
