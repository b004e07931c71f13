// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Config } from '../../lib/config.ts'

import { randomBytes } from 'node:crypto'
import { format, inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig, Secret } from '../../lib/config.ts'

const LEAST = {
	APP_SECRET: 'app-hunter2',
	APP_PORT: '23000',
	APP_PERSISTENT_STORAGE: '/data',
	NEXTCLOUD_URL: 'https://cloud.example',
}

function load(change: Record<string, string | undefined> = {}): Config {
	return loadConfig({ ...LEAST, ...change })
}

function faultsOf(environment: Record<string, string | undefined>): readonly string[] {
	try {
		loadConfig(environment)
	} catch (error) {
		if (error instanceof ConfigError) {
			return error.faults
		}
		throw error
	}
	return []
}

describe('the environment', () => {
	it('needs four variables, and everything else has its default', () => {
		expect(load()).toMatchObject({
			appId: 'sipcall',
			listen: { host: '127.0.0.1', port: 23000 },
			storagePath: '/data',
			nextcloudUrl: 'https://cloud.example',
			databaseUrl: undefined,
			databaseReplicaUrls: [],
			encryptionKeys: [],
			redisUrl: undefined,
			freeSwitches: [{ host: '127.0.0.1', port: 8021, user: undefined, password: undefined }],
			callsPerMinute: undefined,
			logLevel: 'info',
			logPretty: false,
		})
		expect(load().appSecret.reveal()).toBe('app-hunter2')
		expect(Object.isFrozen(load())).toBe(true)
	})

	it('that is empty is told in one go, one line for each missing variable', () => {
		expect(faultsOf({}).map((fault) => fault.split(' ')[0]).toSorted()).toEqual(['APP_PERSISTENT_STORAGE', 'APP_PORT', 'APP_SECRET', 'NEXTCLOUD_URL'])
		expect(() => loadConfig({})).toThrow(/APP_SECRET[^]*APP_PERSISTENT_STORAGE[^]*NEXTCLOUD_URL[^]*APP_PORT/)
	})

	it('takes an empty variable for one that is not set', () => {
		const empty = ['APP_ID', 'APP_HOST', 'HP_SHARED_KEY', 'DATABASE_URL', 'DATABASE_REPLICA_URLS', 'DATABASE_ENCRYPTION_KEY', 'DATABASE_ENCRYPTION_KEYS_PREVIOUS', 'REDIS_URL', 'FREESWITCH_HOST', 'FREESWITCH_PORT', 'FREESWITCH_PASSWORD', 'FREESWITCH_NODES', 'RATE_LIMIT_CALLS_PER_MINUTE', 'LOG_LEVEL', 'LOG_FORMAT']
		expect(inspect(load(Object.fromEntries(empty.map((name) => [name, '']))))).toBe(inspect(load()))
		expect(faultsOf({ APP_SECRET: '', APP_PORT: '', APP_PERSISTENT_STORAGE: '', NEXTCLOUD_URL: '' })).toEqual(faultsOf({}))
	})

	it('has all its faults told at once, each by its variable’s name and none with its value', () => {
		const wrong = {
			APP_ID: 'hunter2 App',
			APP_PORT: 'hunter2',
			NEXTCLOUD_URL: 'ftp://hunter2',
			DATABASE_URL: 'mysql://hunter2',
			DATABASE_ENCRYPTION_KEY: 'hunter2',
			DATABASE_ENCRYPTION_KEYS_PREVIOUS: '["hunter2","hunter2hunter2"]',
			REDIS_URL: 'http://hunter2',
			FREESWITCH_PORT: '70000',
			FREESWITCH_PASSWORD: 'hunter2\n\nexit',
			FREESWITCH_NODES: '[{"host":"","port":"hunter2","password":5,"user":"hunter2","hunter2":true}]',
			RATE_LIMIT_CALLS_PER_MINUTE: 'hunter2',
			LOG_LEVEL: 'hunter2',
			LOG_FORMAT: 'hunter2',
		}
		const faults = faultsOf(wrong)
		expect(new Set(faults.map((fault) => fault.split(' ')[0]))).toEqual(new Set([...Object.keys(wrong), 'APP_SECRET', 'APP_PERSISTENT_STORAGE']))
		expect(faults.join('\n')).not.toContain('hunter2')
		expect(faults.join('\n')).toMatch(/FREESWITCH_NODES \(0\.port\)/)
		expect(() => loadConfig(wrong)).not.toThrow(/hunter2/)
	})

	it.each(['0', '65536', '-1', '8021.5', '8e3', ' 8021', '0x1f', '٣'])('has no port %j', (port) => {
		expect(faultsOf({ ...LEAST, APP_PORT: port })).toEqual(['APP_PORT is not a port; give a number from 1 to 65535'])
		expect(faultsOf({ ...LEAST, FREESWITCH_PORT: port })).toHaveLength(1)
	})

	it('makes the server listen on HaRP’s socket when HP_SHARED_KEY is set, with or without a port', () => {
		expect(load({ HP_SHARED_KEY: 'k' }).listen).toEqual({ socketPath: '/tmp/exapp.sock' })
		expect(load({ HP_SHARED_KEY: 'k', APP_PORT: undefined }).listen).toEqual({ socketPath: '/tmp/exapp.sock' })
	})

	it.each([
		['https://cloud.example/', 'https://cloud.example'],
		['https://cloud.example//', 'https://cloud.example'],
		['https://cloud.example/index.php', 'https://cloud.example'],
		['https://cloud.example/index.php/', 'https://cloud.example'],
		['https://cloud.example//index.php', 'https://cloud.example'],
		['http://10.0.0.5:8080/nextcloud/index.php', 'http://10.0.0.5:8080/nextcloud'],
		['http://nextcloud/cloud/', 'http://nextcloud/cloud'],
		['https://cloud.example/myindex.php', 'https://cloud.example/myindex.php'],
	])('has NEXTCLOUD_URL %s read as %s', (given, expected) => {
		expect(load({ NEXTCLOUD_URL: given }).nextcloudUrl).toBe(expected)
	})

	it.each(['cloud.example', 'ftp://cloud.example', 'file:///etc/passwd', 'https://', 'https://user:hunter2@cloud.example', 'https://cloud.example/?x=1', 'https://cloud.example/#top'])('has no NEXTCLOUD_URL %s', (given) => {
		expect(faultsOf({ ...LEAST, NEXTCLOUD_URL: given })).toEqual([expect.stringMatching(/^NEXTCLOUD_URL (?!.*hunter2)/)])
	})

	it('names switches in FREESWITCH_NODES, which win over the single variables', () => {
		const { freeSwitches } = load({ FREESWITCH_HOST: 'other', FREESWITCH_PASSWORD: 'other', FREESWITCH_NODES: '[{"host":"pbx","password":"ClueCon","user":"app@pbx"},{"host":"pbx","port":8022,"password":"x"}]' })
		expect(freeSwitches).toMatchObject([{ host: 'pbx', port: 8021, user: 'app@pbx' }, { host: 'pbx', port: 8022, user: undefined }])
		expect(freeSwitches.map(({ password }) => password?.reveal())).toEqual(['ClueCon', 'x'])
	})

	it.each(['x', '{}', '"pbx"', 'null', '[]', '[{}]', '[null]', '[{"host":"a","password":"x"},{"host":"A","password":"y","port":8021}]', '[{"host":"a","password":"x","port":0}]', '[{"host":"a","password":"x\\n"}]', '[{"host":"a","password":"x","user":"a b@c"}]'])('is refused for FREESWITCH_NODES %s', (nodes) => {
		expect(faultsOf({ ...LEAST, FREESWITCH_NODES: nodes }).every((fault) => fault.startsWith('FREESWITCH_NODES '))).toBe(true)
		expect(faultsOf({ ...LEAST, FREESWITCH_NODES: nodes })).not.toEqual([])
	})

	it('gives the active key first and then the previous ones', () => {
		const [active, previous] = [randomBytes(32), randomBytes(32)]
		const { encryptionKeys } = load({ DATABASE_ENCRYPTION_KEY: active.toString('base64'), DATABASE_ENCRYPTION_KEYS_PREVIOUS: JSON.stringify([previous.toString('base64')]) })
		expect(encryptionKeys.map((key) => key.reveal().equals(active) || key.reveal().equals(previous))).toEqual([true, true])
		expect(encryptionKeys[0]?.reveal().equals(active)).toBe(true)
	})

	it('is refused when there are previous keys and no active one: they would be ignored', () => {
		expect(faultsOf({ ...LEAST, DATABASE_ENCRYPTION_KEYS_PREVIOUS: JSON.stringify([randomBytes(32).toString('base64')]) }))
			.toEqual([expect.stringMatching(/^DATABASE_ENCRYPTION_KEYS_PREVIOUS /)])
	})

	it.each([
		...[0, 16, 31, 33, 64].map((length) => [`of ${length} bytes`, randomBytes(length).toString('base64') || '=']),
		['in hexadecimal', randomBytes(32).toString('hex')],
		['with another one behind it', `${randomBytes(32).toString('base64')},${randomBytes(32).toString('base64')}`],
		['with a stray character', randomBytes(32).toString('base64').replace(/^./, '!')],
	])('has no key %s', (_name, key) => {
		expect(faultsOf({ ...LEAST, DATABASE_ENCRYPTION_KEY: key })).toEqual([expect.stringMatching(/^DATABASE_ENCRYPTION_KEY /)])
	})

	it('has a key in either alphabet of base64, with or without its padding', () => {
		const key = Buffer.alloc(32, 0xfb)
		for (const text of [key.toString('base64'), key.toString('base64url'), ` ${key.toString('base64')}\n`]) {
			expect(load({ DATABASE_ENCRYPTION_KEY: text }).encryptionKeys[0]?.reveal().equals(key)).toBe(true)
		}
	})

	it.each([['1', 1], ['1000', 1000]])('takes RATE_LIMIT_CALLS_PER_MINUTE %s', (given, expected) => {
		expect(load({ RATE_LIMIT_CALLS_PER_MINUTE: given }).callsPerMinute).toBe(expected)
	})

	it.each(['0', '-1', '1001', '9999', '1.5', '01', 'ten'])('takes no RATE_LIMIT_CALLS_PER_MINUTE %s: the settings could not hold it', (given) => {
		expect(faultsOf({ ...LEAST, RATE_LIMIT_CALLS_PER_MINUTE: given })).toEqual([expect.stringMatching(/^RATE_LIMIT_CALLS_PER_MINUTE /)])
	})
})

describe('the company behind the trunk', () => {
	it('is asked at an address of its own or at the one that is given, and its key prints as [redacted]', () => {
		expect(load().provider).toBeUndefined()
		expect(load({ SIP_PROVIDER: 'generic', SIP_PROVIDER_API_KEY: 'KEY1' }).provider).toEqual({ kind: 'generic' })
		const { provider } = load({ SIP_PROVIDER: 'telnyx', SIP_PROVIDER_API_KEY: 'KEY1', SIP_PROVIDER_BASE_URL: 'http://127.0.0.1:8080/v2' })
		expect(provider?.apiKey?.reveal()).toBe('KEY1')
		expect(JSON.stringify(provider)).toBe('{"kind":"telnyx","apiKey":"[redacted]","baseUrl":"http://127.0.0.1:8080/v2"}')
	})

	it.each([
		[{ SIP_PROVIDER: 'nobody' }, 'SIP_PROVIDER'],
		[{ SIP_PROVIDER: 'telnyx' }, 'SIP_PROVIDER_API_KEY'],
		[{ SIP_PROVIDER: 'telnyx', SIP_PROVIDER_API_KEY: 'hunter2 x' }, 'SIP_PROVIDER_API_KEY'],
		[{ SIP_PROVIDER_BASE_URL: 'http://api.telnyx.com' }, 'SIP_PROVIDER_BASE_URL'],
		[{ SIP_PROVIDER_BASE_URL: 'https://hunter2@api.telnyx.com' }, 'SIP_PROVIDER_BASE_URL'],
		[{ DATABASE_URL: 'postgresql://db/sipcall', DATABASE_REPLICA_URLS: 'postgresql://sipcall:hunter2@db2/sipcall' }, 'DATABASE_REPLICA_URLS'],
		[{ DATABASE_URL: 'postgresql://db/sipcall', DATABASE_REPLICA_URLS: '["mysql://sipcall:hunter2@db2/sipcall"]' }, 'DATABASE_REPLICA_URLS'],
		[{ DATABASE_URL: 'postgresql://db/sipcall', DATABASE_REPLICA_URLS: '["postgresql://hunter2@db2/sipcall","postgresql://hunter2@db2/sipcall"]' }, 'DATABASE_REPLICA_URLS'],
		[{ DATABASE_REPLICA_URLS: '["postgresql://sipcall:hunter2@db2/sipcall"]' }, 'DATABASE_REPLICA_URLS'],
	])('%j is a fault of %s', (change, name) => {
		expect(faultsOf({ ...LEAST, ...change })).toEqual([expect.stringMatching(new RegExp(`^${name} (?!.*hunter2)`))])
	})
})

describe('a secret', () => {
	const key = randomBytes(32)
	const config = load({
		DATABASE_URL: 'postgresql://sipcall:hunter2@db/sipcall',
		DATABASE_REPLICA_URLS: '["postgresql://sipcall:hunter2@db2/sipcall"]',
		REDIS_URL: 'redis://:hunter2@redis',
		FREESWITCH_PASSWORD: 'hunter2',
		HP_SHARED_KEY: 'hunter2',
		DATABASE_ENCRYPTION_KEY: key.toString('base64'),
		DATABASE_ENCRYPTION_KEYS_PREVIOUS: JSON.stringify([key.toString('base64')]),
	})

	it('prints as [redacted] in JSON, in a template, in format and in inspect', () => {
		const secret = new Secret('hunter2')
		expect(JSON.stringify({ secret })).toBe('{"secret":"[redacted]"}')
		expect(`${secret}`).toBe('[redacted]')
		expect(String(secret) + secret).toBe('[redacted][redacted]')
		expect(format('%s %o %O %j', secret, secret, secret, secret)).not.toContain('hunter2')
		expect(inspect({ secret, list: [secret] }, { depth: null, showHidden: true })).not.toContain('hunter2')
		expect(secret.reveal()).toBe('hunter2')
	})

	it.each([
		['JSON', () => JSON.stringify(config)],
		['inspect', () => inspect(config, { depth: null, showHidden: true, maxArrayLength: null })],
		['a copy’s inspect', () => inspect({ ...config }, { depth: null })],
	])('stands nowhere in the whole configuration’s %s', (_name, dump) => {
		const text = dump()
		expect(text).toContain('[redacted]')
		expect(text).not.toContain('hunter2')
		expect(text).not.toContain(key.toString('base64'))
		expect(text).not.toContain(key.toString('hex').match(/../g)?.join(' '))
		expect(text).not.toContain([...key].join(','))
	})
})
