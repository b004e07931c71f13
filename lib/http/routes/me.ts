// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { z } from 'zod'
import type { Device } from '../../calls/device.ts'
import type { Preferences, PreferencesChange } from '../../calls/preferences.ts'
import type { LimitState } from '../../policy/refusal.ts'
import type { Settings } from '../../policy/settings.ts'
import type { UserRule } from '../../policy/user-rule.ts'
import type { Route } from '../route.ts'
import type { MeJson } from '../schemas.ts'

import { readingFor } from '../../calls/call-rules.ts'
import { mayRing } from '../../calls/device.ts'
import { readNumber } from '../../calls/number-input.ts'
import { SipCallError } from '../../errors.ts'
import { grantedCallerIds, mayBeCalled } from '../../policy/policy.ts'
import { decideAccount } from '../../policy/rules.ts'
import { inField, route } from '../route.ts'
import { MeSchema, MeUpdateSchema } from '../schemas.ts'

export interface MeRoutesOptions {
	/** As Nextcloud knew the user last, when it cannot be asked: what is shown and stored here gives nobody a right. */
	user: (userId: string) => Promise<{ id: string, displayName: string, groups: readonly string[], isAdmin: boolean }>
	settings: () => Settings
	devices: { of: (userId: string) => Promise<Device[]>, replace: (userId: string, devices: readonly Device[]) => Promise<void> }
	preferences: {
		of: (userId: string) => Promise<Preferences>
		change: (userId: string, change: PreferencesChange) => Promise<Preferences>
		countMissed: (userId: string, since: Date | null) => Promise<number>
	}
	/** How far a user's limits are used. */
	limits: (user: { id: string }, settings: Settings) => Promise<{ limits: LimitState[], rule: UserRule }>
	isSwitchServing: () => boolean
	now: () => Date
	newUuid: () => string
}

type Wished = NonNullable<z.output<typeof MeUpdateSchema>['devices']>[number]

export function meRoutes({ user, settings, devices, preferences, limits: limitsOf, isSwitchServing, now, newUuid }: MeRoutesOptions): Route[] {
	const present = async (userId: string): Promise<MeJson> => {
		const current = settings()
		const [profile, list, { seenMissedAt, ...chosen }, { limits, rule }] = await Promise.all([user(userId), devices.of(userId), preferences.of(userId), limitsOf({ id: userId }, current)])
		const at = now()
		const refusal = decideAccount({ groups: profile.groups, rule, settings: current, at })
		return {
			id: profile.id,
			displayName: profile.displayName,
			roles: profile.isAdmin ? ['user', 'admin'] : ['user'],
			// A lock passes by itself and is told apart.
			permissions: { call: refusal === undefined || refusal.code === 'account_locked', admin: profile.isAdmin },
			lock: refusal?.code === 'account_locked' && refusal.untilAt !== undefined ? { until: refusal.untilAt.toISOString() } : null,
			country: readingFor(chosen, current).homeCountry,
			homeCountry: current.homeCountry,
			preferences: chosen,
			missedUnseen: await preferences.countMissed(userId, seenMissedAt),
			callerIds: grantedCallerIds(profile.groups, current).map(({ number, label }) => ({ number, label })),
			devices: list.map((device) => ({ ...device, verified: mayRing(device, current) })),
			limits: limits.flatMap(({ max, resetsAt, ...limit }) => max === undefined ? [] : [{ ...limit, max, ...(resetsAt === undefined ? {} : { resetsAt: resetsAt.toISOString() }) }]),
			retention: { callsDays: current.retention.callsDays, maskAfterDays: current.retention.maskAfterDays },
			statistics: current.statistics,
			service: { calling: isSwitchServing() ? 'ok' : 'down' },
		}
	}
	return [
		route({
			method: 'get',
			path: '/me',
			right: 'user',
			summary: 'The user’s profile, rights, phones and limits',
			answer: { status: 200, schema: MeSchema },
			refusals: ['forbidden', 'nextcloud_unavailable'],
			handle: async ({ caller }) => ({ status: 200, body: await present(caller.userId) }),
		}),
		route({
			method: 'put',
			path: '/me',
			right: 'user',
			summary: 'Change what is given; `devices` replaces the whole list',
			body: MeUpdateSchema,
			answer: { status: 200, schema: MeSchema },
			refusals: ['csrf', 'unsupported_media_type', 'payload_too_large', 'invalid_number', 'destination_not_allowed', 'caller_id_not_allowed', 'forbidden', 'nextcloud_unavailable'],
			handle: async ({ caller, body }) => {
				// Asked before anything is stored: somebody whom Nextcloud does not know must not leave data behind.
				const { groups } = await user(caller.userId)
				const current = settings()
				const { callerId, country } = body.preferences ?? {}
				if (callerId !== undefined && callerId !== null && !grantedCallerIds(groups, current).some(({ number }) => number === callerId)) {
					throw new SipCallError('caller_id_not_allowed', 'This caller ID is not one of yours. Choose one from the list.', { errors: [{ field: 'preferences.callerId', message: 'Not one of your caller IDs' }] })
				}
				// The list is checked before anything is changed, and read in the country that is chosen with it.
				const reading = async () => readingFor({ country: country === undefined ? (await preferences.of(caller.userId)).country : country }, current)
				const next = body.devices === undefined ? undefined : mergeDevices(body.devices, await devices.of(caller.userId), current, await reading(), newUuid)
				const change = changeOf(body, now())
				if (change !== undefined) {
					await preferences.change(caller.userId, change)
				}
				if (next !== undefined) {
					await devices.replace(caller.userId, next)
				}
				return { status: 200, body: await present(caller.userId) }
			},
		}),
	]
}

/** What is given, and nothing else. */
function changeOf({ preferences, seenMissedAt }: z.output<typeof MeUpdateSchema>, now: Date): PreferencesChange | undefined {
	if (preferences === undefined && seenMissedAt === undefined) {
		return undefined
	}
	const { notifications, ...given } = preferences ?? {}
	return {
		...withoutUndefined(given),
		...(notifications === undefined ? {} : { notifications: withoutUndefined(notifications) }),
		...(seenMissedAt === undefined ? {} : { seenMissedAt: seenMissedAt > now ? now : seenMissedAt }),
	}
}

function withoutUndefined<Value extends object>(value: Value): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
	return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as { [Key in keyof Value]: Exclude<Value[Key], undefined> }
}

/**
 * The new list of devices. A device keeps its id, and keeps being verified only while its address stays the same.
 *
 * @throws {SipCallError} `invalid_request` for an id that is not the user's, two defaults or two equal phones;
 * `invalid_number` (also with an extension), `destination_not_allowed` for a phone that may not be rung
 */
export function mergeDevices(wished: readonly Wished[], existing: readonly Device[], settings: Settings, reading: Pick<Settings, 'homeCountry'>, newUuid: () => string): Device[] {
	if (wished.filter(({ isDefault }) => isDefault === true).length > 1) {
		throw invalid('devices', 'Only one device can be the default')
	}
	const merged = wished.map((wish, position): Device => {
		const before = wish.id === undefined ? undefined : existing.find(({ id }) => id === wish.id)
		if (wish.id !== undefined && before === undefined) {
			throw invalid(`devices.${position}.id`, 'Not one of your devices; leave the id out to add one')
		}
		const address = wish.kind === 'phone' ? inField(`devices.${position}.address`, () => allowedPhone(wish.address, settings, reading)) : wish.address
		const isUnchanged = before !== undefined && before.kind === wish.kind && before.address === address
		return {
			id: before?.id ?? newUuid(),
			kind: wish.kind,
			label: wish.label,
			address,
			isDefault: wish.isDefault ?? false,
			verified: isUnchanged && before.verified,
		}
	})
	if (new Set(merged.map(({ kind, address }) => `${kind} ${address}`)).size < merged.length || new Set(merged.map(({ id }) => id)).size < merged.length) {
		throw invalid('devices', 'The same phone stands in the list twice')
	}
	const first = merged[0]
	if (first !== undefined && !merged.some(({ isDefault }) => isDefault)) {
		first.isDefault = true
	}
	return merged
}

function allowedPhone(input: string, settings: Settings, reading: Pick<Settings, 'homeCountry'>): string {
	const number = readNumber(input, reading)
	if (number.extension !== undefined) {
		// It would be rung as the switchboard, and the person is not the one who answers there.
		throw new SipCallError('invalid_number', 'A phone of yours must be reached by its own number, without an extension.')
	}
	const refusal = mayBeCalled(number, settings)
	if (refusal !== undefined) {
		throw new SipCallError(refusal.code, refusal.message)
	}
	return number.e164
}

function invalid(field: string, message: string): SipCallError {
	return new SipCallError('invalid_request', `The request is not valid: ${message}.`, { errors: [{ field, message }] })
}
