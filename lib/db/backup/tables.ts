// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Which tables a backup holds. They come from the catalogue: a table that a later migration adds cannot be forgotten.

import type { Client } from 'pg'

/**
 * What is true of the present and not of the past stays as it is. Sign-ins above all: a restore must not bring back one
 * that was ended since, or a refresh token that has been used; and the audit log, which a restore must neither shorten nor
 * rejoin with people who have been erased since, with the keys of its seals; and what was erased, or is to be; and who talks just now.
 * What calls add up to by day is made anew from them.
 */
export const NOT_IN_BACKUPS = ['schema_migrations', 'rate_limits', 'oauth_states', 'sign_ins', 'refresh_tokens', 'device_verifications', 'app_state', 'settings', 'spent_before', 'audit_log', 'audit_head', 'audit_subjects', 'audit_checkpoints', 'audit_beginning', 'seal_keys', 'erasures', 'erasure_receipts', 'erased_keys', 'erased_calls', 'handed_over_legs', 'call_days', 'call_user_days', 'call_days_state']

export interface TableColumn {
	name: string
	/** As PostgreSQL spells it in a cast. */
	type: string
	/** The sequence behind it, quoted and with its schema. */
	sequence: string | null
}

export interface TableShape {
	name: string
	columns: TableColumn[]
	/** Other tables of the list that its rows refer to. */
	references: string[]
	/** Triggers of our own that would fire at an insert. */
	triggers: string[]
}

/** All tables of the schema, save those of extensions and those that no backup holds; whoever is referred to comes first. */
export async function readTables(client: Client): Promise<TableShape[]> {
	const { rows } = await client.query<TableShape>(`
		select c.relname::text as name,
			(select json_agg(json_build_object(
					'name', a.attname,
					'type', format_type(a.atttypid, a.atttypmod),
					'sequence', pg_get_serial_sequence(quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname)
				) order by a.attnum)
				from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
			(select coalesce(json_agg(distinct other.relname), '[]')
				from pg_constraint f join pg_class other on other.oid = f.confrelid
				where f.conrelid = c.oid and f.contype = 'f' and other.relname <> all($1)) as references,
			(select coalesce(json_agg(t.tgname), '[]')
				from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled = 'O') as triggers
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = current_schema() and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> all($1)
			and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
		order by c.relname`, [NOT_IN_BACKUPS])
	return inOrder(rows)
}

function inOrder(tables: TableShape[]): TableShape[] {
	const ordered: TableShape[] = []
	const waiting = new Set(tables)
	while (waiting.size > 0) {
		const free = [...waiting].filter(({ references }) => references.every((name) => ordered.some((table) => table.name === name)))
		if (free.length === 0) {
			throw new TypeError(`These tables refer to themselves or to each other, and their rows cannot be put in order: ${[...waiting].map(({ name }) => name).join(', ')}`)
		}
		for (const table of free) {
			ordered.push(table)
			waiting.delete(table)
		}
	}
	return ordered
}
