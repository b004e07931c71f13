// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The rules a call must pass before it is placed, and what the person is told when it does not.

import type { NumberFault, ParsedNumber } from '../numbering/parse-number.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { Settings } from '../policy/settings.ts'
import type { Device } from './device.ts'
import type { CallLimiter, CallQuota, CallSwitch, OpenCalls, QuotaRefusal } from './ports.ts'

import { SipCallError } from '../errors.ts'
import { isEmergencyNumber } from '../numbering/emergency.ts'
import { parseNumber } from '../numbering/parse-number.ts'
import { chooseCallerId, mayBeCalled, mayCall } from '../policy/policy.ts'
import { mayRing } from './device.ts'

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

/** Where a call may go, and as whom: nothing in here is what somebody typed. */
export interface AllowedDestination {
	number: ParsedNumber
	/** E.164; undefined = the gateway's own. */
	callerId: string | undefined
}

/** A wish that passed the rules. */
export interface AllowedCall extends AllowedDestination {
	/** The phone that rings. */
	device: Device
}

const NUMBER_FAULTS: Readonly<Record<NumberFault, string>> = {
	empty: 'There is no number. Type one with its country code, such as +49 30 123456.',
	too_long: 'This is too long for a phone number. Type the number alone.',
	not_a_number: 'This is not a phone number. Use digits, and + for the country code, such as +49 30 123456.',
	needs_country_code: 'The country is missing. Begin the number with + and the country code, such as +49 30 123456.',
	several_numbers: 'This looks like several numbers. Type the one to call.',
	service_code: 'Service codes such as *21# cannot be dialled. Keys to press once somebody has answered stand behind the number, such as +49 30 123456 ext. 12#.',
	needs_area_code: 'The area code is missing, or the 0 before it. Type the whole number, such as 030 123456 or +49 30 123456.',
	bad_extension: 'The extension is not one that can be dialled. Write it behind the number, such as +49 30 123456 ext. 12, with up to 20 digits, * and #.',
	extension_not_supported: 'This kind of extension cannot be dialled. Type the number without it, or the extension behind it, such as +49 30 123456 ext. 12.',
	impossible: 'No number looks like this. Check the digits and the country code.',
}

const WINDOW_WORDS: Readonly<Record<CallQuota['kind'], string>> = {
	callsPerMinute: 'a minute',
	callsPerHour: 'an hour',
	callsPerDay: 'a day',
}

/**
 * The rules that look at this call alone.
 *
 * @throws {SipCallError} `emergency_number`, `calling_not_permitted`, `invalid_number`, `destination_not_allowed`,
 * `caller_id_not_allowed`, `no_device`
 */
export function allowCall(user: CallingUser, wish: CallWish, settings: Settings, devices: readonly Device[]): AllowedCall {
	return { ...allowDestination(user, wish, settings), device: chooseDevice(devices, wish.deviceId, settings) }
}

/**
 * The rules for where a call may go and whose number it shows: of a new call, and of one that is transferred.
 *
 * @throws {SipCallError} `emergency_number`, `calling_not_permitted`, `invalid_number`, `destination_not_allowed`,
 * `caller_id_not_allowed`
 */
export function allowDestination(user: CallingUser, wish: Pick<CallWish, 'to' | 'callerId'>, settings: Settings): AllowedDestination {
	// First of all, and counted nowhere: who needs help must be told at once to use a real phone.
	if (isEmergencyNumber(wish.to, settings.homeCountry)) {
		throw new SipCallError('emergency_number', 'This is an emergency number. Use a phone to call it directly: a call from here is slow and tells the emergency service the wrong place.')
	}
	refuse(mayCall(user.groups, settings))
	const number = readNumber(wish.to, settings)
	refuse(mayBeCalled(number, settings))
	const callerId = chooseCallerId(wish.callerId, user.groups, settings)
	if ('code' in callerId) {
		throw refused(callerId)
	}
	return { number, callerId: callerId.number }
}

/**
 * The rules that look at other calls; the last of them counts this one.
 *
 * @throws {SipCallError} `already_in_call`, `limit_reached`, `switch_unavailable`, `rate_limited`
 */
export async function admitCall(user: CallingUser, settings: Settings, open: OpenCalls, callSwitch: CallSwitch, limiter: CallLimiter): Promise<void> {
	if (open.ofUser >= settings.maxConcurrentPerUser) {
		throw new SipCallError('already_in_call', 'You are in a call already. End it before you start another one.')
	}
	if (open.inAll >= settings.maxConcurrent) {
		const max = settings.maxConcurrent
		throw new SipCallError('limit_reached', 'All lines are in use. Try again in a minute.', {
			retryAfterSec: 60,
			rateLimit: { policy: 'maxConcurrent', quota: max, windowSec: 60, remaining: 0, resetSec: 60 },
			extra: { limits: [{ kind: 'maxConcurrent', used: open.inAll, max }] },
		})
	}
	if (!callSwitch.isReady()) {
		throw new SipCallError('switch_unavailable', 'The phone system cannot be reached. Try again in a moment, and tell your administrator if it stays so.', { retryAfterSec: 10 })
	}
	await countAttempt(user, settings, limiter)
}

/**
 * The rules that look at other transfers; the last of them counts this one as a call, which it is.
 *
 * @param handedOver how many whom the user has transferred still talk: each pair holds two lines that nobody here can
 * hang up, so one account must not be able to heap them up
 * @throws {SipCallError} `limit_reached`, `rate_limited`
 */
export async function admitTransfer(user: CallingUser, settings: Settings, handedOver: number, limiter: CallLimiter): Promise<void> {
	const max = settings.maxConcurrentPerUser
	if (handedOver >= max) {
		throw new SipCallError('limit_reached', 'Those whom you transferred last are still talking. Transfer this call when they have hung up.', {
			retryAfterSec: 60,
			rateLimit: { policy: 'maxConcurrentPerUser', quota: max, windowSec: 60, remaining: 0, resetSec: 60 },
			extra: { limits: [{ kind: 'maxConcurrentPerUser', used: handedOver, max }] },
		})
	}
	await countAttempt(user, settings, limiter)
}

async function countAttempt(user: CallingUser, settings: Settings, limiter: CallLimiter): Promise<void> {
	const refusal = await limiter.consume(user.id, quotasOf(settings))
	if (refusal !== undefined) {
		throw rateLimited(refusal)
	}
}

function chooseDevice(devices: readonly Device[], deviceId: string | undefined, settings: Settings): Device {
	const device = deviceId === undefined ? devices.find(({ isDefault }) => isDefault) ?? devices[0] : devices.find(({ id }) => id === deviceId)
	if (device === undefined) {
		throw new SipCallError('no_device', deviceId === undefined
			? 'You have no phone that could ring. Add one in the settings.'
			: 'This phone is not one of yours. Choose another one.')
	}
	if (!mayRing(device, settings)) {
		throw new SipCallError('no_device', 'This phone is not verified yet. Verify it in the settings, or choose another one.')
	}
	if (device.kind === 'phone') {
		// The A leg costs money as well: without this a user could relay to any number.
		refuse(mayBeCalled(readNumber(device.address, settings), settings))
	}
	return device
}

/** The widest window first, as the limiter wants them. */
function quotasOf({ callsPerMinute, callsPerHour, callsPerDay }: Settings): CallQuota[] {
	return [
		{ kind: 'callsPerDay', max: callsPerDay, windowSec: 86_400 },
		{ kind: 'callsPerHour', max: callsPerHour, windowSec: 3_600 },
		{ kind: 'callsPerMinute', max: callsPerMinute, windowSec: 60 },
	]
}

function rateLimited({ quota: { kind, max, windowSec }, retryAfterSec }: QuotaRefusal<CallQuota>): SipCallError {
	const resetsAt = `Try again in ${retryAfterSec < 120 ? `${retryAfterSec} seconds` : `${Math.ceil(retryAfterSec / 60)} minutes`}.`
	return new SipCallError('rate_limited', `You have started the ${max} calls that are allowed in ${WINDOW_WORDS[kind]}. ${resetsAt}`, {
		retryAfterSec,
		rateLimit: { policy: kind, quota: max, windowSec, remaining: 0, resetSec: retryAfterSec },
		extra: { limits: [{ kind, used: max, max }] },
	})
}

function refuse(refusal: Refusal | undefined): void {
	if (refusal !== undefined) {
		throw refused(refusal)
	}
}

function refused({ code, message, fixableBy }: Refusal): SipCallError {
	return new SipCallError(code, message, { extra: { refusal: { code, message, fixableBy } } })
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
