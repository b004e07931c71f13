// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a user does with a call that is up: hold, keys, transfer; and what is written beside it. A command is written to
// the switch once and never repeated: its answer decides what is told, its events what is stored.

import type { Settings } from '../policy/settings.ts'
import type { Annotation } from './annotation.ts'
import type { AllowedDestination, CallingUser } from './call-rules.ts'
import type { CallService } from './call-service.ts'
import type { Transition } from './call-state.ts'
import type { CallTracker } from './call-tracker.ts'
import type { Call } from './call.ts'
import type { GatewayWatch } from './gateway-watch.ts'
import type { Lockout } from './lockout.ts'
import type { CallLimiter, CallStore, CallSwitch, Clock, CommandResult, TransferPlan } from './ports.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { SipCallError } from '../errors.ts'
import { chooseCallerId } from '../policy/policy.ts'
import { currencyOf } from '../policy/rates.ts'
import { settingsFor } from '../policy/user-rule.ts'
import { annotate } from './annotation.ts'
import { admitTransfer, allowDestination, factsFor } from './call-rules.ts'
import { transition } from './call-state.ts'
import { isTalking, legOfUser, mayBeTransferred, talkingLeg } from './call.ts'
import { Turns } from './turns.ts'

export interface CallControlOptions {
	calls: CallService
	store: CallStore
	tracker: CallTracker
	callSwitch: CallSwitch
	gateways: Pick<GatewayWatch, 'inOrder' | 'need'>
	limiter: CallLimiter
	/** Counts what is refused. */
	lockout: Lockout
	settings: () => Settings
	/** ISO countries that the company behind the trunk lets through; undefined = not known. */
	carrierCountries: () => readonly string[] | undefined
	clock: Clock
	newUuid: () => string
	/** For tests: shorter than the switch needs. */
	settleMs?: number
}

/** How long an answer waits for the switch's events, so that it shows what has happened. They come within milliseconds. */
const CONFIRM_MS = 1_000
/**
 * The switch begins the music of a hold in the background, and joins two legs after it has told the answer. What it is told
 * too soon after either, it does before that has happened: the music then never ends, and the destination is deaf to
 * everybody. Seen on FreeSWITCH 1.10.12 up to 0.1 s after a hold or an answer, and not any more after 0.2 s.
 */
const SETTLE_MS = 500

export class CallControl {
	readonly #options: CallControlOptions
	/** One command after the other on each call; a hang-up waits for none of them. */
	readonly #turns = new Turns()

	readonly #settleMs: number

	constructor(options: CallControlOptions) {
		this.#options = options
		this.#settleMs = options.settleMs ?? SETTLE_MS
	}

	/**
	 * Puts the destination on hold, or takes it back.
	 *
	 * @param signal ends the waiting for the switch's event early
	 * @return the call as it is then; `onHold` changes with the switch's event alone
	 * @throws {SipCallError} `not_found`, `wrong_state`, `switch_unavailable`
	 */
	async hold(user: CallingUser, callUuid: string, isHeld: boolean, signal: AbortSignal): Promise<Call> {
		const { calls, callSwitch } = this.#options
		const { version } = await this.#turns.take(callUuid, async () => {
			const call = await this.#settled(user, callUuid)
			if (call.onHold === isHeld) {
				throw wrongState(isHeld ? 'The call is on hold already.' : 'The call is not on hold.')
			}
			settle(await callSwitch.hold(legOfUser(call).uuid, isHeld, call.node))
			return call
		}, this.#settleMs)
		return calls.waitForChange(user, callUuid, version, CONFIRM_MS, signal)
	}

	/**
	 * Sends keys to the destination.
	 *
	 * @throws {SipCallError} `not_found`, `wrong_state`, `switch_unavailable`
	 */
	sendDigits(user: CallingUser, callUuid: string, digits: string): Promise<Call> {
		return this.#turns.take(callUuid, async () => {
			const call = await this.#talking(user, callUuid)
			settle(await this.#options.callSwitch.sendDigits(talkingLeg(call)?.uuid ?? '', digits, call.node))
			return call
		})
	}

	/**
	 * Hands the destination over to another number, which must pass the same rules as a call; the user leaves the call.
	 * Whether the two get to talk is not followed.
	 *
	 * @throws {SipCallError} `not_found`, `wrong_state`, `switch_unavailable`, `trunk_unavailable`, `limit_reached`, `rate_limited` and what
	 * `allowDestination` refuses with
	 */
	async transfer(user: CallingUser, callUuid: string, to: string, signal: AbortSignal): Promise<Call> {
		let call = await this.#turns.take(callUuid, () => this.#transfer(user, callUuid, to))
		for (const until = performance.now() + CONFIRM_MS; call.status !== 'ended' && performance.now() < until && !signal.aborted;) {
			call = await this.#options.calls.waitForChange(user, callUuid, call.version, until - performance.now(), signal)
		}
		return call
	}

	async #transfer(user: CallingUser, callUuid: string, to: string): Promise<Call> {
		const { store, tracker, callSwitch, gateways, clock, limiter, lockout } = this.#options
		const call = await this.#settled(user, callUuid)
		const leg = talkingLeg(call)
		const ofAll = this.#options.settings()
		const at = clock.now()
		if (leg === undefined || !mayBeTransferred(call)) {
			throw wrongState()
		}
		if (!callSwitch.isReady(call.node)) {
			throw unavailable()
		}
		let planned: TransferPlan | undefined
		const stored = store.admitTransfer(callUuid, factsFor(user, to, ofAll, at), async (current, known) => {
			const settings = settingsFor(ofAll, known.rule)
			// The user leaves this call for the new leg: it takes no line more.
			const state = { ...known, facts: { ...known.facts, openOfUser: 0, openInAll: known.facts.openInAll - 1 } }
			const allowed = allowDestination({ to, callerId: stillGranted(call, user, settings) }, { user, settings: ofAll, state, at, carrierCountries: this.#options.carrierCountries() })
			// Who is handed over to nobody is lost.
			gateways.need(settings.gateways, call.node)
			await admitTransfer(user, settings, known.handedOver, limiter, at)
			planned = this.#planOf(allowed, settings, call.node)
			return {
				transition: transition(current, { type: 'transfer_asked', at }),
				country: allowed.number.country,
				reservedMicros: allowed.charge?.reservedMicros,
				currency: currencyOf(allowed.charge),
			}
		})
		const asked = await stored.catch(async (error: unknown) => {
			await lockout.note(user, to, error)
			throw error
		})
		// Stored before it is written: whatever is lost afterwards, the end of the user's leg will be understood.
		if (asked?.changed !== true || planned === undefined) {
			throw wrongState()
		}
		tracker.take(asked.call)
		const result = await callSwitch.transfer(leg.uuid, planned, call.node)
		if (result !== 'unknown') {
			const told = tracker.apply(callUuid, { type: 'transfer_answered', at: clock.now(), isDone: result === 'done' })
			await Promise.race([told, delay(CONFIRM_MS, undefined, { ref: false })])
		}
		settle(result)
		return asked.call
	}

	/**
	 * Writes note and tags, during the call and after it.
	 *
	 * @throws {SipCallError} `not_found`
	 */
	async annotate(user: CallingUser, callUuid: string, annotation: Annotation): Promise<Call> {
		await this.#options.calls.find(user, callUuid)
		return (await this.#change(callUuid, (call) => {
			if (call.maskedAt !== undefined) {
				throw wrongState(call.erasedAt === undefined
					? 'The number, note and tags of this call were destroyed after the time that your administrator has set. Nothing can be added.'
					: 'The number, note and tags of this call were erased. Nothing can be added.')
			}
			return annotate(call, annotation, this.#options.clock.now())
		})).call
	}

	async #talking(user: CallingUser, callUuid: string): Promise<Call> {
		const call = await this.#options.calls.find(user, callUuid)
		if (!isTalking(call) || call.hangupRequestedAt !== undefined || call.transfer !== undefined) {
			throw wrongState()
		}
		return call
	}

	/** A call in which two people talk, and whose legs are joined. */
	async #settled(user: CallingUser, callUuid: string): Promise<Call> {
		const call = await this.#talking(user, callUuid)
		const earlyMs = (call.answeredAt?.getTime() ?? 0) + this.#settleMs - this.#options.clock.now().getTime()
		if (earlyMs <= 0) {
			return call
		}
		// However the clock is set, nobody waits for longer.
		await delay(Math.min(earlyMs, this.#settleMs), undefined, { ref: false })
		return this.#talking(user, callUuid)
	}

	/** A change that the switch did not tell: a fault of the database is the caller's to hear of. */
	async #change(callUuid: string, change: (call: Call) => Transition): Promise<{ call: Call, changed: boolean }> {
		const stored = await this.#options.store.change(callUuid, change)
		if (stored === undefined) {
			throw new SipCallError('not_found', 'There is no such call.')
		}
		if (stored.changed) {
			this.#options.tracker.take(stored.call)
		}
		return stored
	}

	#planOf({ number, callerId }: AllowedDestination, { gateways, answerTimeoutSec, maxCallSec }: Settings, node: string | undefined): TransferPlan {
		return {
			number: number.e164,
			...(number.extension === undefined ? {} : { extension: number.extension }),
			legs: this.#options.gateways.inOrder(gateways, node).map((gateway) => ({ legUuid: this.#options.newUuid(), gateway })),
			callerId,
			answerTimeoutSec,
			maxCallSec,
		}
	}
}

/** The number that the call shows, unless it was taken from the user meanwhile: then the default one. */
function stillGranted({ callerId }: Call, { groups }: CallingUser, settings: Settings): string | undefined {
	return callerId !== undefined && 'number' in chooseCallerId(callerId, groups, settings) ? callerId : undefined
}

/**
 * @throws {SipCallError} unless the switch has said yes
 */
function settle(result: CommandResult): void {
	switch (result) {
		case 'done':
			return
		case 'refused':
			throw wrongState('The phone system refused: the call may have ended at this moment.')
		case 'not_written':
			throw unavailable()
		case 'unknown':
			throw new SipCallError('switch_unavailable', 'The phone system did not answer, so nobody knows whether it was done. Look at the call before you try again.', { retryAfterSec: 5 })
	}
}

function wrongState(message = 'This is possible only while you talk with the other side.'): SipCallError {
	return new SipCallError('wrong_state', message)
}

function unavailable(): SipCallError {
	return new SipCallError('switch_unavailable', 'The phone system cannot be reached. Try again in a moment, and tell your administrator if it stays so.', { retryAfterSec: 5 })
}
