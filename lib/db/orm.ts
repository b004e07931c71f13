// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The database connection: the pool, the keys on each connection, and the schema's version.

import type { Pool } from 'pg'
import type { Logger } from '../logger.ts'
import type { KeyRing } from '../privacy/key-ring.ts'

import { Migrator } from '@mikro-orm/migrations'
import { MikroORM } from '@mikro-orm/postgresql'
import { Client } from 'pg'
import { SipCallError } from '../errors.ts'
import { Guard } from '../guard.ts'
import { ConnectionKeys } from './connection-keys.ts'
import { UnfitDatabase } from './database-fault.ts'
import { CallEntity, CallLogEntity, IdempotencyEntity } from './entities/call.entity.ts'
import { DeviceVerificationEntity } from './entities/device-verification.entity.ts'
import { DeviceEntity } from './entities/device.entity.ts'
import { OAuthStateEntity, RefreshTokenEntity, SignInEntity } from './entities/sign-in.entity.ts'
import { UserPreferencesEntity } from './entities/user-preferences.entity.ts'
import { Migration0001Calls } from './migrations/migration-0001-calls.ts'
import { Migration0002SignIn } from './migrations/migration-0002-sign-in.ts'
import { Migration0003Extension } from './migrations/migration-0003-extension.ts'
import { Migration0004Tags } from './migrations/migration-0004-tags.ts'
import { Migration0005DepartedUsers } from './migrations/migration-0005-departed-users.ts'
import { Migration0006Policy } from './migrations/migration-0006-policy.ts'
import { Migration0007DeviceVerification } from './migrations/migration-0007-device-verification.ts'
import { Migration0008Retention } from './migrations/migration-0008-retention.ts'
import { Migration0009AuditLog } from './migrations/migration-0009-audit-log.ts'
import { Migration0010Transfers } from './migrations/migration-0010-transfers.ts'
import { Migration0011Erasure } from './migrations/migration-0011-erasure.ts'
import { Migration0012Metrics } from './migrations/migration-0012-metrics.ts'
import { Migration0013UserPreferences } from './migrations/migration-0013-user-preferences.ts'
import { Migration0014LockReason } from './migrations/migration-0014-lock-reason.ts'
import { Migration0015KeyRotation } from './migrations/migration-0015-key-rotation.ts'
import { Migration0016AuditCheckpoints } from './migrations/migration-0016-audit-checkpoints.ts'
import { Migration0017CarrierCosts } from './migrations/migration-0017-carrier-costs.ts'
import { Migration0018BoundTexts } from './migrations/migration-0018-bound-texts.ts'
import { Migration0019ErasureJournal } from './migrations/migration-0019-erasure-journal.ts'
import { Migration0020SwitchNodes } from './migrations/migration-0020-switch-nodes.ts'
import { Migration0021Replicas } from './migrations/migration-0021-replicas.ts'
import { Migration0022CallDays } from './migrations/migration-0022-call-days.ts'
import { Migration0023DamagedTexts } from './migrations/migration-0023-damaged-texts.ts'
import { isDatabaseFault, PoolGuard } from './pool-guard.ts'
import { storageFault } from './storage-fault.ts'
import { refuseMissingKeys, takeStoredKeys } from './stored-keys.ts'

/** In the order in which they run; a name, once released, is never changed or removed. */
const MIGRATIONS = [
	{ name: '0001-calls', class: Migration0001Calls },
	{ name: '0002-sign-in', class: Migration0002SignIn },
	{ name: '0003-extension', class: Migration0003Extension },
	{ name: '0004-tags', class: Migration0004Tags },
	{ name: '0005-departed-users', class: Migration0005DepartedUsers },
	{ name: '0006-policy', class: Migration0006Policy },
	{ name: '0007-device-verification', class: Migration0007DeviceVerification },
	{ name: '0008-retention', class: Migration0008Retention },
	{ name: '0009-audit-log', class: Migration0009AuditLog },
	{ name: '0010-transfers', class: Migration0010Transfers },
	{ name: '0011-erasure', class: Migration0011Erasure },
	{ name: '0012-metrics', class: Migration0012Metrics },
	{ name: '0013-user-preferences', class: Migration0013UserPreferences },
	{ name: '0014-lock-reason', class: Migration0014LockReason },
	{ name: '0015-key-rotation', class: Migration0015KeyRotation },
	{ name: '0016-audit-checkpoints', class: Migration0016AuditCheckpoints },
	{ name: '0017-carrier-costs', class: Migration0017CarrierCosts },
	{ name: '0018-bound-texts', class: Migration0018BoundTexts },
	{ name: '0019-erasure-journal', class: Migration0019ErasureJournal },
	{ name: '0020-switch-nodes', class: Migration0020SwitchNodes },
	{ name: '0021-replicas', class: Migration0021Replicas },
	{ name: '0022-call-days', class: Migration0022CallDays },
	{ name: '0023-damaged-texts', class: Migration0023DamagedTexts },
]

/** Any fixed number. */
const MIGRATE_LOCK = 0x51bca13
const POOL_SIZE = 10
const CONNECT_TIMEOUT_MS = 5_000
const STATEMENT_TIMEOUT_MS = 30_000

/** Of the pool: three attempts in a row that fail, and for a second nobody asks. */
export const DATABASE_GUARD = { part: 'database', isFault: isDatabaseFault, breakAfter: 3, breakMs: 1_000 } as const

interface RawConnection {
	executeQuery(query: unknown): Promise<unknown>
}

export interface DatabaseOptions {
	/** PostgreSQL connection URL, TCP or Unix socket. */
	url: string
	keys: KeyRing
	/** For whoever changes the keys while the pool is in use. */
	connectionKeys?: ConnectionKeys
	logger: Logger
	/** Left out, one of its own that nobody sees. */
	guard?: PoolGuard
	poolSize?: number
	/** PostgreSQL refuses every change that is tried over it. */
	isReadOnly?: boolean
	/** Told of the pool before it is used. */
	onPool?: (pool: Pool) => void
}

/** Opens the pool. No query runs before the first use. */
export async function openDatabase(options: DatabaseOptions): Promise<MikroORM> {
	const { CompiledQuery } = await import('kysely')
	const connectionKeys = options.connectionKeys ?? new ConnectionKeys(options.keys)
	const guard = options.guard ?? new PoolGuard(new Guard(DATABASE_GUARD))
	return MikroORM.init({
		clientUrl: options.url,
		entities: [CallEntity, CallLogEntity, IdempotencyEntity, DeviceEntity, DeviceVerificationEntity, OAuthStateEntity, SignInEntity, RefreshTokenEntity, UserPreferencesEntity],
		extensions: [Migrator],
		migrations: { migrationsList: MIGRATIONS, snapshot: false, tableName: 'schema_migrations' },
		pool: { min: 1, max: options.poolSize ?? POOL_SIZE },
		// A query that hangs must become an error that somebody hears of.
		driverOptions: {
			onPoolCreated: (pool: Pool) => {
				guard.watch(pool)
				connectionKeys.watch(pool)
				options.onPool?.(pool)
			},
			connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
			statement_timeout: STATEMENT_TIMEOUT_MS,
			idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
		},
		forceUndefined: true,
		// A number in an error's text would reach the log: MikroORM puts the literal SQL there only in debug mode.
		debug: false,
		logger: (message) => options.logger.debug(message),
		// As bound parameters and outside MikroORM, so that no key stands in a statement or in its log.
		onCreateConnection: async (connection) => {
			const { text, values } = connectionKeys.statement()
			await (connection as RawConnection).executeQuery(CompiledQuery.raw(text, values))
			if (options.isReadOnly === true) {
				await (connection as RawConnection).executeQuery(CompiledQuery.raw('set default_transaction_read_only = on'))
			}
		},
	})
}

/** What is done between the steps of migrate(). Whatever one of them throws ends it there. */
export interface MigrationSteps {
	/** Before a database with earlier migrations is changed; it gets their names. */
	beforeUpgrade?: (executed: readonly string[]) => Promise<void>
	/** With this version's schema, and before anything is read: the data may be replaced here. */
	beforeUse?: () => Promise<void>
}

/**
 * Brings the schema up to this version's, forward only, and checks that the keys fit the data.
 *
 * @return the key that was active before, when it was another one
 * @throws {SipCallError} `storage_unavailable` when the schema is newer than the code, or a key is missing or wrong
 */
export async function migrate(orm: MikroORM, keys: KeyRing, steps: MigrationSteps = {}): Promise<string | undefined> {
	const client = new Client({ connectionString: orm.config.get('clientUrl'), connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
	client.on('error', () => {})
	await client.connect()
	try {
		// Two replicas that start at the same time would both change the schema.
		await client.query('select pg_advisory_lock($1)', [MIGRATE_LOCK])
		return await migrateAlone(orm, keys, steps)
	} finally {
		await client.end()
	}
}

async function migrateAlone(orm: MikroORM, keys: KeyRing, { beforeUpgrade, beforeUse }: MigrationSteps): Promise<string | undefined> {
	await ensurePgcrypto(orm)
	const known = new Set(MIGRATIONS.map(({ name }) => name))
	const done = (await orm.migrator.getExecuted()).map(({ name }) => name)
	const unknown = done.filter((name) => !known.has(name))
	if (unknown.length > 0) {
		throw new SipCallError('storage_unavailable', `The database was made by a newer SIPCall (migration ${unknown.join(', ')} is unknown here). Install that version again; this one leaves the data untouched.`)
	}
	if (done.length > 0 && done.length < MIGRATIONS.length) {
		await refuseMissingKeys(orm, keys)
		await beforeUpgrade?.(done)
	}
	await orm.migrator.up()
	await beforeUse?.()
	return takeStoredKeys(orm, keys)
}

/** The first migration makes it; said apart, because somebody else has to mend it: a package, or a superuser. */
async function ensurePgcrypto(orm: MikroORM): Promise<void> {
	const connection = orm.em.getConnection()
	const [found] = await connection.execute<{ version: string }[]>('select extversion as version from pg_extension where extname = \'pgcrypto\'')
	if (found !== undefined) {
		return
	}
	try {
		await connection.execute('create extension if not exists pgcrypto')
	} catch (error) {
		if (storageFault(error) !== undefined) {
			throw error
		}
		throw new UnfitDatabase('no_pgcrypto', 'The database has no pgcrypto, and it could not be added. Install PostgreSQL’s contrib package on its server, and let a superuser run in this database: CREATE EXTENSION pgcrypto', error)
	}
}
