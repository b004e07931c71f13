// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// An admin has one of their own phones rung, to see whether the way to it works. Like the call with a code it is nobody's
// call: in no history, on no line. It passes the policy where it costs money, has limits of its own, and the switch ends it.

import type { Logger } from '../logger.ts'
import type { Settings } from '../policy/settings.ts'
import type { CallingUser } from './call-rules.ts'
import type { Cause, Reason, Verdict } from './call.ts'
import type { Device } from './device.ts'
import type { GatewayWatch } from './gateway-watch.ts'
import type { CallLimiter, CallStore, Clock, OriginatePlan, Quota, Slot, SlotKeeper, SwitchNotice } from './ports.ts'

import { SipCallError } from '../errors.ts'
import { costMicros } from '../policy/rates.ts'
import { allowDestination, factsFor } from './call-rules.ts'
import { mayRing } from './device.ts'
import { dialInTurn, needSlot } from './dialling.ts'
import { targetOf } from './originate-plan.ts'
import { OriginateRefused } from './ports.ts'
import { reasonFor } from './reasons.ts'
import { countOrRefuse } from './refusals.ts'

/** What the switch is asked to do; `esl/test-call.ts` checks each value again before it is written. */
export interface TestCallPlan {
	legUuid: string
	jobUuid: string
	target: OriginatePlan['user']['target']
	/** E.164; undefined = the gateway's own. */
	callerId: string | undefined
	ringTimeoutSec: number
}

/** The part of the switch that makes test calls. */
export interface TestCaller extends SlotKeeper {
	/**
	 * Writes the originate, once. The switch ends the call by itself.
	 *
	 * @throws {OriginateRefused} when it was certainly not taken
	 * @throws {Error} when nobody can tell
	 */
	callForTest(plan: TestCallPlan, node: string): Promise<void>
}

/** A step that was reached, and the milliseconds since the call was asked for. */
export interface TestCallStep {
	id: 'accepted' | 'ringing' | 'answered' | 'ended'
	ms: number
}

export interface TestCall {
	id: string
	startedAt: Date
	steps: TestCallStep[]
	/** Only when ended: whether the phone was reached and picked up. */
	passed?: boolean
	cause?: Cause
	/** Why it did not pass. */
	reason?: Reason
}

export interface TestCallsOptions {
	switch: TestCaller
	gateways: Pick<GatewayWatch, 'hasAny' | 'inOrder' | 'need'>
	calls: Pick<CallStore, 'facts' | 'noteSpent'>
	limiter: Pick<CallLimiter, 'consume'>
	settings: () => Settings
	devices: (userId: string) => Promise<Device[]>
	/** Written before anything rings; when it rejects, nothing does. */
	audit: (userId: string, deviceId: string) => Promise<void>
	/** ISO countries that the company behind the trunk lets through; undefined = not known. */
	carrierCountries: () => readonly string[] | undefined
	clock: Clock
	newUuid: () => string
	logger: Logger
}

interface Followed extends TestCall {
	userId: string
	legUuid: string
	jobUuid: string
	began: number
	giveUp: NodeJS.Timeout | undefined
}

/** From the pick-up; the switch ends it then. */
export const TEST_CALL_SEC = 15
/** For what the switch and the network need beside ringing and talking. */
const PATIENCE_SEC = 15
const HOURLY: Quota = { kind: 'testCallsPerHour', max: 20, windowSec: 3600, isFullInMemory: true }
const MOST_KEPT = 20

/** Nobody has told how it ended. */
const LOST: Reason = { code: 'phone_system_restarted', message: 'The phone system lost the call, most likely by a restart. Call again.', fixableBy: 'nobody' }
const REFUSED: Reason = { code: 'switch_refused', message: 'The phone system did not take the call: it may be at its limit. Try again in a minute.', fixableBy: 'admin' }

export class TestCalls {
	readonly #options: TestCallsOptions
	/** The newest last; the last one may be going on. */
	readonly #kept: Followed[] = []
	#isStarting = false

	constructor(options: TestCallsOptions) {
		this.#options = options
	}

	/** Whether one has passed since the start. */
	hasPassed(): boolean {
		return this.#kept.some(({ passed }) => passed === true)
	}

	/**
	 * Rings a phone of the user's own.
	 *
	 * @throws {SipCallError} `not_found`, `no_device` for one that is not verified, `already_in_call` while another test
	 * goes on, `rate_limited`, `switch_unavailable`, `trunk_unavailable`, and what `allowDestination` refuses with
	 */
	async start(user: CallingUser, deviceId: string): Promise<TestCall> {
		if (this.#isStarting || this.#kept.some(isGoingOn)) {
			throw new SipCallError('already_in_call', 'Another test call is going on. It ends within a minute; try again then.', { retryAfterSec: TEST_CALL_SEC })
		}
		this.#isStarting = true
		try {
			return await this.#start(user, deviceId)
		} finally {
			this.#isStarting = false
		}
	}

	async #start(user: CallingUser, deviceId: string): Promise<TestCall> {
		const { limiter, gateways, clock, newUuid } = this.#options
		const settings = this.#options.settings()
		const device = (await this.#options.devices(user.id)).find(({ id }) => id === deviceId)
		if (device === undefined) {
			throw new SipCallError('not_found', 'There is no such phone among yours.')
		}
		if (!mayRing(device, settings)) {
			throw new SipCallError('no_device', 'This phone is not verified yet. Verify it in the settings, or choose another one.')
		}
		const startedAt = clock.now()
		const { callerId, costs } = await this.#terms(device, user, settings, startedAt)
		const needsGateway = device.kind === 'phone'
		if (needsGateway) {
			gateways.need(settings.gateways)
		}
		const kept = this.#options.switch.reserve((node) => !needsGateway || gateways.hasAny(settings.gateways, node))
		if ('refused' in kept && kept.refused === 'away') {
			throw new SipCallError('switch_unavailable', 'FreeSWITCH is not connected, so nothing can ring. The Doctor says why.', { retryAfterSec: kept.retryAfterSec })
		}
		const slot = needSlot(kept)
		try {
			await countOrRefuse(limiter, user.id, HOURLY, () => `Only ${HOURLY.max} test calls may be made within an hour. Try again later.`)
			await this.#options.audit(user.id, deviceId)
		} catch (error) {
			slot.release()
			throw error
		}
		const call: Followed = { id: newUuid(), userId: user.id, legUuid: newUuid(), jobUuid: newUuid(), startedAt, steps: [], began: performance.now(), giveUp: undefined }
		this.#keep(call)
		call.giveUp = setTimeout(() => this.#end(call, { reason: LOST }), (settings.ringTimeoutSec + TEST_CALL_SEC + PATIENCE_SEC) * 1000).unref()
		// Nobody waits for the switch here: how far it came is asked for.
		const planAt = (node: string): TestCallPlan => ({ legUuid: call.legUuid, jobUuid: call.jobUuid, target: targetOf(device, { ...settings, gateways: gateways.inOrder(settings.gateways, node) }), callerId, ringTimeoutSec: settings.ringTimeoutSec })
		void this.#place(call, slot, planAt, costs)
		return shown(call)
	}

	/** What is shown to it, and what that costs at most. A number is called only where the policy lets anybody call it. */
	async #terms(device: Device, user: CallingUser, settings: Settings, at: Date): Promise<{ callerId: string | undefined, costs?: bigint }> {
		if (device.kind === 'sip') {
			return { callerId: settings.callerIds[0]?.number }
		}
		const state = await this.#options.calls.facts(factsFor(user, device.address, settings, at))
		const { callerId, charge } = allowDestination({ to: device.address, callerId: undefined }, { user, settings, state, at, carrierCountries: this.#options.carrierCountries() })
		return { callerId, ...(charge?.rate === undefined ? {} : { costs: costMicros(charge.rate, TEST_CALL_SEC * 1000) }) }
	}

	async #place(call: Followed, slot: Slot, planAt: (node: string) => TestCallPlan, costs: bigint | undefined): Promise<void> {
		const { logger, calls, switch: callSwitch } = this.#options
		try {
			await dialInTurn(slot, { callSwitch }, (node) => callSwitch.callForTest(planAt(node), node))
			reach(call, 'accepted')
		} catch (error) {
			if (error instanceof OriginateRefused) {
				this.#end(call, { cause: error.failure.cause, reason: reasonOf(error.failure.verdict) })
				return
			}
			// It may ring: then its events tell.
			logger.warn('The switch did not confirm a test call', { legUuid: call.legUuid, error })
		}
		if (costs !== undefined) {
			// It has cost all that it may.
			await calls.noteSpent(call.startedAt, costs).catch((error: unknown) => logger.warn('What a test call costs could not be noted', { legUuid: call.legUuid, error }))
		}
	}

	/** An event of the switch, whosever it is. */
	notice(notice: SwitchNotice): void {
		const call = this.#kept.findLast(isGoingOn)
		if (call === undefined) {
			return
		}
		if (notice.type === 'job') {
			if (notice.jobUuid === call.jobUuid && notice.failure !== undefined) {
				this.#end(call, { cause: notice.failure.cause, reason: reasonOf(notice.failure.verdict) })
			}
			return
		}
		const { legUuid, ringingAt, answeredAt, end } = notice.report
		if (legUuid !== call.legUuid) {
			return
		}
		reach(call, 'accepted')
		if (ringingAt !== undefined) {
			reach(call, 'ringing')
		}
		if (answeredAt !== undefined) {
			reach(call, 'answered')
		}
		if (end !== undefined) {
			const passed = answeredAt !== undefined && ['cleared', 'max_duration'].includes(end.verdict)
			this.#end(call, { cause: end.cause, ...(passed ? {} : { reason: reasonOf(end.verdict) }) })
		}
	}

	/** @throws {SipCallError} `not_found`, also for somebody else's */
	find(userId: string, id: string): TestCall {
		const call = this.#kept.find((known) => known.id === id && known.userId === userId)
		if (call === undefined) {
			throw new SipCallError('not_found', 'There is no such test call, or it is long over.')
		}
		return shown(call)
	}

	/** The calls themselves are ended by the switch. */
	stop(): void {
		this.#kept.forEach(({ giveUp }) => clearTimeout(giveUp))
	}

	#keep(call: Followed): void {
		this.#kept.push(call)
		this.#kept.splice(0, Math.max(0, this.#kept.length - MOST_KEPT))
	}

	#end(call: Followed, { cause, reason }: Pick<TestCall, 'cause' | 'reason'>): void {
		if (!isGoingOn(call)) {
			return
		}
		clearTimeout(call.giveUp)
		reach(call, 'ended')
		call.passed = reason === undefined
		Object.assign(call, cause === undefined ? {} : { cause }, reason === undefined ? {} : { reason })
		this.#options.logger.info('A test call has ended', { legUuid: call.legUuid, passed: call.passed, ...(cause === undefined ? {} : { cause: cause.name }) })
	}
}

function isGoingOn({ passed }: TestCall): boolean {
	return passed === undefined
}

function reach(call: Followed, id: TestCallStep['id']): void {
	if (!call.steps.some((step) => step.id === id || step.id === 'ended')) {
		call.steps.push({ id, ms: Math.round(performance.now() - call.began) })
	}
}

function reasonOf(verdict: Verdict): Reason {
	return reasonFor('failed', 'user', verdict, 'system') ?? REFUSED
}

function shown({ id, startedAt, steps, passed, cause, reason }: Followed): TestCall {
	return {
		id,
		startedAt,
		steps: [...steps],
		...(passed === undefined ? {} : { passed }),
		...(cause === undefined ? {} : { cause }),
		...(reason === undefined ? {} : { reason }),
	}
}
