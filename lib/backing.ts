// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the parts stand on: keys, PostgreSQL, the counters. Given by the environment, else embedded on the volume.

import type { CallLimiter } from './calls/ports.ts'
import type { Config, FreeSwitchConfig } from './config.ts'
import type { ReadReplicasOptions } from './db/read-replicas.ts'
import type { EslEndpoint } from './esl/esl-connection.ts'
import type { Guards } from './guard.ts'
import type { Logger } from './logger.ts'
import type { Settings, SwitchConnection } from './policy/settings.ts'
import type { RedisConnection } from './redis/connection.ts'
import type { Releasers } from './startup.ts'

import { ReadReplicas } from './db/read-replicas.ts'
import { startEmbeddedPostgres } from './embedded/postgres.ts'
import { startEmbeddedRedis } from './embedded/redis.ts'
import { loadEncryptionKeys, loadOrCreateKeyFile, TOKEN_KEY } from './privacy/key-file.ts'
import { KeyRing } from './privacy/key-ring.ts'
import { COUNTERS_GUARD, createPostgresCallLimiter, createRedisCallLimiter } from './redis/call-limiter.ts'
import { connectRedis } from './redis/connection.ts'
import { readRedisTarget } from './redis/target.ts'

/** The keys of stored personal data. */
export async function loadKeys({ encryptionKeys, storagePath }: Config): Promise<KeyRing> {
	const [active, ...previous] = encryptionKeys.map((key) => key.reveal())
	return new KeyRing(active === undefined ? await loadEncryptionKeys(storagePath) : [active, ...previous])
}

/** The keys of access tokens. */
export async function loadTokenKeys({ jwt, storagePath }: Config): Promise<[Buffer, ...Buffer[]]> {
	const [signing, ...previous] = jwt.keys.map((key) => key.reveal())
	return signing === undefined ? [await loadOrCreateKeyFile(storagePath, TOKEN_KEY)] : [signing, ...previous]
}

/** @return PostgreSQL's URL */
export async function startDatabase(config: Config, logger: Logger, releasers: Releasers): Promise<string> {
	if (config.databaseUrl !== undefined) {
		return config.databaseUrl.reveal()
	}
	const postgres = await startEmbeddedPostgres({ dataDir: config.storagePath, logger: logger.child({ component: 'postgresql' }) })
	releasers.add('postgresql', () => postgres.stop())
	return postgres.url
}

/** The replicas that may be read from; none where the environment names none. */
export async function openReadReplicas({ config, logger, ...options }: Omit<ReadReplicasOptions, 'urls'> & { config: Config }, releasers: Releasers): Promise<ReadReplicas> {
	const readReplicas = await ReadReplicas.open({ ...options, urls: config.databaseReplicaUrls.map((url) => url.reveal()), logger: logger.child({ component: 'db' }) })
	releasers.add('read replicas', () => readReplicas.stop())
	return readReplicas
}

/** What counts attempts, and how it is asked whether it works; without `redis` it is PostgreSQL. */
export interface Counters {
	limiter: CallLimiter
	redis: Pick<RedisConnection, 'look' | 'fault'> | undefined
}

/** Redis where there is one, else PostgreSQL. */
export async function startCounters(config: Pick<Config, 'redisUrl' | 'storagePath'>, databaseUrl: string, keys: Pick<KeyRing, 'dataId'>, guards: Guards, logger: Logger, releasers: Releasers): Promise<Counters> {
	const redisLogger = logger.child({ component: 'redis' })
	const embedded = config.redisUrl === undefined ? await startEmbeddedRedis({ dataDir: config.storagePath, logger: redisLogger }) : undefined
	if (embedded !== undefined) {
		releasers.add('redis', () => embedded.stop())
	}
	const target = config.redisUrl === undefined ? embedded?.socketPath : readRedisTarget(config.redisUrl.reveal())
	if (target === undefined) {
		logger.info('There is no Redis: PostgreSQL counts the limits')
		const { limiter, stop } = createPostgresCallLimiter(databaseUrl, redisLogger, guards.add({ ...COUNTERS_GUARD, part: 'database', name: 'limits' }))
		releasers.add('limiter', stop)
		return { limiter, redis: undefined }
	}
	const connection = connectRedis(target, keys.dataId, redisLogger)
	releasers.add('redis connection', () => connection.redis.disconnect())
	// A limit that is nearly reached must not begin anew with each start.
	await connection.ready()
	const guard = guards.add({ ...COUNTERS_GUARD, part: 'redis' })
	connection.onReady(() => void guard.tryNow(connection.look))
	return { limiter: createRedisCallLimiter(connection.redis, keys.dataId, guard), redis: connection }
}

/** Which settings the environment gives; secrets among them. */
export function settingsOfEnvironment({ callsPerMinute, freeSwitches, oauthClient, provider }: Config): Partial<Settings> {
	const [first] = freeSwitches
	return {
		...(callsPerMinute === undefined ? {} : { callsPerMinute }),
		// Of several this is the one that the settings show; all of them count until an admin saves a connection (endpointsOf).
		...(first?.password === undefined ? {} : { freeswitch: connectionOf(first) }),
		...(provider === undefined
			? {}
			: { provider: { kind: provider.kind, ...(provider.apiKey === undefined ? {} : { apiKey: provider.apiKey.reveal() }), ...(provider.baseUrl === undefined ? {} : { baseUrl: provider.baseUrl }) } }),
		...(oauthClient === undefined ? {} : { oauth: { clientId: oauthClient.id, clientSecret: oauthClient.secret.reveal() } }),
	}
}

function connectionOf({ host, port, user, password }: FreeSwitchConfig): SwitchConnection {
	return { host, port, user: user ?? null, password: password?.reveal() ?? null }
}

/**
 * The switches to connect to: all that the environment names, or the one that an admin has saved instead. Without a
 * password nobody is let in: then there is no switch to try.
 *
 * @param current the connection that counts
 * @param environment what the environment gives
 */
export function endpointsOf(current: SwitchConnection, environment: Partial<Settings>, { freeSwitches }: Config): EslEndpoint[] {
	return (current === environment.freeswitch ? freeSwitches.map(connectionOf) : [current])
		.flatMap(({ host, port, user, password }) => password === null ? [] : [{ host, port, user: user ?? undefined, password }])
}
