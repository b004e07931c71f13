// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Config } from '../../../lib/config.ts'

import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../../../lib/config.ts'

const LEAST = { APP_SECRET: 'app-hunter2', APP_PORT: '23000', APP_PERSISTENT_STORAGE: '/data', NEXTCLOUD_URL: 'https://cloud.example' }
const KEY = 'k'.repeat(32)

const load = (change: Record<string, string>): Config => loadConfig({ ...LEAST, ...change })

function faultsOf(change: Record<string, string>): readonly string[] {
	try {
		load(change)
	} catch (error) {
		return error instanceof ConfigError ? error.faults : expect.unreachable(String(error))
	}
	return []
}

describe('the environment of sign-ins', () => {
	it('may be empty: a key from the volume, HS256, 15 minutes, no client, no origins', () => {
		expect(load({})).toMatchObject({ jwt: { keys: [], algorithm: 'HS256', expiryMin: 15 }, oauthClient: undefined, corsOrigins: [] })
		expect(inspect(load({ JWT_SECRET_KEY: '', JWT_SECRET_KEYS_PREVIOUS: '', JWT_ALGORITHM: '', JWT_EXPIRY_MINUTES: '', NEXTCLOUD_OAUTH_CLIENT_ID: '', NEXTCLOUD_OAUTH_CLIENT_SECRET: '', CORS_ORIGINS: '' }))).toBe(inspect(load({})))
	})

	it('sets everything, and shows no secret', () => {
		const config = load({
			JWT_SECRET_KEY: 'first'.repeat(13),
			JWT_SECRET_KEYS_PREVIOUS: JSON.stringify(['second'.repeat(11)]),
			JWT_ALGORITHM: 'HS512',
			JWT_EXPIRY_MINUTES: '1440',
			NEXTCLOUD_OAUTH_CLIENT_ID: 'client-id',
			NEXTCLOUD_OAUTH_CLIENT_SECRET: 'client-hunter2',
			CORS_ORIGINS: '["https://app.example","http://localhost:3000","http://[::1]:8080","capacitor://localhost"]',
		})
		expect(config.jwt.keys.map((key) => key.reveal().toString())).toEqual(['first'.repeat(13), 'second'.repeat(11)])
		expect(config.jwt).toMatchObject({ algorithm: 'HS512', expiryMin: 1440 })
		expect([config.oauthClient?.id, config.oauthClient?.secret.reveal()]).toEqual(['client-id', 'client-hunter2'])
		expect(config.corsOrigins).toEqual(['https://app.example', 'http://localhost:3000', 'http://[::1]:8080', 'capacitor://localhost'])
		expect(inspect(config, { depth: 10, showHidden: true }) + JSON.stringify(config)).not.toMatch(/first|second|hunter2/)
	})

	it.each([
		['JWT_SECRET_KEY', { JWT_SECRET_KEY: 'k'.repeat(31) }],
		['JWT_SECRET_KEY', { JWT_SECRET_KEY: `${KEY}\n` }],
		['JWT_SECRET_KEY', { JWT_SECRET_KEY: 'k'.repeat(47), JWT_ALGORITHM: 'HS384' }],
		['JWT_SECRET_KEY', { JWT_SECRET_KEY: 'k'.repeat(63), JWT_ALGORITHM: 'HS512' }],
		['JWT_SECRET_KEYS_PREVIOUS', { JWT_SECRET_KEY: KEY, JWT_SECRET_KEYS_PREVIOUS: '["short"]' }],
		['JWT_SECRET_KEYS_PREVIOUS', { JWT_SECRET_KEY: KEY, JWT_SECRET_KEYS_PREVIOUS: KEY }],
		['JWT_SECRET_KEYS_PREVIOUS', { JWT_SECRET_KEY: 'k'.repeat(64), JWT_SECRET_KEYS_PREVIOUS: `["${KEY}"]`, JWT_ALGORITHM: 'HS512' }],
		['JWT_SECRET_KEYS_PREVIOUS', { JWT_SECRET_KEYS_PREVIOUS: `["${KEY}"]` }],
		['JWT_ALGORITHM', { JWT_ALGORITHM: 'none' }],
		['JWT_ALGORITHM', { JWT_ALGORITHM: 'RS256' }],
		['JWT_ALGORITHM', { JWT_ALGORITHM: 'hs256' }],
		['NEXTCLOUD_OAUTH_CLIENT_ID', { NEXTCLOUD_OAUTH_CLIENT_ID: 'id' }],
		['NEXTCLOUD_OAUTH_CLIENT_ID', { NEXTCLOUD_OAUTH_CLIENT_SECRET: 'secret' }],
		...['0', '1441', '15.5', '-1', '1e2', '015', ' 15', '99999'].map((minutes) => ['JWT_EXPIRY_MINUTES', { JWT_EXPIRY_MINUTES: minutes }] as const),
		...['https://app.example', '"https://app.example"', '["*"]', '["null"]', '[""]', '["app.example"]', '["https://app.example/"]', '["https://app.example/path"]', '["https://APP.example"]', '["https://app.example:443"]', '["https://user@app.example"]', '["https://*.example/"]', '["file://"]', '[1]', '["javascript:alert(1)"]']
			.map((origins) => ['CORS_ORIGINS', { CORS_ORIGINS: origins }] as const),
	] as [string, Record<string, string>][])('names %s as the one fault of %j, and repeats no value', (name, change) => {
		const faults = faultsOf(change)
		expect(faults.map((fault) => fault.split(' ')[0])).toEqual([name])
		expect(faults.join()).not.toMatch(/k{20}|"short"/)
	})

	it.each(['1', '15', '999', '1000', '1399', '1439', '1440'])('takes %s minutes', (minutes) => {
		expect(load({ JWT_EXPIRY_MINUTES: minutes }).jwt.expiryMin).toBe(Number(minutes))
	})

	it('counts a key’s bytes, not its letters', () => {
		expect(load({ JWT_SECRET_KEY: 'ä'.repeat(32), JWT_ALGORITHM: 'HS512' }).jwt.keys[0]?.reveal().length).toBe(64)
	})
})
