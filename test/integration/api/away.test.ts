// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What works while a part is away: the table of docs/admin/away.md, cell by cell. The table is written from what stands here.

import type { EmbeddedRedis } from '../../../lib/embedded/redis.ts'
import type { HealthJson } from '../../../lib/http/health-schemas.ts'
import type { CallJson } from '../../../lib/http/schemas.ts'
import type { ScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'
import type { TelnyxStandIn } from '../../stand-ins/telnyx/index.ts'
import type { Answer, ApiClient, TestApp, TestAppOptions } from '../../support/app.ts'

import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { startEmbeddedRedis } from '../../../lib/embedded/redis.ts'
import { startScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'
import { API_KEY, startTelnyx } from '../../stand-ins/telnyx/index.ts'
import { signedHeaders, startTestApp } from '../../support/app.ts'
import { EventReader } from '../../support/event-source.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const COLUMNS = ['New call', 'Hang up', 'Status of a call', 'History', 'Settings of a user', 'Administration'] as const

interface Cell {
	/** As it stands in the table. */
	says: string
	/** While the part is away. What it gives back must hold when the part is there again. */
	holds: () => Promise<unknown>
}

interface Row {
	away: string
	/** Everything is there, and the calls that the cells are about are up. */
	begin: () => Promise<void>
	takeAway: () => Promise<void>
	/** Left out: nothing is promised for then. */
	bringBack?: () => Promise<void>
	cells: Record<typeof COLUMNS[number], Cell>
	/** What stands below the table. */
	besides?: Cell
}

const NUMBER = '+4930123400'
const WAIT = { timeout: 30_000, interval: 20 }
const SWITCH = { password: 'of-both-switches', heartbeatSec: 0, speed: 1, gateways: { trunk: 'UP', backup: 'UP' }, gatewayLooks: { trunk: { pingSec: 25 }, backup: { pingSec: 25 } } } as const

let test: TestApp
let demo: ApiClient
/** Connected before the part goes away. */
let watched: string
let toEnd: string
/** Ended before. */
let over: string
/** The first is the test's own. */
let switches: ScriptedFreeSwitch[] = []
/** How far the sidecar's clock is ahead of the moment at which the row began; left alone it stands still. */
let aheadMs = 0
/** Whatever a row has started besides. */
let undo: (() => Promise<unknown>)[] = []

async function begin(options: TestAppOptions = {}): Promise<void> {
	test = await startTestApp({ ...options, freeSwitch: SWITCH, overrides: { sweepMs: 50, replicas: { tickMs: 50 }, health: { freshMs: 0 }, ...options.overrides } })
	switches = [test.freeSwitch, ...options.peers ?? []]
	demo = await test.prepare({ gateways: ['trunk', 'backup'], maxConcurrentPerUser: 1000, maxConcurrent: 1000 })
	const phones = await demo.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1000' }, { kind: 'phone', label: 'Mobile', address: '+4930123499' }] })
	expect(phones.status).toBe(200)
	over = await ended();
	[watched, toEnd] = [await connected(), await connected()]
}

async function connected(): Promise<string> {
	const { status, body } = await demo.call(NUMBER)
	expect(status).toBe(202)
	await demo.until(body.uuid, (call) => call.status === 'connected')
	return body.uuid
}

async function ended(): Promise<string> {
	const uuid = await connected()
	await demo.hangUp(uuid)
	await demo.untilEnded(uuid)
	return uuid
}

function expectUnavailable(answer: Answer<unknown>, code: string): void {
	expect(answer).toMatchObject({ status: 503, body: { code, retryAfterSec: expect.any(Number) as number } })
	expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
}

const health = async () => (await demo.get<HealthJson>('/admin/health')).body

/** Until the sidecar itself has found it out. */
async function untilTold(code: string, name?: string): Promise<void> {
	await vi.waitFor(async () => expect((await health()).parts).toContainEqual(expect.objectContaining({ code, ...(name === undefined ? {} : { name }) })), WAIT)
}

/** The paths that an administrator reads, as the sidecar itself lists them. */
async function adminPages(): Promise<string[]> {
	const { body } = await demo.get<{ paths: Record<string, object> }>('/openapi.json')
	return Object.entries(body.paths).flatMap(([path, methods]) => path.startsWith('/admin/') && 'get' in methods && !path.includes('{') ? [path] : [])
}

/** Calls alone: not those that verify a phone, nor test calls. */
function dialled(): number {
	return switches.flatMap(({ originates }) => originates).filter(({ aVariables }) => aVariables.sipcall_call !== undefined).length
}

const channelsOf = (callUuid: string) => switches.flatMap((node) => node.channels()).filter(({ variables }) => variables.sipcall_call === callUuid)

/** Refused before anything is stored or dialled: the key stands for nothing, and places the call when the part is back. */
async function newCallIsRefused(code: string, client = demo): Promise<() => Promise<void>> {
	const before = dialled()
	const key = randomUUID()
	expectUnavailable(await client.call(NUMBER, { key }), code)
	expect(dialled()).toBe(before)
	return async () => {
		// What was left alone is asked again a second later.
		const body = await vi.waitFor(async () => {
			const answer = await client.call(NUMBER, { key })
			expect(answer.status).toBe(202)
			return answer.body
		}, WAIT)
		await client.until(body.uuid, (call) => call.status === 'connected')
		expect(dialled()).toBe(before + 1)
		const [row] = await test.database.query<{ calls: number }>('select count(*)::int as calls from calls')
		expect(row?.calls).toBe(before + 1)
	}
}

async function newCallWorks(): Promise<void> {
	const before = dialled()
	await connected()
	expect(dialled()).toBe(before + 1)
}

async function hangUpWorks(): Promise<void> {
	expect(await demo.hangUp(toEnd)).toMatchObject({ status: 202 })
	await isEnded(toEnd)
}

/** A call that was wished to end; also one that is told to hang up only now. */
async function isEnded(uuid: string): Promise<void> {
	expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user' })
	expect(channelsOf(uuid)).toEqual([])
}

/** What the person called does is seen. */
async function statusWorks(): Promise<void> {
	const { version, status } = (await demo.get<CallJson>(`/call-status/${watched}`)).body
	expect(status).toBe('connected')
	const polled = demo.get<CallJson>(`/call-status/${watched}?version=${version}&wait=25`)
	calleeHangsUp(watched)
	expect((await polled).body.version).toBeGreaterThan(version)
	expect(await demo.untilEnded(watched)).toMatchObject({ outcome: 'completed', endedBy: 'callee' })
}

function calleeHangsUp(callUuid: string): void {
	for (const node of switches) {
		const leg = node.channels().find(({ variables, leg: role }) => variables.sipcall_call === callUuid && role === 'b')
		if (leg !== undefined) {
			node.hangUp(leg.uuid)
		}
	}
}

async function historyWorks(): Promise<void> {
	const { status, body } = await demo.get<{ items: CallJson[] }>('/call-history')
	expect(status).toBe(200)
	expect(body.items.map(({ uuid }) => uuid)).toEqual(expect.arrayContaining([over, watched, toEnd]))
	expect(await demo.get(`/call-history?number=${encodeURIComponent(NUMBER)}`)).toMatchObject({ status: 200 })
}

interface Phone {
	id: string
	kind: 'sip' | 'phone'
	label: string
	address: string
}

async function phones(): Promise<Phone[]> {
	const { status, body } = await demo.get<{ devices: (Phone & { verified: boolean })[] }>('/me')
	expect(status).toBe(200)
	return body.devices.map(({ id, kind, label, address }) => ({ id, kind, label, address }))
}

async function settingsWork(): Promise<void> {
	const devices = (await phones()).map((phone) => ({ ...phone, label: `${phone.label}, second floor` }))
	const preferences = { country: 'AT' }
	expect(await demo.request('PUT', '/me', { devices, preferences })).toMatchObject({ status: 200, body: { devices, preferences } })
}

/** A phone is verified by a call. */
const verify = async () => demo.request('POST', `/me/devices/${(await phones()).find(({ kind }) => kind === 'phone')?.id}/verify`, {})

async function administrationWorks(): Promise<void> {
	await expectPages(await adminPages(), 200)
	const { maxCallSec: before } = (await demo.get<{ maxCallSec: number }>('/admin/config')).body
	expect(await demo.request('POST', '/admin/config', { maxCallSec: before + 1 })).toMatchObject({ status: 200, body: { maxCallSec: before + 1 } })
	expect((await demo.get('/admin/config')).body).toMatchObject({ maxCallSec: before + 1 })
}

async function expectPages(pages: readonly string[], status: number, code?: string): Promise<void> {
	const answers = await Promise.all(pages.map(async (path) => ({ path, answer: await demo.get(path) })))
	expect(answers.map(({ path, answer }) => [path, answer.status, answer.body.code])).toEqual(pages.map((path) => [path, status, code]))
	if (code !== undefined) {
		answers.forEach(({ answer }) => expectUnavailable(answer, code))
	}
}

/** Nothing of it may have come to Nextcloud, where settings live. */
async function settingsAreRefused(code: string): Promise<void> {
	const before = test.nextcloud.config.list()
	expectUnavailable(await demo.request('POST', '/admin/config', { maxCallSec: 1234 }), code)
	expect(test.nextcloud.config.list()).toEqual(before)
}

const ringForTest = async () => demo.request('POST', '/admin/test-call', { device: (await phones()).find(({ kind }) => kind === 'sip')?.id })

const CLIENT = { clientId: 'client-id', clientSecret: 'client-secret' }

/** A token of another client than the page. */
async function signIn(): Promise<string> {
	const { nextcloud, url } = test
	const client = Object.assign(nextcloud.oauth.addClient('sipcall://back'), CLIENT)
	const user = nextcloud.users.get('demo')
	const code = user === undefined ? null : new URL(nextcloud.oauth.grant(client, user, 'state')).searchParams.get('code')
	const response = await fetch(`${url}/api/v1/auth`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ code }) })
	expect(response.status).toBe(200)
	return (await response.json() as { accessToken: string }).accessToken
}

const POSTGRESQL: Row = (() => {
	let stream: EventReader
	let ofAnother: string
	let token: string
	const withToken = async (method: string, path: string) => {
		const response = await fetch(`${test.url}/api/v1${path}`, { method, headers: { Authorization: `Bearer ${token}` } })
		return { status: response.status, headers: response.headers, body: await response.json() as unknown, text: '' }
	}
	return {
		away: 'PostgreSQL',
		begin: async () => {
			await begin({ environment: { NEXTCLOUD_OAUTH_CLIENT_ID: CLIENT.clientId, NEXTCLOUD_OAUTH_CLIENT_SECRET: CLIENT.clientSecret } })
			token = await signIn()
			const guest = test.as('guest')
			await guest.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1001' }] })
			ofAnother = (await guest.call(NUMBER)).body.uuid
			await guest.until(ofAnother, ({ status }) => status === 'connected')
			stream = await EventReader.open(`${test.url}/events`, signedHeaders('demo'))
			undo.push(() => stream.close())
			await stream.nextCall(({ uuid }) => uuid === watched)
		},
		takeAway: () => test.database.takeAway(),
		bringBack: () => test.database.bringBack(),
		cells: {
			'New call': { says: '503 `storage_unavailable`, nothing is dialled', holds: () => newCallIsRefused('storage_unavailable') },
			'Hang up': {
				says: 'works for open calls; others 503',
				holds: async () => {
					await hangUpWorks()
					expectUnavailable(await demo.hangUp(over), 'storage_unavailable')
					return () => vi.waitFor(async () => expect(await test.database.query(`select status, ended_by from calls where uuid = '${toEnd}'`)).toEqual([{ status: 'ended', ended_by: 'user' }]), WAIT)
				},
			},
			'Status of a call': {
				says: 'works for open calls, long polls and open event streams too; others 503',
				holds: async () => {
					await statusWorks()
					expect(await stream.nextCall(({ uuid, status }) => uuid === watched && status === 'ended')).toMatchObject({ endedBy: 'callee' })
					expectUnavailable(await demo.get(`/call-status/${over}`), 'storage_unavailable')
				},
			},
			History: {
				says: '503',
				holds: async () => {
					expectUnavailable(await demo.get('/call-history'), 'storage_unavailable')
					expectUnavailable(await demo.request('GET', '/call-history', undefined, { Accept: 'text/csv' }), 'storage_unavailable')
				},
			},
			'Settings of a user': {
				says: '503',
				holds: async () => {
					expectUnavailable(await demo.get('/me'), 'storage_unavailable')
					expectUnavailable(await demo.request('PUT', '/me', { devices: [] }), 'storage_unavailable')
					return async () => expect(await phones()).toHaveLength(2)
				},
			},
			Administration: {
				says: '503; the health report, reading settings and ending a call work',
				holds: async () => {
					expect((await health()).parts).toContainEqual(expect.objectContaining({ code: 'database_down' }))
					const fromMemory = ['/admin/health', '/admin/config', '/admin/freeswitch/snippets', '/admin/policy/samples', '/admin/audit-log/verify']
					await expectPages(fromMemory, 200)
					await expectPages((await adminPages()).filter((page) => !fromMemory.includes(page)), 503, 'storage_unavailable')
					await settingsAreRefused('storage_unavailable')
					expect(await demo.request('DELETE', `/admin/call/${ofAnother}`)).toMatchObject({ status: 202 })
					expect(await test.as('guest').untilEnded(ofAnother)).toMatchObject({ endedBy: 'policy', reason: { code: 'ended_by_admin' } })
				},
			},
		},
		besides: {
			says: 'Other clients than the page sign in with tokens that are looked up in PostgreSQL: without it they get 503 everywhere.',
			holds: async () => {
				expectUnavailable(await withToken('GET', `/call-status/${watched}`), 'storage_unavailable')
				expectUnavailable(await withToken('DELETE', `/call/${watched}`), 'storage_unavailable')
				return async () => expect(await withToken('GET', '/me')).toMatchObject({ status: 200, body: { id: 'demo' } })
			},
		},
	}
})()

const REDIS: Row = (() => {
	let redis: EmbeddedRedis | undefined
	return {
		away: 'Redis',
		begin: async () => {
			const folder = await mkdtemp(join(tmpdir(), 'sipcall-redis-'))
			undo.push(async () => {
				await redis?.stop()
				await rm(folder, { recursive: true, force: true })
			})
			redis = inject('redisSocket') === undefined ? undefined : await startEmbeddedRedis({ dataDir: folder, logger: new RecordedLog() })
			await begin(redis === undefined ? { redis: false } : { environment: { REDIS_URL: `unix:${redis.socketPath}` } })
		},
		takeAway: async () => {
			await redis?.stop()
			await untilTold('redis_down')
		},
		cells: {
			'New call': {
				says: 'works; each replica gives out a tenth of the limits on attempts from memory',
				holds: async () => {
					await newCallWorks()
					await demo.request('POST', '/admin/config', { callsPerMinute: 20 })
					await newCallWorks()
					await newCallWorks()
					const before = dialled()
					const refused = await demo.call(NUMBER)
					expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } })
					expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
					expect(dialled()).toBe(before)
				},
			},
			'Hang up': { says: 'works', holds: hangUpWorks },
			'Status of a call': { says: 'works', holds: statusWorks },
			History: { says: 'works', holds: historyWorks },
			'Settings of a user': { says: 'works', holds: settingsWork },
			Administration: { says: 'works', holds: administrationWorks },
		},
	}
})()

const nameOf = ({ host, port }: ScriptedFreeSwitch) => `${host}:${port}`

async function beginWithTwo(): Promise<void> {
	const second = await startScriptedFreeSwitch(SWITCH)
	undo.push(() => second.stop())
	await begin({ peers: [second] })
}

/** Cut off, and nobody gets in any more; its calls go on. */
async function cutOff(node: ScriptedFreeSwitch): Promise<void> {
	node.onCommand = (command) => command.startsWith('auth') ? 'drop-unheard' : undefined
	node.dropConnections()
	await vi.waitFor(async () => expect((await health()).parts).toContainEqual(expect.objectContaining({ id: 'freeswitch', name: nameOf(node), state: 'down' })), WAIT)
}

async function letIn(node: ScriptedFreeSwitch): Promise<void> {
	node.onCommand = undefined
	await untilTold('switch_ok', nameOf(node))
}

const isOn = (node: ScriptedFreeSwitch | undefined, callUuid: string) => node?.channels().some(({ variables }) => variables.sipcall_call === callUuid) ?? false

const ONE_SWITCH: Row = (() => {
	let cut: ScriptedFreeSwitch | undefined
	/** Of the one that is away. */
	let itsOwn: string[] = []
	return {
		away: 'one of several FreeSWITCHes',
		begin: async () => {
			await beginWithTwo()
			cut = switches[1]
			const calls = [watched, toEnd, await connected(), await connected(), await connected(), await connected()]
			itsOwn = calls.filter((uuid) => isOn(cut, uuid));
			[watched = '', toEnd = ''] = calls.filter((uuid) => !itsOwn.includes(uuid))
			expect(itsOwn.length).toBeGreaterThan(1)
		},
		takeAway: async () => {
			await cutOff(cut as ScriptedFreeSwitch)
		},
		bringBack: async () => {
			await letIn(cut as ScriptedFreeSwitch)
		},
		cells: {
			'New call': {
				says: 'works over the others',
				holds: async () => {
					const before = cut?.originates.length
					await newCallWorks()
					await newCallWorks()
					expect(cut?.originates.length).toBe(before)
				},
			},
			'Hang up': {
				says: 'works for calls on the others; 202 for its own, and done when it is back',
				holds: async () => {
					await hangUpWorks()
					const [own = ''] = itsOwn
					expect(await demo.hangUp(own)).toMatchObject({ status: 202, body: { status: 'connected' } })
					expect(channelsOf(own)).toHaveLength(2)
					return () => isEnded(own)
				},
			},
			'Status of a call': {
				says: 'works; of its own as it was last told',
				holds: async () => {
					await statusWorks()
					const own = itsOwn[1] ?? ''
					calleeHangsUp(own)
					expect((await demo.get(`/call-status/${own}`)).body).toMatchObject({ status: 'connected' })
					return async () => expect(await demo.untilEnded(own)).toMatchObject({ outcome: 'completed' })
				},
			},
			History: { says: 'works', holds: historyWorks },
			'Settings of a user': { says: 'works', holds: settingsWork },
			Administration: { says: 'works', holds: administrationWorks },
		},
	}
})()

const EVERY_SWITCH: Row = {
	away: 'every FreeSWITCH',
	begin: beginWithTwo,
	takeAway: async () => {
		await Promise.all(switches.map(cutOff))
	},
	bringBack: async () => {
		await Promise.all(switches.map(letIn))
	},
	cells: {
		'New call': { says: '503 `switch_unavailable`', holds: () => newCallIsRefused('switch_unavailable') },
		'Hang up': {
			says: '202, and done when it is back',
			holds: async () => {
				expect(await demo.hangUp(toEnd)).toMatchObject({ status: 202, body: { status: 'connected' } })
				expect(channelsOf(toEnd)).toHaveLength(2)
				return () => isEnded(toEnd)
			},
		},
		'Status of a call': {
			says: 'as it was last told',
			holds: async () => {
				calleeHangsUp(watched)
				expect((await demo.get(`/call-status/${watched}`)).body).toMatchObject({ status: 'connected' })
				return async () => expect(await demo.untilEnded(watched)).toMatchObject({ outcome: 'completed' })
			},
		},
		History: { says: 'works', holds: historyWorks },
		'Settings of a user': {
			says: 'works; calls that verify a phone 503',
			holds: async () => {
				await settingsWork()
				expect((await demo.get('/me')).body).toMatchObject({ service: { calling: 'down' } })
				expectUnavailable(await verify(), 'switch_unavailable')
			},
		},
		Administration: {
			says: 'works; test calls 503',
			holds: async () => {
				await administrationWorks()
				expectUnavailable(await ringForTest(), 'switch_unavailable')
			},
		},
	},
}

const GATEWAYS: Row = {
	away: 'all gateways',
	begin: () => begin(),
	takeAway: async () => {
		for (const name of ['trunk', 'backup']) {
			test.freeSwitch.setGateway(name, 'DOWN')
			await untilTold('gateway_silent', name)
		}
	},
	bringBack: async () => {
		test.freeSwitch.setGateway('trunk', 'UP')
		await untilTold('gateway_answers', 'trunk')
	},
	cells: {
		'New call': { says: '503 `trunk_unavailable`', holds: () => newCallIsRefused('trunk_unavailable') },
		'Hang up': { says: 'works', holds: hangUpWorks },
		'Status of a call': { says: 'works', holds: statusWorks },
		History: { says: 'works', holds: historyWorks },
		'Settings of a user': {
			says: 'works; calls that verify a phone 503',
			holds: async () => {
				await settingsWork()
				expectUnavailable(await verify(), 'trunk_unavailable')
			},
		},
		Administration: {
			says: 'works',
			holds: async () => {
				await administrationWorks()
				expect((await ringForTest()).status).toBe(202)
			},
		},
	},
}

const NEXTCLOUD: Row = {
	away: 'Nextcloud',
	begin: async () => {
		const began = Date.now()
		await begin({ overrides: { clock: { now: () => new Date(began + aheadMs) } } })
	},
	takeAway: async () => test.nextcloud.setAvailable(false),
	cells: {
		'New call': {
			says: 'works for those whose groups were asked for within a minute, else 503 `nextcloud_unavailable`',
			holds: async () => {
				await newCallWorks()
				const [stored] = await test.database.query('select count(*) from calls')
				await whenRightsAreOld(async () => {
					await newCallIsRefused('nextcloud_unavailable')
				})
				expect(await test.database.query('select count(*) from calls')).toEqual([stored])
			},
		},
		'Hang up': { says: 'works', holds: () => whenRightsAreOld(hangUpWorks) },
		'Status of a call': { says: 'works', holds: () => whenRightsAreOld(statusWorks) },
		History: { says: 'works', holds: () => whenRightsAreOld(historyWorks) },
		'Settings of a user': {
			says: 'works for those who have used SIPCall since its start, else 503 `nextcloud_unavailable`; calls that verify a phone as new calls',
			holds: () => whenRightsAreOld(async () => {
				await settingsWork()
				expectUnavailable(await verify(), 'nextcloud_unavailable')
				const stranger = test.as('guest')
				expectUnavailable(await stranger.get('/me'), 'nextcloud_unavailable')
				expectUnavailable(await stranger.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1001' }] }), 'nextcloud_unavailable')
				expect(await test.database.query('select from devices where user_id = \'guest\'')).toEqual([])
			}),
		},
		Administration: {
			says: 'works, but for saving settings and whatever looks users up: 503 `nextcloud_unavailable`, as all of it once the right is older than a minute',
			holds: async () => {
				const users = ['/admin/users']
				await expectPages((await adminPages()).filter((page) => !users.includes(page)), 200)
				await expectPages(users, 503, 'nextcloud_unavailable')
				await settingsAreRefused('nextcloud_unavailable')
				await whenRightsAreOld(async () => {
					await expectPages(await adminPages(), 503, 'nextcloud_unavailable')
					await settingsAreRefused('nextcloud_unavailable')
				})
			},
		},
	},
}

/** Rights are as old as the contract lets them be, and a second older. */
async function whenRightsAreOld(check: () => Promise<void>): Promise<void> {
	aheadMs = 61_000
	try {
		await check()
	} finally {
		aheadMs = 0
	}
}

const CARRIER: Row = (() => {
	let telnyx: TelnyxStandIn
	let began: number
	const inHistory = async (uuid: string) => (await demo.get<{ items: CallJson[] }>('/call-history')).body.items.find((call) => call.uuid === uuid)
	return {
		away: 'the phone company\'s interface',
		begin: async () => {
			telnyx = await startTelnyx()
			undo.push(() => telnyx.stop())
			began = Date.now()
			await begin({ overrides: { costsMs: 20, clock: { now: () => new Date(began + aheadMs) } }, environment: { SIP_PROVIDER: 'telnyx', SIP_PROVIDER_API_KEY: API_KEY, SIP_PROVIDER_BASE_URL: telnyx.url } })
		},
		takeAway: async () => {
			telnyx.trouble = () => ({ kind: 'cut' })
		},
		bringBack: async () => {
			telnyx.trouble = undefined
			// Nobody who does not answer is asked again within a minute, but by another process.
			await test.restart()
			demo = test.as('demo')
		},
		cells: {
			'New call': { says: 'works', holds: newCallWorks },
			'Hang up': { says: 'works', holds: hangUpWorks },
			'Status of a call': { says: 'works', holds: statusWorks },
			History: {
				says: 'works; costs come later',
				holds: async () => {
					await historyWorks()
					expect(await inHistory(over)).toMatchObject({ costState: 'pending', cost: null })
					aheadMs = 61_000
					await vi.waitFor(() => expect(telnyx.asked.map(({ name }) => name)).toContain('records'), WAIT)
					expect(await inHistory(over)).toMatchObject({ costState: 'pending', cost: null })
					return async () => {
						const [originate] = test.freeSwitch.originates.filter(({ aVariables }) => aVariables.sipcall_call === over)
						telnyx.data.records = [{ id: 'record', record_type: 'sip-trunking', sip_call_id: originate?.legs[0]?.variables.sip_invite_call_id, started_at: new Date(began).toISOString(), cost: '0.0401', currency: 'USD', cli: '+4930123456', cld: NUMBER }]
						aheadMs = 600_000
						await vi.waitFor(async () => expect(await inHistory(over)).toMatchObject({ costState: 'final', cost: { micros: '40100', currency: 'USD' } }), WAIT)
						expect(telnyx.wrong).toEqual([])
					}
				},
			},
			'Settings of a user': { says: 'works', holds: settingsWork },
			Administration: {
				says: 'works; the doctor says so',
				holds: async () => {
					await untilTold('carrier_unreachable')
					await administrationWorks()
				},
			},
		},
	}
})()

const ROWS: Row[] = [POSTGRESQL, REDIS, ONE_SWITCH, EVERY_SWITCH, GATEWAYS, NEXTCLOUD, CARRIER]

describe.each(ROWS)('while $away is away', ({ begin: beginRow, takeAway, bringBack, cells, besides }) => {
	const checks = [...COLUMNS.map((column) => ({ column, ...cells[column] })), ...besides === undefined ? [] : [{ column: 'Besides', ...besides }]]
	const promises: (() => Promise<unknown>)[] = []
	let isAway = false

	beforeAll(async () => {
		undo = []
		aheadMs = 0
		await beginRow()
		isAway = true
		await takeAway()
	})

	afterAll(async () => {
		await (isAway ? bringBack?.() : undefined)
		await Promise.all(undo.map((step) => step()))
		await test.stop()
	})

	it.each(checks)('$column: $says', async ({ holds }) => {
		const promise = await holds()
		if (typeof promise === 'function') {
			promises.push(promise as () => Promise<unknown>)
		}
	})

	if (bringBack !== undefined) {
		it('what was promised for its return holds', async () => {
			isAway = false
			await bringBack()
			for (const holds of promises) {
				await holds()
			}
		})
	}
})

it('docs/admin/away.md says all of this, and no more in its table', async () => {
	const document = await readFile(fileURLToPath(new URL('../../../docs/admin/away.md', import.meta.url)), 'utf8')
	const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
	const table = document.slice(document.indexOf('| Away |'), document.indexOf('\n\n', document.indexOf('| Away |')))
	expect(table.split('\n')).toEqual([
		line(['Away', ...COLUMNS]),
		'|---|---|---|---|---|---|---|',
		...ROWS.map(({ away, cells }) => line([away, ...COLUMNS.map((column) => cells[column].says)])),
	])
	ROWS.forEach(({ besides }) => expect(document).toContain(besides?.says ?? ''))
})
