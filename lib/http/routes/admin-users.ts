// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Device } from '../../calls/device.ts'
import type { Settings } from '../../policy/settings.ts'
import type { OwnLimits, UserRule } from '../../policy/user-rule.ts'
import type { AuditTrail } from '../../privacy/audit-trail.ts'
import type { Route } from '../route.ts'

import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { mayRing } from '../../calls/device.ts'
import { SipCallError } from '../../errors.ts'
import { dayOf } from '../../policy/calendar.ts'
import { decideAccount } from '../../policy/rules.ts'
import { NO_RULE, settingsFor } from '../../policy/user-rule.ts'
import { route } from '../route.ts'
import { anyUuid, country, DeviceSchema, moment, text, time, whole } from '../schemas.ts'

interface KnownUser {
	id: string
	displayName: string
	groups: readonly string[]
	isEnabled: boolean
}

export interface AdminUsersOptions {
	/** Nextcloud's users, asked in an admin's name. */
	search: (adminId: string, query: { search: string, limit: number, offset: number }) => Promise<KnownUser[]>
	find: (adminId: string, userId: string) => Promise<KnownUser | undefined>
	rules: {
		ofMany: (userIds: readonly string[]) => Promise<Map<string, UserRule>>
		change: (userId: string, change: Partial<UserRule>, at: Date) => Promise<void>
	}
	devices: {
		ofMany: (userIds: readonly string[]) => Promise<Map<string, Device[]>>
		setVerified: (userId: string, deviceId: string, verified: boolean) => Promise<boolean>
	}
	usage: (userIds: readonly string[], at: Date, dayFrom: Date) => Promise<Map<string, { callsToday: number, calls30Days: number, lastCallAt: Date | undefined }>>
	/** How far the calls of a day are used, with the settings as they are for this user. */
	limitToday: (userId: string, settings: Settings) => Promise<{ used: number, max: number }>
	settings: () => Settings
	audit: AuditTrail
	now: () => Date
}

const count = (largest: number) => z.int().min(1).max(largest)
const Limits = z.strictObject({
	callsPerMinute: count(1_000_000),
	callsPerHour: count(1_000_000),
	callsPerDay: count(1_000_000),
	maxDistinctPerDay: count(100_000).nullable(),
	maxConcurrentPerUser: count(1000),
	maxCallSec: count(86_400),
}).partial()

const UserSchema = z.object({
	id: z.string(),
	displayName: z.string(),
	groups: z.array(z.string()),
	enabled: z.boolean().describe('In Nextcloud'),
	mayCall: z.boolean().describe('As things are now: by the groups or by the permission, and not locked'),
	permission: z.boolean().nullable().describe('Over the groups; null = the groups decide'),
	limits: Limits.describe('The user’s own; what is left out is everybody’s'),
	lock: z.object({ until: time, by: z.enum(['refusals', 'admin']), reason: z.string().optional() }).nullable(),
	approvedCountries: z.array(z.string()),
	devices: z.array(DeviceSchema),
	usage: z.object({ callsToday: z.int(), calls30Days: z.int(), lastCallAt: time.optional() }),
	limitToday: z.object({ used: z.int(), max: z.int() }).describe('Of `callsPerDay`, the user’s own or everybody’s: what was counted since the first call of the last 24 hours'),
}).meta({ id: 'AdminUser' })

export type UserJson = z.infer<typeof UserSchema>

const Change = z.strictObject({
	permission: z.boolean().nullable().optional(),
	limits: Limits.optional().describe('Replaces the user’s own limits'),
	lock: z.strictObject({ until: moment, reason: text(500).optional().describe('For administrators, and in the user’s own export; the audit log never has it') }).nullable().optional().describe('null unlocks'),
	approvedCountries: z.array(country).max(300).optional(),
	devices: z.array(z.strictObject({ id: anyUuid, verified: z.boolean() })).max(20).optional(),
}).meta({ id: 'AdminUserChange' })

export type UserChangeJson = z.input<typeof Change>

const UserParams = z.object({ id: text(256).min(1) })

export function adminUserRoutes(options: AdminUsersOptions): Route[] {
	const { search, find, rules, devices, usage, limitToday, settings, audit, now } = options
	const present = async (users: readonly KnownUser[]): Promise<UserJson[]> => {
		const ids = users.map(({ id }) => id)
		const at = now()
		const [byRule, byDevice, byUsage] = await Promise.all([rules.ofMany(ids), devices.ofMany(ids), usage(ids, at, dayOf(at, settings().timeZone).from)])
		return Promise.all(users.map(async (user) => {
			const rule = byRule.get(user.id) ?? NO_RULE
			return { ...presentUser(user, rule, byDevice.get(user.id) ?? [], byUsage.get(user.id), settings(), at), limitToday: await limitToday(user.id, settingsFor(settings(), rule)) }
		}))
	}
	return [
		route({
			method: 'get',
			path: '/admin/users',
			right: 'admin',
			summary: 'Nextcloud’s users with their rights, limits, phones and usage',
			query: z.object({ search: text(100).default(''), limit: whole(1, 200).default(50), offset: whole(0, 1_000_000).default(0) }),
			answer: { status: 200, schema: z.object({ items: z.array(UserSchema), nextOffset: z.int().nullable() }).meta({ id: 'AdminUsers' }) },
			refusals: ['forbidden', 'nextcloud_unavailable'],
			handle: async ({ caller, query }) => {
				const found = await search(caller.userId, { ...query, limit: query.limit + 1 })
				const items = await present(found.slice(0, query.limit))
				return { status: 200, body: { items, nextOffset: found.length > query.limit ? query.offset + query.limit : null } }
			},
		}),
		route({
			method: 'put',
			path: '/admin/users/{id}',
			right: 'admin',
			summary: 'Change a user’s permission, own limits, lock, approved countries or the proof of phones',
			params: UserParams,
			body: Change,
			answer: { status: 200, schema: UserSchema },
			refusals: ['csrf', 'unsupported_media_type', 'payload_too_large', 'forbidden', 'not_found', 'nextcloud_unavailable'],
			handle: async ({ caller, params: { id }, body }) => {
				const user = await find(caller.userId, id)
				if (user === undefined) {
					throw new SipCallError('not_found', 'Nextcloud has no such user.')
				}
				// Nextcloud finds a user by any spelling of the id; what is stored goes by its own.
				const before = (await rules.ofMany([user.id])).get(user.id) ?? NO_RULE
				const change = changeOf(body)
				const save = async () => {
					await rules.change(user.id, change, now())
					for (const device of body.devices ?? []) {
						if (!await devices.setVerified(user.id, device.id, device.verified)) {
							throw new SipCallError('not_found', 'The user has no such phone. The other changes are saved.')
						}
					}
				}
				const detail = told(before, change, body.devices ?? [])
				await (Object.keys(detail).length === 0 ? save() : audit.during({ actor: { kind: 'admin', userId: caller.userId }, action: 'user.changed', targetUserId: user.id, detail }, save))
				const [presented] = await present([user])
				return { status: 200, body: presented }
			},
		}),
	]
}

/** What is given, and nothing else: a lock that comes meanwhile stays. */
function changeOf({ permission, limits, lock, approvedCountries }: z.output<typeof Change>): Partial<UserRule> {
	return {
		...(permission === undefined ? {} : { mayCall: permission }),
		...(limits === undefined ? {} : { limits: Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)) as OwnLimits }),
		...(lock === undefined ? {} : { lock: lock === null ? null : { until: lock.until, by: 'admin' as const, ...(lock.reason === undefined || lock.reason.trim() === '' ? {} : { reason: lock.reason.trim() }) } }),
		...(approvedCountries === undefined ? {} : { approvedCountries }),
	}
}

/** What an entry of the audit log says of a change. */
function told(before: UserRule, after: Partial<UserRule>, devices: readonly { id: string, verified: boolean }[]): Record<string, unknown> {
	const keys = (Object.keys(after) as (keyof UserRule)[]).filter((key) => !isDeepStrictEqual(before[key], after[key]))
	return {
		...Object.fromEntries(keys.map((key) => [key, { old: withoutReason(before[key]), new: withoutReason(after[key]) }])),
		...(devices.length === 0 ? {} : { phones: devices.map(({ id, verified }) => ({ id, verified })) }),
	}
}

/** Of a lock; the reason is a note on a person, which the audit log, never erased, must not hold. */
function withoutReason(value: UserRule[keyof UserRule] | undefined): unknown {
	return value !== null && typeof value === 'object' && 'by' in value ? { until: value.until, by: value.by } : value
}

function presentUser(user: KnownUser, rule: UserRule, list: readonly Device[], used: { callsToday: number, calls30Days: number, lastCallAt: Date | undefined } | undefined, settings: Settings, at: Date): Omit<UserJson, 'limitToday'> {
	const isLocked = rule.lock !== null && rule.lock.until.getTime() > at.getTime()
	return {
		id: user.id,
		displayName: user.displayName,
		groups: [...user.groups],
		enabled: user.isEnabled,
		mayCall: user.isEnabled && decideAccount({ groups: user.groups, rule, settings, at }) === undefined,
		permission: rule.mayCall,
		limits: rule.limits,
		lock: isLocked && rule.lock !== null ? { ...rule.lock, until: rule.lock.until.toISOString() } : null,
		approvedCountries: [...rule.approvedCountries],
		devices: list.map((device) => ({ ...device, verified: mayRing(device, settings) })),
		usage: { callsToday: used?.callsToday ?? 0, calls30Days: used?.calls30Days ?? 0, ...(used?.lastCallAt === undefined ? {} : { lastCallAt: used.lastCallAt.toISOString() }) },
	}
}
