// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Our own access tokens: JWTs (RFC 7519) in the profile of RFC 9068, signed with one secret. Why not with a library:
// docs/adr/0007-own-jwt.md.

import type { KeyObject } from 'node:crypto'

import { createHash, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'

export const JWT_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const

export type JwtAlgorithm = typeof JWT_ALGORITHMS[number]

/** What a token says. Times are NumericDates: seconds since 1970. */
export interface AccessClaims {
	/** The user's id in Nextcloud. */
	sub: string
	/** The sign-in that the token came from: it ends with it, whatever its age. */
	sid: string
	iat: number
	/** The first second in which the token is no longer valid. */
	exp: number
	jti: string
}

export interface AccessTokensOptions {
	/** The first one signs, all of them verify. */
	keys: readonly [Buffer, ...Buffer[]]
	algorithm: JwtAlgorithm
	lifetimeSec: number
	now: () => Date
	newUuid: () => string
}

interface VerifyKey {
	/** The one header of all tokens under this key, encoded. */
	header: string
	key: KeyObject
}

const HASHES: Readonly<Record<JwtAlgorithm, string>> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' }

/** RFC 7518 section 3.2: a key of the same size as the hash output or larger MUST be used. */
export const LEAST_KEY_BYTES: Readonly<Record<JwtAlgorithm, number>> = { HS256: 32, HS384: 48, HS512: 64 }

/** Both `iss` and `aud`: who made a token, and for whom. */
const PARTY = 'sipcall'

/** Far more than a token of ours has, and little enough that nobody can make us work with it. */
const LONGEST_TOKEN = 4096

/** Makes and checks access tokens. Neither waits for anything: nothing here is stored or asked. */
export class AccessTokens {
	readonly #signing: VerifyKey
	/** By header: a token whose header is not, byte for byte, one that this server writes is refused unread. */
	readonly #keys: ReadonlyMap<string, VerifyKey>
	readonly #options: Omit<AccessTokensOptions, 'keys'>

	/**
	 * @throws {RangeError} when a key is too short for the algorithm
	 */
	constructor({ keys: [signingKey, ...previousKeys], ...options }: AccessTokensOptions) {
		this.#options = options
		this.#signing = verifyKey(signingKey, options.algorithm)
		this.#keys = new Map([this.#signing, ...previousKeys.map((key) => verifyKey(key, options.algorithm))].map((key) => [key.header, key]))
	}

	get lifetimeSec(): number {
		return this.#options.lifetimeSec
	}

	/** A token for a user that has just proven who it is. */
	sign(userId: string, signInId: string): string {
		const { lifetimeSec, newUuid } = this.#options
		const iat = this.#nowSec()
		const claims = { iss: PARTY, aud: PARTY, sub: userId, sid: signInId, iat, exp: iat + lifetimeSec, jti: newUuid() }
		const signed = `${this.#signing.header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
		return `${signed}.${this.#signature(this.#signing, signed)}`
	}

	/**
	 * @return undefined when the token is forged, altered, of another kind or issuer, not valid yet or no longer; never
	 * says which
	 */
	verify(token: string): AccessClaims | undefined {
		if (token.length > LONGEST_TOKEN) {
			return undefined
		}
		// RFC 7515 section 7.1: three parts, no more. The header decides the key and the algorithm, and cannot name others.
		const firstDot = token.indexOf('.')
		const lastDot = token.lastIndexOf('.')
		const key = this.#keys.get(token.slice(0, firstDot))
		if (key === undefined || lastDot <= firstDot) {
			return undefined
		}
		const signed = token.slice(0, lastDot)
		// The texts are compared: of the several spellings that base64 allows for the same bytes, one is right.
		if (!isEqual(token.slice(lastDot + 1), this.#signature(key, signed))) {
			return undefined
		}
		return this.#validClaims(signed.slice(firstDot + 1))
	}

	/** The signature was right, so the text is one that a holder of the key has written. */
	#validClaims(payload: string): AccessClaims | undefined {
		const claims = readClaims(payload)
		if (claims === undefined || claims.iss !== PARTY || claims.aud !== PARTY) {
			return undefined
		}
		const { sub, sid, iat, exp, jti } = claims
		const nowSec = this.#nowSec()
		if (!isText(sub) || !isText(sid) || !isText(jti) || !isTime(iat) || !isTime(exp) || iat > nowSec || exp <= nowSec) {
			return undefined
		}
		return { sub, sid, iat, exp, jti }
	}

	#signature({ key }: VerifyKey, signed: string): string {
		return createHmac(HASHES[this.#options.algorithm], key).update(signed).digest('base64url')
	}

	#nowSec(): number {
		return Math.floor(this.#options.now().getTime() / 1000)
	}
}

/** Names a key in a token's header without telling it: 8 hexadecimal digits of its SHA-256. */
export function keyId(key: Buffer): string {
	return createHash('sha256').update(key).digest('hex').slice(0, 8)
}

function verifyKey(key: Buffer, alg: JwtAlgorithm): VerifyKey {
	if (key.length < LEAST_KEY_BYTES[alg]) {
		throw new RangeError(`A key for ${alg} has ${LEAST_KEY_BYTES[alg]} bytes or more`)
	}
	// RFC 9068 section 2.1: the type keeps these apart from any other JWT under the same key.
	const header = JSON.stringify({ alg, typ: 'at+jwt', kid: keyId(key) })
	return { header: Buffer.from(header).toString('base64url'), key: createSecretKey(key) }
}

function isEqual(given: string, expected: string): boolean {
	const [givenBytes, expectedBytes] = [Buffer.from(given), Buffer.from(expected)]
	return givenBytes.length === expectedBytes.length && timingSafeEqual(givenBytes, expectedBytes)
}

function readClaims(payload: string): Record<string, unknown> | undefined {
	try {
		const value: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
		return typeof value === 'object' && value !== null ? value as Record<string, unknown> : undefined
	} catch {
		return undefined
	}
}

function isText(value: unknown): value is string {
	return typeof value === 'string' && value !== ''
}

function isTime(value: unknown): value is number {
	return Number.isSafeInteger(value)
}
