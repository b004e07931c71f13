// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The rules a call must pass before it is placed, in the order in which a person is told of them.

import type { ParsedNumber } from '../numbering/parse-number.ts'
import type { Charge } from '../policy/rules.ts'
import type { Settings } from '../policy/settings.ts'
import type { Device } from './device.ts'
import type { GatewayWatch } from './gateway-watch.ts'
import type { CallingState, CallLimiter, CallQuota, FactsRequest, Slot, SlotKeeper } from './ports.ts'

import { SipCallError } from '../errors.ts'
import { isEmergencyNumber } from '../numbering/emergency.ts'
import { parseNumber } from '../numbering/parse-number.ts'
import { dayOf, monthOf } from '../policy/calendar.ts'
import { chooseCallerId, mayBeCalled } from '../policy/policy.ts'
import { chargeFor, decide, decideAccount, isSpendLimited } from '../policy/rules.ts'
import { settingsFor } from '../policy/user-rule.ts'
import { mayRing } from './device.ts'
import { needSlot } from './dialling.ts'
import { readNumber } from './number-input.ts'
import { rateLimited, refuse, refused } from './refusals.ts'

/** Who asks, as Nextcloud vouches for. */
export interface CallingUser {
	id: string
	groups: readonly string[]
	/** ISO 3166, for numbers that this user types in national form; without it the home country. It decides nothing else. */
	country?: string | null
	/** E.164, shown where a wish names none, while it is granted. */
	callerId?: string | null
}

/** How a user's numbers in national form are read. */
export function readingFor({ country }: Pick<CallingUser, 'country'>, { homeCountry }: Pick<Settings, 'homeCountry'>): Pick<Settings, 'homeCountry'> {
	return { homeCountry: country ?? homeCountry }
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
	/** What counts as spent while the call is open; undefined = no rate is known, and none is needed. */
	charge: Charge | undefined
}

/** A wish that passed the rules. */
export interface AllowedCall extends AllowedDestination {
	/** The phone that rings. */
	device: Device
}

/** All that a decision is made of. */
export interface Circumstances {
	user: CallingUser
	/** Of everybody; the user's own limits are in the state. */
	settings: Settings
	state: CallingState
	at: Date
	/** ISO countries that the company behind the trunk lets through; undefined = not known. */
	carrierCountries: readonly string[] | undefined
}

/** What must be known of other calls to decide on this one. */
export function factsFor(user: Pick<CallingUser, 'id' | 'country'>, to: string, settings: Settings, at: Date): FactsRequest {
	const number = parseNumber(to, readingFor(user, settings).homeCountry)
	const isNumber = !('fault' in number)
	return {
		userId: user.id,
		number: isNumber ? number.e164 : undefined,
		country: isNumber ? number.country : undefined,
		at,
		dayFrom: dayOf(at, settings.timeZone).from,
		monthFrom: monthOf(at, settings.timeZone).from,
		isSpendLimited: isSpendLimited(settings),
	}
}

/**
 * Everything but what counts attempts.
 *
 * @throws {SipCallError} `emergency_number`, `calling_not_permitted`, `account_locked`, `invalid_number`,
 * `destination_not_allowed`, `caller_id_not_allowed`, `no_device`, `already_in_call`, `limit_reached`
 */
export function allowCall(wish: CallWish, circumstances: Circumstances, devices: readonly Device[]): AllowedCall {
	const wished = findDevice(devices, wish.deviceId)
	const destination = allowDestination(wish, circumstances, wished?.kind === 'phone' ? wished.address : undefined)
	return { ...destination, device: chooseDevice(devices, wish.deviceId, circumstances.settings, circumstances.at) }
}

/**
 * Where a call may go and whose number it shows: of a new call, and of one that is transferred.
 *
 * @param ownPhone E.164 of the user's own phone, when it is rung through the trunk
 * @throws {SipCallError} as `allowCall`, without `no_device`
 */
export function allowDestination(wish: Pick<CallWish, 'to' | 'callerId'>, { user, settings: ofAll, state: { rule, facts }, at, carrierCountries }: Circumstances, ownPhone?: string): AllowedDestination {
	const settings = settingsFor(ofAll, rule)
	// First of all, and counted nowhere: who needs help must be told at once to use a real phone.
	const reading = readingFor(user, settings)
	if (isEmergencyNumber(wish.to, settings.homeCountry) || isEmergencyNumber(wish.to, reading.homeCountry)) {
		throw new SipCallError('emergency_number', 'This is an emergency number. Use a phone to call it directly: a call from here is slow and tells the emergency service the wrong place.')
	}
	const account = { groups: user.groups, rule, settings, at }
	refuse(decideAccount(account), at)
	const number = readNumber(wish.to, reading)
	refuse(decide({ ...account, number, ownPhone, callerId: wish.callerId, facts, carrierCountries }), at)
	const callerId = chooseCallerId(wish.callerId ?? preferredCallerId(user, settings), user.groups, settings)
	// The rules have refused one that is not granted.
	return { number, callerId: 'code' in callerId ? undefined : callerId.number, charge: chargeFor(number, ownPhone, settings) }
}

/** The number that the user has chosen, unless it was taken from the user since. */
function preferredCallerId({ callerId, groups }: CallingUser, settings: Settings): string | undefined {
	return callerId !== null && callerId !== undefined && 'number' in chooseCallerId(callerId, groups, settings) ? callerId : undefined
}

/**
 * The last of all: it counts.
 *
 * @return the place that is kept for its originate; whoever does not dial gives it back
 * @throws {SipCallError} `switch_unavailable`, `trunk_unavailable`, `rate_limited`
 */
export async function admitCall(user: CallingUser, settings: Settings, callSwitch: SlotKeeper, gateways: Pick<GatewayWatch, 'hasAny' | 'need'>, limiter: CallLimiter, at: Date): Promise<Slot> {
	gateways.need(settings.gateways)
	const slot = needSlot(callSwitch.reserve((node) => gateways.hasAny(settings.gateways, node)))
	try {
		await countAttempt(user, settings, limiter, at)
	} catch (error) {
		slot.release()
		throw error
	}
	return slot
}

/**
 * The rules that look at other transfers; the last of them counts this one as a call, which it is.
 *
 * @param handedOver how many whom the user has transferred still talk: each pair holds two lines that nobody here can
 * hang up, so one account must not be able to heap them up
 * @throws {SipCallError} `limit_reached`, `rate_limited`
 */
export async function admitTransfer(user: CallingUser, settings: Settings, handedOver: number, limiter: CallLimiter, at: Date): Promise<void> {
	const max = settings.maxConcurrentPerUser
	if (handedOver >= max) {
		throw refused({
			code: 'limit_reached',
			message: 'Those whom you transferred last are still talking. Transfer this call when they have hung up.',
			rule: 'maxConcurrentPerUser',
			fixableBy: 'nobody',
			retryAfterSec: 60,
			limit: { kind: 'maxConcurrentPerUser', used: handedOver, max },
		}, at)
	}
	await countAttempt(user, settings, limiter, at)
}

async function countAttempt(user: CallingUser, settings: Settings, limiter: CallLimiter, at: Date): Promise<void> {
	const refusal = await limiter.consume(user.id, quotasOf(settings))
	if (refusal !== undefined) {
		throw rateLimited(refusal, at)
	}
}

/** The wished one, else the default one, whether or not it may ring. */
function findDevice(devices: readonly Device[], deviceId: string | undefined): Device | undefined {
	return deviceId === undefined ? devices.find(({ isDefault }) => isDefault) ?? devices[0] : devices.find(({ id }) => id === deviceId)
}

function chooseDevice(devices: readonly Device[], deviceId: string | undefined, settings: Settings, at: Date): Device {
	const device = findDevice(devices, deviceId)
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
		refuse(mayBeCalled(readNumber(device.address, settings), settings), at)
	}
	return device
}

/** How often a user may start calls. */
export function quotasOf({ callsPerMinute, callsPerHour, callsPerDay }: Settings): CallQuota[] {
	return [
		{ kind: 'callsPerDay', max: callsPerDay, windowSec: 86_400 },
		{ kind: 'callsPerHour', max: callsPerHour, windowSec: 3_600 },
		{ kind: 'callsPerMinute', max: callsPerMinute, windowSec: 60 },
	]
}
