// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { describe, expect, it } from 'vitest'
import { pathOf, readAddress } from '../../../src/services/routes.ts'

const ROOT = '/index.php/apps/app_api/embedded/sipcall/calls'
const UUID = '4a1f4f6e-3c1e-4f0e-9a0c-5f0a2c6f7b11'

describe('an address', () => {
	it.each<[string, object]>([
		['', { name: 'calls' }],
		['/', { name: 'calls' }],
		['/missed', { name: 'missed' }],
		['/missed/', { name: 'missed' }],
		[`/call/${UUID}`, { name: 'call', uuid: UUID }],
		[`/call/${UUID.toUpperCase()}`, { name: 'call', uuid: UUID }],
		['/settings/links', { name: 'settings', section: 'links' }],
		['/settings/caller-id', { name: 'settings', section: 'caller-id' }],
		['/admin/audit', { name: 'admin', page: 'audit' }],
		['/settings/all', { name: 'unknown' }],
		['/settings', { name: 'unknown' }],
		['/call', { name: 'unknown' }],
		['/call/12', { name: 'unknown' }],
		[`/call/${UUID}/events`, { name: 'unknown' }],
		['/admin/overview', { name: 'admin', page: 'overview' }],
		['/admin/users', { name: 'admin', page: 'users' }],
		['/admin/connection', { name: 'admin', page: 'connection' }],
		['/admin', { name: 'unknown' }],
		['/admin/doctor', { name: 'admin', page: 'doctor' }],
		['/admin/surgeon', { name: 'unknown' }],
		['/missed/today', { name: 'unknown' }],
	])('%s below the root asks for %j', (path, route) => {
		expect(readAddress(ROOT + path)).toEqual({ root: ROOT, route })
	})

	it.each([ROOT, '/apps/app_api/embedded/sipcall/calls', `/cloud${ROOT}`, '/a/b/apps/app_api/embedded/sipcall/calls'])('is understood where Nextcloud stands at %s', (root) => {
		expect(readAddress(`${root}/missed`)).toEqual({ root, route: { name: 'missed' } })
	})

	it('leads back to its route', () => {
		for (const route of [{ name: 'calls' }, { name: 'missed' }, { name: 'call', uuid: UUID }, { name: 'settings', section: 'devices' }, { name: 'admin', page: 'policy' }] as const) {
			expect(readAddress(ROOT + pathOf(route)).route).toEqual(route)
		}
	})
})
