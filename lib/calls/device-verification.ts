// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A user's phone is verified by a call that reads out a code: whoever can type it has heard it there. The call costs
// money and may ring a stranger, so it passes the policy of a call and has limits of its own. It is none of the user's
// calls: it is in no history and counts for no line.

import type { Logger } from '../logger.ts'
import type { Settings } from '../policy/settings.ts'
import type { AllowedDestination, CallingUser, Circumstances } from './call-rules.ts'
import type { Device } from './device.ts'
import type { GatewayWatch } from './gateway-watch.ts'
import type { Lockout } from './lockout.ts'
import type { CallLimiter, CallStore, Clock, Quota, SlotKeeper } from './ports.ts'

import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import { SipCallError } from '../errors.ts'
import { costMicros } from '../policy/rates.ts'
import { allowDestination, factsFor } from './call-rules.ts'
import { mayRing } from './device.ts'
import { dialInTurn, needSlot } from './dialling.ts'
import { OriginateRefused } from './ports.ts'
import { limitReached, spent, unavailable, wrongCode, wrongState } from './verification-faults.ts'

/** What the switch is asked to do; `esl/code-call.ts` checks each value again before it is written. */
export interface CodeCallPlan {
	legUuid: string
	jobUuid: string
	gateway: string
	/** E.164. */
	number: string
	/** E.164; undefined = the gateway's own. */
	callerId: string | undefined
	ringTimeoutSec: number
	/** Four digits. */
	code: string
}

/** The part of the switch that calls phones with codes. */
export interface CodeCaller extends SlotKeeper {
	/**
	 * Writes the originate, once. The switch ends the call by itself, also when nobody here lives any more.
	 *
	 * @throws {OriginateRefused} when it was certainly not taken
	 * @throws {Error} when nobody can tell
	 */
	callWithCode(plan: CodeCallPlan, node: string): Promise<void>
	/** Hangs the leg up, on whichever node. Resolves whether or not the switch knew it. */
	kill(legUuid: string): Promise<void>
}

/** A code that was read out, as it is stored: neither the code nor the number can be had from it without our keys. */
export interface Verification {
	deviceId: string
	userId: string
	/** Blind index of the number that was called. */
	phoneIndex: string
	salt: string
	codeHash: string
	triesLeft: number
	legUuid: string
	calledAt: Date
	expiresAt: Date
}

/** `stale`: the phone has another number than the one that was called. */
export type Check = (stored: Pick<Verification, 'deviceId' | 'phoneIndex' | 'salt' | 'codeHash'>, number: string) => 'right' | 'wrong' | 'stale'

export type Attempt
	= | { result: 'right', legUuid: string }
		| { result: 'wrong', triesLeft: number, calledAt: Date }
		/** All tries were used before. */
		| { result: 'spent', calledAt: Date }
		| { result: 'none' }

export interface VerificationStore {
	/** Stores a code; another one of the same device goes. */
	begin(verification: Verification): Promise<void>
	/** A user's codes that are not expired. */
	ofUser(userId: string, at: Date): Promise<Verification[]>
	/**
	 * Takes one try, alone among all who try: a wrong code uses it up, the right one marks the device as verified and is
	 * deleted, both or neither.
	 */
	attempt(userId: string, deviceId: string, at: Date, check: Check): Promise<Attempt>
	/** Deletes the code that was read out on this leg. */
	forget(legUuid: string): Promise<void>
	forgetExpired(at: Date): Promise<void>
}

export interface DeviceVerificationOptions {
	store: VerificationStore
	codeCaller: CodeCaller
	gateways: Pick<GatewayWatch, 'hasAny' | 'inOrder' | 'need'>
	/** What the rules of a call look at. */
	calls: Pick<CallStore, 'facts' | 'noteSpent'>
	limiter: Pick<CallLimiter, 'consume'>
	/** Counts what is refused. */
	lockout: Pick<Lockout, 'note'>
	/** Must return at once and not throw. */
	onVerified: (userId: string, deviceId: string) => void
	settings: () => Settings
	devices: (userId: string) => Promise<Device[]>
	/** A hash that nobody can make without our keys. */
	blindIndex: (purpose: 'phone' | 'code', value: string) => string
	/** ISO countries that the company behind the trunk lets through; undefined = not known. */
	carrierCountries: () => readonly string[] | undefined
	clock: Clock
	newUuid: () => string
	logger: Logger
}

/** What a person who waits for the call has to know. */
export interface CodeState {
	expiresAt: Date
	triesLeft: number
	/** From then on another call may be asked for. */
	nextCallAt: Date
}

const LIFETIME_MS = 10 * 60_000
const TRIES = 3
const WAIT_SEC = 60
/** The switch ends it then (lib/esl/code-call.ts). */
const LONGEST_CALL_MS = 90_000
const DAY_SEC = 86_400

/** The widest window first, as the limiter wants them. */
const OF_USER: readonly Quota[] = [
	{ kind: 'verificationsPerDay', max: 10, windowSec: DAY_SEC },
	{ kind: 'verificationsPerMinute', max: 1, windowSec: WAIT_SEC },
]
/** Whoever asks: the phone may be a stranger's, and must not ring all day. */
const OF_PHONE: readonly Quota[] = [{ kind: 'verificationsOfPhonePerDay', max: 5, windowSec: DAY_SEC }]

export class DeviceVerification {
	readonly #options: DeviceVerificationOptions

	constructor(options: DeviceVerificationOptions) {
		this.#options = options
	}

	/**
	 * Calls a phone with a new code; the code before it is worth nothing any more.
	 *
	 * @throws {SipCallError} `not_found`, `wrong_state` when there is nothing to verify by a code, `limit_reached`,
	 * `switch_unavailable`, `trunk_unavailable`, and what `allowDestination` refuses with
	 */
	async call(user: CallingUser, deviceId: string): Promise<CodeState> {
		const { store, calls, codeCaller, gateways, clock, newUuid, logger } = this.#options
		const calledAt = clock.now()
		const settings = this.#options.settings()
		const device = await this.#phone(user.id, deviceId)
		if (mayRing(device, settings)) {
			throw wrongState('This phone is verified already.')
		}
		const state = await calls.facts(factsFor(user, device.address, settings, calledAt))
		const { number, callerId, charge } = await this.#allow(user, device.address, { user, settings, state, at: calledAt, carrierCountries: this.#options.carrierCountries() })
		gateways.need(settings.gateways)
		const slot = needSlot(codeCaller.reserve((node) => gateways.hasAny(settings.gateways, node)))
		const code = randomCode()
		let verification: Verification
		try {
			verification = await this.#begin(user.id, deviceId, number.e164, code, calledAt)
		} catch (error) {
			slot.release()
			throw error
		}
		const { legUuid } = verification
		try {
			await dialInTurn(slot, { callSwitch: codeCaller }, (node) => codeCaller.callWithCode({
				legUuid,
				jobUuid: newUuid(),
				// The way on which a call will ring it.
				gateway: gateways.inOrder(settings.gateways, node)[0] ?? '',
				number: number.e164,
				callerId,
				ringTimeoutSec: settings.ringTimeoutSec,
				code,
			}, node))
		} catch (error) {
			if (error instanceof OriginateRefused) {
				await store.forget(legUuid)
				throw unavailable(WAIT_SEC, error)
			}
			// It may ring: then the code is good, and otherwise another call can be asked for.
			logger.warn('The switch did not confirm the call of a phone with a code', { legUuid, error })
		}
		if (charge?.rate !== undefined) {
			// Nobody follows it: it has cost all that it may.
			await calls.noteSpent(calledAt, costMicros(charge.rate, LONGEST_CALL_MS))
		}
		return { expiresAt: verification.expiresAt, triesLeft: TRIES, nextCallAt: nextCallAt(calledAt) }
	}

	/**
	 * Stores a code for a phone that may be called now.
	 *
	 * @throws {SipCallError} `limit_reached`
	 */
	async #begin(userId: string, deviceId: string, number: string, code: string, calledAt: Date): Promise<Verification> {
		const { store, newUuid } = this.#options
		const phoneIndex = this.#options.blindIndex('phone', number)
		await this.#count(userId, phoneIndex)
		// One call at a time: whoever asks for another one has given the earlier one up.
		await Promise.all((await store.ofUser(userId, calledAt)).map(({ legUuid }) => this.#hangUp(legUuid)))
		const salt = randomBytes(16).toString('hex')
		const verification: Verification = {
			deviceId,
			userId,
			phoneIndex,
			salt,
			codeHash: this.#hash({ deviceId, salt }, code),
			triesLeft: TRIES,
			legUuid: newUuid(),
			calledAt,
			expiresAt: new Date(calledAt.getTime() + LIFETIME_MS),
		}
		await store.begin(verification)
		return verification
	}

	/** As a call to the phone would be: whoever tries strangers' numbers here is locked as well. */
	async #allow(user: CallingUser, to: string, circumstances: Circumstances): Promise<AllowedDestination> {
		try {
			return allowDestination({ to, callerId: undefined }, circumstances)
		} catch (error) {
			await this.#options.lockout.note(user, to, error)
			throw error
		}
	}

	/**
	 * Compares what was typed with the code that was read out.
	 *
	 * @return the phone, verified; also when it was verified before
	 * @throws {SipCallError} `wrong_code` with `triesLeft` and `nextCallAt`; `limit_reached` when all tries are used;
	 * `wrong_state` when there is no code; `not_found`
	 */
	async confirm(user: Pick<CallingUser, 'id'>, deviceId: string, typed: string): Promise<Device> {
		const { store, clock, blindIndex } = this.#options
		const device = await this.#phone(user.id, deviceId)
		if (device.verified) {
			return device
		}
		const now = clock.now()
		const attempt = await store.attempt(user.id, deviceId, now, (stored, number) => {
			if (blindIndex('phone', number) !== stored.phoneIndex) {
				return 'stale'
			}
			return timingSafeEqual(Buffer.from(this.#hash(stored, typed)), Buffer.from(stored.codeHash)) ? 'right' : 'wrong'
		})
		switch (attempt.result) {
			case 'right':
				void this.#hangUp(attempt.legUuid)
				this.#options.onVerified(user.id, deviceId)
				return { ...device, verified: true }
			case 'wrong':
				throw wrongCode(attempt.triesLeft, nextCallAt(attempt.calledAt))
			case 'spent':
				throw spent(nextCallAt(attempt.calledAt), now)
			case 'none':
				throw wrongState('There is no code for this phone, or it is older than ten minutes. Ask for a new call.')
		}
	}

	/** @throws {SipCallError} `not_found`; `wrong_state` for an extension */
	async #phone(userId: string, deviceId: string): Promise<Device> {
		const device = (await this.#options.devices(userId)).find(({ id }) => id === deviceId)
		if (device === undefined) {
			throw new SipCallError('not_found', 'There is no such phone among yours.')
		}
		if (device.kind === 'sip') {
			throw wrongState(this.#options.settings().deviceVerification.sip === 'admin'
				? 'An extension needs no code: your administrator verifies it.'
				: 'An extension needs no code.')
		}
		return device
	}

	/** @throws {SipCallError} `limit_reached` */
	async #count(userId: string, phoneIndex: string): Promise<void> {
		const { limiter, clock } = this.#options
		// The user first: who clicks again and again must not use up the calls of the phone.
		const refusal = await limiter.consume(userId, OF_USER) ?? await limiter.consume(phoneIndex, OF_PHONE)
		if (refusal !== undefined) {
			throw limitReached(refusal, clock.now())
		}
	}

	#hash({ deviceId, salt }: Pick<Verification, 'deviceId' | 'salt'>, code: string): string {
		return this.#options.blindIndex('code', `${deviceId}\0${salt}\0${code}`)
	}

	async #hangUp(legUuid: string): Promise<void> {
		try {
			await this.#options.codeCaller.kill(legUuid)
		} catch (error) {
			// It ends by itself a little later.
			this.#options.logger.warn('The call of a phone with a code could not be hung up', { legUuid, error })
		}
	}
}

function randomCode(): string {
	return String(randomInt(10_000)).padStart(4, '0')
}

function nextCallAt(calledAt: Date): Date {
	return new Date(calledAt.getTime() + WAIT_SEC * 1000)
}
