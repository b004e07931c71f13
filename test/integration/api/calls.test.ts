// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CallJson } from '../../../lib/http/schemas.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'

describe('a call over HTTP', () => {
	let test: TestApp
	let demo: ApiClient

	beforeAll(async () => {
		test = await startTestApp()
		demo = await test.prepare({ allowedCountries: ['DE', 'FR'] })
	})

	afterAll(() => test.stop())

	it('goes from click to hang-up through every status and into the history', async () => {
		const placed = await demo.call('030 / 12 34 01')
		expect(placed.status).toBe(202)
		expect(placed.headers.get('location')).toBe(`/call-status/${placed.body.uuid}`)
		expect(placed.headers.get('cache-control')).toBe('no-store')
		expect(placed.body).toMatchObject({ status: 'queued', to: '+4930123401', toDisplay: '+49 30 123401', version: 1, direction: 'outbound', onHold: false, tags: [] })

		const ended = await demo.untilEnded(placed.body.uuid)
		expect(ended).toMatchObject({ outcome: 'completed', endedBy: 'callee', cause: { name: 'NORMAL_CLEARING', q850: 16 } })
		for (const key of ['userAnsweredAt', 'ringingAt', 'answeredAt', 'endedAt', 'createdAt'] as const) {
			expect(ended[key]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
		}
		const events = await demo.get<{ type: string, leg?: string }[]>(`/call/${placed.body.uuid}/events`)
		expect(events.body.map(({ type, leg }) => `${type} ${leg ?? ''}`.trim())).toEqual(expect.arrayContaining([
			'queued',
			'leg_created user',
			'leg_answered user',
			'leg_created destination',
			'leg_ringing destination',
			'leg_answered destination',
			'leg_ended destination',
			'ended',
		]))
		const history = await demo.get<{ items: unknown[] }>('/call-history?limit=1')
		expect(history.body.items).toEqual([ended])
	})

	it.each([
		['17', { outcome: 'busy', endedBy: 'callee', leg: 'destination', cause: { name: 'USER_BUSY', q850: 17, sip: 486 } }],
		['18', { outcome: 'no_answer', leg: 'destination' }],
		['19', { outcome: 'no_answer', leg: 'destination' }],
		['20', { outcome: 'no_answer', leg: 'destination' }],
		['21', { outcome: 'rejected', endedBy: 'callee', cause: { name: 'CALL_REJECTED', q850: 21, sip: 603 } }],
		['43', { outcome: 'rejected', cause: { name: 'CALL_REJECTED', q850: 21, sip: 403 } }],
		['04', { outcome: 'failed', reason: { code: 'number_not_in_service', fixableBy: 'user' } }],
		['03', { outcome: 'failed', reason: { fixableBy: 'carrier' } }],
		['07', { outcome: 'failed', reason: { code: 'trunk_misconfigured', fixableBy: 'admin' } }],
		['08', { outcome: 'failed', reason: { code: 'trunk_down', fixableBy: 'admin' } }],
		['09', { outcome: 'failed' }],
		['83', { outcome: 'completed', endedBy: 'policy', reason: { code: 'max_duration' } }],
		['84', { outcome: 'failed', reason: { code: 'number_not_in_service' } }],
	])('to a number that ends with %s is told as it went', async (digits, expected) => {
		const { body } = await demo.call(`+49301234${digits}`)
		expect(await demo.untilEnded(body.uuid)).toMatchObject(expected)
	})

	it('keeps its note to the letter', async () => {
		const note = 'Who? \\? What?? $1 :name \'; drop table calls; --'
		const { body } = await demo.call('+4930123401', { note })
		await demo.untilEnded(body.uuid)
		expect((await demo.get(`/call-status/${body.uuid}`)).body.note).toBe(note)
	})

	it('is one call for 20 parallel repetitions of one key', async () => {
		const before = test.freeSwitch.originates.length
		const key = randomUUID()
		const answers = await Promise.all(Array.from({ length: 20 }, () => demo.call('+4930123401', { key })))
		expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 202))
		expect(new Set(answers.map(({ body }) => body.uuid)).size).toBe(1)
		const { body } = await demo.call('+4930123401', { key })
		expect(body.uuid).toBe(answers[0]?.body.uuid)
		await demo.untilEnded(body.uuid)
		const again = await demo.call('+4930123401', { key })
		expect(again).toMatchObject({ status: 202, body: { uuid: body.uuid, status: 'ended' } })
		expect(test.freeSwitch.originates.length).toBe(before + 1)
	})

	it('is refused with idempotency_key_reused for the same key with another body', async () => {
		const key = randomUUID()
		const { body } = await demo.call('+4930123401', { key })
		await demo.untilEnded(body.uuid)
		expect(await demo.call('+4930123404', { key })).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } })
	})

	it('can be looked for by its key, as it is now, and is found by nobody else', async () => {
		const key = `click ${randomUUID()} &`
		const find = async (client: ApiClient, more = '') => (await client.get<{ items: CallJson[] }>(`/call-history?idempotencyKey=${encodeURIComponent(key)}${more}`)).body
		expect(await find(demo)).toEqual({ items: [], nextCursor: null })
		const { body } = await demo.call('+4930123401', { key })
		expect((await find(demo)).items.map(({ uuid }) => uuid)).toEqual([body.uuid])
		expect((await find(test.as('guest'))).items).toEqual([])
		const ended = await demo.untilEnded(body.uuid)
		expect(await find(demo)).toEqual({ items: [ended], nextCursor: null })
		expect((await find(demo, '&status=queued')).items).toEqual([])
		expect((await demo.get('/call-history?idempotencyKey=another')).body.items).toEqual([])
		expect(await demo.get('/call-history?idempotencyKey=')).toMatchObject({ status: 400, body: { errors: [{ field: 'idempotencyKey' }] } })
	})

	it('keeps the keys of two users apart', async () => {
		const guest = test.as('guest')
		await guest.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1001' }] })
		const key = randomUUID()
		const [mine, theirs] = await Promise.all([demo.call('+4930123401', { key }), guest.call('+4930123401', { key })])
		expect(mine.body.uuid).not.toBe(theirs.body.uuid)
		await demo.untilEnded(mine.body.uuid)
		await guest.untilEnded(theirs.body.uuid)
	})

	it('of somebody else does not exist', async () => {
		const { body } = await demo.call('+4930123401')
		await demo.untilEnded(body.uuid)
		const guest = test.as('guest')
		for (const answer of [await guest.get(`/call-status/${body.uuid}`), await guest.hangUp(body.uuid), await guest.get(`/call/${body.uuid}/events`)]) {
			expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } })
		}
	})
})

describe('a call that people end', () => {
	let test: TestApp
	let demo: ApiClient

	beforeAll(async () => {
		// Real time: nobody's time-out may pass by itself while the phones ring.
		test = await startTestApp({ freeSwitch: { speed: 1 }, overrides: { sweepMs: 50 } })
		demo = await test.prepare()
		await demo.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1000' }, { kind: 'sip', label: 'Rings for ever', address: '1919' }] })
	})

	afterAll(() => test.stop())

	async function silentDevice(): Promise<string> {
		const { body } = await demo.get<{ devices: { id: string, address: string }[] }>('/me')
		return body.devices.find(({ address }) => address === '1919')?.id ?? ''
	}

	it('is one at a time: the second is refused with already_in_call', async () => {
		const first = await demo.call('+4930123400')
		await demo.until(first.body.uuid, ({ status }) => status === 'connected')
		expect(await demo.call('+4930123401')).toMatchObject({ status: 409, body: { code: 'already_in_call' } })
		await demo.hangUp(first.body.uuid)
		await demo.untilEnded(first.body.uuid)
	})

	it('is one at a time even when ten are asked for at the same moment', async () => {
		const before = test.freeSwitch.originates.length
		const answers = await Promise.all(Array.from({ length: 10 }, () => demo.call('+4930123400')))
		const placed = answers.filter(({ status }) => status === 202)
		expect(placed.length).toBe(1)
		expect(answers.filter(({ status }) => status === 409).length).toBe(9)
		const uuid = placed[0]?.body.uuid ?? ''
		await demo.hangUp(uuid)
		await demo.untilEnded(uuid)
		expect(test.freeSwitch.originates.length).toBe(before + 1)
	})

	it('can be hung up while it is connected: it ends as completed by the user, and no leg is left', async () => {
		const { body } = await demo.call('+4930123400')
		await demo.until(body.uuid, ({ status }) => status === 'connected')
		expect(await demo.hangUp(body.uuid)).toMatchObject({ status: 202, body: { uuid: body.uuid } })
		expect(await demo.untilEnded(body.uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user' })
		expect(test.freeSwitch.channels()).toEqual([])
		expect((await demo.hangUp(body.uuid)).body).toMatchObject({ status: 'ended', outcome: 'completed' })
	})

	it('can be hung up by its uuid in capital letters as well', async () => {
		const { body } = await demo.call('+4930123400', { device: await silentDevice() })
		await demo.until(body.uuid, ({ status }) => status === 'calling_user')
		expect((await demo.hangUp(body.uuid.toUpperCase())).status).toBe(202)
		expect(await demo.untilEnded(body.uuid.toUpperCase())).toMatchObject({ uuid: body.uuid, outcome: 'cancelled', endedBy: 'user' })
	})

	it('can be hung up while the own phone rings: nobody was called', async () => {
		const { body } = await demo.call('+4930123400', { device: await silentDevice() })
		await demo.until(body.uuid, ({ status }) => status === 'calling_user')
		await demo.hangUp(body.uuid)
		const ended = await demo.untilEnded(body.uuid)
		expect(ended).toMatchObject({ outcome: 'cancelled', endedBy: 'user', leg: 'user' })
		expect(ended.userAnsweredAt).toBeUndefined()
		expect(test.freeSwitch.channels()).toEqual([])
	})

	it('can be hung up while it rings there: cancelled by the user', async () => {
		const { body } = await demo.call('+4930123419')
		await demo.until(body.uuid, ({ status }) => status === 'ringing')
		await demo.hangUp(body.uuid)
		expect(await demo.untilEnded(body.uuid)).toMatchObject({ outcome: 'cancelled', endedBy: 'user', leg: 'destination' })
		expect(test.freeSwitch.channels()).toEqual([])
	})

	it('can be hung up in the same moment in which it is placed', async () => {
		const { body } = await demo.call('+4930123419')
		await demo.hangUp(body.uuid)
		expect(await demo.untilEnded(body.uuid)).toMatchObject({ outcome: 'cancelled', endedBy: 'user' })
		expect(test.freeSwitch.channels()).toEqual([])
	})

	it('is hung up although the switch drops the first three commands to do so', async () => {
		const { body } = await demo.call('+4930123400')
		await demo.until(body.uuid, ({ status }) => status === 'connected')
		let dropped = 0
		test.freeSwitch.onCommand = (command) => command.startsWith('api uuid_kill') && ++dropped <= 3 ? 'drop-unheard' : undefined
		await demo.hangUp(body.uuid)
		expect(await demo.untilEnded(body.uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user' })
		expect(dropped).toBeGreaterThan(3)
		test.freeSwitch.onCommand = undefined
		expect(test.freeSwitch.channels()).toEqual([])
	})

	it('ends by the callee or on the own phone, and the book says who', async () => {
		const first = await demo.call('+4930123400')
		await demo.until(first.body.uuid, ({ status }) => status === 'connected')
		test.freeSwitch.hangUp(test.freeSwitch.channels().find(({ leg }) => leg === 'b')?.uuid ?? '')
		expect(await demo.untilEnded(first.body.uuid)).toMatchObject({ outcome: 'completed', endedBy: 'callee' })

		const second = await demo.call('+4930123400')
		await demo.until(second.body.uuid, ({ status }) => status === 'connected')
		test.freeSwitch.hangUp(test.freeSwitch.channels().find(({ leg }) => leg === 'a')?.uuid ?? '')
		expect(await demo.untilEnded(second.body.uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user' })
	})

	it('waits no longer for a change than it was asked to', async () => {
		const { body } = await demo.call('+4930123400')
		const { version } = await demo.until(body.uuid, ({ status }) => status === 'connected')
		const { body: same } = await demo.get<{ status: string, version: number }>(`/call-status/${body.uuid}?version=${version}&wait=1`)
		expect(same).toMatchObject({ status: 'connected', version })
		await demo.hangUp(body.uuid)
		await demo.untilEnded(body.uuid)
	})
})
