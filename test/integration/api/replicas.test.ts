// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Two sidecars on one PostgreSQL, one Redis and one switch.

import type { HealthJson } from '../../../lib/http/health-schemas.ts'
import type { CallJson } from '../../../lib/http/schemas.ts'
import type { ApiClient, Replica, TestApp } from '../../support/app.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTestApp } from '../../support/app.ts'
import { copyCalls } from '../../support/copy-calls.ts'
import { keysOf } from '../../support/stored-text.ts'

const GERMANY = '+4930123400'

function subscriptions({ freeSwitch }: TestApp) {
	return freeSwitch.commands.filter(({ command }) => command.startsWith('event json') && command.includes('CHANNEL_'))
}

describe('two replicas', () => {
	let test: TestApp
	let other: Replica
	/** At the replica that hears the switch's events, and at the one that does not. */
	let [here, there]: ApiClient[] = []

	beforeEach(async () => {
		test = await startTestApp({ freeSwitch: { speed: 1 }, overrides: { sweepMs: 50, esl: { silenceMs: 300, commandTimeoutMs: 500 }, replicas: { tickMs: 50 }, health: { freshMs: 0 } } })
		here = await test.prepare({ maxConcurrentPerUser: 2 })
		other = await test.startReplica()
		there = other.as('demo')
	})

	afterEach(() => test.stop())

	const channels = () => test.freeSwitch.channels()

	async function connectedAt(client: ApiClient | undefined): Promise<CallJson> {
		const { body } = await (client as ApiClient).call(GERMANY)
		return (client as ApiClient).until(body.uuid, ({ status }) => status === 'connected')
	}

	it('have one of them that hears the switch’s events', async () => {
		expect(subscriptions(test)).toHaveLength(1)
		expect(test.freeSwitch.clients).toBe(3)
	})

	it('are counted by the doctor, until one is gone', async () => {
		const told = async () => (await (here as ApiClient).get<HealthJson>('/admin/health')).body.parts.find(({ id }) => id === 'sipcall')
		await vi.waitFor(async () => expect(await told()).toMatchObject({ state: 'ok', code: 'sipcall_replicas', values: { replicas: 2 } }), 10_000)
		await other.stop()
		await vi.waitFor(async () => expect(await told()).toMatchObject({ code: 'sipcall_ok' }), 10_000)
	})

	it('both place calls, and each tells of those of the other as they change', async () => {
		const [mine, others] = await Promise.all([connectedAt(here), connectedAt(there)])
		expect(await there?.until(mine.uuid, ({ status }) => status === 'connected')).toMatchObject({ to: GERMANY })
		const [leg] = channels().filter(({ leg, variables }) => variables.sipcall_call === others.uuid && leg === 'b')
		const told = there?.untilEnded(others.uuid)
		test.freeSwitch.hangUp(leg?.uuid ?? '')
		expect(await told).toMatchObject({ outcome: 'completed', endedBy: 'callee' })
		await there?.hangUp(mine.uuid)
		expect(await here?.untilEnded(mine.uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user' })
		expect(channels()).toEqual([])
		expect(test.freeSwitch.originates).toHaveLength(2)
	})

	it('place one call for one key, however often and wherever it is asked for', async () => {
		const answers = await Promise.all([here, there, here, there, there].map((client) => client?.call(GERMANY, { key: 'once' })))
		expect(new Set(answers.map((answer) => `${answer?.status} ${answer?.body.uuid}`)).size).toBe(1)
		expect(test.freeSwitch.originates).toHaveLength(1)
	})

	it('know of a phone that is not registered, though the one thing the switch tells comes before the call is heard of', async () => {
		const { body: { devices } } = await (there as ApiClient).request<{ devices: { id: string }[] }>('PUT', '/me', { devices: [{ kind: 'sip', label: 'Away', address: '1909' }] })
		const { body } = await (there as ApiClient).call(GERMANY, { device: devices[0]?.id })
		expect(await there?.untilEnded(body.uuid)).toMatchObject({ outcome: 'failed', leg: 'user', cause: { name: 'USER_NOT_REGISTERED' } })
	})

	it('take the events over when the one that hears them is gone, and the call goes on', async () => {
		const { uuid } = await connectedAt(here)
		const before = subscriptions(test).length
		const began = performance.now()
		await test.app.stop()
		await test.freeSwitch.until(() => subscriptions(test).length > before)
		// Not a test of speed: the limit is what is promised, ten times what it takes.
		expect(performance.now() - began).toBeLessThan(5_000)
		expect((await there?.get(`/call-status/${uuid}`))?.body).toMatchObject({ status: 'connected' })
		test.freeSwitch.hangUp(channels().find(({ leg }) => leg === 'b')?.uuid ?? '')
		expect(await there?.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'callee' })
	})

	it('lose no end that came while nobody heard events', async () => {
		const { uuid } = await connectedAt(there)
		test.freeSwitch.onCommand = (command) => command.startsWith('auth') ? 'drop-unheard' : undefined
		test.freeSwitch.dropConnections()
		test.freeSwitch.hangUp(channels().find(({ leg }) => leg === 'b')?.uuid ?? '')
		await test.freeSwitch.until(() => channels().length === 0)
		await test.app.stop()
		test.freeSwitch.onCommand = undefined
		expect(await there?.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'system' })
	})

	it('ask at once for legs of which another one tells late: what came of them was told to nobody', async () => {
		const { uuid } = await connectedAt(here)
		await copyCalls(test.database.url, keysOf(test.environment), {
			uuid,
			rows: 1,
			set: { job_uuid: 'gen_random_uuid()', legs: '(select jsonb_agg(one.leg || jsonb_build_object(\'uuid\', gen_random_uuid())) from jsonb_array_elements(call.legs) one(leg))' },
		})
		const { body: { items } } = await (here as ApiClient).get<{ items: CallJson[] }>('/call-history')
		const late = items.find((call) => call.uuid !== uuid)
		expect(late).toMatchObject({ status: 'connected' })
		// It would be asked for after 45 s of silence in any case.
		await vi.waitFor(async () => expect((await here?.get(`/call-status/${late?.uuid}`))?.body).toMatchObject({ status: 'ended', endedBy: 'system' }), 30_000)
		expect((await here?.get(`/call-status/${uuid}`))?.body).toMatchObject({ status: 'connected' })
	})

	it('refuse new calls while they stop, and keep those that are up', async () => {
		const { uuid } = await connectedAt(there)
		const stopped = other.stop()
		await vi.waitFor(async () => {
			const answer = await there?.call('+493099999')
			expect(answer).toMatchObject({ status: 503, body: { code: 'shutting_down' } })
			expect(Number(answer?.headers.get('retry-after'))).toBeGreaterThan(0)
		})
		await stopped
		expect(channels()).toHaveLength(2)
		await here?.hangUp(uuid)
		expect(await here?.untilEnded(uuid)).toMatchObject({ outcome: 'completed' })
	})

	it('count whom the other has transferred, until that one hangs up', async () => {
		await here?.request('POST', '/admin/config', { maxConcurrent: 1 })
		const { uuid } = await connectedAt(here)
		expect((await here?.request('POST', `/call/${uuid}/transfer`, { to: '+4930123411' }))?.status).toBe(202)
		await here?.untilEnded(uuid)
		expect(await there?.call('+4930123422')).toMatchObject({ status: 429, body: { code: 'limit_reached' } })
		channels().forEach((channel) => test.freeSwitch.hangUp(channel.uuid))
		await vi.waitFor(async () => expect((await there?.call('+4930123422'))?.status).toBe(202), 10_000)
	})

	it('have settings that could not be read when they were told of, soon after that', async () => {
		// Nothing tells of them once more.
		await test.database.query('alter table settings disable trigger settings_tell')
		await test.database.query('alter table settings rename to settings_away')
		await test.database.query('select pg_notify(\'sipcall\', \'{"of":"settings","origin":"another"}\')')
		// Time enough to fail; where it is not, they are read at once.
		await delay(300)
		await test.database.query('update settings_away set value = \'"FR"\' where key = \'homeCountry\'')
		await test.database.query('alter table settings_away rename to settings')
		for (const client of [here, there]) {
			await expect.poll(async () => (await client?.get<{ homeCountry: string }>('/admin/config'))?.body.homeCountry).toBe('FR')
		}
	})

	it('have the settings of the other at once', async () => {
		await there?.request('POST', '/admin/config', { allowedCountries: ['AT'] })
		await vi.waitFor(async () => expect(await here?.call(GERMANY)).toMatchObject({ status: 422, body: { code: 'destination_not_allowed' } }))
	})

	it('do not restore a backup under each other’s feet', async () => {
		const backup = await test.app.backups.create()
		await expect(test.app.backups.restore(backup.name, { force: true })).rejects.toMatchObject({ code: 'wrong_state' })
		await other.stop()
		await vi.waitFor(() => test.app.backups.restore(backup.name, { force: true }), 10_000)
	})
})

describe('a switch that not every replica reaches', () => {
	let test: TestApp
	let [here, there]: ApiClient[] = []
	/** As this user of the switch the second one signs in. */
	const SECOND = { user: 'second', password: 'another-switch-secret' }

	beforeEach(async () => {
		test = await startTestApp({
			freeSwitch: { speed: 1, users: { [SECOND.user]: SECOND.password } },
			overrides: { sweepMs: 50, esl: { silenceMs: 300, commandTimeoutMs: 500 }, replicas: { tickMs: 50 }, health: { freshMs: 0 } },
		})
		here = await test.prepare({ maxConcurrentPerUser: 3 })
		const { host, port } = test.freeSwitch
		there = (await test.startReplica({ FREESWITCH_NODES: JSON.stringify([{ host, port, user: `${SECOND.user}@switch.test`, password: SECOND.password }]) })).as('demo')
	})

	afterEach(() => test.stop())

	const legOf = (callUuid: string) => test.freeSwitch.channels().find(({ leg, variables }) => variables.sipcall_call === callUuid && leg === 'b')?.uuid ?? ''
	const calling = async (client: ApiClient | undefined) => (await client?.get<{ service: { calling: string } }>('/me'))?.body.service.calling

	it('is heard by one that does, though the other had heard it and goes on', async () => {
		const { body: { uuid } } = await (there as ApiClient).call(GERMANY)
		await there?.until(uuid, ({ status }) => status === 'connected')
		const before = subscriptions(test).length
		// The password of the user of the first one alone.
		test.freeSwitch.onCommand = (command) => command.startsWith('auth ') ? 'drop-unheard' : undefined
		test.freeSwitch.dropConnections()
		await test.freeSwitch.until(() => subscriptions(test).length > before)
		await expect.poll(() => calling(here), { timeout: 20_000 }).toBe('down')
		await expect.poll(() => calling(there), { timeout: 20_000 }).toBe('ok')
		test.freeSwitch.hangUp(legOf(uuid))
		expect(await there?.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'callee' })

		const { body: later } = await (there as ApiClient).call(GERMANY)
		await here?.until(later.uuid, ({ status }) => status === 'connected')
		test.freeSwitch.hangUp(legOf(later.uuid))
		expect(await here?.untilEnded(later.uuid)).toMatchObject({ outcome: 'completed', endedBy: 'callee' })

		const { body: last } = await (there as ApiClient).call(GERMANY)
		await here?.until(last.uuid, ({ status }) => status === 'connected')
		expect((await here?.hangUp(last.uuid))?.status).toBe(202)
		expect(await here?.untilEnded(last.uuid)).toMatchObject({ outcome: 'completed', endedBy: 'user' })
		expect(test.freeSwitch.channels()).toEqual([])
		expect(await here?.call(GERMANY)).toMatchObject({ status: 503, body: { code: 'switch_unavailable' } })
	}, 60_000)

	it('gets no call from one that reaches it as long as none hears it', async () => {
		test.freeSwitch.onCommand = (command) => command.startsWith('event json CHANNEL_') ? 'deny' : undefined
		test.freeSwitch.dropConnections()
		// One of the two is refused the events, and the other has nothing but its connection for commands.
		await test.freeSwitch.until(() => test.freeSwitch.clients >= 2)
		for (const client of [here, there]) {
			await expect.poll(() => calling(client), { timeout: 20_000 }).toBe('down')
			expect(await client?.call(GERMANY)).toMatchObject({ status: 503, body: { code: 'switch_unavailable' } })
			const { body: { parts } } = await (client as ApiClient).get<HealthJson>('/admin/health')
			expect(parts.find(({ id }) => id === 'freeswitch')?.state).not.toBe('ok')
		}
		expect(test.freeSwitch.originates).toEqual([])

		test.freeSwitch.onCommand = undefined
		for (const client of [here, there]) {
			await expect.poll(() => calling(client), { timeout: 30_000 }).toBe('ok')
			expect((await client?.call(GERMANY))?.status).toBe(202)
		}
	}, 60_000)
})

describe('a call that waits for its turn at one replica', () => {
	it('is over when its hang-up over the other one is answered, and never dialled', async () => {
		// One call a second from each of two.
		const test = await startTestApp({ freeSwitch: { speed: 1, sessionsPerSecond: 6 }, overrides: { replicas: { tickMs: 50 } } })
		try {
			const here = await test.prepare({ maxConcurrentPerUser: 100 })
			const there = (await test.startReplica()).as('demo')
			await here.call(GERMANY)
			const { body: waiting } = await here.call(GERMANY)
			expect(waiting.status).toBe('queued')
			const { status, body } = await there.hangUp(waiting.uuid)
			const isDialled = () => test.freeSwitch.originates.some(({ aVariables }) => aVariables.sipcall_call === waiting.uuid)
			// On a machine that stood still its turn may have come first; what counts is that it does not come afterwards.
			const [answered, before] = [body.status, isDialled()]
			expect([status, answered === 'queued']).toEqual([202, false])
			expect(await there.untilEnded(waiting.uuid)).toMatchObject({ outcome: 'cancelled', endedBy: 'user' })
			expect(isDialled()).toBe(before)
			expect(before || answered === 'ended').toBe(true)
		} finally {
			await test.stop()
		}
	})
})
