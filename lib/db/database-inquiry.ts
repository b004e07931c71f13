// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MikroORM } from '@mikro-orm/postgresql'
import type { DatabaseFault } from './database-fault.ts'

import { databaseFaultOf } from './database-fault.ts'

interface State {
	read_only: boolean
	/** Milliseconds since 1970. */
	now_ms: string
	log_statement: string
	log_min_duration_statement: string
	log_min_duration_sample: string
	log_min_error_statement: string
	log_parameter_max_length_on_error: string
	auto_explain: string | null
}

/**
 * What makes PostgreSQL write statements into its log, or their parameters, and the values by which it does not. Ours hold
 * numbers in plain, and the first of each connection holds a key (docs/admin/database.md).
 */
const QUIET: { [Key in Exclude<keyof State, 'read_only' | 'now_ms' | 'auto_explain'>]: readonly string[] } = {
	log_statement: ['none', 'ddl'],
	log_min_duration_statement: ['-1'],
	log_min_duration_sample: ['-1'],
	log_min_error_statement: ['panic'],
	log_parameter_max_length_on_error: ['0'],
}

/** What the database tells of itself on a connection of ours. */
export class DatabaseInquiry {
	readonly #orm: MikroORM
	readonly #lastFault: () => unknown

	/** @param options.lastFault why there was no connection, for those times in which none is tried */
	constructor({ orm, lastFault = () => undefined }: { orm: MikroORM, lastFault?: () => unknown }) {
		this.#orm = orm
		this.#lastFault = lastFault
	}

	/** What an error of `look` says that somebody has to change; undefined = the database is away. */
	faultOf(error: unknown): DatabaseFault | undefined {
		return databaseFaultOf(error) ?? databaseFaultOf(this.#lastFault())
	}

	/** Since when there is this database: the first of its tables was made then. */
	async since(): Promise<Date> {
		const [first] = await this.#orm.em.getConnection().execute<{ at_ms: string }[]>('select (extract(epoch from min(executed_at)) * 1000)::bigint as at_ms from schema_migrations')
		return new Date(Number(first?.at_ms))
	}

	/** @return the settings by which its log may come to hold numbers or keys, and its clock */
	async look(): Promise<{ isReadOnly: boolean, loggingSettings: string[], nowMs: number }> {
		const settings = Object.keys(QUIET).map((name) => `current_setting('${name}') as ${name}`).join(', ')
		const [state] = await this.#orm.em.getConnection().execute<State[]>(`select pg_is_in_recovery() or current_setting('transaction_read_only')::bool as read_only, (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms,
			${settings}, current_setting('auto_explain.log_min_duration', true) as auto_explain`)
		if (state === undefined) {
			throw new TypeError('PostgreSQL gave no row for its settings')
		}
		const loud = (Object.keys(QUIET) as (keyof typeof QUIET)[]).filter((name) => !QUIET[name].includes(state[name]))
		const explains = state.auto_explain !== null && state.auto_explain !== '-1'
		return { isReadOnly: state.read_only, nowMs: Number(state.now_ms), loggingSettings: [...loud, ...(explains ? ['auto_explain.log_min_duration'] : [])] }
	}
}
