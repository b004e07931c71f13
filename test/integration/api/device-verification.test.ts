// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A phone becomes verified over HTTP, with the scripted switch in the place of a real one.

import type { MeJson } from '../../../lib/http/schemas.ts'
import type { CodeStateJson } from '../../../lib/http/verification-schemas.ts'
import type { CommandFault, ParsedOriginate } from '../../stand-ins/freeswitch/index.ts'
import type { Answer, ApiClient, TestApp } from '../../support/app.ts'

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'

interface Problem {
	code: string
	triesLeft?: number
	nextCallAt?: string
	retryAfterSec?: number
}

const NUMBER = '+4915123456701'
const MOBILE = { kind: 'phone', label: 'Mobile', address: NUMBER }
const DESK = { kind: 'sip', label: 'Desk', address: '1000' }
const SECOND_MS = 1000

let test: TestApp
let demo: ApiClient
let guest: ApiClient
let nowMs = Date.now()
/** What the switch had to do with earlier tests. */
let heardBefore = 0
let askedBefore = 0

beforeAll(async () => {
	// The switch's own pace: the beeps last for half a minute, so the call is up until somebody ends it.
	test = await startTestApp({ redis: false, freeSwitch: { speed: 1 }, overrides: { clock: { now: () => new Date(nowMs) } } })
	demo = await test.prepare()
	guest = test.as('guest')
})

afterAll(() => test.stop())

beforeEach(async () => {
	test.freeSwitch.onCommand = undefined
	for (const { uuid } of test.freeSwitch.channels()) {
		test.freeSwitch.hangUp(uuid)
	}
	// Without Redis the calls with a code are counted in memory: a new process has counted none.
	await restart()
	await test.prepare({ deniedPrefixes: [], allowedCountries: null, deviceVerification: { phone: 'code', sip: 'none' } })
	await test.database.query('delete from device_verifications')
	nowMs = Date.now()
	heardBefore = test.freeSwitch.heard.length
	askedBefore = test.freeSwitch.originates.length
})

/** A new process has an address of its own. */
async function restart(): Promise<void> {
	await test.restart()
	demo = test.as('demo')
	guest = test.as('guest')
	await demo.untilCalling('ok')
}

function put(client: ApiClient, devices: Record<string, unknown>[]): Promise<Answer<MeJson>> {
	return client.request<MeJson>('PUT', '/me', { devices })
}

/** The id of a new phone of a user. */
async function addPhone(client: ApiClient, address = NUMBER): Promise<string> {
	const { body } = await put(client, [DESK, { ...MOBILE, address }])
	return body.devices[1]?.id ?? ''
}

function verify<Body = CodeStateJson>(client: ApiClient, id: string): Promise<Answer<Body>> {
	return client.request<Body>('POST', `/me/devices/${id}/verify`, {})
}

function confirm<Body = Problem>(client: ApiClient, id: string, code: string): Promise<Answer<Body>> {
	return client.request<Body>('POST', `/me/devices/${id}/confirm`, { code })
}

/** What the phone of the n-th call in this test hears. */
async function listen(call = 1): Promise<string> {
	await test.freeSwitch.until(() => test.freeSwitch.heard.length >= heardBefore + call)
	const heard = test.freeSwitch.heard[heardBefore + call - 1]
	expect(heard?.texts).toHaveLength(3)
	expect(new Set(heard?.texts).size).toBe(1)
	return heard?.texts[0] ?? ''
}

function originates(): readonly ParsedOriginate[] {
	return test.freeSwitch.originates.slice(askedBefore)
}

function other(code: string): string {
	return String((Number(code) + 1) % 10_000).padStart(4, '0')
}

async function isVerified(client: ApiClient, id: string): Promise<boolean | undefined> {
	return (await client.get<MeJson>('/me')).body.devices.find((device) => device.id === id)?.verified
}

describe('a phone', () => {
	it('is called with a code, and rings for calls once the code is typed; the call with the code is hung up then', async () => {
		const id = await addPhone(demo)
		const asked = await verify(demo, id)
		expect(asked).toMatchObject({ status: 202, body: { triesLeft: 3 } })
		expect(Date.parse(asked.body.expiresAt) - nowMs).toBe(600 * SECOND_MS)
		expect(Date.parse(asked.body.nextCallAt) - nowMs).toBe(60 * SECOND_MS)
		const code = await listen()
		expect(code).toMatch(/^[0-9]{4}$/)
		expect(test.freeSwitch.channels()).toMatchObject([{ number: NUMBER, gateway: 'trunk', state: 'answered', variables: { sipcall_verification: 'true', ignore_early_media: 'true' } }])
		expect(await confirm(demo, id, code)).toMatchObject({ status: 200, body: { id, kind: 'phone', label: 'Mobile', address: NUMBER, verified: true } })
		await test.freeSwitch.until(() => test.freeSwitch.channels().length === 0)
		expect(await isVerified(demo, id)).toBe(true)
		expect(await test.database.query('select from device_verifications')).toEqual([])
		const { body, status } = await demo.call('030 123400', { device: id })
		expect(status).toBe(202)
		await demo.until(body.uuid, (call) => call.status === 'connected')
		await demo.hangUp(body.uuid)
		await demo.untilEnded(body.uuid)
	})

	it('that hears a code is in no history and takes no line: its owner may call meanwhile', async () => {
		const id = await addPhone(demo)
		const { body: before } = await demo.get<{ items: unknown[] }>('/call-history')
		await verify(demo, id)
		await listen()
		const { body: after } = await demo.get<{ items: unknown[] }>('/call-history')
		expect(after.items).toEqual(before.items)
		const placed = await demo.call('030 123400')
		expect(placed.status).toBe(202)
		await demo.until(placed.body.uuid, (call) => call.status === 'connected')
		expect(test.freeSwitch.channels()).toHaveLength(3)
		await demo.hangUp(placed.body.uuid)
		await demo.untilEnded(placed.body.uuid)
		expect(test.freeSwitch.channels()).toMatchObject([{ number: NUMBER }])
	})

	it('is verified by a code from before a restart and a new name, and not by one for another number', async () => {
		const id = await addPhone(demo)
		await verify(demo, id)
		const code = await listen()
		await restart()
		await put(demo, [{ ...DESK }, { ...MOBILE, id, label: 'Pocket' }])
		await put(demo, [{ ...DESK }, { ...MOBILE, id, address: '+4915123456702' }])
		expect(await confirm(demo, id, code)).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
		expect(await isVerified(demo, id)).toBe(false)
		await put(demo, [{ ...DESK }, { ...MOBILE, id }])
		expect((await confirm(demo, id, code)).status).toBe(409)
		await restart()
		await verify(demo, id)
		const second = await listen(2)
		await restart()
		await put(demo, [{ ...DESK }, { ...MOBILE, id, label: 'Pocket' }])
		expect(await confirm(demo, id, second)).toMatchObject({ status: 200, body: { label: 'Pocket', verified: true } })
		await put(demo, [{ ...DESK }, { ...MOBILE, id, address: '+4915123456702' }])
		expect(await isVerified(demo, id)).toBe(false)
	})

	it('of somebody else is not there', async () => {
		const id = await addPhone(demo)
		await addPhone(guest)
		expect(await verify<Problem>(guest, id)).toMatchObject({ status: 404, body: { code: 'not_found' } })
		await verify(demo, id)
		expect(await confirm(guest, id, await listen())).toMatchObject({ status: 404, body: { code: 'not_found' } })
		expect(await isVerified(demo, id)).toBe(false)
	})
})

describe('a code', () => {
	it('has three tries, also when ten come at once', async () => {
		const id = await addPhone(demo)
		await verify(demo, id)
		const code = await listen()
		const answers = await Promise.all(Array.from({ length: 10 }, () => confirm(demo, id, other(code))))
		const wrong = answers.filter(({ status }) => status === 422)
		expect(wrong.map(({ body }) => body.code)).toEqual(['wrong_code', 'wrong_code', 'wrong_code'])
		expect(wrong.map(({ body }) => body.triesLeft).toSorted()).toEqual([0, 1, 2])
		const nextCallAt = new Date(nowMs + 60 * SECOND_MS).toISOString()
		expect(wrong.every(({ body }) => body.nextCallAt === nextCallAt)).toBe(true)
		const spent = answers.filter(({ status }) => status === 429)
		expect(spent).toHaveLength(7)
		expect(spent[0]).toMatchObject({ body: { code: 'limit_reached', nextCallAt, retryAfterSec: 60 } })
		expect(spent[0]?.headers.get('retry-after')).toBe('60')
		expect((await confirm(demo, id, code)).status).toBe(429)
		expect(await isVerified(demo, id)).toBe(false)
	})

	it('is worth nothing after ten minutes', async () => {
		const id = await addPhone(demo)
		await verify(demo, id)
		const code = await listen()
		nowMs += 600 * SECOND_MS
		expect(await confirm(demo, id, code)).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
	})

	it.each([['123'], ['12345'], ['12a4'], ['١٢٣٤'], [' 123'], [1234], [null]])('of the form %j is no try', async (code) => {
		const id = await addPhone(demo)
		await verify(demo, id)
		const heard = await listen()
		expect(await demo.request('POST', `/me/devices/${id}/confirm`, { code })).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ field: 'code' }] } })
		expect(await confirm(demo, id, other(heard))).toMatchObject({ body: { triesLeft: 2 } })
	})

	it('and the number stand nowhere in the table in which the code is kept', async () => {
		const id = await addPhone(demo)
		await verify(demo, id)
		const code = await listen()
		const [row] = await test.database.query('select * from device_verifications')
		expect(row).toMatchObject({ device_id: id, user_id: 'demo', tries_left: 3 })
		expect(Object.values(row ?? {})).not.toContain(code)
		expect(JSON.stringify(row)).not.toContain(NUMBER.slice(3))
	})
})

describe('another call', () => {
	it('must wait, and says how long', async () => {
		const id = await addPhone(demo)
		await verify(demo, id)
		const again = await verify<Problem>(demo, id)
		expect(again).toMatchObject({ status: 429, body: { code: 'limit_reached' } })
		expect(again.body.retryAfterSec).toBeGreaterThan(0)
		expect(again.headers.get('retry-after')).toBe(String(again.body.retryAfterSec))
		// Without Redis a tenth of the day's ten calls is left, which is the one: then that limit is told.
		expect(again.headers.get('ratelimit-policy')).toMatch(/^"verificationsPer(?:Minute";q=1;w=60|Day";q=10;w=86400)$/)
		expect(Date.parse(again.body.nextCallAt ?? '') - nowMs).toBe((again.body.retryAfterSec ?? 0) * SECOND_MS)
		expect(originates()).toHaveLength(1)
	})

	it('hangs up the one before it', async () => {
		const id = await addPhone(demo)
		await verify(demo, id)
		await listen()
		const [first] = test.freeSwitch.channels()
		await restart()
		expect((await verify(demo, id)).status).toBe(202)
		await test.freeSwitch.until(() => test.freeSwitch.channels().every(({ uuid }) => uuid !== first?.uuid))
		await listen(2)
		expect(test.freeSwitch.channels()).toHaveLength(1)
	})

	it('is not made while the switch is away', async () => {
		const id = await addPhone(demo)
		test.freeSwitch.onCommand = (command) => command.startsWith('auth') ? 'ignore' : undefined
		test.freeSwitch.dropConnections()
		// The sidecar reads the end of its connections a moment later.
		await demo.untilCalling('down')
		expect(await verify<Problem>(demo, id)).toMatchObject({ status: 503, body: { code: 'switch_unavailable' } })
		expect(originates()).toEqual([])
	})

	it.each([
		['deny', 503, 0],
		['drop-unheard', 202, 1],
		['drop', 202, 1],
	] as const)('whose originate meets with %s is answered by %i and leaves %i code', async (fault: CommandFault, status, codes) => {
		const id = await addPhone(demo)
		test.freeSwitch.onCommand = (command) => command.startsWith('bgapi originate') ? fault : undefined
		expect((await verify(demo, id)).status).toBe(status)
		expect(await test.database.query('select from device_verifications')).toHaveLength(codes)
		expect(originates().length).toBeLessThanOrEqual(1)
	})

	it.each([
		['a denied prefix', { deniedPrefixes: ['+49151'] }, 422, 'destination_not_allowed'],
		['a country that is not allowed any more', { allowedCountries: ['AT'] }, 422, 'destination_not_allowed'],
		['a user who may not call', { allowedGroups: ['nobody'] }, 403, 'calling_not_permitted'],
		['verification by no code', { deviceVerification: { phone: 'none', sip: 'none' } }, 409, 'wrong_state'],
	])('is refused for %s', async (_case, settings, status, code) => {
		const id = await addPhone(guest)
		await demo.request('POST', '/admin/config', settings)
		expect(await verify<Problem>(guest, id)).toMatchObject({ status, body: { code } })
		expect(originates()).toEqual([])
	})

	it('is refused for an extension, and for a phone that nobody has', async () => {
		const { body } = await put(demo, [DESK])
		expect(await verify<Problem>(demo, body.devices[0]?.id ?? '')).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
		for (const id of [randomUUID(), 'x']) {
			expect(await verify<Problem>(demo, id)).toMatchObject({ status: 404, body: { code: 'not_found' } })
		}
	})
})
