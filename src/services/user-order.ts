// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { AdminUser } from './admin-api.ts'

import { getCanonicalLocale } from '@nextcloud/l10n'

export const USER_ORDERS = ['name', 'mayCall', 'phones', 'today', 'month', 'state'] as const
export type UserOrder = typeof USER_ORDERS[number]

const RANKS: Readonly<Record<Exclude<UserOrder, 'name'>, (user: AdminUser) => number>> = {
	mayCall: ({ mayCall }) => mayCall ? 0 : 1,
	phones: ({ devices }) => devices.length,
	/** By the share: who is near the limit. */
	today: ({ limitToday }) => limitToday.used / limitToday.max,
	month: ({ usage }) => usage.calls30Days,
	state: ({ enabled, lock }) => !enabled ? 2 : lock !== null ? 1 : 0,
}

/** Those that are loaded, in an order; who is alike in it stands by name. */
export function sortUsers(users: readonly AdminUser[], { by, isDescending }: { by: UserOrder, isDescending: boolean }): AdminUser[] {
	const collator = new Intl.Collator(getCanonicalLocale(), { numeric: true })
	const byName = (a: AdminUser, b: AdminUser) => collator.compare(a.displayName, b.displayName)
	const turn = isDescending ? -1 : 1
	return users.toSorted((a, b) => by === 'name' ? turn * byName(a, b) : turn * (RANKS[by](a) - RANKS[by](b)) || byName(a, b))
}
