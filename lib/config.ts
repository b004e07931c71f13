// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The environment -> one frozen Config. The only reader of process.env is main.ts, which hands it in here.

import type { JwtAlgorithm } from './identity/jwt.ts'
import type { LogLevel } from './logger.ts'

import { inspect } from 'node:util'
import { z } from 'zod'
import { JWT_ALGORITHMS, LEAST_KEY_BYTES } from './identity/jwt.ts'
import { isApiAddress } from './policy/api-address.ts'
import { isProviderKind, PROVIDER_KINDS } from './provider/index.ts'
import { readRedisTarget } from './redis/target.ts'

/** A value that no log, error or dump may show. */
export class Secret<Value = string> {
	readonly #value: Value

	constructor(value: Value) {
		this.#value = value
	}

	reveal(): Value {
		return this.#value
	}

	toString(): string {
		return '[redacted]'
	}

	toJSON(): string {
		return '[redacted]'
	}

	[inspect.custom](): string {
		return '[redacted]'
	}
}

export interface FreeSwitchConfig {
	host: string
	port: number
	/** `name@domain` for `userauth`. */
	user: string | undefined
	/** undefined: the switch is not set up yet, no connection is tried. */
	password: Secret | undefined
}

export interface JwtConfig {
	/** The one that signs first; empty = the key file of the volume. */
	keys: Secret<Buffer>[]
	algorithm: JwtAlgorithm
	expiryMin: number
}

export interface Config {
	appId: string
	appVersion: string
	appSecret: Secret
	/** Where to listen: HaRP reaches the app through a Unix socket, everything else by TCP. */
	listen: { socketPath: string } | { host: string, port: number }
	storagePath: string
	nextcloudUrl: string
	databaseUrl: Secret | undefined
	/** Of PostgreSQL's streaming replicas, which may be read from. */
	databaseReplicaUrls: readonly Secret[]
	/** 32 bytes each, the active one first; empty = the key file of the volume. */
	encryptionKeys: Secret<Buffer>[]
	redisUrl: Secret | undefined
	jwt: JwtConfig
	/** The OAuth 2.0 client in Nextcloud; undefined: nobody signs in from outside. */
	oauthClient: { id: string, secret: Secret } | undefined
	/** Origins of other pages whose scripts may use /api/v1, as browsers spell them. */
	corsOrigins: readonly string[]
	/** At least one. */
	freeSwitches: readonly FreeSwitchConfig[]
	/** undefined: no company is asked. */
	provider: { kind: string, apiKey?: Secret | undefined, baseUrl?: string | undefined } | undefined
	callsPerMinute: number | undefined
	logLevel: LogLevel
	/** Readable lines instead of JSON, for a person at a terminal. */
	logPretty: boolean
}

/** All faults of the environment at once, each with the variable's name and how to mend it; never a value. */
export class ConfigError extends Error {
	readonly faults: readonly string[]

	constructor(faults: readonly string[]) {
		super(`The environment is not complete:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`)
		this.name = 'ConfigError'
		this.faults = faults
	}
}

const port = z.string().regex(/^\d+$/, 'is not a port; give a number from 1 to 65535').transform(Number)
	.refine((value) => value >= 1 && value <= 65535, 'is not a port; give a number from 1 to 65535')

const secret = z.string().transform((value) => new Secret(value))

const noControl = (text: string) => !/\p{Cc}/u.test(text)

const encryptionKey = z.string().trim()
	.regex(/^[A-Za-z0-9+/_-]{43}=?$/, 'is not 32 bytes in base64; make one with: openssl rand -base64 32')
	.transform((text) => new Secret(Buffer.from(text, 'base64')))

/** A JSON array in a variable, such as `["a","b"]`. */
function jsonArray<Item extends z.ZodType>(item: Item) {
	return z.string().transform((text, context) => {
		try {
			return JSON.parse(text) as unknown
		} catch {
			context.addIssue({ code: 'custom', message: 'is not a JSON array' })
			return z.NEVER
		}
	}).pipe(z.array(item))
}

const databaseUrl = secret
	.refine((url) => /^postgres(?:ql)?:\/\//.test(url.reveal()), 'is not a PostgreSQL URL; it begins with postgresql://')
const redisUrl = secret
	.refine((url) => readRedisTarget(url.reveal()) !== undefined, 'is not a Redis URL; it begins with redis:// or rediss://, or is redis-sentinel://host:26379,other:26379#name')
const password = secret.refine((value) => noControl(value.reveal()), 'holds a control character')

/** Paths are added to it, and `fetch` refuses one with a name and password in it. */
function isPlainAddress(text: string) {
	const url = URL.parse(text)
	// What is no URL at all has its own fault.
	return url === null || [url.username, url.password, url.search, url.hash].every((part) => part === '')
}

const tokenKey = z.string().min(32, 'is shorter than 32 characters; make one with: openssl rand -base64 48')
	.refine(noControl, 'holds a control character').transform((text) => new Secret(Buffer.from(text)))

/** As browsers spell it, because it is compared as a text: scheme and host in small letters, no default port, no path. */
const origin = z.string().refine((text) => {
	const url = URL.parse(text)
	return url !== null && url.host !== '' && text === `${url.protocol}//${url.host}`
}, 'is not an origin such as https://app.example or http://localhost:3000')

const freeSwitchNode = z.strictObject({
	host: z.string().min(1),
	port: z.int().min(1).max(65535).default(8021),
	password,
	user: z.string().regex(/^[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+$/, 'is not of the form name@domain').optional(),
})

/** Every variable that the sidecar reads, with its meaning for the documentation. */
export const ENVIRONMENT = z.object({
	APP_ID: z.string().regex(/^[a-z0-9_]+$/, 'is not an app id').default('sipcall').describe('Set by AppAPI'),
	APP_VERSION: z.string().min(1).default('0.1.0').describe('Set by AppAPI'),
	APP_SECRET: z.string('is missing; AppAPI sets it when it deploys the app, and a server without it would be open to everyone')
		.min(1, 'is empty').transform((value) => new Secret(value)).describe('Set by AppAPI: proves that a request comes from Nextcloud'),
	APP_HOST: z.string().min(1).default('127.0.0.1').describe('Set by AppAPI: the address to listen on'),
	APP_PORT: port.optional().describe('Set by AppAPI: the port to listen on'),
	HP_SHARED_KEY: secret.optional().describe('Set by AppAPI for a HaRP daemon: listen on the Unix socket /tmp/exapp.sock instead'),
	APP_PERSISTENT_STORAGE: z.string('is missing; name a folder that survives restarts').min(1, 'is empty').describe('Set by AppAPI: the volume for the database and the keys'),
	AA_VERSION: z.string().optional().describe('Set by AppAPI'),
	NEXTCLOUD_URL: z.url({ protocol: /^https?$/, error: 'is missing or no http(s) URL; give the address under which this server reaches Nextcloud' })
		.refine(isPlainAddress, 'holds a user name, a query or a fragment; give the address alone').describe('Set by AppAPI'),
	DATABASE_URL: databaseUrl.optional().describe('PostgreSQL 15 or newer with pgcrypto; empty: embedded on the volume'),
	DATABASE_REPLICA_URLS: jsonArray(databaseUrl).refine((urls) => new Set(urls.map((url) => url.reveal())).size === urls.length, 'names one server twice').default([])
		.describe('JSON array of URLs of read replicas of that PostgreSQL, which answer what may be a few seconds late'),
	DATABASE_ENCRYPTION_KEY: encryptionKey.optional().describe('32 random bytes in base64; empty: generated once on the volume'),
	DATABASE_ENCRYPTION_KEYS_PREVIOUS: jsonArray(encryptionKey).optional().describe('JSON array of earlier keys'),
	REDIS_URL: redisUrl.optional().describe('Redis 7 or newer, or its Sentinels; empty: embedded when the binary is there, else PostgreSQL counts'),
	JWT_SECRET_KEY: tokenKey.optional().describe('Signs access tokens: 32 characters or more, 48 for HS384, 64 for HS512; empty: generated once on the volume'),
	JWT_SECRET_KEYS_PREVIOUS: jsonArray(tokenKey).optional().describe('JSON array of earlier keys, whose tokens stay valid until they expire'),
	JWT_ALGORITHM: z.enum(JWT_ALGORITHMS, 'is none of HS256, HS384, HS512').default('HS256').describe('How access tokens are signed; tokens of another algorithm are refused'),
	JWT_EXPIRY_MINUTES: z.string().regex(/^(?:[1-9]\d{0,2}|1[0-3]\d\d|14[0-3]\d|1440)$/, 'is not a number from 1 to 1440').transform(Number).default(15).describe('How long an access token is valid'),
	NEXTCLOUD_OAUTH_CLIENT_ID: z.string().refine(noControl, 'holds a control character').optional().describe('The OAuth 2.0 client that an admin made in Nextcloud; empty: nobody signs in from outside'),
	NEXTCLOUD_OAUTH_CLIENT_SECRET: password.optional().describe('The secret of that client'),
	CORS_ORIGINS: jsonArray(origin).default([]).describe('JSON array of origins whose pages may use /api/v1, such as `["https://app.example"]`'),
	FREESWITCH_HOST: z.string().min(1).default('127.0.0.1').describe('The Event Socket’s host'),
	FREESWITCH_PORT: port.default(8021).describe('The Event Socket’s port'),
	FREESWITCH_PASSWORD: password.optional().describe('The Event Socket’s password; empty: no switch is set up yet'),
	FREESWITCH_NODES: jsonArray(freeSwitchNode).refine((nodes) => nodes.length > 0, 'is empty; name at least one switch, or leave it out')
		.refine((nodes) => new Set(nodes.map(({ host, port }) => `${host.toLowerCase()} ${port}`)).size === nodes.length, 'names one switch twice').optional()
		.describe('JSON array of `{host,port,password,user?}`, one for each of several switches, instead of the three above'),
	SIP_PROVIDER: z.string().refine(isProviderKind, `is none of ${PROVIDER_KINDS.map(({ kind }) => kind).join(', ')}`).optional().describe('The company behind the trunk: `telnyx`, or `generic` for any gateway, of which nobody is asked; default `generic`'),
	SIP_PROVIDER_API_KEY: secret.refine((key) => /^[\x21-\x7E]+$/.test(key.reveal()), 'holds a space or a letter beyond A to Z').optional().describe('The key of that company’s interface'),
	SIP_PROVIDER_BASE_URL: z.string().refine(isApiAddress, 'is no https address; http is only for this very machine').optional().describe('The address of that interface, with or without its version; default https://api.telnyx.com'),
	RATE_LIMIT_CALLS_PER_MINUTE: z.string().regex(/^(?:[1-9]\d{0,2}|1000)$/, 'is not a number from 1 to 1000').transform(Number).optional().describe('Calls a user may start in a minute; default 10'),
	LOG_LEVEL: z.enum(['error', 'warn', 'info', 'debug'], 'is none of error, warn, info, debug').default('info').describe('How much is logged'),
	LOG_FORMAT: z.enum(['json', 'pretty'], 'is none of json, pretty').default('json').describe('JSON lines, or readable ones for a terminal'),
})

/**
 * Reads the environment. An empty variable counts as not set, because AppAPI passes declared variables without a
 * value that way.
 *
 * @throws {ConfigError} with every fault at once
 */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
	const given = Object.fromEntries(Object.keys(ENVIRONMENT.shape)
		.flatMap((name) => environment[name] === undefined || environment[name] === '' ? [] : [[name, environment[name]]]))
	const result = ENVIRONMENT.safeParse(given)
	const faults = result.success ? [] : result.error.issues.map(faultText)
	if (given.APP_PORT === undefined && given.HP_SHARED_KEY === undefined) {
		faults.push('APP_PORT is missing; AppAPI sets it when it deploys the app')
	}
	if (given.DATABASE_REPLICA_URLS !== undefined && given.DATABASE_URL === undefined) {
		faults.push('DATABASE_REPLICA_URLS is set without DATABASE_URL; the embedded PostgreSQL has no replicas')
	}
	if (given.DATABASE_ENCRYPTION_KEYS_PREVIOUS !== undefined && given.DATABASE_ENCRYPTION_KEY === undefined) {
		faults.push('DATABASE_ENCRYPTION_KEYS_PREVIOUS is set without DATABASE_ENCRYPTION_KEY; name the key that is to encrypt from now on')
	}
	if ((given.NEXTCLOUD_OAUTH_CLIENT_ID === undefined) !== (given.NEXTCLOUD_OAUTH_CLIENT_SECRET === undefined)) {
		faults.push('NEXTCLOUD_OAUTH_CLIENT_ID and NEXTCLOUD_OAUTH_CLIENT_SECRET belong together; set both or none')
	}
	const hasApi = PROVIDER_KINDS.some(({ kind, hasApi }) => kind === given.SIP_PROVIDER && hasApi)
	if (hasApi && given.SIP_PROVIDER_API_KEY === undefined) {
		faults.push('SIP_PROVIDER_API_KEY is missing; SIP_PROVIDER names a company that is asked with a key')
	}
	if (given.JWT_SECRET_KEYS_PREVIOUS !== undefined && given.JWT_SECRET_KEY === undefined) {
		faults.push('JWT_SECRET_KEYS_PREVIOUS is set without JWT_SECRET_KEY; name the key that is to sign from now on')
	}
	if (result.success) {
		faults.push(...shortKeys(result.data))
	}
	if (!result.success || faults.length > 0) {
		throw new ConfigError(faults)
	}
	const env = result.data
	return Object.freeze<Config>({
		appId: env.APP_ID,
		appVersion: env.APP_VERSION,
		appSecret: env.APP_SECRET,
		listen: env.HP_SHARED_KEY === undefined && env.APP_PORT !== undefined
			? { host: env.APP_HOST, port: env.APP_PORT }
			: { socketPath: '/tmp/exapp.sock' },
		storagePath: env.APP_PERSISTENT_STORAGE,
		nextcloudUrl: env.NEXTCLOUD_URL.replace(/(?:\/+index\.php)?\/*$/, ''),
		databaseUrl: env.DATABASE_URL,
		databaseReplicaUrls: env.DATABASE_REPLICA_URLS,
		encryptionKeys: env.DATABASE_ENCRYPTION_KEY === undefined ? [] : [env.DATABASE_ENCRYPTION_KEY, ...env.DATABASE_ENCRYPTION_KEYS_PREVIOUS ?? []],
		redisUrl: env.REDIS_URL,
		jwt: {
			keys: env.JWT_SECRET_KEY === undefined ? [] : [env.JWT_SECRET_KEY, ...env.JWT_SECRET_KEYS_PREVIOUS ?? []],
			algorithm: env.JWT_ALGORITHM,
			expiryMin: env.JWT_EXPIRY_MINUTES,
		},
		oauthClient: env.NEXTCLOUD_OAUTH_CLIENT_ID === undefined || env.NEXTCLOUD_OAUTH_CLIENT_SECRET === undefined
			? undefined
			: { id: env.NEXTCLOUD_OAUTH_CLIENT_ID, secret: env.NEXTCLOUD_OAUTH_CLIENT_SECRET },
		corsOrigins: env.CORS_ORIGINS,
		freeSwitches: env.FREESWITCH_NODES === undefined
			? [{ host: env.FREESWITCH_HOST, port: env.FREESWITCH_PORT, user: undefined, password: env.FREESWITCH_PASSWORD }]
			: env.FREESWITCH_NODES.map(({ host, port, user, password }) => ({ host, port, user, password })),
		provider: env.SIP_PROVIDER === undefined
			? undefined
			: { kind: env.SIP_PROVIDER, ...(hasApi ? { apiKey: env.SIP_PROVIDER_API_KEY, baseUrl: env.SIP_PROVIDER_BASE_URL } : {}) },
		callsPerMinute: env.RATE_LIMIT_CALLS_PER_MINUTE,
		logLevel: env.LOG_LEVEL,
		logPretty: env.LOG_FORMAT === 'pretty',
	})
}

/** A key of 32 characters is enough for the default algorithm alone. */
function shortKeys({ JWT_ALGORITHM, JWT_SECRET_KEY, JWT_SECRET_KEYS_PREVIOUS }: z.output<typeof ENVIRONMENT>): string[] {
	const least = LEAST_KEY_BYTES[JWT_ALGORITHM]
	const isShort = (key: Secret<Buffer>) => key.reveal().length < least
	return [
		...(JWT_SECRET_KEY !== undefined && isShort(JWT_SECRET_KEY) ? ['JWT_SECRET_KEY'] : []),
		...(JWT_SECRET_KEYS_PREVIOUS?.some(isShort) ? ['JWT_SECRET_KEYS_PREVIOUS'] : []),
	].map((name) => `${name} is too short for ${JWT_ALGORITHM}, which needs ${least} characters; make one with: openssl rand -base64 48`)
}

/** One line for a fault; of a list also where in it. An unknown key is part of the value, and so is not repeated. */
function faultText(issue: z.core.$ZodIssue): string {
	const [name, ...place] = issue.path.map(String)
	return `${name}${place.length === 0 ? '' : ` (${place.join('.')})`} ${issue.code === 'unrecognized_keys' ? 'holds a key that is not known here' : issue.message}`
}
