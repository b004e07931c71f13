// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { JwtAlgorithm } from '../../../lib/identity/jwt.ts'

import fc from 'fast-check'
import { jwtVerify } from 'jose'
import { createHash, createHmac, generateKeyPairSync, randomBytes, randomUUID, sign as signWithKeyPair } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { AccessTokens, JWT_ALGORITHMS, keyId, LEAST_KEY_BYTES } from '../../../lib/identity/jwt.ts'

const KEY = Buffer.from('an admin’s own secret key, long enough for all three algorithms, 64 bytes and more')
const OLD_KEY = randomBytes(64)
const ISSUED = Date.parse('2026-11-22T09:30:00.000Z')
const SIGN_IN = '0196f3a2-5c1e-7bbb-8000-00805f9b34fb'

let nowMs = ISSUED

function tokensWith({ keys = [KEY], algorithm = 'HS256' }: { keys?: [Buffer, ...Buffer[]], algorithm?: JwtAlgorithm } = {}): AccessTokens {
	return new AccessTokens({ keys, algorithm, lifetimeSec: 900, now: () => new Date(nowMs), newUuid: randomUUID })
}

function at<Value>(ms: number, read: () => Value): Value {
	nowMs = ms
	try {
		return read()
	} finally {
		nowMs = ISSUED
	}
}

function encode(value: unknown): string {
	return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

const HEADER = { alg: 'HS256', typ: 'at+jwt', kid: keyId(KEY) }
const CLAIMS = { iss: 'sipcall', aud: 'sipcall', sub: 'alice', sid: SIGN_IN, iat: ISSUED / 1000, exp: ISSUED / 1000 + 900, jti: 'one' }

/** A token with a right signature over whatever it holds. */
function signed(claims: unknown, { header = HEADER, key = KEY, hash = 'sha256' }: { header?: unknown, key?: Buffer, hash?: string } = {}): string {
	const text = `${encode(header)}.${encode(claims)}`
	return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`
}

describe('an access token', () => {
	const tokens = tokensWith()
	const token = tokens.sign('alice', SIGN_IN)
	const [header = '', payload = '', signature = ''] = token.split('.')

	it('says who, from which sign-in, for whom, since when and until when', () => {
		expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual(HEADER)
		expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toEqual({ ...CLAIMS, jti: expect.stringMatching(/^[0-9a-f-]{36}$/) })
		expect(tokens.verify(token)).toEqual({ sub: 'alice', sid: SIGN_IN, iat: CLAIMS.iat, exp: CLAIMS.exp, jti: expect.any(String) })
	})

	it('is another one each time', () => {
		expect(new Set(Array.from({ length: 100 }, () => tokens.sign('alice', SIGN_IN))).size).toBe(100)
	})

	it('carries any user id that Nextcloud may have', () => {
		fc.assert(fc.property(fc.string({ minLength: 1, maxLength: 64, unit: 'grapheme' }), (userId) => {
			expect(tokens.verify(tokens.sign(userId, SIGN_IN))?.sub).toBe(userId)
		}))
	})

	it.each(JWT_ALGORITHMS)('under %s is one that jose takes too', async (algorithm) => {
		const { payload, protectedHeader } = await jwtVerify(tokensWith({ algorithm }).sign('alice', SIGN_IN), KEY, { algorithms: [algorithm], issuer: 'sipcall', audience: 'sipcall', typ: 'at+jwt', currentDate: new Date(ISSUED) })
		expect(payload.sub).toBe('alice')
		expect(protectedHeader.kid).toBe(createHash('sha256').update(KEY).digest('hex').slice(0, 8))
	})

	it('is valid for 900 seconds, to the second, without leeway', () => {
		expect(at(ISSUED + 899_999, () => tokens.verify(token))).toBeDefined()
		expect(at(ISSUED + 900_000, () => tokens.verify(token))).toBeUndefined()
		expect(at(ISSUED + 10 ** 12, () => tokens.verify(token))).toBeUndefined()
	})

	it('is not valid before it was made', () => {
		expect(at(ISSUED - 1, () => tokens.verify(token))).toBeUndefined()
	})

	it('is refused after any change of one character', () => {
		const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', '.', '=', '+', '/', ' ', '\n', '\0', 'é', '\ud800']
		for (let index = 0; index < token.length; index++) {
			for (const character of alphabet) {
				const changed = `${token.slice(0, index)}${character}${token.slice(index + 1)}`
				if (changed !== token && tokens.verify(changed) !== undefined) {
					expect.unreachable(`accepted with ${JSON.stringify(character)} at ${index}`)
				}
			}
		}
	})

	it('is refused after anything was put in, taken out or moved', () => {
		fc.assert(fc.property(fc.nat(token.length), fc.nat(8), fc.string({ maxLength: 8, unit: fc.constantFrom(...token, '=', ' ', '\n') }), (index, removed, added) => {
			const changed = `${token.slice(0, index)}${added}${token.slice(index + removed)}`
			fc.pre(changed !== token)
			expect(tokens.verify(changed)).toBeUndefined()
		}), { numRuns: 2000 })
	})

	it('is refused, and nothing is thrown, for any text at all', () => {
		fc.assert(fc.property(fc.oneof(fc.string(), fc.string().map((text) => `${header}.${text}`), fc.string().map((text) => `${header}.${payload}.${text}`)), (text) => {
			expect(tokens.verify(text)).toBeUndefined()
		}), { numRuns: 2000 })
	})

	it.each([
		['empty', ''],
		['dots alone', '..'],
		['without a signature', `${header}.${payload}`],
		['with an empty signature', `${header}.${payload}.`],
		['with a signature cut off', token.slice(0, -1)],
		['with one dot behind', `${token}.`],
		['with three dots behind', `${token}...`],
		['with two signatures', `${token}.${signature}`],
		['with a dot before', `.${token}`],
		['with padding', `${token}=`],
		['with a line break', `${token}\n`],
		['in base64 instead of base64url', `${header}.${payload}.${Buffer.from(signature, 'base64url').toString('base64')}`],
		['whose last character differs in bits that carry nothing', `${token.slice(0, -1)}${sameByteAs(signature.at(-1) ?? '')}`],
		['with the payload of another', `${header}.${encode({ ...CLAIMS, sub: 'admin' })}.${signature}`],
		['in capital letters', token.toUpperCase()],
	])('%s is refused', (_name, text) => {
		expect(tokens.verify(text)).toBeUndefined()
	})

	it('of a size that no token has is refused at once', () => {
		expect(tokens.verify(signed({ ...CLAIMS, pad: 'x'.repeat(10_000) }))).toBeUndefined()
		expect(tokens.verify('.'.repeat(10_000_000))).toBeUndefined()
	})
})

/** Base64url's last character of 32 bytes carries 4 bits of 6: one that Node decodes to the same bytes. */
function sameByteAs(character: string): string {
	const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
	return alphabet[alphabet.indexOf(character) ^ 1] ?? ''
}

describe('a forged access token', () => {
	const tokens = tokensWith()

	it('with right claims, header and signature would be taken, so what follows tests one fault each', () => {
		expect(tokens.verify(signed(CLAIMS))).toEqual({ sub: 'alice', sid: SIGN_IN, iat: CLAIMS.iat, exp: CLAIMS.exp, jti: 'one' })
	})

	it.each(['none', 'None', 'NONE', 'nOnE', ''])('with the algorithm %j is refused, signed or not', (alg) => {
		const text = `${encode({ ...HEADER, alg })}.${encode(CLAIMS)}`
		expect(tokens.verify(`${text}.`)).toBeUndefined()
		expect(tokens.verify(text)).toBeUndefined()
		expect(tokens.verify(signed(CLAIMS, { header: { ...HEADER, alg } }))).toBeUndefined()
	})

	it.each([['HS384', 'sha384'], ['HS512', 'sha512']])('that names %s and is signed that way is refused: the algorithm is pinned', (alg, hash) => {
		expect(tokens.verify(signed(CLAIMS, { header: { ...HEADER, alg }, hash }))).toBeUndefined()
		expect(tokens.verify(signed(CLAIMS, { header: { ...HEADER, alg } }))).toBeUndefined()
		expect(tokens.verify(signed(CLAIMS, { hash }))).toBeUndefined()
	})

	it('signed with a key pair is refused', () => {
		const { privateKey } = generateKeyPairSync('ed25519')
		const text = `${encode({ ...HEADER, alg: 'EdDSA' })}.${encode(CLAIMS)}`
		expect(tokens.verify(`${text}.${signWithKeyPair(null, Buffer.from(text), privateKey).toString('base64url')}`)).toBeUndefined()
	})

	it.each([
		['of another type', { ...HEADER, typ: 'JWT' }],
		['without a type', { alg: 'HS256', kid: HEADER.kid }],
		['without a key id', { alg: 'HS256', typ: 'at+jwt' }],
		['with the id of a key that is not loaded', { ...HEADER, kid: '00000000' }],
		['with a key of its own', { ...HEADER, jwk: { kty: 'oct', k: encode('x') } }],
		['with a key at an address', { ...HEADER, jku: 'https://evil.example/' }],
		['with a path for a key id', { ...HEADER, kid: '../../../dev/null' }],
		['with a critical extension', { ...HEADER, crit: ['b64'], b64: false }],
		['with the same content in another order', { typ: 'at+jwt', alg: 'HS256', kid: HEADER.kid }],
		['with spaces', '{"alg": "HS256", "typ": "at+jwt"}'],
		['that is no object', '"HS256"'],
		['that is no JSON', '{'],
	])('with a header %s is refused', (_name, header) => {
		expect(tokens.verify(signed(CLAIMS, { header }))).toBeUndefined()
	})

	it('signed with another key, or with none, is refused', () => {
		expect(tokens.verify(signed(CLAIMS, { key: randomBytes(64) }))).toBeUndefined()
		expect(tokens.verify(signed(CLAIMS, { key: Buffer.alloc(0) }))).toBeUndefined()
		expect(tokens.verify(signed(CLAIMS, { key: Buffer.from(KEY.toString('base64')) }))).toBeUndefined()
	})

	it.each([
		['another issuer', { ...CLAIMS, iss: 'https://cloud.example' }],
		['no issuer', { ...CLAIMS, iss: undefined }],
		['another audience', { ...CLAIMS, aud: 'nextcloud' }],
		['no audience', { ...CLAIMS, aud: undefined }],
		['a list of audiences', { ...CLAIMS, aud: ['sipcall', 'nextcloud'] }],
		['no subject', { ...CLAIMS, sub: undefined }],
		['an empty subject', { ...CLAIMS, sub: '' }],
		['a subject that is no text', { ...CLAIMS, sub: ['alice'] }],
		['no sign-in', { ...CLAIMS, sid: undefined }],
		['no id', { ...CLAIMS, jti: undefined }],
		['no end', { ...CLAIMS, exp: undefined }],
		['an end that is a text', { ...CLAIMS, exp: '9999999999' }],
		['an end beyond all numbers', { ...CLAIMS, exp: 1e300 }],
		['an end that was', { ...CLAIMS, exp: CLAIMS.iat }],
		['no beginning', { ...CLAIMS, iat: undefined }],
		['a beginning that is to come', { ...CLAIMS, iat: CLAIMS.iat + 1 }],
		['a list', [CLAIMS]],
		['null', null],
		['a text', '"alice"'],
		['no JSON', '{"iss":'],
		['nothing', ''],
	])('with %s inside is refused, though rightly signed', (_name, claims) => {
		expect(tokens.verify(signed(claims))).toBeUndefined()
	})
})

describe('the keys of access tokens', () => {
	it('that were used before still verify, and the first one signs', () => {
		const before = tokensWith({ keys: [OLD_KEY] }).sign('alice', SIGN_IN)
		const tokens = tokensWith({ keys: [KEY, OLD_KEY] })
		expect(tokens.verify(before)?.sub).toBe('alice')
		expect(tokens.sign('alice', SIGN_IN).split('.')[0]).toBe(encode(HEADER))
		expect(tokensWith({ keys: [KEY] }).verify(before)).toBeUndefined()
	})

	it('do not verify for one another: the id decides', () => {
		const tokens = tokensWith({ keys: [KEY, OLD_KEY] })
		expect(tokens.verify(signed(CLAIMS, { key: OLD_KEY }))).toBeUndefined()
		expect(tokens.verify(signed(CLAIMS, { key: OLD_KEY, header: { ...HEADER, kid: keyId(OLD_KEY) } }))?.sub).toBe('alice')
	})

	it.each(JWT_ALGORITHMS)('for %s are as long as its hash or longer (RFC 7518 section 3.2)', (algorithm) => {
		const least = LEAST_KEY_BYTES[algorithm]
		expect(() => tokensWith({ keys: [randomBytes(least - 1)], algorithm })).toThrow(RangeError)
		expect(() => tokensWith({ keys: [randomBytes(64), randomBytes(least - 1)], algorithm })).toThrow(RangeError)
		const tokens = tokensWith({ keys: [randomBytes(least)], algorithm })
		expect(tokens.verify(tokens.sign('alice', SIGN_IN))?.sub).toBe('alice')
	})

	it('of another algorithm make tokens that are refused after the change', () => {
		const before = tokensWith({ algorithm: 'HS512' }).sign('alice', SIGN_IN)
		expect(tokensWith({ algorithm: 'HS256' }).verify(before)).toBeUndefined()
	})

	it('stand in no text of the object that holds them', () => {
		expect(JSON.stringify(tokensWith())).toBe('{}')
	})
})
