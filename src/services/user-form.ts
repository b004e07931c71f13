// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What an administrator decides for one user, as a form has it, and back. */

import type { AdminUser, UserChange } from './admin-api.ts'

export const OWN_LIMITS = { callsPerMinute: 1_000_000, callsPerHour: 1_000_000, callsPerDay: 1_000_000, maxDistinctPerDay: 100_000, maxConcurrentPerUser: 1000, maxCallSec: 86_400 } as const
export type OwnLimit = keyof typeof OWN_LIMITS

export interface UserForm {
	permission: 'groups' | 'yes' | 'no'
	/** Empty = everybody's. */
	limits: Record<OwnLimit, string>
	approvedCountries: string[]
	/** The ids of those that may ring. */
	verified: string[]
	isLocked: boolean
	/** By this computer's clock, as a field for date and time has it. */
	lockedUntil: string
	/** Empty = none. */
	lockReason: string
}

export type UserFaults = Readonly<Partial<Record<OwnLimit, { min: number, max: number }> & { lock: true }>>

const HOUR_MS = 60 * 60 * 1000

export function userFormOf({ permission, limits, approvedCountries, devices, lock }: AdminUser, now: Date): UserForm {
	return {
		permission: permission === null ? 'groups' : permission ? 'yes' : 'no',
		limits: Object.fromEntries(Object.keys(OWN_LIMITS).map((key) => [key, String(limits[key as OwnLimit] ?? '')])) as Record<OwnLimit, string>,
		approvedCountries: [...approvedCountries],
		verified: devices.filter(({ verified }) => verified).map(({ id }) => id),
		isLocked: lock !== null,
		lockedUntil: localTime(lock === null ? new Date(now.getTime() + HOUR_MS) : new Date(lock.until)),
		lockReason: lock?.reason ?? '',
	}
}

/** @return what is to be changed, and what keeps it from being sent */
export function userChangeOf(user: AdminUser, form: UserForm, now: Date): { change: UserChange, faults: UserFaults } {
	const faults: { -readonly [Key in keyof UserFaults]: UserFaults[Key] } = {}
	const before = userFormOf(user, now)
	const change: UserChange = {}
	if (form.permission !== before.permission) {
		change.permission = form.permission === 'groups' ? null : form.permission === 'yes'
	}
	if (JSON.stringify(form.limits) !== JSON.stringify(before.limits)) {
		change.limits = limitsOf(user, form, faults)
	}
	if (form.approvedCountries.toSorted().join() !== before.approvedCountries.toSorted().join()) {
		change.approvedCountries = form.approvedCountries
	}
	const devices = user.devices.filter(({ id, verified }) => form.verified.includes(id) !== verified).map(({ id, verified }) => ({ id, verified: !verified }))
	if (devices.length > 0) {
		change.devices = devices
	}
	if (!form.isLocked && before.isLocked) {
		change.lock = null
	} else if (form.isLocked && (!before.isLocked || form.lockedUntil !== before.lockedUntil || form.lockReason.trim() !== before.lockReason)) {
		// The field knows no seconds: a lock whose end nobody has touched keeps it.
		const until = new Date(user.lock !== null && form.lockedUntil === before.lockedUntil ? user.lock.until : form.lockedUntil)
		if (Number.isNaN(until.getTime()) || until <= now) {
			faults.lock = true
		} else {
			change.lock = { until: until.toISOString(), ...(form.lockReason.trim() === '' ? {} : { reason: form.lockReason.trim() }) }
		}
	}
	return { change, faults }
}

function limitsOf(user: AdminUser, form: UserForm, faults: { -readonly [Key in keyof UserFaults]: UserFaults[Key] }): NonNullable<UserChange['limits']> {
	const limits: Partial<Record<OwnLimit, number | null>> = {}
	for (const [key, max] of Object.entries(OWN_LIMITS) as [OwnLimit, number][]) {
		const text = form.limits[key].trim()
		// null, any number of different destinations, is no number that could be typed here: it is kept as it is.
		if (text === '') {
			if (key === 'maxDistinctPerDay' && user.limits.maxDistinctPerDay === null) {
				limits[key] = null
			}
			continue
		}
		const value = /^\d{1,7}$/.test(text) ? Number(text) : 0
		if (value < 1 || value > max) {
			faults[key] = { min: 1, max }
		}
		limits[key] = value
	}
	return limits as NonNullable<UserChange['limits']>
}

function localTime(date: Date): string {
	const two = (value: number) => String(value).padStart(2, '0')
	return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`
}
