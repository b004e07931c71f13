// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What stands in a backup: gzip of lines. A header, then for each table its name and its rows, then a trailer.
// A row is a JSON array of PostgreSQL's own text of each column, null for SQL's null: exact for every type, while
// to_jsonb() would make one of SQL's null and JSON's.

import { z } from 'zod'
import { SipCallError } from '../../errors.ts'

/** Raised when this version could no longer read what an earlier one wrote. */
export const FORMAT = 1

const Table = z.object({
	name: z.string(),
	columns: z.array(z.string()).min(1),
	/** The next number that each column with a sequence would have got; texts, as they may exceed a double. */
	next: z.record(z.string(), z.string().regex(/^\d+$/)),
})

const Header = z.object({
	format: z.literal(FORMAT),
	app: z.literal('sipcall'),
	appVersion: z.string(),
	createdAt: z.iso.datetime(),
	migrations: z.array(z.string()),
	kids: z.array(z.string()),
	tables: z.array(Table),
})

const Trailer = z.object({ rows: z.record(z.string(), z.int()), sha256: z.string() })

export type BackupTable = z.output<typeof Table>

/** Says what is needed to restore a backup; holds no key and no personal data. */
export type BackupHeader = z.output<typeof Header>

export type BackupTrailer = z.output<typeof Trailer>

/**
 * @throws {SipCallError} `invalid_request` when it is no header, `wrong_state` when only a newer SIPCall can read it
 */
export function parseHeader(line: string): BackupHeader {
	const value = parseJson(line)
	if (typeof value === 'object' && value !== null && 'app' in value && value.app === 'sipcall' && 'format' in value && Number(value.format) > FORMAT) {
		throw new SipCallError('wrong_state', 'This backup was made by a newer SIPCall, in a form that this version cannot read. Update SIPCall and restore again. Nothing was changed.')
	}
	return Header.safeParse(value).data ?? refuse()
}

/** @throws {SipCallError} `invalid_request` */
export function parseTrailer(line: string): BackupTrailer {
	return Trailer.safeParse(parseJson(line)).data ?? refuse()
}

export const tableLine = (name: string) => JSON.stringify({ table: name })

/** @throws {SipCallError} `invalid_request`: what was read is no backup, or not what was written */
export function refuse(cause?: unknown): never {
	throw new SipCallError('invalid_request', 'This file is no whole backup of SIPCall: it is damaged, or was cut off. Take another one. Nothing was changed.', { cause })
}

function parseJson(line: string): unknown {
	try {
		return JSON.parse(line)
	} catch {
		return undefined
	}
}
