// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isDialTemplate, isDomain, isGatewayName } from '../../../lib/esl/dial-string.ts'
import { readSettings, settingsSchema, settingText } from '../../../lib/policy/settings-schema.ts'
import { DEFAULT_SETTINGS } from '../../../lib/policy/settings.ts'
import { isProviderKind } from '../../../lib/provider/index.ts'

const schema = settingsSchema({ isProviderKind, isDialTemplate, isGatewayName, isDomain })

describe('a setting in Nextcloud’s app config', () => {
	it.each([
		['homeCountry', 'DE', 'DE'],
		['homeCountry', null, 'null'],
		['allowedCountries', ['DE', 'AT'], 'DE, AT'],
		['allowedCountries', [], '[]'],
		['allowedGroups', ['Sales team'], 'Sales team'],
		['allowedGroups', ['a,b'], '["a,b"]'],
		['allowedGroups', ['10'], '["10"]'],
		['allowedGroups', ['null'], '["null"]'],
		['allowedGroups', null, 'null'],
		['callsPerMinute', 25, '25'],
		['sipDialString', 'user/{address}@{domain}', '"user/{address}@{domain}"'],
		['deniedPrefixes', ['+49900', '+49137'], '+49900, +49137'],
		['callerIds', [{ number: '+4930123456', label: 'Office' }], '[{"number":"+4930123456","label":"Office"}]'],
	])('%s %j stands there as %s and is read back', (key, value, text) => {
		expect(settingText(value)).toBe(text)
		expect(readSettings({ [key]: text }, schema)).toEqual({ values: { [key]: value }, invalid: [] })
	})

	it('is read back for every default', () => {
		const texts = Object.fromEntries(Object.entries(DEFAULT_SETTINGS).map(([key, value]) => [key, settingText(value)]))
		expect(readSettings(texts, schema)).toEqual({ values: DEFAULT_SETTINGS, invalid: [] })
	})

	it('is read back for any names of groups', () => {
		fc.assert(fc.property(fc.array(fc.string({ minLength: 1, maxLength: 64 }).filter((name) => schema.shape.allowedGroups.safeParse([name]).success), { maxLength: 5 }), (groups) => {
			expect(readSettings({ allowedGroups: settingText(groups) }, schema).values.allowedGroups).toEqual(groups)
		}), { numRuns: 2_000 })
	})

	it('that an admin has emptied is not set at all: it never means everybody', () => {
		expect(readSettings({ allowedGroups: '', homeCountry: '  ', callsPerMinute: '' }, schema)).toEqual({ values: {}, invalid: [] })
	})

	it('takes countries as people type them', () => {
		expect(readSettings({ homeCountry: 'de', allowedCountries: 'de, At ,ch' }, schema)).toEqual({ values: { homeCountry: 'DE', allowedCountries: ['DE', 'AT', 'CH'] }, invalid: [] })
	})

	it('that means nothing is named and left out', () => {
		expect(readSettings({ callsPerMinute: 'many', homeCountry: 'Germany', allowedCountries: 'DE, Mars', maxCallSec: '60' }, schema))
			.toEqual({ values: { maxCallSec: 60 }, invalid: ['callsPerMinute', 'homeCountry', 'allowedCountries'] })
	})
})
