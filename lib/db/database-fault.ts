// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { SipCallError } from '../errors.ts'

/** Why a PostgreSQL that answers is of no use: somebody has to change something there. */
export type DatabaseFault
	/** Of the role in DATABASE_URL: its password, or `pg_hba.conf` has no line for it. */
	= | 'password_refused'
		/** There is no database of that name. */
		| 'missing'
		/** The extension is not installed, and could not be. */
		| 'no_pgcrypto'
		/** The role may not make tables. */
		| 'no_right'
		/** Its disk. */
		| 'full'

/** By SQLSTATE (PostgreSQL, appendix A). */
const FAULTS: Readonly<Record<string, DatabaseFault>> = {
	28000: 'password_refused',
	'28P01': 'password_refused',
	'3D000': 'missing',
	42501: 'no_right',
	53100: 'full',
}

/** PostgreSQL wants a password, and DATABASE_URL has none: pg's own words, which have no code. */
const NO_PASSWORD = /^SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be/

/** A database that this version cannot be started on. */
export class UnfitDatabase extends SipCallError {
	readonly fault: DatabaseFault

	constructor(fault: DatabaseFault, message: string, cause: unknown) {
		super('storage_unavailable', message, { cause })
		this.fault = fault
	}
}

/** @return undefined when an error says nothing of the kind */
export function databaseFaultOf(error: unknown): DatabaseFault | undefined {
	for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
		if (cause instanceof UnfitDatabase) {
			return cause.fault
		}
		const fault = 'code' in cause && typeof cause.code === 'string' ? FAULTS[cause.code] : undefined
		if (fault !== undefined) {
			return fault
		}
		if (NO_PASSWORD.test(cause.message)) {
			return 'password_refused'
		}
	}
	return undefined
}
