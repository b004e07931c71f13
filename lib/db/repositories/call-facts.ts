// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager } from '@mikro-orm/postgresql'
import type { CallingState, FactsRequest } from '../../calls/ports.ts'
import type { UserRuleRow } from './user-rule-repository.ts'

import { USER_RULE_COLUMNS, userRuleOf } from './user-rule-repository.ts'

const HOUR_MS = 60 * 60 * 1000

interface FactsRow extends UserRuleRow {
	open_in_all: number
	open_of_user: number
	handed_over: number
	distinct_today: number
	is_called_today: boolean
	is_country_known: boolean
	calls_last_hour: number
	spent_today: string
	spent_this_month: string
}

/**
 * What the policy must know of other calls, and of the user, in one question. Sums that no setting asks for are not made.
 *
 * @param indexes blind ones, of the number and of the user
 */
export async function readCallingState(em: EntityManager, request: FactsRequest, indexes: { to: string, user: string }): Promise<CallingState> {
	const { userId, country, at, dayFrom, monthFrom, isSpendLimited } = request
	const spentSince = `select ((select coalesce(sum(coalesce(cost_micros, reserved_micros)), 0) from calls where reserved_micros is not null and created_at >= ?)
		+ (select coalesce(sum(reserved_micros), 0) from transfers where reserved_micros is not null and created_at >= ?)
		+ (select coalesce(sum(micros), 0) from spent_before where created_at >= ?))::text`
	const anHourAgo = new Date(at.getTime() - HOUR_MS)
	const [row] = await em.execute<FactsRow[]>(
		`select
			((select count(*) from calls where status <> 'ended') + (select count(*) from handed_over_legs))::int as open_in_all,
			(select count(*)::int from handed_over_legs where user_index = ?) as handed_over,
			(select count(*)::int from calls where status <> 'ended' and user_id = ?) as open_of_user,
			(select count(distinct to_index)::int from (
				select to_index from calls where user_id = ? and created_at >= ?
				union all select to_index from transfers where user_id = ? and created_at >= ?
				union all select number_index from erased_calls where user_index = ? and created_at >= ?
			) called) as distinct_today,
			(exists (select from calls where user_id = ? and to_index = ? and created_at >= ?)
				or exists (select from transfers where user_id = ? and to_index = ? and created_at >= ?)) as is_called_today,
			(exists (select from calls where user_id = ? and country = ?)
				or exists (select from transfers where user_id = ? and country = ?)) as is_country_known,
			((select count(*) from calls where user_id = ? and created_at > ?)
				+ (select count(*) from transfers where user_id = ? and created_at > ?)
				+ (select count(*) from erased_calls where user_index = ? and created_at > ?))::int as calls_last_hour,
			${isSpendLimited ? `(${spentSince})` : '\'0\''} as spent_today,
			${isSpendLimited ? `(${spentSince})` : '\'0\''} as spent_this_month,
			${USER_RULE_COLUMNS.map((column) => `rule.${column}`).join(', ')}
		from (select 1) as one left join user_rules rule on rule.user_id = ?`,
		[
			indexes.user,
			userId,
			...[userId, dayFrom, userId, dayFrom, indexes.user, dayFrom],
			...[userId, indexes.to, dayFrom, userId, indexes.to, dayFrom],
			...[userId, country ?? null, userId, country ?? null],
			...[userId, anHourAgo, userId, anHourAgo, indexes.user, anHourAgo],
			...(isSpendLimited ? [dayFrom, dayFrom, dayFrom, monthFrom, monthFrom, monthFrom] : []),
			userId,
		],
	)
	if (row === undefined) {
		throw new TypeError('A question without a table has one answer')
	}
	return {
		rule: userRuleOf(row),
		handedOver: row.handed_over,
		facts: {
			openOfUser: row.open_of_user,
			openInAll: row.open_in_all,
			distinctToday: row.distinct_today,
			isCalledToday: row.is_called_today,
			isCountryKnown: row.is_country_known,
			callsLastHour: row.calls_last_hour,
			spentToday: BigInt(row.spent_today),
			spentThisMonth: BigInt(row.spent_this_month),
		},
	}
}
