// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Breaks one part after the other, each for real, and asks the doctor: it must name the fault, who can mend it and how, on
// its page, at a console and in Nextcloud's setup checks, and never say a secret.

import type { FindingCode } from '../../../lib/health/findings.ts'
import type { HealthJson, HealthPartJson } from '../../../lib/http/health-schemas.ts'
import type { TelnyxStandIn } from '../../stand-ins/telnyx/index.ts'
import type { ApiClient, TestApp, TestAppOptions } from '../../support/app.ts'

import { Redis } from 'ioredis'
import { randomBytes } from 'node:crypto'
import { appendFile, chmod, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { startApp } from '../../../lib/app.ts'
import { loadConfig } from '../../../lib/config.ts'
import { ADMIN_ROLE } from '../../../lib/embedded/postgres-data.ts'
import { startEmbeddedPostgres } from '../../../lib/embedded/postgres.ts'
import { startEmbeddedRedis } from '../../../lib/embedded/redis.ts'
import { FINDINGS } from '../../../lib/health/findings.ts'
import { API_KEY, startTelnyx } from '../../stand-ins/telnyx/index.ts'
import { ApiClient as Client, MANY_REQUESTS, startTestApp } from '../../support/app.ts'
import { databaseUrl, onServer } from '../../support/database-server.ts'
import { EslPeer } from '../../support/esl-peer.ts'
import { findFreePort } from '../../support/free-port.ts'
import { keepSecrets } from '../../support/kept-log.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const WRONG = 'a-wrong-and-secret-word'
/** What nobody is told of any more. */
const WELL = {
	rates: [{ prefix: '+49', perMinute: { micros: '10000', currency: 'EUR' } }],
	monthlySpendLimit: { micros: '1000000000', currency: 'EUR' },
	oauth: { clientId: 'client', clientSecret: 'a-client-secret' },
}
const TROUBLESHOOTING = await readFile(new URL('../../../docs/admin/troubleshooting.md', import.meta.url), 'utf8')

const undo: (() => Promise<unknown>)[] = []
const ADDRESS = { host: '127.0.0.1', port: 0 }

afterEach(async () => {
	for (const step of undo.splice(0).toReversed()) {
		await step()
	}
})

/** A sidecar of its own, in which nothing is wrong but what a test brings about. */
async function start(options: TestAppOptions = {}): Promise<TestApp> {
	const test = await startTestApp({ ...options, freeSwitch: { gateways: { trunk: 'UP' }, gatewayLooks: { trunk: { pingSec: 25 } }, ...options.freeSwitch }, overrides: { ...options.overrides, health: { freshMs: 0, ...options.overrides?.health } } })
	undo.push(() => test.stop())
	return test
}

async function begin(options: TestAppOptions = {}, settings: Record<string, unknown> = {}): Promise<{ test: TestApp, demo: ApiClient }> {
	const test = await start(options)
	return { test, demo: await test.prepare({ ...WELL, ...settings }) }
}

/** Waits until a part is told as this code, and looks at what is said of it wherever it is said. */
async function isTold(url: string, code: FindingCode): Promise<HealthPartJson> {
	const demo = new Client(url, 'demo')
	let part: HealthPartJson | undefined
	let said = ''
	while (part === undefined) {
		const { body, text } = await demo.get<HealthJson>('/admin/health')
		part = body.parts.find((one) => one.code === code)
		said = text
	}
	const { fixableBy, advice = '' }: { fixableBy?: string, advice?: string } = FINDINGS[code]
	expect(part).toMatchObject({ fixableBy, advice })
	expect(part.text).not.toMatch(/\{\w+\}/)
	const nextcloud = new Client(url, '')
	const lines = (await nextcloud.request('POST', '/occ/status', {})).text
	expect(lines).toContain(part.text)
	const checks = (await nextcloud.request('GET', '/setup_checks')).text
	expect(checks).toContain(JSON.stringify(part.text).slice(1, -1))
	const [row, ...others] = TROUBLESHOOTING.split('\n').filter((line) => line.startsWith(`| \`${code}\` |`))
	expect(others).toEqual([])
	expect(row).toContain(advice)
	expect(row).toContain({ admin: 'an administrator', carrier: 'the phone company', nobody: 'nobody' }[fixableBy ?? ''])
	for (const secret of [WRONG, API_KEY, 'a-client-secret', 'the-switch-secret']) {
		expect(said + lines + checks).not.toContain(secret)
	}
	return part
}

/** What keeps SIPCall from starting is told while it tries. */
async function startWithout(test: TestApp, environment: Record<string, string>): Promise<string> {
	const log = new RecordedLog()
	keepSecrets(environment)
	const app = await startApp({ ...loadConfig({ ...test.environment, ...environment }), listen: ADDRESS }, log, { requestLimits: MANY_REQUESTS, health: { freshMs: 0 } })
	undo.push(() => app.stop())
	return app.url
}

async function httpServer(): Promise<number> {
	const server = createServer((_request, response) => response.end('a stranger'))
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', resolve)
	})
	undo.push(async () => {
		server.closeAllConnections()
		server.close()
	})
	const address = server.address()
	return typeof address === 'object' && address !== null ? address.port : 0
}

async function telnyx(data: (standIn: TelnyxStandIn) => void = () => {}, key = API_KEY): Promise<{ test: TestApp, demo: ApiClient }> {
	const standIn = await startTelnyx()
	undo.push(() => standIn.stop())
	data(standIn)
	return begin({ environment: { SIP_PROVIDER: 'telnyx', SIP_PROVIDER_API_KEY: key, SIP_PROVIDER_BASE_URL: standIn.url } }, { allowedCountries: ['DE', 'FR'] })
}

async function ownRedis(): Promise<{ url: string, admin: Redis }> {
	const folder = await mkdtemp(path.join(tmpdir(), 'sipcall-faults-'))
	await chmod(folder, 0o711)
	const redis = await startEmbeddedRedis({ dataDir: folder, logger: new RecordedLog() })
	if (redis === undefined) {
		throw new Error('Redis does not start')
	}
	const admin = new Redis(redis.socketPath)
	undo.push(async () => {
		admin.disconnect()
		await redis.stop()
		await rm(folder, { recursive: true })
	})
	return { url: `unix:${redis.socketPath}`, admin }
}

/** A PostgreSQL of its own, whose superuser and rules of entrance a test may use. */
async function ownPostgres(): Promise<{ url: string, folder: string, asAdmin: (statement: string) => Promise<unknown> }> {
	const folder = await mkdtemp(path.join(tmpdir(), 'sipcall-faults-'))
	await chmod(folder, 0o711)
	const postgres = await startEmbeddedPostgres({ dataDir: folder, logger: new RecordedLog() })
	undo.push(async () => {
		await postgres.stop()
		await rm(folder, { recursive: true })
	})
	const adminUrl = postgres.url.replace(/\/\/[^@]+@/, `//${ADMIN_ROLE}@`)
	return { url: postgres.url, folder, asAdmin: (statement) => onServer(adminUrl, statement) }
}

type Fault = [what: string, code: FindingCode, bring: () => Promise<string>]

const FREESWITCH: Fault[] = [
	['FreeSWITCH has another password', 'switch_password_refused', async () => (await start({ environment: { FREESWITCH_PASSWORD: WRONG } })).url],
	['FreeSWITCH’s access list does not have our address', 'switch_address_refused', async () => {
		const peer = await EslPeer.start({ greeting: 'Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n' })
		undo.push(() => peer.stop())
		return (await start({ environment: { FREESWITCH_PORT: String(peer.port) } })).url
	}],
	['the port is wrong', 'switch_port_closed', async () => (await start({ environment: { FREESWITCH_PORT: String(await findFreePort()) } })).url],
	['something else listens at the port', 'switch_no_event_socket', async () => (await start({ environment: { FREESWITCH_PORT: String(await httpServer()) } })).url],
	['the host’s name leads nowhere', 'switch_host_unknown', async () => (await start({ environment: { FREESWITCH_HOST: 'nowhere.invalid' } })).url],
	['FreeSWITCH hangs', 'switch_no_answer', async () => {
		const { test } = await begin({ overrides: { health: { limitMs: 100 } } })
		test.freeSwitch.freeze()
		return test.url
	}],
	['no FreeSWITCH is set up', 'switch_not_set_up', async () => (await start({ environment: { FREESWITCH_PASSWORD: '' } })).url],
	['the password is the one that FreeSWITCH comes with', 'switch_stock_password', async () => (await begin({ freeSwitch: { password: 'ClueCon' } })).test.url],
	['FreeSWITCH is paused', 'switch_paused', async () => {
		const { test } = await begin()
		test.freeSwitch.pause(true)
		await test.freeSwitch.restart({ abrupt: true })
		test.freeSwitch.pause(true)
		return test.url
	}],
	['FreeSWITCH is full', 'switch_full', async () => (await start({ freeSwitch: { maxSessions: 1 } })).url],
	['the Event Socket’s user may not place calls', 'switch_commands_denied', async () => {
		const test = await start()
		test.freeSwitch.onCommand = (command) => command === 'api originate' ? 'deny' : undefined
		return test.url
	}],
	['the Event Socket’s user may not hear the events', 'switch_events_denied', async () => {
		const test = await start()
		await test.ready()
		test.freeSwitch.onCommand = (command) => command.startsWith('event') && command.includes('BACKGROUND_JOB') ? 'deny' : undefined
		test.freeSwitch.dropConnections()
		return test.url
	}],
	['FreeSWITCH’s clock is off', 'switch_clock', async () => {
		const { test } = await begin({ overrides: { clock: { now: () => new Date(Date.now() + 90_000) } }, freeSwitch: { speed: 1 } })
		test.freeSwitch.beat()
		return test.url
	}],
]

const GATEWAYS: Fault[] = [
	['a gateway is down', 'gateway_silent', async () => (await begin({ freeSwitch: { gateways: { trunk: 'DOWN', other: 'UP' }, gatewayLooks: { trunk: { pingSec: 25 }, other: { pingSec: 25 } } } }, { gateways: ['trunk', 'other'] })).test.url],
	['a gateway is unknown to FreeSWITCH', 'gateway_missing', async () => (await begin({}, { gateways: ['trunk', 'nowhere'] })).test.url],
	['a gateway’s registration fails', 'gateway_registration_failed', async () => (await begin({ freeSwitch: { gateways: { trunk: 'UP', other: 'DOWN' }, gatewayLooks: { trunk: { pingSec: 25 }, other: { registration: 'FAIL_WAIT' } } } }, { gateways: ['trunk', 'other'] })).test.url],
	['nobody watches a gateway', 'gateway_unwatched', async () => (await begin({ freeSwitch: { gatewayLooks: {} } })).test.url],
	['the phone company’s key is revoked', 'carrier_key_refused', async () => (await telnyx(() => {}, WRONG)).test.url],
	['the credit is used up', 'carrier_no_credit', async () => (await telnyx(({ data }) => {
		data.balance = { ...data.balance, balance: '-100.00', available_credit: '0.00' }
	})).test.url],
	['the phone company does not answer', 'carrier_unreachable', async () => (await telnyx((standIn) => {
		standIn.trouble = () => ({ kind: 'cut' })
	})).test.url],
	['the trunk is switched off', 'carrier_trunk_off', async () => (await telnyx(({ data }) => {
		data.connections = data.connections.map((connection) => ({ ...connection, active: false }))
	})).test.url],
	['the phone company limits no costs', 'carrier_no_spend_limit', async () => (await telnyx(({ data }) => {
		data.profile = { ...data.profile, daily_spend_limit_enabled: false }
	})).test.url],
]

const DATABASE: Fault[] = [
	['PostgreSQL is away', 'database_down', async () => startWithout(await start(), { DATABASE_URL: `postgresql://sipcall:${WRONG}@127.0.0.1:${await findFreePort()}/sipcall` })],
	['PostgreSQL goes away', 'database_down', async () => {
		const { test } = await begin()
		await test.database.takeAway()
		return test.url
	}],
	['PostgreSQL refuses the password from one day to the next', 'database_password_refused', async () => {
		const { url, folder, asAdmin } = await ownPostgres()
		const { test } = await begin({ environment: { DATABASE_URL: url.replace('@', `:${WRONG}@`) } })
		await asAdmin('alter role sipcall password \'another\'')
		const [{ hba_file: file } = { hba_file: '' }] = await asAdmin('show hba_file') as { hba_file: string }[]
		expect(file).toContain(folder)
		await writeFile(file, `local all ${ADMIN_ROLE} trust\nlocal all all scram-sha-256\n`)
		await asAdmin('select pg_reload_conf()')
		await asAdmin('select pg_terminate_backend(pid) from pg_stat_activity where usename = \'sipcall\'')
		return test.url
	}],
	['PostgreSQL lets the user in by no rule', 'database_password_refused', async () => {
		const { url, asAdmin } = await ownPostgres()
		const [{ hba_file: file } = { hba_file: '' }] = await asAdmin('show hba_file') as { hba_file: string }[]
		await writeFile(file, `local all ${ADMIN_ROLE} trust\n`)
		await asAdmin('select pg_reload_conf()')
		return startWithout(await start(), { DATABASE_URL: url })
	}],
	['there is no such database', 'database_missing', async () => startWithout(await start(), { DATABASE_URL: databaseUrl(inject('databaseUrl'), 'not_there') })],
	['pgcrypto is missing, and may not be added', 'database_no_pgcrypto', async () => {
		const { url, asAdmin } = await ownPostgres()
		await asAdmin('create database foreign_one')
		return startWithout(await start(), { DATABASE_URL: databaseUrl(url, 'foreign_one') })
	}],
	['tables may not be made', 'database_no_right', async () => {
		const { url, asAdmin } = await ownPostgres()
		await asAdmin('create database foreign_one')
		await onServer(databaseUrl(url, 'foreign_one').replace(/\/\/[^@]+@/, `//${ADMIN_ROLE}@`), 'create extension pgcrypto')
		return startWithout(await start(), { DATABASE_URL: databaseUrl(url, 'foreign_one') })
	}],
	['PostgreSQL takes no changes', 'database_read_only', async () => {
		const { test } = await begin()
		const [{ name } = { name: '' }] = await test.database.query<{ name: string }>('select current_database() as name')
		await test.database.query(`alter database "${name}" set default_transaction_read_only = on`)
		await test.database.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = current_user and pid <> pg_backend_pid()')
		return test.url
	}],
	['PostgreSQL’s log may come to hold numbers', 'database_logs', async () => {
		const { test } = await begin()
		const [{ name } = { name: '' }] = await test.database.query<{ name: string }>('select current_database() as name')
		await test.database.query(`alter database "${name}" set log_parameter_max_length_on_error = 100`)
		await test.database.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = current_user and pid <> pg_backend_pid()')
		return test.url
	}],
	['PostgreSQL’s clock is off', 'database_clock', async () => (await begin({ overrides: { clock: { now: () => new Date(Date.now() + 90_000) } } })).test.url],
	['the encryption key is another one', 'key_missing', async () => startWithout(await start(), { DATABASE_ENCRYPTION_KEY: randomBytes(32).toString('base64') })],
	['somebody has changed a call in the database', 'calls_unreadable', async () => {
		const { test } = await begin()
		const demo = test.as('demo')
		await demo.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1000' }] })
		const { body: { uuid } } = await demo.call('+4930123417')
		await demo.untilEnded(uuid)
		await test.database.query(`update calls set device_label = overlay(device_label placing 'AAAAAAAA' from 30) where uuid = '${uuid}'`)
		await demo.get('/call-history')
		return test.url
	}],
	['nobody has made a backup for a week', 'backup_none', async () => {
		const folder = await mkdtemp(path.join(tmpdir(), 'sipcall-faults-'))
		await chmod(folder, 0o711)
		undo.push(() => rm(folder, { recursive: true }))
		return (await begin({ environment: { DATABASE_URL: '', APP_PERSISTENT_STORAGE: folder }, overrides: { clock: { now: () => new Date(Date.now() + 8 * 24 * 60 * 60 * 1000) } } })).test.url
	}],
]

const VOLUME: Fault[] = [
	['the volume is full', 'disk_full', async () => {
		const { test } = await begin()
		// A file system that says of itself that nothing is free.
		const { volume } = test.database
		await rename(volume, `${volume}.away`)
		await symlink('/sys', volume)
		undo.push(async () => {
			await rm(volume)
			await rename(`${volume}.away`, volume)
		})
		return test.url
	}],
	['the volume is gone', 'volume_away', async () => {
		const { test } = await begin()
		await rm(test.database.volume, { recursive: true })
		return test.url
	}],
	['the erasure journal is damaged', 'journal_damaged', async () => {
		const { test } = await begin()
		await appendFile(path.join(test.database.volume, 'erasures.journal'), 'nonsense\n')
		return test.url
	}],
]

const REDIS: Fault[] = [
	['Redis is away', 'redis_down', async () => (await begin({ redis: false })).test.url],
	['Redis is a replica', 'redis_read_only', async () => {
		const { url, admin } = await ownRedis()
		const { test } = await begin({ environment: { REDIS_URL: url } })
		await admin.replicaof('127.0.0.1', 1)
		return test.url
	}],
	['Redis has no memory left', 'redis_full', async () => {
		const { url, admin } = await ownRedis()
		const { test } = await begin({ environment: { REDIS_URL: url } })
		await admin.config('SET', 'maxmemory', '1')
		return test.url
	}],
	['Redis has another password', 'redis_password_refused', async () => {
		const { url, admin } = await ownRedis()
		await admin.config('SET', 'requirepass', 'another')
		return (await begin({ environment: { REDIS_URL: url } })).test.url
	}],
]

const NEXTCLOUD: Fault[] = [
	['Nextcloud’s clock is off by 90 seconds', 'clock_skew', async () => (await begin({ overrides: { clock: { now: () => new Date(Date.now() + 90_000) } } })).test.url],
	['the app is disabled', 'nextcloud_disabled', async () => {
		const { test } = await begin()
		await test.nextcloud.disable()
		return test.url
	}],
	['Nextcloud does not answer', 'nextcloud_down', async () => {
		const { test, demo } = await begin()
		// Who is an administrator is remembered for a minute.
		await demo.get('/admin/health')
		test.nextcloud.setAvailable(false)
		return test.url
	}],
	['no OAuth client is set up', 'sign_in_not_set_up', async () => (await begin({}, { oauth: null })).test.url],
	['nothing limits the costs', 'spending_unlimited', async () => (await begin({}, { monthlySpendLimit: null })).test.url],
	['no group may call', 'calling_no_group', async () => {
		const { test, demo } = await begin()
		await demo.request('POST', '/admin/config', { allowedGroups: [] })
		return test.url
	}],
	['no country may be called', 'calling_no_country', async () => {
		const { test, demo } = await begin()
		await demo.request('POST', '/admin/config', { allowedCountries: [] })
		return test.url
	}],
]

const ALL = [...NEXTCLOUD, ...DATABASE, ...VOLUME, ...(inject('redisSocket') === undefined ? [] : REDIS), ...FREESWITCH, ...GATEWAYS]

describe('the doctor names the fault, who can mend it and how, when', () => {
	it.each(ALL)('%s', async (_what, code, bring) => {
		const { state } = await isTold(await bring(), code)
		expect(state).not.toBe('ok')
	})

	it('is asked of at least 25 different faults', () => {
		expect(new Set([...ALL, ...REDIS].map(([, code]) => code)).size).toBeGreaterThanOrEqual(25)
	})
})

describe('the doctor finds nothing wrong when', () => {
	it('nothing is', async () => {
		const { test, demo } = await begin()
		const { body } = await demo.get<HealthJson>('/admin/health')
		expect(body.parts.filter(({ state, id }) => state !== 'ok' && id !== 'carrier')).toEqual([])
		expect(body.state).toBe('ok')
		expect(test.freeSwitch.originates).toEqual([])
	})
})
