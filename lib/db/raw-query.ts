// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager } from '@mikro-orm/postgresql'

import { CompiledQuery } from 'kysely'
import { storageFault } from './storage-fault.ts'

/**
 * Runs one statement with bound parameters (`$1` …), and without the statement in what is thrown.
 *
 * @param em within a transaction: that one
 * @throws {SipCallError} `storage_unavailable` while the database is away
 */
export async function rawQuery<Row>(em: EntityManager, statement: string, parameters: readonly unknown[] = []): Promise<Row[]> {
	try {
		return (await em.getKysely().executeQuery<Row>(CompiledQuery.raw(statement, [...parameters]))).rows
	} catch (error) {
		throw storageFault(error) ?? error
	}
}
