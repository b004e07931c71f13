// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CallJson } from '../../../lib/http/schemas.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { signedHeaders, startTestApp } from '../../support/app.ts'
import { EventReader } from '../../support/event-source.ts'

describe('GET /events', () => {
	let test: TestApp
	let demo: ApiClient
	let readers: EventReader[]

	beforeEach(async () => {
		readers = []
		test = await startTestApp({ freeSwitch: { speed: 1 }, overrides: { pingMs: 20 } })
		demo = await test.prepare()
		await test.as('guest').request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1001' }] })
	})

	afterEach(async () => {
		await Promise.all(readers.map((reader) => reader.close().catch(() => {})))
		await test.stop()
	})

	async function open(userId = 'demo', headers: Record<string, string> = {}): Promise<EventReader> {
		const reader = await EventReader.open(`${test.url}/events`, { ...signedHeaders(userId), ...headers })
		readers.push(reader)
		return reader
	}

	it('tells every stored change of the user’s own calls, and of nobody else’s', async () => {
		const own = await open()
		expect([own.response.status, own.response.headers.get('content-type'), own.response.headers.get('x-accel-buffering'), own.response.headers.get('cache-control')])
			.toEqual([200, expect.stringMatching(/^text\/event-stream/), 'no', 'no-store'])
		await own.next()
		expect(own.retryMs).toBe(3_000)
		const theirs = await test.as('guest').call('+4930123401')
		await test.as('guest').untilEnded(theirs.body.uuid)
		const { body } = await demo.call('+4930123401')
		const ended = await demo.untilEnded(body.uuid)
		expect(await own.nextCall(({ status }) => status === 'ended')).toEqual(ended)
		const told = own.events.filter(({ event }) => event === 'call').map(({ data }) => JSON.parse(data) as CallJson)
		expect(new Set(told.map(({ uuid }) => uuid))).toEqual(new Set([body.uuid]))
		const versions = told.map(({ version }) => version)
		expect(versions).toEqual(versions.toSorted((a, b) => a - b))
		expect(new Set(versions).size).toBe(versions.length)
		for (const { id, event, data } of own.events) {
			expect([id, event]).toEqual([expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/), expect.stringMatching(/^(?:call|ping)$/)])
			expect(data).not.toContain('userId')
		}
	})

	it('begins with the calls that are open', async () => {
		const { body } = await demo.call('+4930123400')
		const connected = await demo.until(body.uuid, ({ status }) => status === 'connected')
		const reader = await open()
		expect(JSON.parse((await reader.next())?.data ?? '')).toEqual(connected)
		await demo.hangUp(body.uuid)
		expect(await reader.nextCall(({ status }) => status === 'ended')).toMatchObject({ uuid: body.uuid })
	})

	it('pings, and tells notes and tags as well', async () => {
		const { body } = await demo.call('+4930123401')
		await demo.untilEnded(body.uuid)
		const reader = await open()
		expect(await reader.next(({ event }) => event === 'ping')).toMatchObject({ data: '{}' })
		expect(await reader.next(({ event }) => event === 'ping')).toMatchObject({ data: '{}' })
		await demo.request('PUT', `/call/${body.uuid}`, { note: 'Ask again', tags: ['sales'] })
		expect(await reader.nextCall()).toMatchObject({ uuid: body.uuid, note: 'Ask again', tags: ['sales'] })
	})

	it('resumes at Last-Event-ID with the present state of what has changed meanwhile, also across a restart', async () => {
		const first = await open()
		const before = await demo.call('+4930123401')
		await demo.untilEnded(before.body.uuid)
		await first.nextCall(({ status }) => status === 'ended')
		const id = first.events.at(-1)?.id ?? ''
		await first.close()
		const missed: CallJson[] = []
		for (const ending of ['17', '01']) {
			const { body } = await demo.call(`+49301234${ending}`)
			missed.push(await demo.untilEnded(body.uuid))
		}
		await test.restart()
		const resumed = await open('demo', { 'Last-Event-ID': id })
		const seen: CallJson[] = []
		await resumed.next(({ event, data }) => {
			if (event === 'call') {
				seen.push(JSON.parse(data) as CallJson)
			}
			return event === 'ping'
		})
		expect(seen).toEqual(expect.arrayContaining(missed))
	})

	it('without Last-Event-ID, or with one of somebody else’s making, tells no call of the past', async () => {
		const { body } = await demo.call('+4930123401')
		await demo.untilEnded(body.uuid)
		for (const headers of [{}, { 'Last-Event-ID': '17' }, { 'Last-Event-ID': '2026-99-99T00:00:00.000Z' }]) {
			expect((await (await open('demo', headers)).next())?.event).toBe('ping')
		}
		expect((await (await open('demo', { 'Last-Event-ID': '1970-01-01T00:00:00.000Z' })).nextCall())?.uuid).toBe(body.uuid)
		expect((await (await open('guest', { 'Last-Event-ID': '1970-01-01T00:00:00.000Z' })).next())?.event).toBe('ping')
	})

	it('ends at once over Nextcloud’s PHP proxy, with the time after which to come back', async () => {
		const { body } = await demo.call('+4930123400')
		await demo.until(body.uuid, ({ status }) => status === 'connected')
		const reader = await open('demo', { 'x-origin-ip': '203.0.113.9' })
		const events = await reader.rest()
		expect(events.map(({ event }) => event)).toEqual(['call', 'ping'])
		expect(reader.retryMs).toBe(10_000)
		await demo.hangUp(body.uuid)
		const ended = await demo.untilEnded(body.uuid)
		const again = await open('demo', { 'x-origin-ip': '203.0.113.9', 'Last-Event-ID': events.at(-1)?.id ?? '' })
		expect((await again.rest()).map(({ data }) => JSON.parse(data) as unknown)).toEqual([ended, {}])
	})

	it('ends in good order when the server stops, long before the next ping and the end of the server’s patience', async () => {
		await test.stop()
		test = await startTestApp({ overrides: { pingMs: 600_000 } })
		const reader = await open()
		await reader.next()
		const stopped = test.app.stop()
		// A connection that was broken off would reject.
		await reader.rest()
		await stopped
	})

	it('is forgotten when the client goes: 30 one after the other are no 20 at once', async () => {
		for (let index = 0; index < 30; index++) {
			const reader = await open()
			if (reader.response.status === 429) {
				// The server has not yet heard that the last ones have gone.
				index--
				continue
			}
			await reader.next()
			await reader.close()
		}
	})

	it('is refused when 20 are open', async () => {
		for (let index = 0; index < 20; index++) {
			await (await open()).next()
		}
		expect(await demo.get('/events')).toMatchObject({ status: 429, body: { code: 'limit_reached' } })
		expect((await open('guest')).response.status).toBe(200)
	})

	it('needs a user', async () => {
		const answer = await fetch(`${test.url}/events`)
		expect(answer.status).toBe(401)
	})

	it('answers HEAD without staying', async () => {
		const answer = await fetch(`${test.url}/events`, { method: 'HEAD', headers: signedHeaders('demo') })
		expect(answer.status).toBe(200)
	})
})
