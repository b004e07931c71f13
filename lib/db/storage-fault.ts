// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { ConnectionException, DriverException } from '@mikro-orm/core'
import { SipCallError } from '../errors.ts'
import { GuardRefusal } from '../guard.ts'

/** SQLSTATE classes by which PostgreSQL says that it is away: connection, role or password, database, insufficient resources, operator intervention. */
const AWAY_CLASSES = new Set(['08', '28', '3D', '53', '57'])
/** A text that PostgreSQL cannot take is of that class as well, but it will never be taken. */
const PROTOCOL_VIOLATION = '08P01'
/** After a failover the old server still answers, but takes nothing. */
const READ_ONLY = '25006'
/** What Node says when there is nobody at the other end, and the guard when it is not asked. */
const AWAY_CODES = new Set([GuardRefusal.CODE, 'ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'])
const AWAY_TEXTS = /connection terminated|connection error and is not queryable|timeout exceeded when trying to connect|connection is closed|Client was closed|not currently accepting connections/i

/**
 * Whether an error means that the database is away for now, and not that a query is wrong.
 *
 * @return the error to answer with; undefined for everything else
 */
export function storageFault(error: unknown): SipCallError | undefined {
	for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
		const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
		if (cause instanceof ConnectionException || AWAY_CODES.has(code) || AWAY_TEXTS.test(cause.message)
			|| (/^[0-9A-Z]{5}$/.test(code) && AWAY_CLASSES.has(code.slice(0, 2)) && code !== PROTOCOL_VIOLATION) || code === READ_ONLY) {
			return new SipCallError('storage_unavailable', 'The database is away for a moment. Try again in a few seconds.', { cause: withoutSql(error), retryAfterSec: 5 })
		}
	}
	return undefined
}

/** MikroORM's errors may carry the literal statement, and with it a number: the log gets the name and code alone. */
function withoutSql(error: unknown): unknown {
	return error instanceof DriverException ? { name: error.name, code: error.code } : error
}
