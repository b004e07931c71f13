// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { describe, expect, it } from 'vitest'
import { settingChanges } from '../../../lib/policy/settings-changes.ts'
import { DEFAULT_SETTINGS, mergeSettings } from '../../../lib/policy/settings.ts'

describe('what is told of a change of settings', () => {
	it('is each setting that changed, with its values', () => {
		const saved = { maxCallSec: 60, allowedGroups: null }
		expect(settingChanges({ saved: {}, current: DEFAULT_SETTINGS }, { saved, current: mergeSettings({}, saved) })).toEqual([
			{ key: 'allowedGroups', old: ['admin'], new: null },
			{ key: 'maxCallSec', old: 3600, new: 60 },
		])
		expect(settingChanges({ saved, current: mergeSettings({}, saved) }, { saved: { ...saved }, current: mergeSettings({}, saved) })).toEqual([])
	})

	it('is the name alone where numbers or secrets may be', () => {
		const saved = {
			allowedPrefixes: ['+4930123456'],
			deniedPrefixes: ['+4930123456'],
			callerIds: [{ number: '+4930123456', label: 'x' }],
			rates: [{ prefix: '+4930123456', perMinute: { micros: '1', currency: 'EUR' } }],
			freeswitch: { host: 'h', port: 1, user: null, password: 's3cret' },
			oauth: { clientId: 'c', clientSecret: 's3cret' },
			cdrSecret: 's3cret',
			metricsToken: 's3cret',
		}
		const changes = settingChanges({ saved: {}, current: DEFAULT_SETTINGS }, { saved, current: mergeSettings({}, saved) })
		expect(changes).toEqual(expect.arrayContaining(Object.keys(saved).map((key) => ({ key }))))
		expect(changes).toHaveLength(Object.keys(saved).length)
	})
})
