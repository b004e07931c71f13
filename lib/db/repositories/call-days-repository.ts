// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager, MikroORM } from '@mikro-orm/postgresql'
import type { Logger } from '../../logger.ts'

import { runBound } from '../bound-query.ts'

/** So long calls may end without being stored, at most: what waits for longer is put aside. */
const LOCK_LIMIT_MS = 500

interface State {
	time_zone: string
	/** That of the settings, if PostgreSQL knows it. */
	wanted: string
	/** When the first day that is in the sums begins; null = none is, or all are. */
	begins: Date | string | null
	is_whole: boolean
}

/**
 * Brings days into the sums of days, the newest first, one at a time: each stops calls from ending for as long as its calls
 * take to be added up. From then on triggers keep it right (migration 0022).
 */
export class CallDaysRepository {
	readonly #orm: MikroORM
	readonly #logger: Logger

	constructor({ orm, logger }: { orm: MikroORM, logger: Logger }) {
		this.#orm = orm
		this.#logger = logger
	}

	/** Resolves when all days are in. Whoever cannot have the state alone rejects, and is to come again. */
	async run(): Promise<void> {
		let days = 0
		// Looked at apart: who has looked at it in the same transaction would wait for others who have, and they for him.
		while (isBehind(await look(this.#orm.em.fork())) && await this.#orm.em.fork().transactional((em) => sumUpOne(em))) {
			days++
		}
		if (days > 0) {
			this.#logger.info('Days were added up for the statistics', { days })
		}
	}
}

async function look(em: EntityManager): Promise<State | undefined> {
	const [state] = await runBound<State>(em, `select time_zone, sipcall_time_zone() as wanted, since = '-infinity'::date as is_whole,
		case when isfinite(since) then since::timestamp at time zone time_zone end as begins from call_days_state`)
	return state
}

function isBehind(state: State | undefined): boolean {
	return state !== undefined && !(state.is_whole && state.time_zone === state.wanted)
}

/** @return whether there may be more to do */
async function sumUpOne(em: EntityManager): Promise<boolean> {
	await runBound(em, 'select set_config(\'lock_timeout\', $1, true)', [String(LOCK_LIMIT_MS)])
	await runBound(em, 'lock table call_days_state in access exclusive mode')
	// Another server may have been quicker.
	const state = await look(em)
	if (state === undefined || !isBehind(state)) {
		return false
	}
	if (state.time_zone !== state.wanted) {
		await runBound(em, 'select sipcall_forget_call_days($1)', [state.wanted])
		return true
	}
	const [next] = await runBound<{ day: string, begins: Date | string, ends: Date | string }>(em, `select day::text, day::timestamp at time zone $1 as begins, (day + 1)::timestamp at time zone $1 as ends
		from (select (max(created_at) at time zone $1)::date as day from calls where status = 'ended' and created_at < coalesce($2::timestamptz, 'infinity')) as newest where day is not null`, [state.time_zone, state.begins])
	if (next === undefined) {
		await runBound(em, 'update call_days_state set since = \'-infinity\'')
		return false
	}
	await runBound(em, 'select sipcall_sum_up($1, $2, $3)', [next.day, next.begins, state.begins ?? next.ends])
	return true
}
