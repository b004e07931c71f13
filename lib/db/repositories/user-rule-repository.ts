// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'
import type { OwnLimits, UserRule } from '../../policy/user-rule.ts'

import { NO_RULE } from '../../policy/user-rule.ts'
import { runBound } from '../bound-query.ts'
import { decrypted, encrypted } from '../encrypted-text.ts'

/** A row of `user_rules`, also where there is none: then all of it is null. */
export interface UserRuleRow {
	may_call: boolean | null
	limits: OwnLimits | null
	locked_until: Date | string | null
	locked_by: 'refusals' | 'admin' | null
	approved_countries: string[] | null
	/** Read only for those who may see it. */
	lock_reason?: string | null
}

export const USER_RULE_COLUMNS = ['may_call', 'limits', 'locked_until', 'locked_by', 'approved_countries'] as const

export function userRuleOf({ may_call: mayCall, limits, locked_until: until, locked_by: by, approved_countries: approvedCountries, lock_reason: reason }: UserRuleRow): UserRule {
	return {
		mayCall,
		limits: limits ?? {},
		lock: until === null || by === null ? null : { until: new Date(until), by, ...(reason === null || reason === undefined ? {} : { reason }) },
		approvedCountries: approvedCountries ?? [],
	}
}

/** What an admin, or a lock, has decided for each user. */
export class UserRuleRepository {
	readonly #orm: MikroORM

	constructor({ orm }: { orm: MikroORM }) {
		this.#orm = orm
	}

	async of(userId: string): Promise<UserRule> {
		return (await this.ofMany([userId])).get(userId) ?? NO_RULE
	}

	/** Users without a rule are not in it. */
	async ofMany(userIds: readonly string[]): Promise<Map<string, UserRule>> {
		if (userIds.length === 0) {
			return new Map()
		}
		const rows = await this.#orm.em.getConnection().execute<(UserRuleRow & { user_id: string })[]>(
			`select user_id, ${USER_RULE_COLUMNS.join(', ')}, ${decrypted('lock_reason', 'user_id', 'lock_reason')} as lock_reason from user_rules where user_id in (${userIds.map(() => '?').join(', ')})`,
			[...userIds],
		)
		return new Map(rows.map((row) => [row.user_id, userRuleOf(row)]))
	}

	/** Who is locked by refused calls at a moment, and until when. */
	async locked(at: Date): Promise<Map<string, Date>> {
		const rows = await this.#orm.em.getConnection().execute<{ user_id: string, locked_until: Date | string }[]>(
			'select user_id, locked_until from user_rules where locked_until > ? and locked_by = \'refusals\'',
			[at],
		)
		return new Map(rows.map((row) => [row.user_id, new Date(row.locked_until)]))
	}

	/** Changes what is given; what is left out stays as it is. */
	async change(userId: string, { mayCall, limits, lock, approvedCountries }: Partial<UserRule>, at: Date): Promise<void> {
		const values: [column: string, sql: (parameter: string) => string, value: unknown][] = [
			...(mayCall === undefined ? [] : [column('may_call', (parameter) => parameter, mayCall)]),
			...(limits === undefined ? [] : [column('limits', (parameter) => `${parameter}::jsonb`, JSON.stringify(limits))]),
			...(lock === undefined
				? []
				: [
						column('locked_until', (parameter) => parameter, lock?.until ?? null),
						column('locked_by', (parameter) => parameter, lock?.by ?? null),
						column('lock_reason', (parameter) => encrypted(parameter, '$1', 'lock_reason'), lock?.reason ?? null),
					]),
			...(approvedCountries === undefined
				? []
				: [column('approved_countries', (parameter) => `(select coalesce(array_agg(value), '{}') from jsonb_array_elements_text(${parameter}::jsonb) value)`, JSON.stringify(approvedCountries))]),
			column('updated_at', (parameter) => parameter, at),
		]
		// A reason must not stand in the statement, where a log could show it.
		await runBound(
			this.#orm.em.fork(),
			`insert into user_rules (user_id, ${values.map(([name]) => name).join(', ')}) values ($1, ${values.map(([, sql], index) => sql(`$${index + 2}`)).join(', ')})
				on conflict (user_id) do update set ${values.map(([name]) => `${name} = excluded.${name}`).join(', ')}`,
			[userId, ...values.map(([, , value]) => value)],
		)
	}

	/** Locks calling; a longer lock that is there already stays. */
	async lock(userId: string, until: Date, by: 'refusals' | 'admin', at: Date): Promise<void> {
		await this.#orm.em.getConnection().execute(
			`insert into user_rules (user_id, locked_until, locked_by, updated_at) values (?, ?, ?, ?)
				on conflict (user_id) do update set locked_until = excluded.locked_until, locked_by = excluded.locked_by, lock_reason = null, updated_at = excluded.updated_at
				where user_rules.locked_until is null or user_rules.locked_until < excluded.locked_until`,
			[userId, until, by, at],
		)
	}
}

function column(name: string, sql: (parameter: string) => string, value: unknown): [string, (parameter: string) => string, unknown] {
	return [name, sql, value]
}
