// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// One suite, two switches: always the scripted FreeSWITCH, and a live one when FREESWITCH_HOST names it. The live one
// needs an extension that picks up and a gateway whose far end answers; LIVE_* say which.

import type { OriginatePlan, SwitchNotice } from '../../../lib/calls/ports.ts'
import type { EslEndpoint } from '../../../lib/esl/esl-connection.ts'

import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { tonesOf } from '../../../lib/esl/code-call.ts'
import { EslConnection } from '../../../lib/esl/esl-connection.ts'
import { FreeSwitch } from '../../../lib/esl/freeswitch.ts'
import { startScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'
import { newPlan } from '../../support/esl-plan.ts'
import { RecordedLog } from '../../support/recorded-log.ts'
import { callEventsOfNotices, newCall, playCall } from '../../support/replay-call.ts'
import { until } from '../../support/until.ts'

interface Target {
	endpoint: EslEndpoint
	extension: string
	gateway: string
	number: string
	/** An extension that nobody has. */
	unknownExtension: string
	/** A gateway that is configured and known to be down. */
	downGateway: string | undefined
}

const { env } = process

const LIVE: Target = {
	endpoint: { host: env.FREESWITCH_HOST ?? '', port: Number(env.FREESWITCH_PORT ?? 8021), password: env.FREESWITCH_PASSWORD ?? 'ClueCon' },
	extension: env.LIVE_EXTENSION ?? '1000',
	gateway: env.LIVE_GATEWAY ?? 'trunk',
	number: env.LIVE_NUMBER ?? '+4930123456',
	unknownExtension: '90909',
	downGateway: env.LIVE_DOWN_GATEWAY,
}

const undo: (() => void | Promise<void>)[] = []
afterEach(async () => {
	for (const step of undo.splice(0).toReversed()) {
		await step()
	}
})

async function scripted(): Promise<Target> {
	const stage = await startScriptedFreeSwitch({ heartbeatSec: 0, gateways: { trunk: 'UP', down: 'DOWN' } })
	undo.push(() => stage.stop())
	return { endpoint: { host: '127.0.0.1', port: stage.port, password: 'ClueCon' }, extension: '1000', gateway: 'trunk', number: '+4930123456', unknownExtension: '90909', downGateway: 'down' }
}

/** One call on the switch, told by its notices alone. */
class Watched {
	readonly plan: OriginatePlan
	readonly #endpoint: EslEndpoint
	readonly #freeSwitch: FreeSwitch
	readonly #notices: SwitchNotice[] = []
	readonly #waiting = new Set<() => void>()
	#ready = 0

	constructor(endpoint: EslEndpoint, plan: OriginatePlan) {
		this.plan = plan
		this.#endpoint = endpoint
		this.#freeSwitch = new FreeSwitch({ logger: new RecordedLog(), now: () => new Date() })
		undo.push(() => this.#freeSwitch.stop())
	}

	get freeSwitch(): FreeSwitch {
		return this.#freeSwitch
	}

	/** Connects, dials, and makes sure that nothing is left when the test ends. */
	async dial(): Promise<void> {
		this.#freeSwitch.listen({
			onNotice: (notice) => {
				this.#notices.push(notice)
				this.#look()
			},
			onReady: () => {
				this.#ready++
				this.#look()
			},
		})
		this.#freeSwitch.connectTo(this.#endpoint)
		await this.#until(() => this.#ready > 0)
		undo.push(() => this.#freeSwitch.kill(this.plan.user.legUuid))
		await this.#freeSwitch.originate(this.plan)
	}

	/** The call as it is when it has come to that status. */
	async reached(status: string): Promise<ReturnType<typeof playCall>> {
		await this.#until(() => this.#play().call.status === status)
		return this.#play()
	}

	/** Waits until the switch has told the end of a leg. */
	async gone(legUuid: string): Promise<void> {
		await this.#until(() => this.#play().call.legs.some((leg) => leg.uuid === legUuid && leg.end !== undefined))
	}

	async held(isHeld: boolean): Promise<void> {
		await this.#until(() => this.#play().call.onHold === isHeld)
	}

	#play(): ReturnType<typeof playCall> {
		const { user, destination, jobUuid } = this.plan
		const call = newCall({ aUuid: user.legUuid, bUuid: undefined, jobUuid })
		const legs = destination.legs.map(({ legUuid, gateway }) => ({ uuid: legUuid, role: 'destination' as const, gateway }))
		return playCall({ ...call, legs: [...call.legs, ...legs] }, callEventsOfNotices(this.#notices, jobUuid))
	}

	#until(condition: () => boolean): Promise<void> {
		return new Promise((resolve) => {
			const look = (): void => {
				if (condition()) {
					this.#waiting.delete(look)
					resolve()
				}
			}
			this.#waiting.add(look)
			look()
		})
	}

	#look(): void {
		this.#waiting.forEach((look) => look())
	}
}

function suite(target: () => Promise<Target>, hasDownGateway: boolean): void {
	it('lets us in with the password, and not with another one', async () => {
		const { endpoint } = await target()
		const connection = await EslConnection.open(endpoint)
		undo.push(() => connection.close())
		expect((await connection.command('api strepoch')).text).toMatch(/^\d+$/)
		await expect(EslConnection.open({ ...endpoint, password: `${endpoint.password}x` })).rejects.toMatchObject({ code: 'password_refused' })
	})

	it('answers 200 commands in flight in their order', async () => {
		const { endpoint } = await target()
		const connection = await EslConnection.open(endpoint)
		undo.push(() => connection.close())
		const uuids = Array.from({ length: 200 }, () => randomUUID())
		const replies = await Promise.all(uuids.map((uuid, index) => connection.command(index % 2 === 0 ? `api uuid_exists ${uuid}` : 'nosuchcommand')))
		expect(replies.map(({ text }) => text)).toEqual(uuids.map((_uuid, index) => index % 2 === 0 ? 'false' : '-ERR command not found'))
	})

	it('takes a call through all 6 statuses; its legs are there while it lasts, and gone when it was killed', async () => {
		const { endpoint, extension, gateway, number } = await target()
		const watched = new Watched(endpoint, newPlan({ extension, gateway, number }))
		const { freeSwitch, plan } = watched
		const legUuids = [plan.user.legUuid, plan.destination.legs[0]?.legUuid ?? '']
		expect(plan.destination.legs).toHaveLength(1)
		await watched.dial()
		await watched.reached('connected')
		for (const legUuid of legUuids) {
			expect(await freeSwitch.look(legUuid)).toMatchObject({ type: 'leg', legUuid, answeredAt: expect.any(Date) })
		}
		await freeSwitch.kill(plan.user.legUuid)
		const { call, statuses } = await watched.reached('ended')
		expect(statuses).toEqual(['queued', 'calling_user', 'dialing', 'ringing', 'connected', 'ended'])
		expect(call).toMatchObject({ outcome: 'completed', endedBy: 'system', leg: 'destination', cause: { name: 'NORMAL_CLEARING', q850: 16 } })
		const times = [call.userAnsweredAt, call.ringingAt, call.answeredAt, call.endedAt].map((date) => date?.getTime() ?? Number.NaN)
		expect(times).toEqual(times.toSorted((a, b) => a - b))
		for (const legUuid of legUuids) {
			expect(await freeSwitch.look(legUuid)).toBeUndefined()
		}
	})

	it('has the answered leg send the extension, with the longest length still armed', async () => {
		const { endpoint, extension, gateway, number } = await target()
		const watched = new Watched(endpoint, newPlan({ extension, gateway, number, keys: ',12*#' }))
		await watched.dial()
		await watched.reached('connected')
		const connection = await EslConnection.open(endpoint)
		undo.push(() => connection.close())
		const bUuid = watched.plan.destination.legs[0]?.legUuid ?? ''
		expect((await connection.command(`api uuid_getvar ${bUuid} execute_on_answer_extension`)).text).toBe('send_dtmf WWWW12*#')
		expect((await connection.command(`api uuid_getvar ${bUuid} execute_on_answer`)).text).toBe('sched_hangup +120 ALLOTTED_TIMEOUT')
		await watched.freeSwitch.kill(watched.plan.user.legUuid)
		expect((await watched.reached('ended')).call).toMatchObject({ outcome: 'completed' })
	})

	it('calls a phone with a code, which is played until it is hung up; the leg is told as nobody’s call', async () => {
		const { endpoint, gateway, number } = await target()
		const freeSwitch = new FreeSwitch({ logger: new RecordedLog(), now: () => new Date() })
		undo.push(() => freeSwitch.stop())
		const plan = { legUuid: randomUUID(), jobUuid: randomUUID(), gateway, number, callerId: undefined, ringTimeoutSec: 30, code: '0907' }
		const ready = Promise.withResolvers<void>()
		const answered = Promise.withResolvers<SwitchNotice>()
		const ended = Promise.withResolvers<SwitchNotice>()
		freeSwitch.listen({
			onReady: () => ready.resolve(),
			onNotice: (notice) => {
				if (notice.type === 'leg' && notice.report.legUuid === plan.legUuid) {
					(notice.report.end === undefined ? notice.report.answeredAt === undefined ? undefined : answered : ended)?.resolve(notice)
				}
			},
		})
		freeSwitch.connectTo(endpoint)
		await ready.promise
		await freeSwitch.callWithCode(plan)
		undo.push(() => freeSwitch.kill(plan.legUuid))
		expect(await answered.promise).not.toHaveProperty('callUuid')
		const connection = await EslConnection.open(endpoint)
		undo.push(() => connection.close())
		const valueOf = async (name: string) => (await connection.command(`api uuid_getvar ${plan.legUuid} ${name}`)).text
		// A second of silence comes first.
		await until(() => valueOf('current_application'), (application) => application === 'playback')
		expect(await valueOf('current_application_data')).toBe(`tone_stream://${tonesOf('0907')}`)
		expect(await valueOf('sipcall_verification')).toBe('true')
		await freeSwitch.kill(plan.legUuid)
		expect(await ended.promise).toMatchObject({ report: { end: { cause: { name: 'NORMAL_CLEARING' }, hungUpBy: 'switch' } } })
		expect(await freeSwitch.look(plan.legUuid)).toBeUndefined()
	})

	it('ends a call that is killed while the own phone rings, or just after: cancelled or completed, never failed', async () => {
		const { endpoint, extension, gateway, number } = await target()
		const watched = new Watched(endpoint, newPlan({ extension, gateway, number }))
		await watched.dial()
		await watched.freeSwitch.kill(watched.plan.user.legUuid)
		const { call } = await watched.reached('ended')
		expect(['cancelled', 'completed']).toContain(call.outcome)
	})

	it('fails a call to an extension that nobody has at the user’s leg, and calls nobody else', async () => {
		const { endpoint, unknownExtension, gateway, number } = await target()
		const watched = new Watched(endpoint, newPlan({ extension: unknownExtension, gateway, number }))
		await watched.dial()
		const { call, statuses } = await watched.reached('ended')
		expect(statuses).toEqual(['queued', 'ended'])
		expect(call).toMatchObject({ outcome: 'failed', leg: 'user', endedBy: 'system', reason: { fixableBy: 'user' } })
		expect(call.legs[1]?.createdAt).toBeUndefined()
	})

	it('holds the own leg and takes it back, tells it, and refuses what is so already; keys go out', async () => {
		const { endpoint, extension, gateway, number } = await target()
		const watched = new Watched(endpoint, newPlan({ extension, gateway, number }))
		const { freeSwitch, plan: { user: { legUuid }, destination } } = watched
		await watched.dial()
		await watched.reached('connected')
		expect(await freeSwitch.hold(legUuid, false)).toBe('refused')
		expect(await freeSwitch.hold(legUuid, true)).toBe('done')
		await watched.held(true)
		expect(await freeSwitch.look(legUuid)).toMatchObject({ held: true })
		expect(await freeSwitch.hold(legUuid, true)).toBe('refused')
		expect(await freeSwitch.hold(legUuid, false)).toBe('done')
		await watched.held(false)
		expect(await freeSwitch.look(legUuid)).toMatchObject({ held: false })
		expect(await freeSwitch.sendDigits(destination.legs[0]?.legUuid ?? '', '12#')).toBe('done')
		expect(await freeSwitch.sendDigits(randomUUID(), '12#')).toBe('refused')
		await freeSwitch.kill(legUuid)
		await watched.reached('ended')
	})

	it('transfers the destination: the own leg ends, the two others talk, and the first limit still holds', async () => {
		const { endpoint, extension, gateway, number } = await target()
		const plan = newPlan({ extension, gateway, number })
		plan.destination.maxCallSec = 4
		const watched = new Watched(endpoint, plan)
		const { freeSwitch } = watched
		const [b = '', c] = [plan.destination.legs[0]?.legUuid, randomUUID()]
		await watched.dial()
		await watched.reached('connected')
		expect(await freeSwitch.transfer(b, { number, legs: [{ legUuid: c, gateway }], callerId: undefined, answerTimeoutSec: 30, maxCallSec: 60 })).toBe('done')
		await watched.gone(plan.user.legUuid)
		expect(await freeSwitch.look(b)).toMatchObject({ legUuid: b })
		// Of the new leg nothing is followed, but it is there, and goes with the other.
		expect((await watched.reached('ended')).call).toMatchObject({ outcome: 'completed', endedBy: 'policy', reason: { code: 'max_duration' } })
		// Both legs end within milliseconds of each other.
		await until(() => freeSwitch.look(c), (leg) => leg === undefined)
		expect(await freeSwitch.transfer(b, { number, legs: [{ legUuid: c, gateway }], callerId: undefined, answerTimeoutSec: 30, maxCallSec: 60 })).toBe('refused')
	})

	it.runIf(hasDownGateway)('goes on to the second gateway when the first one is down', async () => {
		const { endpoint, extension, gateway, number, downGateway = '' } = await target()
		const plan = newPlan({ extension, gateway: downGateway, number })
		plan.destination.legs.push({ legUuid: randomUUID(), gateway })
		const watched = new Watched(endpoint, plan)
		await watched.dial()
		const { call } = await watched.reached('connected')
		expect(call.legs.map(({ answeredAt }) => answeredAt !== undefined)).toEqual([true, false, true])
		await watched.freeSwitch.kill(plan.user.legUuid)
		expect((await watched.reached('ended')).call).toMatchObject({ outcome: 'completed', endedBy: 'system' })
	})
}

describe('the scripted FreeSWITCH', () => {
	suite(scripted, true)
})

describe.runIf(env.FREESWITCH_HOST !== undefined)('a live FreeSWITCH', () => {
	suite(async () => LIVE, LIVE.downGateway !== undefined)
})
