// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TestProject } from 'vitest/node'
import type { Logger } from '../../lib/logger.ts'

import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate, openDatabase } from '../../lib/db/orm.ts'
import { startEmbeddedPostgres } from '../../lib/embedded/postgres.ts'
import { startEmbeddedRedis } from '../../lib/embedded/redis.ts'
import { createLogger } from '../../lib/logger.ts'
import { KeyRing } from '../../lib/privacy/key-ring.ts'
import { databaseUrl, onServer } from './database-server.ts'
import { findPrivate, keepLogsIn } from './kept-log.ts'
import { startPageBuilder } from './page-builder.ts'

declare module 'vitest' {
	export interface ProvidedContext {
		/** The run's PostgreSQL; its role may create databases. Test files take theirs from createTestDatabase(). */
		databaseUrl: string
		/** The name of a database with this version's schema, and nothing in it. */
		databaseTemplate: string
		/** The Unix socket of the run's Redis; undefined on a machine without one. Shared by all files: use own key prefixes. */
		redisSocket: string | undefined
		/** Builds the page when it is asked to: see buildPage(). */
		pageBuilder: string
	}
}

/**
 * One PostgreSQL and one Redis, started the way the sidecar starts them, for the whole test run.
 *
 * @return the undo that vitest calls at the end
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
	const dataDir = await mkdtemp(join(tmpdir(), 'sipcall-test-'))
	const logger = createLogger({ level: 'warn', pretty: true })
	const undo: (() => Promise<void>)[] = []
	const logs = join(dataDir, 'logs')
	await keepLogsIn(logs)
	const stop = async () => {
		for (const step of undo.toReversed()) {
			await step()
		}
		const { found, bytes, sought } = await findPrivate(logs)
		await rm(dataDir, { recursive: true, force: true })
		if (found.length > 0) {
			throw new Error(`The logs of this run hold what no log may hold:\n${found.join('\n')}`)
		}
		logger.warn('The logs of this run hold none of the numbers, notes and secrets that it has used', { kilobytes: Math.round(bytes / 1000), sought })
	}
	try {
		const postgres = await startEmbeddedPostgres({ dataDir, logger })
		undo.push(() => postgres.stop())
		const redis = await startEmbeddedRedis({ dataDir, logger })
		undo.push(async () => redis?.stop())
		// A run that is broken off calls no undo: its servers are signalled on exit, and their data go with them.
		const removeNow = () => rmSync(dataDir, { recursive: true, force: true, maxRetries: 10 })
		const hangUp = () => process.exit(129)
		process.once('exit', removeNow)
		process.once('SIGHUP', hangUp)
		undo.unshift(async () => {
			process.removeListener('exit', removeNow)
			process.removeListener('SIGHUP', hangUp)
		})
		const pageBuilder = await startPageBuilder()
		undo.push(() => pageBuilder.stop())
		project.provide('pageBuilder', pageBuilder.url)
		project.provide('databaseUrl', postgres.url)
		project.provide('databaseTemplate', await makeTemplate(postgres.url, logger))
		project.provide('redisSocket', redis?.socketPath)
	} catch (error) {
		await stop()
		throw error
	}
	return stop
}

/** Most files need the schema, and few look at how it came to be: it is made once, and copied. */
async function makeTemplate(serverUrl: string, logger: Logger): Promise<string> {
	const name = 'template_sipcall'
	// What is lost with the server is lost with the run: no commit waits for the disk.
	await onServer(serverUrl, 'alter role current_user set synchronous_commit = off')
	await onServer(serverUrl, `create database ${name}`)
	const keys = new KeyRing([randomBytes(32)])
	const orm = await openDatabase({ url: databaseUrl(serverUrl, name), keys, logger, poolSize: 1 })
	try {
		await migrate(orm, keys)
		// Whoever copies it has a key of their own.
		await orm.em.getConnection().execute('delete from encryption_keys; delete from index_key; delete from seal_keys')
	} finally {
		await orm.close()
	}
	return name
}
