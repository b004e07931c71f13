// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The matchers of this folder against what a Nextcloud 32.0.1 did with AppAPI 32.0.0 and with the head of stable32.

import { describe, expect, it } from 'vitest'
import { newAppApi, oldAppApi } from './route-matching.ts'

const route = (url: string, accessLevel: 'USER' | 'ADMIN' = 'USER') => ({ url, verb: 'GET', accessLevel })

/** Routes, the path that a user asked for after Nextcloud decoded it, and who let it pass: 32.0.0, stable32. */
const SEEN = [
	[[route('^/api/.*')], 'api/echo', false, true],
	[[route('^\\/api\\/.*')], 'api/echo', false, true],
	[[route('^api\\/.*')], 'api/echo', true, true],
	[[route('^api\\/.*')], 'x/api/echo', false, false],
	[[route('^api/.*')], 'api/echo', false, true],
	[[route('api')], 'api/echo', true, true],
	[[route('api')], 'x/api/echo', true, false],
	[[route('^admin', 'ADMIN'), route('.*')], 'admin/echo', true, false],
	[[route('^admin', 'ADMIN'), route('.*')], 'api/echo', true, true],
	[[route('^\\/?api\\/.*')], 'api/echo', true, true],
	[[route('^\\/?api\\/.*')], 'x/api/echo', false, false],
	[[route('^\\/?api\\/.*'), route('^\\/?admin\\/.*', 'ADMIN')], 'api/../admin/echo', true, false],
	[[route('^\\/?api\\/.*'), route('^\\/?admin\\/.*', 'ADMIN')], 'api/%2e%2e/admin/echo', true, false],
] as const

describe('the matchers', () => {
	for (const [routes, path, passesOld, passesNew] of SEEN) {
		it(`treat ${path} at ${routes.map(({ url }) => url).join(' then ')} as recorded`, () => {
			expect(oldAppApi(routes, 'GET', path, 'user') !== undefined).toBe(passesOld)
			expect(newAppApi(routes, 'GET', path, 'user') !== undefined).toBe(passesNew)
		})
	}
})
