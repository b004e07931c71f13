// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The database and whatever else keeps data: brought up to this version, with its keys, its log and the other replicas.

import type { Base } from './base.ts'
import type { DatabaseErrand } from './db/backup/backups.ts'
import type { DatabaseAccess } from './db/backup/restore-backup.ts'
import type { Releasers } from './startup.ts'

import { randomUUID } from 'node:crypto'
import { startAudit } from './audit.ts'
import { loadKeys, openReadReplicas, startCounters, startDatabase } from './backing.ts'
import { ConnectionKeys } from './db/connection-keys.ts'
import { DATABASE_GUARD, migrate, openDatabase } from './db/orm.ts'
import { PoolGuard } from './db/pool-guard.ts'
import { JournalRepository } from './db/repositories/journal-repository.ts'
import { RotationRepository } from './db/repositories/rotation-repository.ts'
import { JournalFile } from './privacy/journal-file.ts'
import { replaceEncryptionKey } from './privacy/key-file.ts'
import { Rotation } from './privacy/rotation.ts'
import { Replicas } from './replicas.ts'

/** Where everything is kept, and what is told of it. */
export type Storage = Awaited<ReturnType<typeof startStorage>>

/**
 * @param errand is done once, as soon as the database is up and before any other part uses it
 */
export async function startStorage({ config, logger, clock, overrides, guards, progress, backups }: Base, releasers: Releasers, errand?: DatabaseErrand) {
	const keys = await loadKeys(config)
	const databaseUrl = await startDatabase(config, logger, releasers)
	progress.report(40)
	const origin = randomUUID()
	const connectionKeys = new ConnectionKeys(keys, origin)
	const poolGuard = new PoolGuard(guards.add(DATABASE_GUARD))
	const orm = await openDatabase({ url: databaseUrl, keys, connectionKeys, guard: poolGuard, logger: logger.child({ component: 'db' }) })
	releasers.add('database connections', () => orm.close(true))
	const database: DatabaseAccess = {
		url: databaseUrl,
		// They may change while the parts are up.
		get kids() {
			return keys.storageKeys.map(({ kid }) => kid)
		},
	}
	const replicas = new Replicas({ databaseUrl, origin, volume: config.storagePath, guard: poolGuard, ...overrides.replicas, logger: logger.child({ component: 'replicas' }) })
	await replicas.start(releasers)
	const audit = startAudit({ orm, keys, volume: config.storagePath, clock, logger }, releasers)
	const journal = new JournalRepository({ orm, keys, audit: audit.log, file: new JournalFile(config.storagePath), now: () => clock.now(), logger: logger.child({ component: 'privacy' }) })
	const earlierKid = await migrate(orm, keys, {
		beforeUpgrade: (executed) => backups.beforeUpgrade(databaseUrl, executed),
		beforeUse: async () => {
			if (errand !== undefined) {
				await journal.collect()
				await errand(database)
			}
		},
	})
	await journal.catchUp({ isCounted: errand !== undefined })
	const readReplicas = await openReadReplicas({ config, primary: orm, primaryUrl: databaseUrl, keys, connectionKeys, ...overrides.readReplicas, logger }, releasers)
	progress.report(70)
	const counters = await startCounters(config, databaseUrl, keys, guards, logger, releasers)

	if (earlierKid !== undefined) {
		audit.trail.note({ actor: { kind: 'system' }, action: 'key.changed', detail: { from: earlierKid, to: keys.activeKid } })
	}
	const rotation = new Rotation({
		store: new RotationRepository({ orm, keys }),
		keys,
		makeKey: config.encryptionKeys.length > 0 ? undefined : () => replaceEncryptionKey(config.storagePath, keys.activeKid),
		settled: () => connectionKeys.settled(),
		backups: async () => (await backups.list()).map(({ name, header }) => ({ name, kids: header?.kids ?? [] })),
		audit: audit.trail,
		...overrides.rotation,
		logger: logger.child({ component: 'privacy' }),
	})
	releasers.add('change of the encryption key', () => rotation.stop())
	return { database, orm, keys, poolGuard, replicas, audit, journal, readReplicas, counters, rotation }
}
