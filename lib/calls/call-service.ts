// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The way down: what a user wants -> policy -> stored -> written to the switch, once.

import type { Logger } from '../logger.ts'
import type { NumberFault, ParsedNumber } from '../numbering/parse-number.ts'
import type { Refusal } from '../policy/policy.ts'
import type { CallFeed } from './call-feed.ts'
import type { CallTracker } from './call-tracker.ts'
import type { Call } from './call.ts'
import type { Device } from './device.ts'
import type { CallStore, CallSwitch, Clock, OpenCalls, OriginatePlan } from './ports.ts'
import type { Settings } from './settings.ts'

import { SipCallError } from '../errors.ts'
import { isEmergencyNumber } from '../numbering/emergency.ts'
import { parseNumber } from '../numbering/parse-number.ts'
import { chooseCallerId, mayBeCalled, mayCall } from '../policy/policy.ts'
import { legOfUser, legsOfDestination } from './call.ts'
import { OriginateRefused } from './ports.ts'

/** Who asks, as Nextcloud vouches for. */
export interface CallingUser {
	id: string
	groups: readonly string[]
}

export interface CallWish {
	to: string
	deviceId: string | undefined
	callerId: string | undefined
	note: string | undefined
}

/** Counts attempts to call. */
export interface CallLimiter {
	/**
	 * Counts one attempt.
	 *
	 * @return undefined when it is within the limit, else the seconds until the next one may be
	 */
	consume(userId: string, perMinute: number): Promise<number | undefined>
}

export interface CallServiceOptions {
	store: CallStore
	tracker: CallTracker
	feed: CallFeed
	callSwitch: CallSwitch
	limiter: CallLimiter
	settings: () => Promise<Settings>
	devices: (userId: string) => Promise<Device[]>
	clock: Clock
	newUuid: () => string
	logger: Logger
}

const NUMBER_FAULTS: Readonly<Record<NumberFault, string>> = {
	empty: 'There is no number. Type one with its country code, such as +49 30 123456.',
	too_long: 'This is too long for a phone number. Type the number alone.',
	not_a_number: 'This is not a phone number. Use digits, and + for the country code, such as +49 30 123456.',
	needs_country_code: 'The country is missing. Begin the number with + and the country code, such as +49 30 123456.',
	extension_not_supported: 'Extensions and service codes cannot be dialled yet. Type the number without them.',
	impossible: 'No number looks like this. Check the digits and the country code.',
}

export class CallService {
	readonly #options: CallServiceOptions

	constructor(options: CallServiceOptions) {
		this.#options = options
	}

	/**
	 * Places a call, or finds the one that the same key already placed: at most one originate for each key, whatever
	 * happens. Resolves when the row is committed and the originate is on its way.
	 *
	 * @param bodyHash of everything that was asked for
	 * @throws {SipCallError} the refusals of the contract, section 3
	 */
	async place(user: CallingUser, wish: CallWish, idempotencyKey: string | undefined, bodyHash: string): Promise<Call> {
		const { store, tracker, clock } = this.#options
		// Read before: while a call is being placed nobody else can place one, so nothing is waited for in there.
		const [settings, devices] = await Promise.all([this.#options.settings(), this.#options.devices(user.id)])
		const request = { userId: user.id, idempotencyKey, bodyHash, at: clock.now() }
		let plan: OriginatePlan | undefined
		const { call, isNew } = await store.place(request, async (open) => {
			const device = this.#check(user, wish, settings, devices)
			await this.#admit(user, settings, open)
			const made = this.#make(user, wish, settings, device)
			plan = planOf(made, device, settings)
			return made
		})
		if (!isNew || plan === undefined) {
			return call
		}
		tracker.add(call)
		void this.#originate(plan)
		return call
	}

	/**
	 * Makes a call end. From the moment this resolves the server works at it until both legs are gone.
	 *
	 * @throws {SipCallError} `not_found`
	 */
	async hangUp(user: CallingUser, callUuid: string): Promise<Call> {
		const call = await this.find(user, callUuid)
		if (call.status === 'ended') {
			return call
		}
		const changed = await this.#options.tracker.apply(callUuid, { type: 'hangup_requested', at: this.#options.clock.now(), by: 'user' })
		if (changed === undefined) {
			return this.find(user, callUuid)
		}
		void this.#options.tracker.hangUp(changed)
		return changed
	}

	/**
	 * A call of this user.
	 *
	 * @throws {SipCallError} `not_found`, also for a call of somebody else: its existence is not revealed
	 */
	async find(user: CallingUser, callUuid: string): Promise<Call> {
		const call = await this.#options.store.find(callUuid)
		if (call === undefined || call.userId !== user.id) {
			throw new SipCallError('not_found', 'There is no such call.')
		}
		return call
	}

	/**
	 * Waits until a call's version is above the given one.
	 *
	 * @param waitMs at most this long; then the call is answered as it is
	 * @param signal ends the waiting early
	 */
	async waitForChange(user: CallingUser, callUuid: string, version: number, waitMs: number, signal: AbortSignal): Promise<Call> {
		const { promise, resolve } = Promise.withResolvers<Call | undefined>()
		// Subscribed before reading, so that no change falls between.
		const unsubscribe = this.#options.feed.subscribe(callUuid, (call) => {
			if (call.version > version) {
				resolve(call)
			}
		})
		const giveUp = () => resolve(undefined)
		const timer = setTimeout(giveUp, waitMs)
		signal.addEventListener('abort', giveUp)
		try {
			const call = await this.find(user, callUuid)
			if (call.version > version || call.status === 'ended') {
				return call
			}
			return await promise ?? call
		} finally {
			clearTimeout(timer)
			signal.removeEventListener('abort', giveUp)
			unsubscribe()
		}
	}

	/**
	 * The rules that look at this call alone.
	 *
	 * @return the phone that rings
	 */
	#check(user: CallingUser, wish: CallWish, settings: Settings, devices: readonly Device[]): Device {
		// First of all, and counted nowhere: who needs help must be told at once to use a real phone.
		if (isEmergencyNumber(wish.to, settings.homeCountry)) {
			throw new SipCallError('emergency_number', 'This is an emergency number. Use a phone to call it directly: a call from here is slow and tells the emergency service the wrong place.')
		}
		refuse(mayCall(user.groups, settings))
		refuse(mayBeCalled(readNumber(wish.to, settings), settings))
		const callerId = chooseCallerId(wish.callerId, user.groups, settings)
		refuse('code' in callerId ? callerId : undefined)
		return chooseDevice(devices, wish.deviceId, settings)
	}

	/** The rules that look at other calls, and the last of them counts this one. */
	async #admit(user: CallingUser, settings: Settings, open: OpenCalls): Promise<void> {
		if (open.ofUser >= settings.maxConcurrentPerUser) {
			throw new SipCallError('already_in_call', 'You are in a call already. End it before you start another one.')
		}
		if (open.inAll >= settings.maxConcurrent) {
			throw new SipCallError('limit_reached', 'All lines are in use. Try again in a minute.', { retryAfterSec: 60 })
		}
		if (!this.#options.callSwitch.isReady()) {
			throw new SipCallError('switch_unavailable', 'The phone system cannot be reached. Try again in a moment, and tell your administrator if it stays so.', { retryAfterSec: 10 })
		}
		const waitSec = await this.#options.limiter.consume(user.id, settings.callsPerMinute)
		if (waitSec !== undefined) {
			throw new SipCallError('rate_limited', `You have called too often in the last minute. Try again in ${waitSec} seconds.`, {
				retryAfterSec: waitSec,
				extra: { limits: [{ kind: 'callsPerMinute', used: settings.callsPerMinute, max: settings.callsPerMinute }] },
			})
		}
	}

	#make(user: CallingUser, wish: CallWish, settings: Settings, device: Device): Call {
		const { clock, newUuid } = this.#options
		const callerId = chooseCallerId(wish.callerId, user.groups, settings)
		return {
			uuid: newUuid(),
			version: 1,
			userId: user.id,
			to: readNumber(wish.to, settings).e164,
			rawTo: wish.to,
			device: { id: device.id, label: device.label },
			...('number' in callerId && callerId.number !== undefined ? { callerId: callerId.number } : {}),
			...(wish.note === undefined ? {} : { note: wish.note }),
			tags: [],
			direction: 'outbound',
			status: 'queued',
			createdAt: clock.now(),
			onHold: false,
			legs: [
				{ uuid: newUuid(), role: 'user' },
				...settings.gateways.map((gateway) => ({ uuid: newUuid(), role: 'destination' as const, gateway })),
			],
			jobUuid: newUuid(),
		}
	}

	/** Written once. Whatever goes wrong is told as an event of the call, never tried again. */
	async #originate(plan: OriginatePlan): Promise<void> {
		try {
			await this.#options.callSwitch.originate(plan)
		} catch (error) {
			if (error instanceof OriginateRefused) {
				await this.#options.tracker.apply(plan.callUuid, { type: 'originate_failed', at: this.#options.clock.now(), ...error.failure })
				return
			}
			// Nobody knows whether the switch has it: its events or its answers about the legs will tell.
			this.#options.logger.warn('The switch did not confirm an originate; its legs will be asked for', { callUuid: plan.callUuid, error })
		}
	}
}

function chooseDevice(devices: readonly Device[], deviceId: string | undefined, settings: Settings): Device {
	const device = deviceId === undefined ? devices.find(({ isDefault }) => isDefault) ?? devices[0] : devices.find(({ id }) => id === deviceId)
	if (device === undefined) {
		throw new SipCallError('no_device', deviceId === undefined
			? 'You have no phone that could ring. Add one in the settings.'
			: 'This phone is not one of yours. Choose another one.')
	}
	if (!device.verified) {
		throw new SipCallError('no_device', 'This phone is not verified yet. Verify it in the settings, or choose another one.')
	}
	if (device.kind === 'phone') {
		// The A leg costs money as well: without this a user could relay to any number.
		refuse(mayBeCalled(readNumber(device.address, settings), settings))
	}
	return device
}

function refuse(refusal: Refusal | undefined): void {
	if (refusal !== undefined) {
		throw new SipCallError(refusal.code, refusal.message, { extra: { refusal: { code: refusal.code, message: refusal.message, fixableBy: refusal.fixableBy } } })
	}
}

/**
 * @throws {SipCallError} `invalid_number`
 */
export function readNumber(input: string, settings: Pick<Settings, 'homeCountry'>): ParsedNumber {
	const number = parseNumber(input, settings.homeCountry)
	if ('fault' in number) {
		throw new SipCallError('invalid_number', NUMBER_FAULTS[number.fault], { errors: [{ field: 'to', message: NUMBER_FAULTS[number.fault] }] })
	}
	return number
}

function planOf(call: Call, device: Device, settings: Settings): OriginatePlan {
	const callerId = call.callerId
	return {
		callUuid: call.uuid,
		jobUuid: call.jobUuid,
		user: {
			legUuid: legOfUser(call).uuid,
			target: device.kind === 'sip'
				? { kind: 'sip', template: settings.sipDialString, address: device.address, domain: settings.sipDomain ?? undefined }
				: { kind: 'phone', gateway: settings.gateways[0] ?? '', number: device.address },
			// A desk phone shows who is being called; a phone behind the trunk may only be shown a number that is ours.
			callerId: device.kind === 'sip' ? call.to : callerId,
			ringTimeoutSec: settings.ringTimeoutSec,
		},
		destination: {
			number: call.to,
			legs: legsOfDestination(call).map(({ uuid, gateway = '' }) => ({ legUuid: uuid, gateway })),
			callerId,
			answerTimeoutSec: settings.answerTimeoutSec,
			maxCallSec: settings.maxCallSec,
		},
	}
}
