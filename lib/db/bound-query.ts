// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager } from '@mikro-orm/postgresql'

import { CompiledQuery } from 'kysely'
import { storageFault } from './storage-fault.ts'

/**
 * Runs a statement with bound parameters (`$1` …) in the manager's transaction, if it has one. MikroORM's own `execute`
 * writes the values into the statement, where a server's log, or an error's text, would show them.
 *
 * @throws {SipCallError} `storage_unavailable` while the database is away
 */
export async function runBound<Row>(em: EntityManager, statement: string, parameters: readonly unknown[] = []): Promise<Row[]> {
	try {
		return (await em.getKysely().executeQuery<Row>(CompiledQuery.raw(statement, [...parameters]))).rows
	} catch (error) {
		throw storageFault(error) ?? error
	}
}
